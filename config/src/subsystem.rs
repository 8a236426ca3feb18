//! Writes the crate of a new subsystem, from the files in `config/templates`, for its author to change.
//!
//! The crate stands anywhere; it depends on the kernel of this tree by a path, so that an editor finds it, too.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use toml::Value;

use crate::{Config, image};

/// What keeps cargo from looking for a workspace in the folders above.
const WORKSPACE: &str = "\n[workspace]\n";

/// The files of the crate, with `@name@`, `@NAME@` and `@tree@` where the name, the symbol's name and the path to the tree go.
const TEMPLATES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../templates/Cargo.toml")),
    ("Kconfig", include_str!("../templates/Kconfig")),
    ("build.rs", include_str!("../templates/build.rs")),
    ("src/lib.rs", include_str!("../templates/lib.rs")),
];

/// Crates that are there without being a dependency, and the package of the image.
const RESERVED: &[&str] = &["alloc", "core", "proc_macro", "std", "test", image::NAME];

/// The longest name with which the lines of the templates stay within rustfmt's width.
const LONGEST_NAME: usize = 32;

/// The name of a subsystem that can be made in a tree: the crate's, and the prefix of its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Checks that `name` is an identifier in lower case, and that neither a crate nor a symbol of the tree under `root` has it.
    ///
    /// # Errors
    ///
    /// If it is not, or a manifest of the tree cannot be read.
    pub fn new(name: &str, root: &Path) -> Result<Self> {
        let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        ensure!(
            plain,
            "NAME={name}: the name of a crate begins with a letter and goes on with letters, digits and `_`, all in lower case"
        );
        ensure!(
            syn::parse_str::<syn::Ident>(name).is_ok(),
            "NAME={name}: is a word of the language, and cannot be a crate's name"
        );
        ensure!(name.len() <= LONGEST_NAME, "NAME={name}: is longer than {LONGEST_NAME} characters");
        ensure!(!RESERVED.contains(&name), "NAME={name}: the image has a crate of that name already");
        ensure!(
            !name.starts_with("incipit_"),
            "NAME={name}: only crates of the tree begin with `incipit_`"
        );
        let taken = image::crates_below(root)?
            .into_iter()
            .find(|(ident, _)| ident == name || ident.strip_prefix("incipit_") == Some(name));
        if let Some((ident, folder)) = taken {
            anyhow::bail!("NAME={name}: is taken by the crate {ident} in {}", folder.display());
        }
        let name = Self(name.to_owned());
        ensure!(
            Config::load()?.get(&name.symbol()).is_none(),
            "NAME={}: {} is a symbol of the tree",
            name.0,
            name.symbol()
        );
        Ok(name)
    }

    /// The symbol that switches the subsystem.
    fn symbol(&self) -> String {
        format!("CONFIG_{}", self.0.to_uppercase())
    }
}

/// Writes the crate `name` into `folder`, which must not be there yet, or be empty.
///
/// # Errors
///
/// If it is, or a file cannot be written.
pub fn create(name: &Name, folder: &Path, root: &Path) -> Result<()> {
    let shown = folder.display();
    if folder.exists() {
        ensure!(folder.is_dir(), "DIR={shown}: is not a folder");
        let mut entries = fs::read_dir(folder).with_context(|| format!("DIR={shown}"))?;
        ensure!(
            entries.next().is_none(),
            "DIR={shown}: is not empty; a new subsystem needs a new folder"
        );
    }
    fs::create_dir_all(folder.join("src")).with_context(|| format!("DIR={shown}"))?;
    let (root, folder) = (root.canonicalize()?, folder.canonicalize()?);
    let tree = pathdiff::diff_paths(&root, &folder).unwrap_or_else(|| root.clone());
    for (file, template) in TEMPLATES {
        let mut content = template
            .replace("@name@", &name.0)
            .replace("@NAME@", &name.0.to_uppercase())
            .replace("\"@tree@/kernel\"", &quoted(&tree.join("kernel")))
            .replace("\"@tree@/config\"", &quoted(&tree.join("config")));
        // What lies there is a member of the tree's workspace.
        if *file == "Cargo.toml" && folder.parent() != Some(&root.join("drivers")) {
            content.push_str(WORKSPACE);
        }
        let path = folder.join(file);
        fs::write(&path, content).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn quoted(path: &Path) -> String {
    Value::String(path.display().to_string()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root;

    fn refused(name: &str) -> String {
        Name::new(name, &root()).unwrap_err().to_string()
    }

    #[test]
    fn a_name_is_an_identifier_in_lower_case() {
        for name in ["", "Foo", "1foo", "_foo", "foo-bar", "foo bar", "foo/bar", "föö", "foo\n"] {
            assert!(
                refused(name).starts_with(&format!("NAME={name}: the name of a crate begins with a letter")),
                "{name}"
            );
        }
        assert_eq!(
            refused("match"),
            "NAME=match: is a word of the language, and cannot be a crate's name"
        );
        assert!(refused(&"f".repeat(33)).ends_with("is longer than 32 characters"));
        assert_eq!(Name::new("foo_2", &root()).unwrap().symbol(), "CONFIG_FOO_2");
    }

    #[test]
    fn a_name_is_not_that_of_a_crate_or_a_symbol() {
        for (name, taken_by) in [("incipit", "incipit in "), ("serial", "incipit_serial in "), ("hello", "hello in ")] {
            let error = refused(name);
            assert!(
                error.starts_with(&format!("NAME={name}: is taken by the crate {taken_by}")),
                "{error}"
            );
        }
        assert!(refused("core").contains("has a crate of that name already"));
        assert!(refused("vmlinux").contains("has a crate of that name already"));
        assert!(refused("incipit_foo").contains("only crates of the tree"));
        assert_eq!(
            refused("printk_caller"),
            "NAME=printk_caller: CONFIG_PRINTK_CALLER is a symbol of the tree"
        );
    }
}
