//! Tests that run in the kernel, told in KTAP.
//!
//! `kunit.enable=1` runs them behind the last initcall level; `kunit.filter_glob=GLOB` runs those whose path matches, `kunit.skip=N` leaves out the first `N` of
//! them (a host goes on behind one that ended the guest), `kunit.action=list` names them only, and `kunit_shutdown=reboot` ends the guest afterwards.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use crate::prelude::*;

/// An entry of `.kunit_test_suites`.
#[repr(C)]
pub struct KtestEntry {
    run: fn(),
    info: &'static KtestInfo,
}

/// Name and source place of a test.
pub struct KtestInfo {
    /// The function's identifier.
    pub name: &'static str,
    /// The module that it is in: the suite.
    pub module: &'static str,
    /// Source file.
    pub file: &'static str,
    /// Source line.
    pub line: u32,
}

impl KtestEntry {
    /// What the attribute makes.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(run: fn(), info: &'static KtestInfo) -> Self {
        Self { run, info }
    }
}

/// Runs the tests that are in the image, behind the last initcall.
#[cfg_attr(CONFIG_PRINTK, param(name = "enable", module = "kunit", perm = 0o444))]
static ENABLE: AtomicBool = AtomicBool::new(false);

/// Runs only the tests whose path matches: `*` stands for any text, `?` for any character.
#[cfg_attr(CONFIG_PRINTK, param(name = "filter_glob", module = "kunit", perm = 0o444))]
static FILTER_GLOB: Charp = Charp::none();

/// Leaves out as many of the first tests.
#[cfg_attr(CONFIG_PRINTK, param(name = "skip", module = "kunit", perm = 0o444))]
static SKIP: AtomicU32 = AtomicU32::new(0);

/// `list` names the tests instead of running them.
#[cfg_attr(CONFIG_PRINTK, param(name = "action", module = "kunit", perm = 0o444))]
static ACTION: Charp = Charp::none();

/// What to do behind the tests: `reboot`, `halt` or `poweroff`; without it the boot goes on.
#[cfg_attr(CONFIG_PRINTK, param(name = "kunit_shutdown", perm = 0o444))]
static KUNIT_SHUTDOWN: Charp = Charp::none();

#[cfg(CONFIG_KUNIT)]
pub(super) use walk::run_all;

/// Without the tests in the image there is nothing to run.
#[cfg(not(CONFIG_KUNIT))]
#[init]
pub(super) fn run_all(_init: InitMemory<'_>) {
    if ENABLE.load(Relaxed) {
        pr_err!("kunit: this image has no tests: it was built without CONFIG_KUNIT");
    }
}

#[cfg(CONFIG_KUNIT)]
mod walk {
    use incipit_lib::glob;

    use super::*;
    use crate::irq::irqs_disabled;
    use crate::panic::reboot;
    use crate::{preempt, table};

    /// Runs the tests if the command line asks for them.
    #[init]
    pub(in crate::init) fn run_all(init: InitMemory<'_>) {
        if !ENABLE.load(Relaxed) {
            return;
        }
        let list = ACTION.with(|action| action == Some(b"list"));
        let suites = selected(init).filter(|entry| first_of_suite(init, entry)).count();
        pr_info!("KTAP version 1");
        pr_info!("1..{suites}");
        let mut number = 0;
        for suite in selected(init).filter(|entry| first_of_suite(init, entry)) {
            number += 1;
            run_suite(init, suite.info.module, number, list);
        }
        KUNIT_SHUTDOWN.with(|action| match action {
            Some(b"reboot") => reboot::emergency_restart(),
            Some(b"halt" | b"poweroff") => reboot::halt(),
            Some(other) => pr_warn!("kunit_shutdown: `{}' is neither reboot nor halt", incipit_lib::text::Lossy(other)),
            None => {}
        });
    }

    /// The tests that the filter and `kunit.skip` leave, in order.
    #[init]
    fn selected(init: InitMemory<'_>) -> impl Iterator<Item = &KtestEntry> {
        let skip = SKIP.load(Relaxed) as usize;
        table::KTEST.iter(init).filter(|entry| matches(entry.info)).skip(skip)
    }

    /// Whether the filter lets the test through.
    #[init]
    fn matches(info: &KtestInfo) -> bool {
        FILTER_GLOB.with(|filter| match filter {
            None => true,
            Some(pattern) => {
                let path = info.module.bytes().chain("::".bytes()).chain(info.name.bytes());
                glob::matches(pattern, path)
            }
        })
    }

    /// Whether the test is the first selected one of its module. The table is sorted by path, so a suite's tests stand together.
    #[init]
    fn first_of_suite(init: InitMemory<'_>, entry: &KtestEntry) -> bool {
        selected(init)
            .find(|other| other.info.module == entry.info.module)
            .is_some_and(|first| core::ptr::eq(first, entry))
    }

    #[init]
    fn run_suite(init: InitMemory<'_>, module: &'static str, number: usize, list: bool) {
        let tests = || selected(init).filter(move |entry| entry.info.module == module);
        pr_info!("    KTAP version 1");
        pr_info!("    # Subtest: {module}");
        pr_info!("    1..{}", tests().count());
        for (index, test) in tests().enumerate() {
            // The host reads this line to know which test it was if the guest ends in it.
            pr_info!("    # {} ({}:{})", test.info.name, test.info.file, test.info.line);
            if list {
                pr_info!("    ok {} {} # SKIP listed only", index + 1, test.info.name);
            } else {
                let context = || (preempt::count(), irqs_disabled());
                let before = context();
                (test.run)();
                #[cfg(CONFIG_LOCKUP_DETECTOR)]
                crate::watchdog::touch_softlockup_watchdog();
                assert_eq!(
                    context(),
                    before,
                    "it returned with another preemption count, or other interrupts, than it was called with"
                );
                pr_info!("    ok {} {}", index + 1, test.info.name);
            }
        }
        pr_info!("ok {number} {module}");
    }
}
