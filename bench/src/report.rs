//! Reads what a guest reported: lines `bench: NAME TOTAL` and `bench: NAME TOTAL/COUNT`.

use anyhow::{Context, Result, bail, ensure};

/// What the guest measured, in the order in which it reported.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    values: Vec<(String, f64)>,
}

impl Report {
    /// The value called `name`: a number, or the mean of a total over a count.
    ///
    /// # Errors
    ///
    /// If the guest has reported none, with the names of those that it has.
    pub fn get(&self, name: &str) -> Result<f64> {
        self.values
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| *value)
            .with_context(|| {
                let names: Vec<_> = self.values.iter().map(|(name, _)| name.as_str()).collect();
                format!("the guest has not reported {name}; what it has reported: {}", names.join(", "))
            })
    }

    /// The values whose name begins with `prefix`, with the rest of the name.
    pub fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.values
            .iter()
            .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, *value)))
    }
}

/// Reads a report.
///
/// # Errors
///
/// A line that is none of a report's, or a name that comes twice: the guest and this reader must be of one mind about all of it.
pub fn parse(text: &str) -> Result<Report> {
    let mut report = Report::default();
    for line in text.lines() {
        let (name, value) = parse_line(line).with_context(|| format!("the guest reported `{line}`"))?;
        ensure!(
            report.values.iter().all(|(other, _)| other != name),
            "the guest reported {name} twice"
        );
        report.values.push((name.to_owned(), value));
    }
    Ok(report)
}

fn parse_line(line: &str) -> Result<(&str, f64)> {
    let rest = line.strip_prefix("bench: ").context("must begin with `bench: `")?;
    let (name, value) = rest.split_once(' ').context("must have a name and a value")?;
    ensure!(!name.is_empty(), "must have a name");
    let (total, count) = value.split_once('/').unwrap_or((value, "1"));
    let number = |text: &str| text.parse::<u64>().with_context(|| format!("`{text}` is no number"));
    let (total, count) = (number(total)?, number(count)?);
    if count == 0 {
        bail!("a mean of nothing");
    }
    Ok((name, total as f64 / count as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbers_or_means() {
        let report = parse("bench: entry 5\nbench: param/hit 7/2\n").unwrap();
        assert_eq!((report.get("entry").unwrap(), report.get("param/hit").unwrap()), (5.0, 3.5));
        assert_eq!(report.below("param/").collect::<Vec<_>>(), [("hit", 3.5)]);
    }

    #[test]
    fn a_report_of_nothing_has_no_values_and_says_which_is_missing() {
        let error = parse("").unwrap().get("entry").unwrap_err().to_string();
        assert!(error.contains("has not reported entry"), "{error}");
    }

    #[test]
    fn a_line_that_is_damaged_is_shown() {
        for line in [
            "entry 5",
            "bench: ",
            "bench: entry",
            "bench:  5",
            "bench: a -1",
            "bench: a 1/0",
            "bench: a 1/",
            "bench: a 1 2",
            "bench: a 99999999999999999999",
        ] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(line), "{error}");
        }
    }

    #[test]
    fn a_name_that_comes_twice_is_an_error() {
        assert!(parse("bench: a 1\nbench: a 1\n").unwrap_err().to_string().contains("a twice"));
    }
}
