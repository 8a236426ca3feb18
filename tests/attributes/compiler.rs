//! Compiles cases with the compiler that the project is built with, and reads what it says.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use incipit_tests::built::root;
use serde_json::Value;

/// An error of the compiler.
#[derive(Debug)]
pub struct Message {
    /// Its text.
    pub text: String,
    /// The lines that it points to.
    pub lines: Vec<usize>,
    /// As people see it.
    pub rendered: String,
}

/// The compiler, and where it finds the kernel's crate.
pub struct Compiler {
    kernel: PathBuf,
    dependencies: PathBuf,
}

impl Compiler {
    /// Compiles the kernel's crate for the host.
    ///
    /// # Errors
    ///
    /// If it does not compile.
    pub fn new() -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args([
                "check",
                "--quiet",
                "--package",
                "incipit",
                "--message-format=json-render-diagnostics",
            ])
            .current_dir(root())
            .output()
            .context("starting cargo")?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr));
        }
        let messages = String::from_utf8(output.stdout)?;
        let kernel = messages
            .lines()
            .find_map(kernel_file)
            .context("cargo does not say where the crate incipit is")?;
        let dependencies = kernel.parent().context("a file has a folder")?.to_owned();
        Ok(Self { kernel, dependencies })
    }

    /// The errors in `file`.
    ///
    /// # Errors
    ///
    /// If the compiler cannot be started or crashes.
    pub fn check(&self, file: &Path) -> Result<Vec<Message>> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let output = Command::new(rustc)
            .args([
                "--edition=2024",
                "--crate-type=lib",
                "--crate-name=case",
                "--emit=metadata",
                "--error-format=json",
                "-Adead_code",
            ])
            .arg("--out-dir")
            .arg(output_folder(file)?)
            .arg("--extern")
            .arg(format!("incipit={}", self.kernel.display()))
            .arg("-L")
            .arg(format!("dependency={}", self.dependencies.display()))
            .arg(file)
            // Attributes ask cargo's environment for the crate's name.
            .env("CARGO_CRATE_NAME", "case")
            .output()
            .context("starting rustc")?;
        let text = String::from_utf8(output.stderr)?;
        let errors: Vec<_> = text.lines().filter_map(|line| error(&serde_json::from_str(line).ok()?)).collect();
        if !output.status.success() && errors.is_empty() {
            bail!("the compiler failed without an error: {text}");
        }
        Ok(errors)
    }
}

/// A folder of its own for what the compiler makes of `file`: nobody wants it, but the compiler puts a new file in the place of whatever it is told to write.
fn output_folder(file: &Path) -> Result<PathBuf> {
    let name = file.file_stem().context("a case has a name")?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cases").join(name);
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

/// The file of the crate `incipit` that a message of cargo names.
fn kernel_file(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let ours = message["reason"] == "compiler-artifact" && message["target"]["name"] == "incipit";
    let files = message["filenames"].as_array().filter(|_| ours)?;
    files
        .iter()
        .filter_map(Value::as_str)
        .find(|file| file.ends_with(".rmeta"))
        .map(PathBuf::from)
}

/// The place that a user wrote: where a place is inside a macro, that of its invocation.
fn invocation(mut span: &Value) -> &Value {
    while span["expansion"].is_object() {
        span = &span["expansion"]["span"];
    }
    span
}

/// An error with a place. Those without are sums: how many errors there were.
fn error(message: &Value) -> Option<Message> {
    let spans = message["spans"]
        .as_array()
        .filter(|spans| message["level"] == "error" && !spans.is_empty())?;
    let primary = spans.iter().filter(|span| span["is_primary"] == true).map(invocation);
    let lines = primary
        .filter_map(|span| usize::try_from(span["line_start"].as_u64()?).ok())
        .collect();
    let string = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
    Some(Message {
        text: string("message"),
        lines,
        rendered: string("rendered"),
    })
}
