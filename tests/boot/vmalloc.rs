//! Areas of virtually contiguous memory: what `vmallocinfo` shows adds up, and pid 1's stack is among them.

use anyhow::{Context, Result, ensure};
use incipit_tests::session::Session;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

const PAGE_SIZE: u64 = 4096;
/// Linux's addresses for four-level page tables.
const VMALLOC: std::ops::Range<u64> = 0xffff_c900_0000_0000..0xffff_e900_0000_0000;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("vmalloc::areas_lie_apart_with_their_guard_pages", || areas("")),
        trial("vmalloc::areas_without_large_pages", || areas("nohugevmalloc")),
        trial("vmalloc::the_list_takes_no_arguments", || {
            let text = Session::new("")?.obey("vmallocinfo all")?;
            ensure!(text.contains("diag: Improper argument count, see usage."), "{text}");
            Ok(())
        }),
        trial("vmalloc::a_failure_is_reported_unless_that_is_not_wanted", || {
            let text = Session::new("")?.obey("lkdtm VMALLOC_FAILURE")?;
            let reports = text.matches("vmalloc error: size ").count();
            ensure!(reports == 1 && text.matches("Mem-Info:").count() == 1, "{text}");
            Ok(())
        }),
    ]
}

/// Boots with `words`, and holds the list of areas against itself.
fn areas(words: &str) -> Result<()> {
    let text = Session::new(words)?.obey("vmallocinfo")?;
    let mut last = VMALLOC.start;
    for line in text.lines() {
        let mut fields = line.split_whitespace();
        let (start, end) = fields.next().and_then(range).with_context(|| format!("no addresses: {line}"))?;
        ensure!(last <= start && start < end && end <= VMALLOC.end, "out of order: {line}");
        ensure!(
            start.is_multiple_of(PAGE_SIZE) && end.is_multiple_of(PAGE_SIZE),
            "no whole pages: {line}"
        );
        ensure!(
            fields.next().and_then(|size| size.parse().ok()) == Some(end - start),
            "the size is wrong: {line}"
        );
        if let Some(pages) = fields.find_map(|field| field.strip_prefix("pages=")) {
            let guard = if line.contains("get_vm_areas") { 0 } else { PAGE_SIZE };
            ensure!(
                pages.parse::<u64>()? * PAGE_SIZE + guard == end - start,
                "pages and a guard page: {line}"
            );
        }
        last = end;
    }
    // Whoever has asked for it: the functions between are inlined as the compiler likes.
    let stack = |line: &str| line.contains("incipit::") && line.ends_with(" pages=4 vmalloc");
    ensure!(text.lines().any(stack), "no stack of pid 1 in:\n{text}");
    Ok(())
}

/// The two addresses of `0x…-0x…`.
fn range(text: &str) -> Option<(u64, u64)> {
    let (start, end) = text.split_once('-')?;
    let number = |text: &str| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok();
    Some((number(start)?, number(end)?))
}
