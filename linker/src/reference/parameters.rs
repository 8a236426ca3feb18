//! Writes the reference page of the kernel's command line, `docs/reference/kernel-parameters.md`, from what an image declares.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Result, bail};

use super::without_links;
use crate::record::key;
use crate::seal::image::Image;
use crate::seal::list::{self, Row};
use crate::seal::records::Record;

const BEGIN: &str = "# Kernel parameters

Generated from the tables of the image with the default configuration (`make reference`); a test holds this page against it.

Words on the command line have blanks between them; `name=\"two words\"` is one. In names `-` and `_` are the same. What stands behind `--` is for init, as is
every word that is not here and has no `.` in it. The monitor's `params` shows each parameter with its value and where that comes from.

What is parsed **early** takes effect before the memory map is final, in the order of the command line. The rest is parsed at the **start**, at \"Booting kernel\",
unless it belongs to a **level** of initcalls: then just before that. The mode is that of the parameter's file under `/sys/module`.

| type | values |
| --- | --- |
| bool | `1`, `y…`, `t…`, `on` or `0`, `n…`, `f…`, `of…`, in either case; the name alone means yes |
| invbool, bint | the same; an invbool is set to the opposite |
| byte, short, ushort, int, uint, long, ulong, llong, ullong | a number within the type's bounds: decimal, `0x…` or, with a leading `0`, octal |
| charp, string | any text |
| array of … | values with commas between them |
| handler | what the entry's first line shows |
";

/// The page for the image whose entries are `rows`. `switches` has, for each crate that the configuration can leave out, the symbol that decides.
///
/// # Errors
///
/// What is wrong with the documentation of the parameters and options, a line for each.
pub fn page(rows: &[Row], switches: &BTreeMap<String, String>) -> Result<String, Vec<String>> {
    let mut problems = Vec::new();
    let mut sections = Vec::new();
    for row in rows.iter().filter(|row| ["param", "setup"].contains(&row.part)) {
        match Entry::of(row, switches) {
            Ok(entry) => sections.push((row.record.name.to_lowercase(), entry)),
            Err(problem) => problems.push(format!("{}: {problem}", row.record.place())),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    sections.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(sections.iter().fold(BEGIN.to_owned(), |page, (_, entry)| page + &entry.section()))
}

/// The page for `image`; `switches` is a file's text with a crate and a symbol on each line.
///
/// # Errors
///
/// If the image cannot be read, or an entry is not documented as it should be.
pub fn page_of(image: &Image, switches: &str) -> Result<String> {
    let mut rows = list::rows(image, Some("param"))?;
    rows.extend(list::rows(image, Some("setup"))?);
    let pairs = switches.lines().filter_map(|line| line.split_once(' '));
    let switches = pairs.map(|(name, symbol)| (name.to_owned(), symbol.to_owned())).collect();
    match page(&rows, &switches) {
        Ok(page) => Ok(page),
        Err(problems) => bail!("{}", problems.join("\n")),
    }
}

/// What the page says of one parameter or option.
struct Entry {
    typed: String,
    about: String,
    columns: [String; 6],
}

const COLUMNS: [&str; 6] = ["type", "default", "mode", "parsed", "configuration", "source"];

impl Entry {
    fn of(row: &Row, switches: &BTreeMap<String, String>) -> Result<Self, String> {
        let record = &row.record;
        let own = |key| record.get(key).unwrap_or("–").to_owned();
        let quoted = |key| record.get(key).map_or_else(|| "–".to_owned(), |value| format!("`{value}`"));
        let (typed, about) = if row.part == "param" { parameter(record) } else { option(record) }?;
        let kind = if row.part == "param" {
            own(key::TYPE)
        } else {
            "handler".to_owned()
        };
        let parsed = match (record.get(key::TYPE), record.get(key::LEVEL)) {
            (Some("early"), _) if row.part == "setup" => "early".to_owned(),
            (_, Some(level)) => format!("level `{level}`"),
            _ => "start".to_owned(),
        };
        let crate_name = record.path.split("::").next().unwrap_or_default();
        let switch = switches.get(crate_name);
        let configuration = switch.map_or_else(|| "always".to_owned(), |symbol| format!("`{symbol}`"));
        let source = format!("`{}`", record.file);
        Ok(Self {
            typed,
            about,
            columns: [kind, quoted(key::DEFAULT), own(key::PERM), parsed, configuration, source],
        })
    }

    fn section(&self) -> String {
        let mut out = format!("\n## `{}`\n\n{}\n\n", self.typed, self.about);
        for row in [COLUMNS.map(str::to_owned), ["---"; 6].map(str::to_owned), self.columns.clone()] {
            let _ = writeln!(out, "| {} |", row.map(|cell| cell.replace('|', "\\|")).join(" | "));
        }
        out
    }
}

/// How a parameter is typed, and what it does.
fn parameter(record: &Record) -> Result<(String, String), String> {
    match record.get(key::DOC) {
        Some(about) => Ok((format!("{}=", record.name), without_links(about))),
        None => Err(format!("the parameter {} is not documented", record.name)),
    }
}

/// The same of an option, whose documentation says how it is typed, because the declaration does not.
fn option(record: &Record) -> Result<(String, String), String> {
    let name = &record.name;
    if record.get(key::TYPE) == Some("obsolete") {
        return Ok((name.clone(), "Obsolete, and ignored.".to_owned()));
    }
    let documented = record.get(key::DOC).unwrap_or_default();
    let parts = documented.strip_prefix('`').and_then(|rest| rest.split_once("`: "));
    match parts.filter(|(typed, _)| typed.starts_with(name.as_str())) {
        Some((typed, about)) => Ok((typed.to_owned(), capitalised(&without_links(about)))),
        None => Err(format!(
            "the documentation of the option {name} must begin with how it is typed: \"`{name}…`: what it does\""
        )),
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::testing::Kernel;

    fn page_with(entries: impl FnOnce(&mut Kernel)) -> Result<String> {
        let mut kernel = Kernel::new();
        entries(&mut kernel);
        page_of(&kernel.image(), "test CONFIG_TEST\nother CONFIG_OTHER\n")
    }

    fn sections(page: &str) -> Vec<&str> {
        page.split("\n## ").skip(1).map(|section| section.trim_end_matches('\n')).collect()
    }

    #[test]
    fn parameters_and_options_stand_in_the_order_of_their_names() {
        let page = page_with(|kernel| {
            kernel.entry_with(
                "param",
                "serial.baud",
                &[
                    ("type", "uint"),
                    ("perm", "0444"),
                    ("default", "9600"),
                    ("level", "device"),
                    ("doc", "How fast."),
                ],
            );
            kernel.entry_with(
                "setup",
                "quiet",
                &[("type", "early"), ("doc", "`quiet[=a|b]`: says less, see [`Level`].")],
            );
            kernel.entry_with("setup", "old=", &[("type", "obsolete")]);
        });
        assert_eq!(
            sections(&page.unwrap()),
            [
                "`old=`\n\nObsolete, and ignored.\n\n| type | default | mode | parsed | configuration | source |\n\
                 | --- | --- | --- | --- | --- | --- |\n| handler | – | – | start | `CONFIG_TEST` | `src/lib.rs` |",
                "`quiet[=a|b]`\n\nSays less, see `Level`.\n\n| type | default | mode | parsed | configuration | source |\n\
                 | --- | --- | --- | --- | --- | --- |\n| handler | – | – | early | `CONFIG_TEST` | `src/lib.rs` |",
                "`serial.baud=`\n\nHow fast.\n\n| type | default | mode | parsed | configuration | source |\n\
                 | --- | --- | --- | --- | --- | --- |\n| uint | `9600` | 0444 | level `device` | `CONFIG_TEST` | `src/lib.rs` |",
            ]
        );
    }

    #[test]
    fn what_is_not_documented_is_named_with_its_place() {
        let error = page_with(|kernel| {
            kernel.entry_with("param", "a", &[("type", "uint")]);
            kernel.entry_with("setup", "b=", &[("type", "setup"), ("doc", "Without a form.")]);
            kernel.entry_with("setup", "c", &[("type", "early"), ("doc", "`d`: another name.")]);
        })
        .unwrap_err();
        let option = |name: &str| {
            format!("src/lib.rs:1: the documentation of the option {name} must begin with how it is typed: \"`{name}…`: what it does\"")
        };
        let lines: Vec<_> = error.to_string().lines().map(str::to_owned).collect();
        assert_eq!(
            lines,
            [
                "src/lib.rs:1: the parameter a is not documented".to_owned(),
                option("b="),
                option("c")
            ]
        );
    }
}
