//! The slab allocator's line, its text, and its options.

use anyhow::{Context, Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::machine::Machine;
use incipit_tests::session::Session;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    let machine = || Machine::new(&Build::ours().vmlinux());
    vec![
        trial("slab::the_line_counts_cpus_and_has_the_limits", move || {
            let log = machine().processors(4).run()?;
            log.require(&["SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=4, Nodes=1"])?;
            let words = "slub_min_order=1 slub_max_order=2 slub_min_objects=9";
            let log = machine().append(words).run()?;
            log.require(&["SLUB: HWalign=64, Order=1-2, MinObjects=9, CPUs=1, Nodes=1"])
        }),
        trial("slab::slabinfo_has_every_size_and_adds_up", || slabinfo("", 0)),
        trial("slab::slabinfo_shows_how_large_debugging_makes_objects", || {
            slabinfo("slub_debug=Z", 8)
        }),
        trial("slab::its_tests_pass_with_every_cache_checked", move || {
            let log = machine()
                .append("slub_debug=FZPU slab_nomerge kunit.enable=1 kunit.filter_glob=incipit::mm::slab::*")
                .run()?;
            log.require_mention("incipit::mm::slab::tests")?;
            log.refuse("not ok")?;
            log.refuse("BUG kmalloc")?;
            log.require_mention("No working init found")
        }),
        trial("slab::a_letter_that_means_nothing_is_named", move || {
            let log = machine().append("slub_debug=FX,kmalloc-64").run()?;
            log.require(&["slub_debug option 'X' unknown. skipped"])
        }),
        trial("slab::a_limit_that_is_no_number_is_named", move || {
            let log = machine().append("slub_max_order=many").run()?;
            log.require(&[
                "slub_max_order: 'many' is no number",
                "SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=1, Nodes=1",
            ])
        }),
    ]
}

/// Linux's format: a name, then active and all objects, size, objects and pages of a slab, and behind the second colon active and all slabs.
fn slabinfo(words: &str, larger: u64) -> Result<()> {
    let text = Session::new(words)?.obey("slabinfo")?;
    ensure!(text.contains("slabinfo - version: 2.1"), "{text}");
    for (name, size) in [
        ("kmalloc-8", 8),
        ("kmalloc-96", 96),
        ("kmalloc-192", 192),
        ("kmalloc-8k", 8192),
        ("dma-kmalloc-64", 64),
        ("kmem_cache_node", 1),
    ] {
        let row = text
            .lines()
            .find_map(|line| line.split_once(' ').filter(|(first, _)| *first == name))
            .with_context(|| format!("no {name} in:\n{text}"))?
            .1;
        let numbers: Vec<u64> = row.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [active, all, object, per_slab, pages, _, _, _, active_slabs, slabs, _] = numbers[..] else {
            anyhow::bail!("{row}")
        };
        ensure!(
            object >= size + larger && (larger != 0 || size == 1 || object == size),
            "{name}: {row}"
        );
        ensure!(
            active <= all && active_slabs == slabs && per_slab * object <= pages * 4096,
            "{name}: {row}"
        );
        ensure!(all <= slabs * per_slab, "{name}: {row}");
    }
    Ok(())
}
