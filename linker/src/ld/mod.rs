//! The linker wrapper: what rustc runs in the place of a linker.
//!
//! Which `linkme` slices an image has is known only when its objects are there, so the script is written here, between compiler and linker: the objects on
//! the command line are searched for slices, `vmlinux.lds` is written beside the output, and the real linker runs with it.
//!
//! Environment: `INCIPIT_LD` is `lld` (the default) or `gnu`; `RUST_LLD` and `GNU_LD` say where the two are.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use object::elf::SHF_WRITE;
use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection, SectionFlags};

use crate::script;

mod relax;

/// Arguments that every link gets besides those of rustc.
const ARGUMENTS: &[&str] = &[
    "--orphan-handling=error",
    "--build-id=sha1",
    "--emit-relocs",
    "--gc-sections",
    "-zmax-page-size=4096",
    "-zseparate-code",
    "-znorelro",
    "--no-dynamic-linker",
    "-static",
];

/// Arguments of rustc that suit a position-independent program or that the script makes meaningless.
const DROPPED: &[&str] = &["-pie", "--eh-frame-hdr"];

/// Links as the arguments of rustc say, with the script of this image.
///
/// # Errors
///
/// If an input cannot be read, the script cannot be written, or the linker cannot be started. The linker's own failure is its exit code.
pub fn run(arguments: Vec<OsString>) -> Result<ExitCode> {
    let mut arguments = without_flavor(expand_response_files(arguments)?);
    let output = output_of(&arguments).context("no `-o FILE` among the arguments")?;
    let folder = output.with_extension("objects");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let mut slices = BTreeMap::new();
    for input in arguments.iter_mut().filter(|argument| is_object(Path::new(argument))) {
        *input = prepare(Path::new(input), &folder, &mut slices)
            .with_context(|| Path::new(input).display().to_string())?
            .into();
    }
    let config = incipit_config::Config::load()?;
    let options = script::Options {
        config: config.enabled().map(str::to_owned).collect(),
        slices: slices
            .into_iter()
            .map(|(name, writable)| script::Slice { name, writable })
            .collect(),
    };
    let script = output.with_extension("lds");
    std::fs::write(&script, script::generate(&options)).with_context(|| format!("writing {}", script.display()))?;

    let mut command = linker()?;
    command.args(
        arguments
            .iter()
            .filter(|argument| !DROPPED.contains(&argument.to_string_lossy().as_ref())),
    );
    command.args(ARGUMENTS).arg("-T").arg(&script);
    let status = command
        .status()
        .with_context(|| format!("starting {}", command.get_program().to_string_lossy()))?;
    std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The linker to run, with the arguments that select its kind.
fn linker() -> Result<Command> {
    let from = |variable, default: &str| {
        std::env::var_os(variable)
            .filter(|value| !value.is_empty())
            .unwrap_or_else(|| default.into())
    };
    let kind = std::env::var("INCIPIT_LD").unwrap_or_default();
    match kind.as_str() {
        "" | "lld" => {
            let mut command = Command::new(from("RUST_LLD", "rust-lld"));
            command.args(["-flavor", "gnu"]);
            Ok(command)
        }
        "gnu" => {
            let mut command = Command::new(from("GNU_LD", "ld"));
            // GNU ld says that a segment is readable, writable and executable, or that no .note.GNU-stack is there: neither concerns a kernel.
            command.args(["--no-warn-rwx-segments", "-znoexecstack"]);
            Ok(command)
        }
        other => bail!("INCIPIT_LD={other}: must be `lld` or `gnu`"),
    }
}

/// Replaces each `@FILE` by the arguments in that file, one a line.
fn expand_response_files(arguments: Vec<OsString>) -> Result<Vec<OsString>> {
    let mut expanded = Vec::with_capacity(arguments.len());
    for argument in arguments {
        match argument.to_str().and_then(|text| text.strip_prefix('@')) {
            None => expanded.push(argument),
            Some(file) => {
                let text = std::fs::read_to_string(file).with_context(|| format!("reading {file}"))?;
                expanded.extend(text.lines().map(|line| unescape(line).into()));
            }
        }
    }
    Ok(expanded)
}

/// Takes the quotes and backslashes out that rustc puts around an argument in a response file.
fn unescape(line: &str) -> String {
    let inner = line.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(line);
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        plain.push(if character == '\\' {
            characters.next().unwrap_or('\\')
        } else {
            character
        });
    }
    plain
}

/// Drops the `-flavor KIND` that rustc puts first for a linker that it takes for LLD.
fn without_flavor(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.first().is_some_and(|first| first == "-flavor") {
        arguments.drain(..arguments.len().min(2));
    }
    arguments
}

fn output_of(arguments: &[OsString]) -> Option<PathBuf> {
    let at = arguments.iter().position(|argument| argument == "-o")?;
    arguments.get(at + 1).map(PathBuf::from)
}

fn is_object(path: &Path) -> bool {
    matches!(path.extension().and_then(OsStr::to_str), Some("o" | "rlib" | "a")) && path.is_file()
}

/// Looks an object or archive through: adds the names of its slices, and returns where it is to be linked from, which is a copy in `folder` if it has accesses
/// that can do without the global offset table.
fn prepare(path: &Path, folder: &Path, slices: &mut BTreeMap<String, bool>) -> Result<PathBuf> {
    let mut data = std::fs::read(path)?;
    if let Ok(archive) = ArchiveFile::parse(&*data) {
        for member in archive.members() {
            slices_of_object(member?.data(&*data)?, slices);
        }
    } else {
        slices_of_object(&data, slices);
    }
    if relax::relax(&mut data) == 0 {
        return Ok(path.to_path_buf());
    }
    let copy = folder.join(path.file_name().context("an object without a name")?);
    std::fs::write(&copy, data)?;
    Ok(copy)
}

/// Adds the slices in one object, each with whether it is writable; what is no ELF object (metadata, bitcode) has none.
fn slices_of_object(data: &[u8], slices: &mut BTreeMap<String, bool>) {
    let Ok(file) = object::File::parse(data) else { return };
    for section in file.sections() {
        let Ok(name) = section.name() else { continue };
        if let Some(slice) = name.strip_prefix("linkme_").or_else(|| name.strip_prefix("linkm2_")) {
            let writable = matches!(section.flags(), SectionFlags::Elf { sh_flags, .. } if sh_flags.0 & SHF_WRITE.0 != 0);
            *slices.entry(slice.to_owned()).or_default() |= writable;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flavor_that_rustc_passes_is_dropped_and_nothing_else() {
        let arguments = ["-flavor", "gnu", "-o", "out"].map(OsString::from).to_vec();
        assert_eq!(without_flavor(arguments), ["-o", "out"]);
        let arguments = ["-o", "out"].map(OsString::from).to_vec();
        assert_eq!(without_flavor(arguments), ["-o", "out"]);
    }

    #[test]
    fn an_argument_of_a_response_file_loses_its_quotes_and_backslashes() {
        assert_eq!(unescape(r#""a b\"c\\d""#), r#"a b"c\d"#);
        assert_eq!(unescape("--plain"), "--plain");
    }

    #[test]
    fn the_output_is_what_follows_the_option() {
        let arguments = ["a.o", "-o", "image", "b.o"].map(OsString::from);
        assert_eq!(output_of(&arguments), Some(PathBuf::from("image")));
        assert_eq!(output_of(&arguments[..2]), None);
    }
}
