//! All CPUs: as many come as there are and are asked for, in each emulator; those that are not there are named; each goes and comes back.

use anyhow::{Context, Result, ensure};
use incipit_linker::graph::Graph;
use incipit_linker::seal::image::Image;
use incipit_linker::tables::level_of;
use incipit_tests::boots;
use incipit_tests::built::Build;
use incipit_tests::machine::Machine;
use incipit_tests::session::Session;
use incipit_tests::trial::{trial, trial_on};
use libtest_mimic::Trial;

/// One thread of the emulator's for all CPUs, and a clock that counts instructions.
const ONE_THREAD: (&str, &str) = ("-icount", "shift=0,sleep=off");

/// How many boots of each machine a test makes; `make boots` makes more.
const FEW: u64 = 2;

/// How often each CPU goes and comes back.
const TIMES: usize = 20;

fn machine(cpus: u32) -> Machine {
    Machine::new(&Build::ours().vmlinux()).processors(cpus)
}

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for cpus in [1, 2, 4, 8] {
        trials.push(trial(format!("smp::{cpus}_in_as_many_threads"), move || come(&machine(cpus), cpus)));
        trials.push(trial(format!("smp::{cpus}_in_one_thread"), move || {
            come(&machine(cpus).option(ONE_THREAD.0, ONE_THREAD.1), cpus)
        }));
    }
    trials.extend([1, 2, 4].map(bochs));
    trials.extend([
        trial("smp::4_without_x2apic", || come(&machine(4).cpu("max,-x2apic"), 4)),
        trial("smp::4_with_x2apic", || come(&machine(4).cpu("max,+x2apic"), 4)),
        trial("smp::4_with_the_long_pause", || {
            come(&machine(4).append("cpu_init_udelay=10000"), 4)
        }),
    ]);
    for (words, cpus) in [
        ("maxcpus=2", 2),
        ("nosmp", 1),
        ("maxcpus=0", 1),
        ("nr_cpus=3", 3),
        ("possible_cpus=2", 2),
    ] {
        trials.push(trial(format!("smp::{words}_is_obeyed"), move || {
            come(&machine(4).append(words), cpus)
        }));
    }
    trials.extend([
        trial("smp::who_was_left_out_can_come_later", || {
            let mut session = Session::on(&machine(4).append("kdb maxcpus=2"))?;
            online(&mut session, &[0, 1])?;
            session.obey("cpu up 3")?;
            online(&mut session, &[0, 1, 3])
        }),
        trial("smp::no_boot_of_a_few_is_missed", || {
            let misses = boots::run(&Build::ours().vmlinux(), &boots::qemu(), FEW, |_| ());
            let misses: Vec<_> = misses.into_iter().filter(|outcome| !outcome.misses.is_empty()).collect();
            ensure!(misses.is_empty(), "{misses:#?}");
            Ok(())
        }),
        trial("smp::each_goes_and_comes_back", go_and_come),
        trial("smp::nothing_is_lost_while_each_goes_and_comes_back_100_times", replug),
        trial("smp::who_cannot_come_or_go_is_said_to", refused),
        trial("smp::states_are_listed_as_they_are_called", states),
        trial("smp::a_panic_stops_all", || {
            let log = machine(4).run()?;
            log.require(&["smp: Brought up 1 node, 4 CPUs"])?;
            log.require_mention("Kernel panic - not syncing: ")
        }),
    ]);
    trials
}

/// Boots and has as many CPUs online at the end, each in a row of `cpuinfo`.
pub fn come(machine: &Machine, cpus: u32) -> Result<()> {
    let mut session = Session::on(&machine.clone().append("kdb"))?;
    let all: Vec<u32> = (0..cpus).collect();
    online(&mut session, &all)?;
    let text = session.obey("cpuinfo")?;
    let numbers = text.lines().filter_map(|line| line.strip_prefix("processor\t: "));
    ensure!(numbers.eq(all.iter().map(u32::to_string)), "{text}");
    let log = session.guest.log();
    if cpus == 1 {
        return log.refuse("smp: Brought up");
    }
    let list: String = (1..cpus).map(|cpu| format!(" #{cpu}")).collect();
    ensure!(log.mentions("smp: Bringing up secondary CPUs ..."), "{}", log.tail());
    log.require(&[
        &format!(".... node  #0, CPUs:     {list}"),
        &format!("smp: Brought up 1 node, {cpus} CPUs"),
    ])?;
    log.require_mention(&format!("smpboot: Total of {cpus} processors activated ("))
}

fn bochs(cpus: u32) -> Trial {
    let bochs = move || machine(cpus).in_bochs();
    trial_on(&bochs(), format!("smp::{cpus}_in_bochs"), move || come(&bochs(), cpus))
}

/// That these are the CPUs that `cpu` shows online.
pub fn online(session: &mut Session, expected: &[u32]) -> Result<()> {
    let text = session.obey("cpu")?;
    let rows = text.lines().filter(|line| line.ends_with("  online"));
    let numbers = rows.map(|line| {
        line.split_whitespace()
            .next()
            .and_then(|word| word.parse().ok())
            .context("a row without a number")
    });
    let numbers: Vec<u32> = numbers.collect::<Result<_>>()?;
    ensure!(numbers == expected, "{text}");
    Ok(())
}

fn go_and_come() -> Result<()> {
    let mut session = Session::on(&machine(4).append("kdb"))?;
    for cpu in 1..4 {
        let others: Vec<u32> = (0..4).filter(|&other| other != cpu).collect();
        for _ in 0..TIMES {
            session.obey(&format!("cpu down {cpu}"))?;
            online(&mut session, &others)?;
            session.obey(&format!("cpu up {cpu}"))?;
            online(&mut session, &[0, 1, 2, 3])?;
        }
    }
    Ok(())
}

/// The test in the kernel that takes CPUs away while they are at work, with a device whose interrupts go to them.
fn replug() -> Result<()> {
    const TEST: &str = "nothing_is_lost_while_cpus_go_and_come_back";
    let log = machine(4)
        .option("-chardev", "null,id=second")
        .option("-device", "isa-serial,index=1,iobase=0x2f8,irq=3,chardev=second")
        .append("ignore_loglevel kunit.enable=1 kunit_shutdown=reboot cpu_replug.rounds=100")
        .append(&format!("kunit.filter_glob=*{TEST}"))
        .run()?;
    log.require_mention(&format!("ok 1 {TEST}"))?;
    log.require_mention("cpu_replug: ")?;
    for cpu in 1..4 {
        let line = format!("smpboot: CPU {cpu} is now offline");
        let times = log.lines().filter(|found| found.ends_with(&line)).count();
        ensure!(times == 100, "CPU {cpu} went {times} times");
    }
    Ok(())
}

/// The states in the order of the image, which is that of their declarations.
fn states() -> Result<()> {
    let image = Build::ours().vmlinux();
    let text = Session::on(&Machine::new(&image).append("kdb"))?.obey("cpu states")?;
    let rows = text.lines().filter_map(|line| line.split_once(' '));
    let listed: Vec<_> = rows
        .map(|(section, name)| {
            (
                section.to_owned(),
                name.trim().trim_end_matches(" (nothing to take back)").to_owned(),
            )
        })
        .collect();
    let graph = Graph::cpu_states_of_image(&Image::read(&image)?)?;
    let declared: Vec<_> = graph
        .entries
        .iter()
        .map(|node| (level_of(node.part), node.record.name.clone()))
        .collect();
    ensure!(listed == declared && !declared.is_empty(), "{text}");
    Ok(())
}

fn refused() -> Result<()> {
    let mut session = Session::on(&machine(2).append("kdb"))?;
    for (line, answer) in [
        ("cpu down 0", "diag: CPU 0 does not go (EBUSY)"),
        ("cpu down 2", "diag: CPU 2 does not go (EINVAL)"),
        ("cpu up 2", "diag: CPU 2 does not come (EINVAL)"),
        (
            "cpu up 18446744073709551615",
            "diag: CPU 18446744073709551615 does not come (EINVAL)",
        ),
        ("cpu up one", "diag: Illegal numeric value"),
    ] {
        let text = session.obey(line)?;
        ensure!(text.lines().any(|found| found == answer), "{line}: {text}");
    }
    online(&mut session, &[0, 1])
}
