//! Where the firmware is that does not come with the emulator.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// OVMF, the UEFI for QEMU's machines: the code, and the variables that a new machine begins with. Debian, Fedora, Arch.
const OVMF: &[(&str, &str)] = &[
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
];

/// The files of OVMF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ovmf {
    /// The code.
    pub code: PathBuf,
    /// Its variables, to be copied or left as they are.
    pub variables: PathBuf,
}

impl Ovmf {
    /// Finds it.
    ///
    /// # Errors
    ///
    /// If this machine has none.
    pub fn find() -> Result<Self> {
        first(OVMF).context("no OVMF (UEFI for QEMU) on this machine; it is in the package ovmf")
    }
}

/// The first of `places` whose files are both there.
fn first(places: &[(&str, &str)]) -> Option<Ovmf> {
    let there = |(code, variables): &&(&str, &str)| Path::new(code).exists() && Path::new(variables).exists();
    places.iter().find(there).map(|(code, variables)| Ovmf {
        code: code.into(),
        variables: variables.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_place_with_both_files_counts() {
        let (there, missing) = (env!("CARGO_MANIFEST_DIR"), "/nonexistent");
        assert_eq!(first(&[(there, missing), (missing, there)]), None);
        let found = first(&[(missing, missing), (there, there)]).unwrap();
        assert_eq!(found.code, Path::new(there));
    }
}
