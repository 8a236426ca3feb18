//! Where the files of a build are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The project's root: the folder above this crate's.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
        .to_path_buf()
}

/// The folder of one build's files, as `make O=FOLDER` fills it.
#[derive(Debug, Clone)]
pub struct Build {
    folder: PathBuf,
}

impl Build {
    /// What `make` builds without further words: the image that `make run` boots.
    #[must_use]
    pub fn ours() -> Self {
        Self {
            folder: root().join("out"),
        }
    }

    /// A build in another folder.
    #[must_use]
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The sealed image.
    #[must_use]
    pub fn vmlinux(&self) -> PathBuf {
        self.folder.join("vmlinux")
    }

    /// The image for boot loaders.
    #[must_use]
    pub fn bzimage(&self) -> PathBuf {
        self.folder.join("bzImage")
    }

    /// The list of symbols.
    #[must_use]
    pub fn system_map(&self) -> PathBuf {
        self.folder.join("System.map")
    }
}

/// Whether this machine has the program `name`: it can be started and says its version.
#[must_use]
pub fn has_program(name: &str) -> bool {
    Command::new(name)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}
