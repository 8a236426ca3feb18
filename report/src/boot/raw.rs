//! Reads the monitor's machine-readable answers: a line of column names behind `#`, then a line per row, tabs between the fields.
//!
//! A column is found by its name, so that a kernel may tell more than this tool asks for. A field without a value is `-`; characters that would end a field
//! are escaped as in Rust's strings: `\t`, `\n`, `\\`, `\x1b`.

use anyhow::{Context, Result, bail, ensure};

/// What stands for no value.
const NONE: &str = "-";

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    columns: Vec<&'a str>,
    rows: Vec<Vec<&'a str>>,
}

/// A row of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [&'a str],
    fields: &'a [&'a str],
}

impl<'a> Answer<'a> {
    /// Takes `text` apart.
    ///
    /// # Errors
    ///
    /// If it has no line of column names, or a row has another number of fields.
    pub fn parse(text: &'a str) -> Result<Self> {
        let mut lines = text.lines().filter(|line| !line.is_empty());
        let head = lines.next().context("the answer is empty")?;
        let columns: Vec<_> = match head.strip_prefix('#') {
            Some(names) => names.split('\t').collect(),
            None => bail!("`{head}` names no columns: must begin with `#`"),
        };
        let rows: Vec<Vec<_>> = lines.map(|line| line.split('\t').collect()).collect();
        for row in &rows {
            ensure!(
                row.len() == columns.len(),
                "`{}` has {} fields: must be {} ({})",
                row.join("\t"),
                row.len(),
                columns.len(),
                columns.join(", ")
            );
        }
        Ok(Self { columns, rows })
    }

    /// The rows in the order of the answer.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|fields| Row {
            columns: &self.columns,
            fields,
        })
    }
}

impl Row<'_> {
    /// The field in the column called `name`.
    ///
    /// # Errors
    ///
    /// If there is no such column, or the field has an escape that is none.
    pub fn text(&self, name: &str) -> Result<String> {
        let index = self.columns.iter().position(|column| *column == name);
        let field = index.and_then(|index| self.fields.get(index));
        unescape(field.with_context(|| format!("there is no column `{name}`"))?)
    }

    /// The same; `None` for a field without a value.
    ///
    /// # Errors
    ///
    /// As for [`Self::text`].
    pub fn optional(&self, name: &str) -> Result<Option<String>> {
        Ok(Some(self.text(name)?).filter(|text| text != NONE))
    }

    /// The number in the column called `name`; `None` for a field without a value.
    ///
    /// # Errors
    ///
    /// If there is no such column, or the field is no decimal number.
    pub fn number(&self, name: &str) -> Result<Option<u64>> {
        let text = self.optional(name)?;
        text.map(|text| text.parse().with_context(|| format!("{name}: `{text}` is no number")))
            .transpose()
    }
}

fn unescape(field: &str) -> Result<String> {
    let mut out = String::with_capacity(field.len());
    let mut rest = field;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let (character, length) = match escape.as_bytes().first() {
            Some(b't') => ('\t', 1),
            Some(b'n') => ('\n', 1),
            Some(b'r') => ('\r', 1),
            Some(b'\\') => ('\\', 1),
            Some(b'x') => {
                let code = escape.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
                (
                    char::from(code.with_context(|| format!("`{field}` has an escape without two digits"))?),
                    3,
                )
            }
            _ => bail!("`{field}` has an escape that is none"),
        };
        out.push(character);
        rest = &escape[length..];
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name() {
        let answer = Answer::parse("#name\tvalue\nfirst\t1\nsecond\t-\n").unwrap();
        let rows: Vec<_> = answer.rows().collect();
        assert_eq!(rows[0].text("name").unwrap(), "first");
        assert_eq!(rows[0].number("value").unwrap(), Some(1));
        assert_eq!(rows[1].number("value").unwrap(), None);
        assert_eq!(rows[1].optional("value").unwrap(), None);
    }

    #[test]
    fn escapes_are_taken_back() {
        let answer = Answer::parse("#value\na\\tb\\n\\\\c\\x1b[0m\\xff").unwrap();
        assert_eq!(answer.rows().next().unwrap().text("value").unwrap(), "a\tb\n\\c\u{1b}[0mÿ");
    }

    #[test]
    fn what_is_no_answer_is_refused_with_the_line() {
        for (text, message) in [
            ("", "the answer is empty"),
            ("Unknown kdb command: 'initcalls'", "names no columns"),
            ("#a\tb\n1", "`1` has 1 fields: must be 2 (a, b)"),
            ("#a\n1\t2", "has 2 fields: must be 1"),
        ] {
            let error = Answer::parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text:?}: {error}");
        }
    }

    #[test]
    fn fields_that_are_not_what_they_should_be_are_refused() {
        let answer = Answer::parse("#a\tb\tc\td\nten\t\\q\t\\x1\t\\").unwrap();
        let row = answer.rows().next().unwrap();
        assert_eq!(row.text("e").unwrap_err().to_string(), "there is no column `e`");
        assert_eq!(row.number("a").unwrap_err().to_string(), "a: `ten` is no number");
        for name in ["b", "c", "d"] {
            assert!(row.text(name).is_err(), "{name}");
        }
    }
}
