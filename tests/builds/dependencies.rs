//! Relations that compile and cannot be kept: the image is refused with every link of the chain, its place, and what would mend it.
//!
//! What rustc itself refuses is tried in `tests/attributes`.

use anyhow::{Result, ensure};
use incipit_tests::make::fixture;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::mistakes::fails;

const FIRST: &str = "tests/fixtures/wrong_first/src/lib.rs";
const SECOND: &str = "tests/fixtures/wrong_second/src/lib.rs";

pub fn trials() -> Vec<Trial> {
    vec![trial("dependencies::all_that_cannot_be_kept_is_named_in_one_go", all)]
}

/// The place of the line of `file` that has `text`, as messages show it.
fn place(file: &str, text: &str) -> Result<String> {
    let source = std::fs::read_to_string(incipit_tests::built::root().join(file))?;
    let line = source.lines().position(|line| line.contains(text));
    Ok(format!("({file}:{})", line.map_or(0, |line| line + 1)))
}

fn all() -> Result<()> {
    let (first, second) = (fixture("wrong_first"), fixture("wrong_second"));
    let text = fails("dependencies", &[&format!("SUBSYS={} {}", first.display(), second.display())])?;
    let at = |file, item: &str| place(file, item);
    let expected = [
        format!(
            "error: initcall: wrong_needs_nobody {} requires wrong_nobody {}, but nothing in this image provides it: enable a crate with a function that says \
             provides(WrongNobody), or say wants if wrong_needs_nobody can do without",
            at(FIRST, "fn wrong_needs_nobody")?,
            at(FIRST, "struct WrongNobody")?
        ),
        format!(
            "error: initcall: wrong_sole {} is exclusive, but wrong_sole_provider {} and wrong_second_provider {} provide it: configure all but one of them \
             out, or declare it without `exclusive`",
            at(FIRST, "struct WrongSole")?,
            at(FIRST, "fn wrong_sole_provider")?,
            at(SECOND, "fn wrong_second_provider")?
        ),
        format!(
            "error: initcall: wrong_too_early {} requires wrong_late {}, which wrong_late_provider {} provides, but wrong_late_provider runs in late, behind \
             device: move wrong_late_provider to device or earlier, or wrong_too_early to late or later",
            at(FIRST, "fn wrong_too_early")?,
            at(FIRST, "struct WrongLate")?,
            at(SECOND, "fn wrong_late_provider")?
        ),
        format!(
            "error: initcall: wrong_after_last {} says after(wrong_last), but wrong_last runs in late, behind core: move wrong_last to core or earlier, or \
             wrong_after_last to late or later",
            at(FIRST, "fn wrong_after_last")?
        ),
        format!(
            "error: initcall: wrong_after_another_crate {} says after(wrong_last), but wrong_last runs in late, behind fs: move wrong_last to fs or earlier, or \
             wrong_after_another_crate to late or later",
            at(SECOND, "fn wrong_after_another_crate")?
        ),
        format!(
            "error: initcall: wrong_before_another_crate {} says before(wrong_one), but wrong_before_another_crate runs in late, behind device: move \
             wrong_before_another_crate to device or earlier, or wrong_one to late or later",
            at(SECOND, "fn wrong_before_another_crate")?
        ),
        "error: initcall: these run in a cycle, so there is no order; one of the declarations must go:".to_owned(),
        format!(
            "    wrong_one before wrong_between: wrong_between {} wants wrong_one {}, which wrong_one {} provides",
            at(SECOND, "fn wrong_between")?,
            at(FIRST, "struct WrongOne;")?,
            at(FIRST, "fn wrong_one(")?
        ),
        format!(
            "    wrong_between before wrong_other: wrong_other {} says after(wrong_between)",
            at(SECOND, "fn wrong_other")?
        ),
        format!(
            "    wrong_other before wrong_one: wrong_one {} requires wrong_other {}, which wrong_other {} provides",
            at(FIRST, "fn wrong_one(")?,
            at(FIRST, "struct WrongOther;")?,
            at(SECOND, "fn wrong_other")?
        ),
        "error: cpu_state: these run in a cycle, so there is no order; one of the declarations must go:".to_owned(),
        format!(
            "    wrong_first_state before wrong_middle_state: wrong_first_state {} says before(wrong_middle_state)",
            at(SECOND, "fn wrong_first_state")?
        ),
        format!(
            "    wrong_middle_state before wrong_last_state: wrong_middle_state {} says before(wrong_last_state)",
            at(SECOND, "fn wrong_middle_state")?
        ),
        format!(
            "    wrong_last_state before wrong_first_state: wrong_first_state {} says after(wrong_last_state)",
            at(SECOND, "fn wrong_first_state")?
        ),
        format!(
            "error: cpu_state: wrong_state_after_an_initcall {} says after(wrong_other), but wrong_other {} is an entry of initcall, and nothing orders those and \
             entries of cpu_state",
            at(SECOND, "fn wrong_state_after_an_initcall")?,
            at(SECOND, "fn wrong_other")?
        ),
    ];
    let lines: Vec<_> = text.lines().collect();
    for line in &expected {
        ensure!(lines.contains(&line.as_str()), "the line `{line}` is missing in:\n{text}");
    }
    let named = lines.iter().filter(|line| line.starts_with("error: ")).count();
    ensure!(named == 9, "{named} problems are named where there are 9:\n{text}");
    Ok(())
}
