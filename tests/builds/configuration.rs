//! The configuration: the presets, what Linux's own tool makes of the Kconfig files, what is rebuilt, and what bad input gets told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use incipit_tests::built::root;
use incipit_tests::guest::Folder;
use incipit_tests::make::typed;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

/// Where Debian puts Linux's `conf`.
const CONF: &[&str] = &["/usr/lib/linux-kbuild-6.1/scripts/kconfig/conf"];

/// How many random configurations are held against Linux's `conf`.
const SEEDS: u32 = 10;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("configuration::the_default_one_is_as_savedefconfig_writes_it", default_is_minimal),
        trial("configuration::the_presets_hold_no_line_without_effect", presets),
        trial("configuration::linux_conf_comes_to_the_same_results", same_as_linux),
        trial("configuration::a_seed_gives_one_configuration", seeds),
        trial("configuration::a_fragment_is_merged", merged),
        trial("configuration::what_a_configuration_lacks_is_listed_and_completed", completed),
        trial("configuration::lines_without_effect_are_named", warnings),
        trial("configuration::lines_that_are_none_are_errors", errors),
        trial("configuration::mistakes_in_a_crate_s_kconfig_are_named", bad_kconfig),
        trial("configuration::a_python_without_kconfiglib_is_named", no_kconfiglib),
    ]
}

/// A folder with a `.config`, in which the commands work.
struct Desk {
    place: Folder,
}

impl Desk {
    fn new() -> Result<Self> {
        Ok(Self { place: Folder::new()? })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn config(&self) -> Result<String> {
        Ok(fs::read_to_string(self.path("config"))?)
    }

    fn set(&self, text: &str) -> Result<()> {
        Ok(fs::write(self.path("config"), text)?)
    }

    /// Runs a command of `config/kconfig`, with `options` before it.
    fn runs(&self, options: &str, command: &str) -> Result<Output> {
        let (config, folder) = (self.path("config"), self.path("generated"));
        typed(&format!(
            ". out/toolchain.env; \"$PYTHON\" -B config/kconfig --config {} --folder {} {options} {command}",
            config.display(),
            folder.display()
        ))
    }

    fn succeeds(&self, command: &str) -> Result<String> {
        let output = self.runs("", command)?;
        ensure!(output.status.success(), "{command} fails:\n{}", errors_of(&output));
        Ok(errors_of(&output))
    }

    fn fails(&self, options: &str, command: &str) -> Result<String> {
        let output = self.runs(options, command)?;
        let text = errors_of(&output);
        ensure!(
            output.status.code() == Some(1) && !text.contains("Traceback"),
            "{command} does not fail as it should:\n{text}"
        );
        Ok(text)
    }
}

fn errors_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The lines that set something, in their order.
fn settings(text: &str) -> Vec<&str> {
    let sets = |line: &&str| line.starts_with("CONFIG_") || line.starts_with("# CONFIG_");
    text.lines().filter(sets).collect()
}

fn default_is_minimal() -> Result<()> {
    let desk = Desk::new()?;
    desk.succeeds("defconfig")?;
    desk.succeeds(&format!("savedefconfig {}", desk.path("minimal").display()))?;
    let (minimal, kept) = (
        fs::read_to_string(desk.path("minimal"))?,
        fs::read_to_string(root().join("config/defconfig"))?,
    );
    ensure!(
        minimal == kept,
        "config/defconfig is\n{kept}but `make defconfig savedefconfig` writes\n{minimal}"
    );
    Ok(())
}

fn presets() -> Result<()> {
    for command in ["defconfig", "tinyconfig", "defconfig debug.config"] {
        let desk = Desk::new()?;
        let (preset, fragment) = command.split_once(' ').unwrap_or((command, ""));
        let mut told = desk.succeeds(preset)?;
        if !fragment.is_empty() {
            told += &desk.succeeds(&format!("merge {fragment}"))?;
        }
        ensure!(told.is_empty(), "{command}: {told}");
    }
    Ok(())
}

/// `conf` of Linux, on the same files.
fn linux(conf: &Path, desk: &Desk, command: &str) -> Result<String> {
    let output = Command::new(conf)
        .args(["-s", &format!("--{command}"), "config/Kconfig"])
        // It leaves more than the configuration behind.
        .current_dir(desk.place.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("srctree", root())
        .env("KCONFIG_CRATES", desk.path("generated/Kconfig.crates"))
        .env("KCONFIG_CONFIG", desk.path("config"))
        .output()
        .with_context(|| conf.display().to_string())?;
    let text = errors_of(&output);
    ensure!(
        output.status.success() && text.is_empty(),
        "conf --{command}: {}: {text}",
        output.status
    );
    desk.config()
}

fn same_as_linux() -> Result<()> {
    let Some(conf) = CONF.iter().map(Path::new).find(|path| path.exists()) else {
        eprintln!("skipped: Linux's conf is not here (Debian: linux-kbuild-6.1)");
        return Ok(());
    };
    let desk = Desk::new()?;
    let compare = |ours: String, theirs: String, what: &str| {
        let (ours, theirs) = (settings(&ours), settings(&theirs));
        let difference = ours.iter().zip(&theirs).find(|(one, other)| one != other);
        ensure!(
            ours == theirs,
            "{what}: {} lines and Linux's {}, the first difference is {difference:?}",
            ours.len(),
            theirs.len()
        );
        Ok(())
    };
    for command in ["alldefconfig", "allnoconfig", "allyesconfig"] {
        desk.succeeds(command)?;
        let ours = desk.config()?;
        fs::remove_file(desk.path("config"))?;
        compare(ours, linux(conf, &desk, command)?, command)?;
    }
    let seeds: Vec<_> = (1..=SEEDS).map(|seed| format!("randconfig {seed}")).collect();
    for command in ["defconfig", "tinyconfig"].into_iter().chain(seeds.iter().map(String::as_str)) {
        desk.succeeds(command)?;
        let ours = desk.config()?;
        compare(ours, linux(conf, &desk, "olddefconfig")?, command)?;
    }
    for preset in ["defconfig", "debug.config"] {
        fs::copy(root().join("config").join(preset), desk.path("config"))?;
        let theirs = linux(conf, &desk, "olddefconfig")?;
        fs::copy(root().join("config").join(preset), desk.path("config"))?;
        desk.succeeds("olddefconfig")?;
        compare(desk.config()?, theirs, preset)?;
    }
    Ok(())
}

fn seeds() -> Result<()> {
    let desk = Desk::new()?;
    let mut made = Vec::new();
    for seed in [7, 7, 8, 9] {
        desk.succeeds(&format!("randconfig {seed}"))?;
        made.push(desk.config()?);
        let told = desk.succeeds("olddefconfig")?;
        ensure!(told.is_empty(), "seed {seed}: {told}");
        ensure!(made.last() == Some(&desk.config()?), "seed {seed} is not complete");
    }
    ensure!(made[0] == made[1], "one seed gives two configurations");
    ensure!(made[1] != made[2] && made[2] != made[3], "two seeds give one configuration");
    let text = desk.fails("", "randconfig x")?;
    ensure!(text.contains("error: SEED=x: must be a number"), "{text}");
    Ok(())
}

fn merged() -> Result<()> {
    let desk = Desk::new()?;
    desk.set("CONFIG_KDB=y\n# CONFIG_RUST_OVERFLOW_CHECKS is not set\n")?;
    let told = desk.succeeds("merge debug.config")?;
    ensure!(told.is_empty(), "{told}");
    let config = desk.config()?;
    for line in ["CONFIG_KDB=y", "CONFIG_RUST_OVERFLOW_CHECKS=y"] {
        ensure!(settings(&config).contains(&line), "no {line} in {config}");
    }
    let text = desk.fails("", "merge nosuch.config")?;
    ensure!(
        text.contains("error: nosuch.config: there is no such fragment, here or in config/"),
        "{text}"
    );
    Ok(())
}

fn completed() -> Result<()> {
    let desk = Desk::new()?;
    desk.succeeds("alldefconfig")?;
    let whole = desk.config()?;
    let (gone, rest): (Vec<_>, Vec<_>) = whole
        .lines()
        .partition(|line| line.contains("CONFIG_LOG_BUF_SHIFT") || line.contains("CONFIG_KUNIT"));
    desk.set(&rest.join("\n"))?;
    let listed = desk.runs("", "listnewconfig")?;
    let listed = String::from_utf8(listed.stdout)?;
    ensure!(gone.len() == 2 && listed.lines().collect::<Vec<_>>() == gone, "{listed}");
    desk.succeeds("olddefconfig")?;
    ensure!(desk.config()? == whole, "{}", desk.config()?);
    Ok(())
}

fn warnings() -> Result<()> {
    let desk = Desk::new()?;
    for (lines, warning) in [
        (
            "CONFIG_KUNITT=y",
            "line 1: `CONFIG_KUNITT=y`: there is no symbol CONFIG_KUNITT; is it CONFIG_KUNIT?",
        ),
        (
            "\nCONFIG_X_Y_Z=0x1",
            "line 2: `CONFIG_X_Y_Z=0x1`: there is no symbol CONFIG_X_Y_Z\n",
        ),
        (
            "CONFIG_KDB=y\n# CONFIG_KDB is not set",
            "line 2: `# CONFIG_KDB is not set`: CONFIG_KDB is set in line 1 already, and the last assignment counts",
        ),
        (
            "CONFIG_KDB=y\nCONFIG_KDB=y",
            "line 2: `CONFIG_KDB=y`: CONFIG_KDB is set in line 1 already, to the same value",
        ),
        (
            "CONFIG_LOG_BUF_SHIFT=99",
            "line 1: `CONFIG_LOG_BUF_SHIFT=99` is out of range: CONFIG_LOG_BUF_SHIFT is from 12 to 25, and becomes 25",
        ),
        (
            "CONFIG_CC_OPTIMIZE_FOR_SIZE=y\nCONFIG_CC_OPTIMIZE_FOR_PERFORMANCE=y",
            "line 1: `CONFIG_CC_OPTIMIZE_FOR_SIZE=y` has no effect: of its choice, CONFIG_CC_OPTIMIZE_FOR_PERFORMANCE is chosen",
        ),
    ] {
        desk.set(lines)?;
        let told = desk.succeeds("sync")?;
        let expected = format!("warning: {}: {warning}", desk.path("config").display());
        ensure!(
            told.starts_with(&expected) && told.lines().count() == 1,
            "{lines}: no `{expected}` in {told}"
        );
    }
    Ok(())
}

fn errors() -> Result<()> {
    let desk = Desk::new()?;
    for (lines, error) in [
        ("CONFIG_KDB=maybe", "line 1: `maybe`: the value of CONFIG_KDB must be y or n"),
        ("CONFIG_KDB=m", "line 1: `m`: the value of CONFIG_KDB must be y or n"),
        ("\nCONFIG_KDB", "line 2: `CONFIG_KDB`: must be `CONFIG_NAME=value`"),
        ("KDB=y", "line 1: `KDB=y`: must be `CONFIG_NAME=value`"),
        (
            "CONFIG_LOG_BUF_SHIFT=0x11",
            "line 1: `0x11`: the value of CONFIG_LOG_BUF_SHIFT must be a number",
        ),
        (
            "# CONFIG_LOG_BUF_SHIFT is not set",
            "line 1: `# CONFIG_LOG_BUF_SHIFT is not set`: the value of CONFIG_LOG_BUF_SHIFT must be a number",
        ),
        (
            "CONFIG_X_Y_Z=maybe",
            "line 1: `maybe`: the value of CONFIG_X_Y_Z must be y, n, a number or \"text\"",
        ),
        ("\u{0}\u{1}", "line 1: "),
    ] {
        desk.set(lines)?;
        let told = desk.fails("", "sync")?;
        let expected = format!("error: {}: {error}", desk.path("config").display());
        ensure!(
            told.starts_with(&expected) && told.lines().count() == 1,
            "{lines}: no `{expected}` in {told}"
        );
    }
    fs::write(desk.path("config"), [0xff, 0xfe, b'\n'])?;
    desk.fails("", "sync")?;
    fs::remove_file(desk.path("config"))?;
    let told = desk.fails("", "sync")?;
    ensure!(told.ends_with("config: there is no such configuration\n"), "{told}");
    Ok(())
}

/// What is wrong with a crate's Kconfig file, and what is said of it.
const BAD_KCONFIG: &[(&str, &str)] = &[
    ("config\n", "Kconfig:1: error: couldn't parse 'config'"),
    ("config FOO\n\tbool \"foo\"\n\tdepend on BAR\n", "Kconfig:3: error: couldn't parse"),
    ("config FOO\n\tbool \"foo\"\n\tdepends on BAR\n", "undefined symbol BAR"),
    ("config FOO\n\thelp\n\t  No type.\n", "FOO (defined at "),
    ("config KDB\n\tbool \"another\"\n", "CONFIG_KDB is declared already, at "),
    ("config FOO\n\ttristate \"foo\"\n", "there are no modules: `bool` is right"),
    ("config FOO\n\tbool \"foo\"\n\tdepends on FOO\n", "Dependency loop"),
    ("source \"no/such/file\"\n", "no/such/file"),
    ("config FOO\n\tint \"foo\"\n\tdefault y\n", "FOO (defined at "),
];

fn bad_kconfig() -> Result<()> {
    let desk = Desk::new()?;
    desk.set("")?;
    for (text, error) in BAD_KCONFIG {
        fs::create_dir_all(desk.path("foo"))?;
        fs::write(desk.path("foo/Kconfig"), text)?;
        let told = desk.fails(&format!("--crate {}", desk.path("foo").display()), "sync")?;
        ensure!(
            told.starts_with("error: ") && told.contains(error) && told.contains("foo/Kconfig"),
            "{text}: no `{error}` in {told}"
        );
    }
    Ok(())
}

/// `-I -S`: without the folders that packages are installed into.
fn no_kconfiglib() -> Result<()> {
    let output = typed(". out/toolchain.env; \"$PYTHON\" -B -I -S config/kconfig sync")?;
    let told = errors_of(&output);
    if output.status.success() {
        bail!("it does not need kconfiglib");
    }
    ensure!(
        told.contains("has no kconfiglib, which reads the Kconfig files: install the package python3-kconfiglib"),
        "{told}"
    );
    Ok(())
}
