//! Time goes on evenly and never back, by whatever clocks and timers a machine has, and the log says which they are.

use anyhow::Result;
use incipit_tests::built::Build;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

/// A machine, what the command line says, and what the log must say then.
struct Way {
    name: &'static str,
    chipset: &'static str,
    processors: u32,
    words: &'static str,
    says: &'static [&'static str],
}

const NO_LOCAL_TIMER: &str = "APIC: the local timer is not used";

const WAYS: &[Way] = &[
    Way {
        name: "the_local_timer",
        chipset: "pc",
        processors: 2,
        words: "",
        says: &["clockevents: lapic counts at ", "clocksource: Switched to clocksource tsc"],
    },
    Way {
        name: "the_hpet_alone",
        chipset: "pc",
        processors: 1,
        words: "nolapic",
        says: &[NO_LOCAL_TIMER],
    },
    Way {
        name: "the_interval_timer_alone",
        chipset: "pc",
        processors: 1,
        words: "nolapic hpet=disable",
        says: &[NO_LOCAL_TIMER],
    },
    Way {
        name: "the_hpet_for_all_cpus",
        chipset: "pc",
        processors: 4,
        words: "nolapic_timer",
        says: &[NO_LOCAL_TIMER],
    },
    Way {
        name: "the_interval_timer_for_all_cpus",
        chipset: "q35",
        processors: 2,
        words: "nolapic_timer nohpet",
        says: &[NO_LOCAL_TIMER],
    },
    Way {
        name: "the_hpet_as_clocksource",
        chipset: "pc",
        processors: 2,
        words: "tsc=unstable",
        says: &[
            "tsc: Marking TSC unstable due to boot parameter",
            "sched_clock: Marking unstable",
            "clocksource: Switched to clocksource hpet",
        ],
    },
    Way {
        name: "the_interval_timer_as_clocksource",
        chipset: "pc",
        processors: 1,
        words: "tsc=unstable hpet=disable pmtmr=0",
        says: &["clocksource: Switched to clocksource pit"],
    },
    Way {
        name: "ticks_as_clocksource",
        chipset: "pc",
        processors: 2,
        words: "tsc=unstable hpet=disable pmtmr=0",
        says: &["clocksource: Switched to clocksource jiffies"],
    },
    Way {
        name: "no_interval_timer",
        chipset: "microvm,pit=off",
        processors: 1,
        words: "",
        says: &["tsc: Unable to calibrate against PIT, and CPUID does not tell the rate: assuming 1000 MHz"],
    },
];

/// A machine that runs the tests in the kernel that `glob` names.
fn machine(glob: &str) -> Machine {
    Machine::new(&Build::ours().vmlinux())
        .memory("256M")
        .append("ignore_loglevel kunit.enable=1 kunit_shutdown=reboot")
        .append(&format!("kunit.filter_glob={glob}"))
}

/// The clock counts instructions.
fn by_instructions(machine: Machine) -> Machine {
    machine.option("-icount", "shift=0,sleep=off")
}

/// Boots; no test in the kernel has failed, and the log says all of this.
fn passes(machine: &Machine, says: &[&str]) -> Result<Log> {
    let log = machine.run()?;
    log.refuse("not ok ")?;
    log.refuse("Kernel panic")?;
    says.iter().try_for_each(|text| log.require_mention(text))?;
    Ok(log)
}

pub fn trials() -> Vec<Trial> {
    let ways = WAYS.iter().map(|way| {
        let machine = machine("*time::*")
            .chipset(way.chipset)
            .processors(way.processors)
            .append(way.words);
        trial(format!("time::goes_by_{}", way.name), move || {
            let log = passes(&machine, way.says)?;
            log.require_mention("time_torture: 2000 high-resolution timers, 0 early")?;
            log.require_mention("time_torture: 2000 timers of the wheel, 0 early")
        })
    });
    let mut trials: Vec<Trial> = ways.collect();
    trials.extend([
        trial("time::never_goes_back_in_10_million_readings", || {
            let machine = machine("*never_goes_back_on_any_cpu")
                .processors(4)
                .append("time_torture.reads=10000000");
            passes(&machine, &["time_torture: 100", " switches of the clocksource, "]).map(drop)
        }),
        trial("time::100000_timers_are_neither_early_nor_lost", || {
            let machine = by_instructions(machine("*of_many_timers*")).append("time_torture.timers=100000");
            let counts = ["high-resolution timers", "timers of the wheel"].map(|kind| format!("time_torture: 100000 {kind}, 0 early"));
            passes(&machine, &counts.each_ref().map(String::as_str)).map(drop)
        }),
        trial("time::none_of_a_million_timer_interrupts_is_lost", || {
            let machine = by_instructions(machine("*each_event_that_a_device*"))
                .processors(4)
                .append("time_torture.events=1000000");
            passes(&machine, &["time_torture: 1000000 of 1000000 events came on 4 CPUs"]).map(drop)
        }),
        trial("time::does_not_drift", || {
            let log = passes(&by_instructions(machine("*does_not_drift*")), &[])?;
            log.require_mention("time_torture: the clock drifts by ")
        }),
        trial("time::the_error_of_a_rate_that_is_told_is_shown", || {
            let machine = by_instructions(machine("*does_not_drift*")).append("tsc_early_khz=1000050");
            passes(&machine, &["the rate of tsc_early_khz= differs by "]).map(drop)
        }),
        trial("time::a_rate_that_two_clocks_contradict_is_replaced", || {
            let machine = by_instructions(machine("*does_not_drift*")).append("tsc_early_khz=2000000");
            let says = [
                " and another clock measure ",
                "MHz, and not the 2000.000 MHz of tsc_early_khz=",
                "tsc: Refined TSC clocksource calibration: ",
            ];
            passes(&machine, &says).map(drop)
        }),
        trial("time::the_delay_loop_is_said_to_be_calibrated", || {
            let log = by_instructions(machine("*none*")).append("tsc_early_khz=2594000").run()?;
            log.require(&["Calibrating delay loop (skipped), value calculated using timer frequency.. 5188.00 BogoMIPS (lpj=10376000)"])?;
            let log = machine("*none*").append("lpj=4000000").run()?;
            log.require(&["Calibrating delay loop (skipped) preset value.. 2000.00 BogoMIPS (lpj=4000000)"])?;
            let log = machine("*none*").append("lpj=many").run()?;
            log.require(&["lpj: 'many' is no number of loops above 0: it is calibrated"])
        }),
    ]);
    trials
}
