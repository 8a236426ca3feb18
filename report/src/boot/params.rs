//! What the monitor's `params -r` tells of each parameter.

use anyhow::Result;

use super::raw::Answer;

/// A parameter after the boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Its full name.
    pub name: String,
    /// Its type, as Linux calls it.
    pub kind: String,
    /// Mode of the file that shows it, in octal.
    pub perm: String,
    /// Where its value comes from: `default` or `command line`.
    pub origin: String,
    /// Source `file:line`.
    pub place: String,
    /// Its value.
    pub value: String,
}

/// The parameters in an answer of the monitor, in its order.
///
/// # Errors
///
/// If the answer is none.
pub fn parse(answer: &str) -> Result<Vec<Param>> {
    let answer = Answer::parse(answer)?;
    answer
        .rows()
        .map(|row| {
            Ok(Param {
                name: row.text("parameter")?,
                kind: row.text("type")?,
                perm: row.text("perm")?,
                origin: row.text("from")?,
                place: row.text("source")?,
                value: row.text("value")?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_hold_anything() {
        let params =
            parse("#parameter\ttype\tperm\tfrom\tsource\tvalue\na.b\tcharp\t0444\tcommand line\tsrc/a.rs:3\t-\\t<x>=\"\"\n").unwrap();
        assert_eq!(params.len(), 1);
        assert_eq!(params[0].value, "-\t<x>=\"\"");
        assert_eq!(
            (params[0].origin.as_str(), params[0].place.as_str()),
            ("command line", "src/a.rs:3")
        );
    }

    #[test]
    fn an_answer_without_values_is_refused() {
        let error = parse("#parameter\ttype\tperm\tfrom\tsource\na\tbool\t0\tdefault\tx:1").unwrap_err();
        assert_eq!(error.to_string(), "there is no column `value`");
    }
}
