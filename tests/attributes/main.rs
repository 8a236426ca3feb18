//! What the attributes say to a mistake: each file below `cases` is compiled on the host against the crate `incipit`.
//!
//! A comment `//~ ERROR text` stands on the line that the compiler must point to (`//~^` on the line below it), with the text that the message must contain.
//! Every error must be announced and every announced error must come; a file without such comments must compile. Only messages and lines are
//! compared, so that another compiler's way to draw them makes no difference.

mod annotation;
mod compiler;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail};
use incipit_tests::trial;

use compiler::Compiler;

fn main() -> ExitCode {
    let compiler = Arc::new(OnceLock::new());
    let trials = cases().into_iter().map(|file| {
        let compiler = Arc::clone(&compiler);
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        trial::trial(name, move || check(&compiler, &file))
    });
    trial::run(trials.collect(), &[])
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("attributes/cases");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no cases", folder.display());
    files
}

/// Compiles `file` and holds the errors against the comments in it. The kernel's crate is compiled once, for the first case that needs it.
fn check(compiler: &OnceLock<Result<Compiler, String>>, file: &Path) -> Result<()> {
    let compiler = compiler.get_or_init(|| Compiler::new().map_err(|error| format!("{error:#}")));
    let compiler = compiler
        .as_ref()
        .map_err(|error| anyhow::anyhow!("the crate incipit does not compile on the host: {error}"))?;
    let source = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let expected = annotation::parse(&source)?;
    let errors = compiler.check(file)?;
    let wrong = annotation::compare(&expected, &errors);
    if wrong.is_empty() {
        return Ok(());
    }
    let shown: Vec<_> = errors.iter().map(|error| error.rendered.as_str()).collect();
    bail!(
        "{}:\n{}\n\nThe compiler says:\n{}",
        file.display(),
        wrong.join("\n"),
        shown.join("\n")
    )
}
