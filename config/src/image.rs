//! The package that becomes the image: a `main.rs` that names every enabled crate, so that the linker takes them all.
//!
//! A leaf crate says in its own manifest which symbol switches it (`[package.metadata.incipit] config = "CONFIG_X"`), so no list of crates stands anywhere;
//! crates from outside the tree are added by naming their folders, and are in the image unless their symbol is off.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};
use toml::Table;

use crate::{Config, check_symbol, profile};

/// The name of the package, and of the ELF file that cargo makes of it.
pub const NAME: &str = "vmlinux";

/// The package of an image.
#[derive(Debug)]
pub struct Package {
    root: PathBuf,
    config: Config,
    crates: BTreeMap<String, LeafCrate>,
    left_out: Vec<String>,
}

/// A crate that is in the image because the configuration or the caller said so.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LeafCrate {
    folder: PathBuf,
    /// The crate's name in Rust code.
    ident: String,
    /// Whether the caller named its folder.
    named: bool,
    /// The symbol that switches it.
    symbol: Option<String>,
}

impl Package {
    /// Collects the leaf crates under `root`/drivers that `config` enables, and those in the folders `extra`.
    ///
    /// # Errors
    ///
    /// If a manifest cannot be read or is no package, two crates have one name, a crate depends on another `incipit` than the one under `root`, or the symbol
    /// that switches one is malformed or not declared.
    pub fn assemble(root: &Path, config: &Config, extra: &[PathBuf]) -> Result<Self> {
        let root = root.canonicalize().with_context(|| root.display().to_string())?;
        let mut package = Self {
            crates: BTreeMap::new(),
            left_out: Vec::new(),
            root,
            config: config.clone(),
        };
        for folder in package_folders(&package.root.join("drivers"))? {
            let manifest = manifest_in(&folder)?;
            if switch(&folder, &manifest, config)?.is_some_and(|symbol| config.is_enabled(symbol)) {
                package.add(folder, &manifest, false)?;
            }
        }
        for named in extra {
            let folder = named.canonicalize().with_context(|| format!("SUBSYS={}", named.display()))?;
            let manifest = manifest_in(&folder)?;
            match switch(&folder, &manifest, config)? {
                Some(symbol) if !config.is_enabled(symbol) => package
                    .left_out
                    .push(format!("SUBSYS={} is left out: {symbol} is not set", named.display())),
                _ => package.add(folder, &manifest, true)?,
            }
        }
        Ok(package)
    }

    /// Of each named crate that the configuration switches off, a line that says so.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    fn add(&mut self, folder: PathBuf, manifest: &Table, named: bool) -> Result<()> {
        let at = folder.join("Cargo.toml");
        let (name, ident) = names_of(manifest).with_context(|| format!("{}: has no package name", at.display()))?;
        if let Some(path) = text(manifest, &["dependencies", "incipit", "path"]) {
            let theirs = folder.join(path);
            let same = theirs.canonicalize().is_ok_and(|theirs| theirs == self.root.join("kernel"));
            if !same {
                bail!(
                    "{}: depends on the kernel in {}, but this image is built from {}",
                    at.display(),
                    theirs.display(),
                    self.root.join("kernel").display()
                );
            }
        }
        if let Some(other) = self.crates.get(name).filter(|other| other.folder != folder) {
            bail!("two crates are named {name}: {} and {}", other.folder.display(), folder.display());
        }
        let symbol = symbol_of(manifest).map(str::to_owned);
        self.crates.insert(
            name.to_owned(),
            LeafCrate {
                folder,
                ident,
                named,
                symbol,
            },
        );
        Ok(())
    }

    /// Writes the package into `folder`; a file whose content is there already is left alone, so that nothing is built again.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder.join("src")).with_context(|| folder.display().to_string())?;
        write_if_changed(&folder.join("Cargo.toml"), &self.manifest()?)?;
        write_if_changed(&folder.join("src/main.rs"), &self.main())?;
        let list: String = self.crates.keys().map(|name| format!("{name}\n")).collect();
        write_if_changed(&folder.join("crates.list"), &list)?;
        let named = self.crates.values().filter(|leaf| leaf.named);
        let list: String = named.map(|leaf| format!("{}\n", leaf.ident)).collect();
        write_if_changed(&folder.join("subsys.list"), &list)?;
        let switched = self.crates.values().filter_map(|leaf| Some((&leaf.ident, leaf.symbol.as_ref()?)));
        let list: String = switched.map(|(ident, symbol)| format!("{ident} {symbol}\n")).collect();
        write_if_changed(&folder.join("switches.list"), &list)?;
        self.seed_lock(folder)
    }

    fn manifest(&self) -> Result<String> {
        let mut out = String::from("# Written by incipit-config from the configuration.\n[package]\n");
        write!(
            out,
            "name = \"{NAME}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n[workspace]\n\n[dependencies]\n"
        )?;
        let mut depend = |name: &str, folder: &Path| writeln!(out, "{name} = {{ path = {:?} }}", folder.display().to_string());
        depend("incipit-boot", &self.root.join("boot"))?;
        for (name, leaf) in &self.crates {
            depend(name, &leaf.folder)?;
        }
        // A crate from outside the tree may ask for `incipit = "0.1"` and gets this kernel.
        out.push_str("\n[patch.crates-io]\n");
        for (name, folder) in [("incipit", "kernel"), ("incipit-config", "config")] {
            writeln!(out, "{name} = {{ path = {:?} }}", self.root.join(folder).display().to_string())?;
        }
        out.push('\n');
        let mut tree = manifest_in(&self.root)?;
        let release = tree.get_mut("profile").and_then(|profiles| profiles.get_mut("release"));
        if let Some(release) = release.and_then(toml::Value::as_table_mut) {
            profile::configure(release, &self.config);
            let one = |name: &str, table: &Table| Table::from_iter([(name.to_owned(), toml::Value::from(table.clone()))]);
            out.push_str(&one("profile", &one("release", release)).to_string());
        }
        Ok(out)
    }

    fn main(&self) -> String {
        let mut out = String::from(
            "//! The image: names every crate that is in it, because a crate that nobody names is not linked.\n#![no_std]\n#![no_main]\n\n\
             extern crate incipit_boot as _;\n",
        );
        for leaf in self.crates.values() {
            let _ = writeln!(out, "extern crate {} as _;", leaf.ident);
        }
        let build = build(&self.root);
        let _ = write!(
            out,
            "\n/// From what state of the sources this is, for the first line of the log.\n#[unsafe(no_mangle)]\nstatic incipit_build: &str = {build:?};\n"
        );
        out
    }

    /// Gives the package the versions of the project's lock file; those of crates from outside the tree are added by cargo.
    fn seed_lock(&self, folder: &Path) -> Result<()> {
        let Ok(lock) = fs::read_to_string(self.root.join("Cargo.lock")) else {
            return Ok(());
        };
        let seed = folder.join("Cargo.lock.seed");
        if !folder.join("Cargo.lock").exists() || fs::read_to_string(&seed).ok().as_ref() != Some(&lock) {
            write_if_changed(&folder.join("Cargo.lock"), &lock)?;
            write_if_changed(&seed, &lock)?;
        }
        Ok(())
    }
}

/// What Linux's first line ends in, number and date, so that one state of the sources gives one image: how many commits there are, and when the last one was
/// made; nothing outside a checkout.
fn build(root: &Path) -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .arg(root)
            .args(arguments)
            .env("TZ", "UTC")
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output
            .status
            .success()
            .then(|| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    let count = git(&["rev-list", "--count", "HEAD"]);
    let date = git(&["log", "-1", "--format=%cd", "--date=format-local:%a %b %e %H:%M:%S UTC %Y"]);
    count.zip(date).map(|(count, date)| format!("#{count} {date}")).unwrap_or_default()
}

/// Every folder below `top` that holds a manifest, sorted.
fn package_folders(top: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut pending = vec![top.to_path_buf()];
    while let Some(folder) = pending.pop() {
        if folder.join("Cargo.toml").is_file() {
            found.push(folder);
            continue;
        }
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn manifest_in(folder: &Path) -> Result<Table> {
    let path = folder.join("Cargo.toml");
    let source = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    source.parse().with_context(|| path.display().to_string())
}

/// The crates that have a manifest anywhere below `top`, what was built left aside: the name in Rust code, and the folder.
///
/// # Errors
///
/// If a folder or a manifest cannot be read.
pub(crate) fn crates_below(top: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let mut pending = vec![top.to_path_buf()];
    while let Some(folder) = pending.pop() {
        if folder.join("Cargo.toml").is_file()
            && let Some((_, ident)) = names_of(&manifest_in(&folder)?)
        {
            found.push((ident, folder.clone()));
        }
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            let name = entry.file_name();
            let built = name == "out" || name == "target" || name.as_encoded_bytes().starts_with(b".");
            if entry.file_type()?.is_dir() && !built {
                pending.push(entry.path());
            }
        }
    }
    Ok(found)
}

/// The name of the package that `manifest` describes, and the crate's name in Rust code.
fn names_of(manifest: &Table) -> Option<(&str, String)> {
    let name = text(manifest, &["package", "name"])?;
    Some((name, text(manifest, &["lib", "name"]).unwrap_or(name).replace('-', "_")))
}

/// The symbol that switches the crate in `folder`, if its manifest names one.
fn switch<'a>(folder: &Path, manifest: &'a Table, config: &Config) -> Result<Option<&'a str>> {
    let Some(symbol) = symbol_of(manifest) else { return Ok(None) };
    check_symbol(symbol).map_err(|reason| anyhow!("{}: {reason}", folder.join("Cargo.toml").display()))?;
    config.get(symbol).with_context(|| {
        format!(
            "{}: does not declare {symbol}, which switches the crate",
            folder.join("Kconfig").display()
        )
    })?;
    Ok(Some(symbol))
}

/// The symbol that switches the crate, as its manifest says.
fn symbol_of(manifest: &Table) -> Option<&str> {
    text(manifest, &["package", "metadata", "incipit", "config"])
}

fn text<'a>(manifest: &'a Table, keys: &[&str]) -> Option<&'a str> {
    let (last, folders) = keys.split_last()?;
    let table = folders
        .iter()
        .try_fold(manifest, |table, key| table.get(*key).and_then(toml::Value::as_table))?;
    table.get(*last).and_then(toml::Value::as_str)
}

fn write_if_changed(path: &Path, content: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    fs::write(path, content).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switched(manifest: &str) -> Result<Option<String>> {
        let manifest = manifest.parse()?;
        let config = Config::parse("CONFIG_A bool\n", "").map_err(anyhow::Error::msg)?;
        Ok(switch(Path::new("foo"), &manifest, &config)?.map(str::to_owned))
    }

    #[test]
    fn a_symbol_that_is_none_or_not_declared_is_refused() {
        for (symbol, error) in [
            ("A", "foo/Cargo.toml: `A`: a symbol is `CONFIG_` and letters, digits and `_`"),
            ("CONFIG_B", "foo/Kconfig: does not declare CONFIG_B, which switches the crate"),
        ] {
            let manifest = format!("[package.metadata.incipit]\nconfig = {symbol:?}\n");
            assert_eq!(switched(&manifest).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn a_crate_may_have_a_symbol_or_none() {
        assert_eq!(switched("[package]\n").unwrap(), None);
        assert_eq!(
            switched("[package.metadata.incipit]\nconfig = \"CONFIG_A\"\n").unwrap().as_deref(),
            Some("CONFIG_A")
        );
    }
}
