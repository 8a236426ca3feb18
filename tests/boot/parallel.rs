//! `initcall_parallel=1` on the image as it is: nothing that is seen changes, and what it cannot go with is said.

use anyhow::{Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::machine::Machine;
use incipit_tests::session::Session;
use incipit_tests::side_by_side::{PARALLEL, look, require_same};
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::ending::require_end;

/// How the walk names itself in the log.
const NAME: &str = "initcall_parallel: ";

fn machine(cpus: u32, words: &str) -> Machine {
    Machine::new(&Build::ours().vmlinux()).processors(cpus).append(words)
}

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("parallel::two_cpus_leave_what_one_leaves", || same(2)),
        trial("parallel::four_cpus_leave_what_one_leaves", || same(4)),
        trial("parallel::the_monitor_tells_what_the_initcalls_took", summary),
        trial("parallel::one_cpu_says_nothing", || {
            for (cpus, words) in [(1, ""), (4, "nosmp"), (4, "maxcpus=1")] {
                let log = machine(cpus, &format!("{PARALLEL} {words}")).run()?;
                require_end(&log)?;
                log.refuse(NAME)?;
            }
            Ok(())
        }),
        trial("parallel::a_value_that_is_none_is_named", || {
            for wrong in ["=", "=2", "=x"] {
                let log = machine(2, &format!("initcall_parallel{wrong}")).run()?;
                require_end(&log)?;
                log.require(&["Malformed early option 'initcall_parallel'"])?;
                log.refuse(NAME)?;
            }
            Ok(())
        }),
        trial("parallel::the_last_word_counts", || {
            let mut session = Session::on(&machine(2, &format!("kdb {PARALLEL} initcall_parallel=0")))?;
            let summary = session.obey("initcalls -s")?;
            ensure!(summary.starts_with("one after the other: "), "{summary}");
            Ok(())
        }),
    ];
    for option in ["initcall_shuffle=7", "initcall_debug", "initcall_stop_after=i8042_init"] {
        let name = option.split('=').next().unwrap_or_default();
        trials.push(trial(format!("parallel::{name}_comes_first"), move || {
            let log = machine(2, &format!("{PARALLEL} {option}")).run()?;
            require_end(&log)?;
            let line = format!("{NAME}ignored, {name} has them run one after the other");
            ensure!(log.count(&line) == 1, "no `{line}` in:\n{}", log.tail());
            Ok(())
        }));
    }
    trials
}

fn same(cpus: u32) -> Result<()> {
    let (_, serial) = look(&machine(cpus, "kdb"))?;
    let (mut session, parallel) = look(&machine(cpus, &format!("kdb {PARALLEL}")))?;
    require_same(&serial.log, &parallel.log)?;
    require_same(&serial.lists, &parallel.lists)?;
    let summary = session.obey("initcalls -s")?;
    ensure!(summary.starts_with(&format!("on {cpus} CPUs: ")), "{summary}");
    Ok(())
}

/// The times of a boot on one CPU are those of its initcalls: chains cannot take longer than all, nor all longer than it took.
fn summary() -> Result<()> {
    let mut session = Session::on(&machine(1, "kdb").option("-icount", "shift=0,sleep=off"))?;
    let summary = session.obey("initcalls -s")?;
    let number = |part: &str| -> Result<u64> {
        let line = summary.lines().find(|line| line.contains(part)).unwrap_or_default();
        let words = line.split(&[' ', ',', ':'][..]).collect::<Vec<_>>();
        let unit = words.iter().position(|word| *word == "instructions");
        unit.and_then(|unit| words[..unit].last()?.parse().ok())
            .ok_or_else(|| anyhow::anyhow!("no number of instructions behind `{part}` in:\n{summary}"))
    };
    let (wall, sum, chains) = (
        number("one after the other:")?,
        number("initcalls by themselves:")?,
        number("these chains:")?,
    );
    let device = number("  device")?;
    ensure!(0 < device && device < chains && chains < sum && sum < wall, "{summary}");
    ensure!(summary.contains(": serial8250_init"), "{summary}");
    Ok(())
}
