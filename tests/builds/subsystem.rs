//! A subsystem made by `make new-subsystem`, along `docs/subsystem.md`: each command of the page is typed, with another folder in the place of `../foo`.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Output;

use anyhow::{Context, Result, ensure};
use incipit_tests::built::root;
use incipit_tests::guest::{Folder, Guest};
use incipit_tests::make::{typed, watched};
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

/// What the monitor says when it takes a command.
const PROMPT: &str = "[0]kdb> ";

pub fn trials() -> Vec<Trial> {
    vec![
        trial("subsystem::the_page_s_commands_do_what_it_says", page),
        trial("subsystem::the_page_shows_the_source_as_it_is_made", source),
        trial("subsystem::a_test_that_fails_is_told_and_the_others_run", broken_test),
        trial("subsystem::a_filter_that_no_test_matches_is_an_error", no_match),
        trial("subsystem::a_new_crate_is_formatted_and_without_warnings", clean),
        trial("subsystem::a_name_or_a_folder_that_is_taken_is_refused", refused),
        trial("subsystem::a_symbol_that_kconfig_does_not_declare_is_named", undeclared),
        trial("subsystem::a_crate_works_in_a_folder_of_the_tree", inside),
    ]
}

/// A step of the page: the command, and what must come of it.
type Step = (&'static str, fn(&Walk, &str) -> Result<()>);

const STEPS: &[Step] = &[
    ("make new-subsystem NAME=foo", Walk::create),
    ("make run SUBSYS=../foo", |walk, command| {
        walk.boots(command, &["] foo: 16 readings, ", "foo/src/lib.rs:23"])
    }),
    ("make run SUBSYS=../foo APPEND=foo.readings=1000", |walk, command| {
        walk.boots(command, &["] foo: 1000 readings, "])
    }),
    ("make run SUBSYS=../foo APPEND=foo.readings=1", |walk, command| {
        walk.boots(command, &["] initcall foo_init failed: EINVAL"])
    }),
    ("make ktest SUBSYS=../foo", |walk, command| {
        let text = walk.succeeds(command)?;
        for line in [
            "test foo::a_single_value_has_no_step ... ok",
            "test foo::the_smallest_step_is_found ... ok",
            "test result: ok. 2 passed; 0 failed;",
        ] {
            ensure!(text.contains(line), "no `{line}` in:\n{text}");
        }
        Ok(())
    }),
    ("make ktest SUBSYS=../foo FILTER=foo::the_*", |walk, command| {
        let text = walk.succeeds(command)?;
        ensure!(text.contains("test result: ok. 1 passed; 0 failed;"), "{text}");
        Ok(())
    }),
    ("make run SUBSYS=../foo APPEND=\"initcall_debug loglevel=8\"", Walk::comes_behind),
    ("make run SUBSYS=../foo APPEND=foo.readings=1", Walk::is_relied_on),
    ("make graph SUBSYS=../foo", |walk, command| {
        walk.draws(command, "graph.svg", &["foo_init", "foo_user"])
    }),
    ("make report SUBSYS=../foo", |walk, command| {
        walk.draws(command, "report.html", &["foo_init", "foo.readings"])
    }),
    ("make SUBSYS=../foo", Walk::switched_off),
];

/// A crate on its way along the page, and the folder that it and its images are in.
struct Walk {
    place: Folder,
}

impl Walk {
    fn new() -> Result<Self> {
        Ok(Self { place: Folder::new()? })
    }

    /// A crate as `make new-subsystem` leaves it.
    fn created() -> Result<Self> {
        let walk = Self::new()?;
        walk.create("make new-subsystem NAME=foo")?;
        Ok(walk)
    }

    fn folder(&self) -> PathBuf {
        self.place.path().join("foo")
    }

    /// `command` with this walk's folder in it, and an image of its own.
    fn here(&self, command: &str) -> String {
        let folder = self.folder();
        format!("{} O=out/subsystem", command.replace("../foo", &folder.display().to_string()))
    }

    fn types(&self, command: &str) -> Result<Output> {
        typed(&self.here(command))
    }

    fn succeeds(&self, command: &str) -> Result<String> {
        let output = self.types(command)?;
        let text = told(&output);
        ensure!(output.status.success(), "`{command}` fails:\n{text}");
        Ok(text)
    }

    fn fails(&self, command: &str) -> Result<String> {
        let output = self.types(command)?;
        let text = told(&output);
        ensure!(
            !output.status.success() && output.status.signal().is_none(),
            "`{command}` does not fail:\n{text}"
        );
        Ok(text)
    }

    /// Runs `command`, a `make run`. The image is built before, because what is watched must not take long.
    fn watches(&self, command: &str, session: impl FnOnce(Guest) -> Result<()>) -> Result<()> {
        self.succeeds(&command.replacen("make run", "make", 1))?;
        watched(&self.here(command), session)
    }

    /// Boots to the monitor; each of `texts` must be said on the way, or by `initcalls`.
    fn boots(&self, command: &str, texts: &[&str]) -> Result<()> {
        self.watches(command, |mut guest| {
            let mut said = guest.wait_for(PROMPT)?;
            guest.send(b"initcalls\r")?;
            said += &guest.wait_for(PROMPT)?;
            guest.send(b"reboot\r")?;
            guest.wait_for_end()?;
            let missing = texts.iter().find(|text| !said.contains(**text));
            ensure!(missing.is_none(), "no {missing:?} in:\n{said}");
            Ok(())
        })
    }

    fn edit(&self, file: &str, from: &str, to: &str) -> Result<()> {
        let path = self.folder().join(file);
        let text = fs::read_to_string(&path)?;
        ensure!(text.contains(from), "no `{from}` in {file}");
        Ok(fs::write(path, text.replacen(from, to, 1))?)
    }

    fn create(&self, command: &str) -> Result<()> {
        let folder = self.folder();
        let text = self.succeeds(&format!("{command} DIR={}", folder.display()))?;
        ensure!(text.contains(&format!("make ktest SUBSYS={}", folder.display())), "{text}");
        for file in ["Cargo.toml", "Kconfig", "build.rs", "src/lib.rs"] {
            ensure!(folder.join(file).is_file(), "there is no {file}");
        }
        Ok(())
    }

    fn comes_behind(&self, command: &str) -> Result<()> {
        self.edit("src/lib.rs", "#[initcall(device)]", &shown("#[initcall(device, after(")?)?;
        let serial = root().join("drivers/serial");
        let line = format!("[dependencies]\nincipit-serial = {{ path = \"{}\" }}", serial.display());
        self.edit("Cargo.toml", "[dependencies]", &line)?;
        self.watches(command, |mut guest| {
            guest.wait_for("calling  serial8250_init+0x0/0x")?;
            guest.wait_for("calling  foo_init+0x0/0x")?;
            guest.wait_for(PROMPT)?;
            guest.send(b"reboot\r")?;
            guest.wait_for_end().map(drop)
        })
    }

    fn is_relied_on(&self, command: &str) -> Result<()> {
        let behind = "#[initcall(device, after(incipit_serial::serial8250_init))]";
        self.edit(
            "src/lib.rs",
            behind,
            &shown("#[initcall(device, after(incipit_serial::serial8250_init), provides(")?,
        )?;
        let additions = [shown("/// The clock has been measured.")?, shown("#[initcall(device, requires(")?];
        self.edit(
            "src/lib.rs",
            "#[ktest]",
            &format!("{}\n\n{}\n\n#[ktest]", additions[0], additions[1]),
        )?;
        self.boots(
            command,
            &["] initcall foo_user skipped: requires measured, whose provider foo_init failed: EINVAL"],
        )?;
        self.boots("make run SUBSYS=../foo", &["] foo: somebody relies on the measurement"])
    }

    /// Writes a picture that shows each of `texts`, and says where it is.
    fn draws(&self, command: &str, file: &str, texts: &[&str]) -> Result<()> {
        let told = self.succeeds(command)?;
        ensure!(told.contains(&format!("out/subsystem/{file}")), "{told}");
        let picture = fs::read_to_string(root().join("out/subsystem").join(file))?;
        let missing = texts.iter().find(|text| !picture.contains(**text));
        ensure!(missing.is_none(), "no {missing:?} in {file}");
        Ok(())
    }

    fn switched_off(&self, command: &str) -> Result<()> {
        let config = self.configure("# CONFIG_FOO is not set\n")?;
        let text = self.succeeds(&format!("{command} {config}"))?;
        let line = format!("note: SUBSYS={} is left out: CONFIG_FOO is not set\n", self.folder().display());
        ensure!(text.contains(&line), "no `{line}` in:\n{text}");
        let text = self.fails(&format!("make ktest SUBSYS=../foo {config}"))?;
        ensure!(text.contains("error: no crate of SUBSYS is in out/subsystem/vmlinux"), "{text}");
        Ok(())
    }

    /// The word that gives make the default configuration with further `lines`.
    fn configure(&self, lines: &str) -> Result<String> {
        let path = self.place.path().join("config");
        let default = fs::read_to_string(root().join("config/defconfig"))?;
        fs::write(&path, default + lines)?;
        Ok(format!("KCONFIG_CONFIG={}", path.display()))
    }
}

fn told(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).concat()
}

fn read_page() -> Result<String> {
    fs::read_to_string(root().join("docs/subsystem.md")).context("docs/subsystem.md")
}

/// The piece of source on the page that begins with `start`.
fn shown(start: &str) -> Result<String> {
    let page = read_page()?;
    let mut pieces = page.split("```rust\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let piece = pieces.find(|piece| piece.starts_with(start));
    piece
        .map(str::to_owned)
        .with_context(|| format!("the page shows no source that begins with `{start}`"))
}

fn page() -> Result<()> {
    let page = read_page()?;
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let commands: Vec<_> = blocks.flat_map(str::lines).collect();
    let known: Vec<_> = STEPS.iter().map(|(command, _)| *command).collect();
    ensure!(commands == known, "the page has the commands {commands:#?}, the test {known:#?}");
    let walk = Walk::new()?;
    for (command, check) in STEPS {
        check(&walk, command).with_context(|| format!("`{command}`"))?;
    }
    Ok(())
}

fn source() -> Result<()> {
    let walk = Walk::created()?;
    let source = fs::read_to_string(walk.folder().join("src/lib.rs"))?;
    ensure!(
        read_page()?.contains(&format!("```rust\n{source}```\n")),
        "docs/subsystem.md shows another source than config/templates/lib.rs"
    );
    Ok(())
}

fn broken_test() -> Result<()> {
    let walk = Walk::created()?;
    walk.edit("src/lib.rs", "[10].into_iter()), None", "[10].into_iter()), Some(1)")?;
    let text = walk.fails("make ktest SUBSYS=../foo")?;
    for part in [
        "test foo::a_single_value_has_no_step ... FAILED",
        "test foo::the_smallest_step_is_found ... ok",
        "Kernel panic - not syncing: assertion `left == right` failed",
        "1 passed; 1 failed;",
    ] {
        ensure!(text.contains(part), "no `{part}` in:\n{text}");
    }
    Ok(())
}

fn no_match() -> Result<()> {
    let walk = Walk::created()?;
    let text = walk.fails("make ktest SUBSYS=../foo FILTER=bar::*")?;
    ensure!(text.contains("error: no test of out/subsystem/vmlinux matches bar::*;"), "{text}");
    Ok(())
}

/// For a short name and for a long one, at rustfmt's own width and at the tree's.
fn clean() -> Result<()> {
    for name in ["a", "a_name_that_has_32_letters_in_it"] {
        let walk = Walk::new()?;
        let folder = walk.folder();
        let shown = folder.display();
        walk.succeeds(&format!("make new-subsystem NAME={name} DIR={shown}"))?;
        let format = |width| format!("\"$RUSTFMT\" --check --edition 2024 --config max_width={width} {shown}/build.rs {shown}/src/lib.rs");
        let clippy = format!("$CARGO_CLIPPY --manifest-path {shown}/Cargo.toml --target x86_64-unknown-none -- -D warnings");
        for command in [format(100), format(140), clippy] {
            let output = typed(&format!(". out/toolchain.env; {command}"))?;
            ensure!(output.status.success(), "`{command}` fails:\n{}", told(&output));
        }
    }
    Ok(())
}

fn refused() -> Result<()> {
    let walk = Walk::created()?;
    let folder = walk.folder().display().to_string();
    let file = format!("{folder}/Kconfig");
    for (words, error) in [
        ("", "error: NAME=: the name of a crate begins with".to_owned()),
        ("NAME=foo-bar", "error: NAME=foo-bar: the name of a crate begins with".to_owned()),
        ("NAME=fn", "error: NAME=fn: is a word of the language".to_owned()),
        ("NAME=hello", "error: NAME=hello: is taken by the crate hello in ".to_owned()),
        (&format!("NAME=bar DIR={folder}"), format!("error: DIR={folder}: is not empty")),
        (&format!("NAME=bar DIR={file}"), format!("error: DIR={file}: is not a folder")),
    ] {
        let text = walk.fails(&format!("make new-subsystem {words}"))?;
        ensure!(text.lines().any(|line| line.starts_with(&error)), "no `{error}` in:\n{text}");
    }
    Ok(())
}

fn undeclared() -> Result<()> {
    let walk = Walk::created()?;
    walk.edit("Kconfig", "config FOO", "config FOOT")?;
    let text = walk.fails("make SUBSYS=../foo")?;
    ensure!(text.contains("foo/Kconfig: does not declare CONFIG_FOO"), "{text}");
    walk.edit("Cargo.toml", "\"CONFIG_FOO\"", "\"FOO\"")?;
    let text = walk.fails("make SUBSYS=../foo")?;
    ensure!(text.contains("foo/Cargo.toml: `FOO`: a symbol is `CONFIG_` and"), "{text}");
    Ok(())
}

/// Cargo must not look for the crate among the members of the tree's workspace.
fn inside() -> Result<()> {
    let walk = Walk::new()?;
    let folder = "out/subsystem/inside";
    if root().join(folder).exists() {
        fs::remove_dir_all(root().join(folder))?;
    }
    walk.succeeds(&format!("make new-subsystem NAME=inside DIR={folder}"))?;
    let text = walk.succeeds(&format!("make ktest SUBSYS={folder}"))?;
    ensure!(text.contains("test result: ok. 2 passed;"), "{text}");
    Ok(())
}
