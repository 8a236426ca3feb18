//! All CPUs cache memory in the same way: the boot CPU's registers of memory types and of the page attribute table are those of all, whatever firmware has left on the others.

use anyhow::{Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::machine::Machine;
use incipit_tests::session::Session;
use incipit_tests::trial::{trial, trial_on};
use libtest_mimic::Trial;

/// What counts, two ranges, some of the first MiB's types.
const MTRRS: [&str; 9] = ["2ff", "200", "201", "202", "203", "250", "258", "268", "26f"];
/// The page attribute table.
const PAT: &str = "277";

const CORRECTED: [&str; 2] = [
    "mtrr: probably your BIOS does not setup all CPUs.",
    "mtrr: corrected configuration.",
];

pub fn trials() -> Vec<Trial> {
    let bochs = machine(2).in_bochs();
    vec![
        trial("caching::registers_that_init_has_cleared_are_the_boot_cpus_again", cleared),
        trial("caching::one_cpu_is_compared_with_none", || {
            machine(1).run()?.refuse("mtrr: your CPUs")
        }),
        trial("caching::the_attribute_table_is_the_same_without_the_kernels", || {
            let mut session = Session::on(&machine(2).append("kdb nopat"))?;
            agree(&mut session, 2, PAT, "0x0007040600070406")
        }),
        trial_on(&bochs, "caching::what_is_planted_on_a_cpu_is_corrected_when_it_comes", move || {
            planted(&machine(2).in_bochs().append("kdb"))
        }),
    ]
}

fn machine(cpus: u32) -> Machine {
    Machine::new(&Build::ours().vmlinux()).processors(cpus)
}

/// That a register is the same on all CPUs, and this.
fn agree(session: &mut Session, cpus: u32, register: &str, value: &str) -> Result<()> {
    for cpu in 0..cpus {
        let text = session.obey(&format!("rdmsr {register} {cpu}"))?;
        ensure!(text.trim_end() == value, "register {register} of CPU {cpu}: {text}, not {value}");
    }
    Ok(())
}

/// That the memory type registers are the same on all CPUs.
fn all_agree(session: &mut Session, cpus: u32) -> Result<()> {
    MTRRS.iter().try_for_each(|register| {
        let boot = session.obey(&format!("rdmsr {register} 0"))?;
        agree(session, cpus, register, boot.trim_end())
    })
}

/// QEMU clears the registers of a CPU that gets INIT, though the manual says that they stay (SDM 3, table 9-1): all that its firmware has set up is gone.
fn cleared() -> Result<()> {
    let mut session = Session::on(&machine(4).append("kdb"))?;
    let log = session.guest.log();
    log.require(&[
        "mtrr: your CPUs had inconsistent fixed MTRR settings",
        "mtrr: your CPUs had inconsistent variable MTRR settings",
        "mtrr: your CPUs had inconsistent MTRRdefType settings",
        CORRECTED[0],
        CORRECTED[1],
    ])?;
    // SeaBIOS's: all count, and memory without a range is cached.
    agree(&mut session, 4, "2ff", "0x0000000000000c06")?;
    all_agree(&mut session, 4)?;
    session.obey("wrmsr 2ff 0 2")?;
    session.obey("cpu down 2")?;
    session.obey("cpu up 2")?;
    all_agree(&mut session, 4)?;
    agree(&mut session, 4, PAT, "0x0407050600070106")
}

fn planted(machine: &Machine) -> Result<()> {
    let mut session = Session::on(machine)?;
    all_agree(&mut session, 2)?;
    for line in ["wrmsr 250 0 1", "wrmsr 200 f0000001 1", "wrmsr 201 f0000800 1", "wrmsr 277 0 1"] {
        let text = session.obey(line)?;
        ensure!(text.is_empty(), "{line}: {text}");
    }
    session.obey("cpu down 1")?;
    session.obey("cpu up 1")?;
    all_agree(&mut session, 2)?;
    agree(&mut session, 2, PAT, "0x0407050600070106")?;
    session.guest.log().require(&CORRECTED)
}
