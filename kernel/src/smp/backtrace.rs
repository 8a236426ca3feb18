//! Where all CPUs are, those too that take no interrupts: each is sent an NMI and shows it (Linux's `lib/nmi_backtrace.c`).
//!
//! One CPU is asked at a time, so that their lines do not mix.

use linkme::distributed_slice;

use crate::arch::x86::cpu::masks::{CpuMask, ONLINE};
use crate::arch::x86::nmi::{NMI_HANDLERS, NmiHandler};
use crate::arch::x86::ptregs::PtRegs;
use crate::arch::x86::{apic, dumpstack};
use crate::percpu::smp_processor_id;
use crate::preempt::PreemptGuard;
use crate::prelude::*;
use crate::printk;
use crate::time::udelay;

/// How long a CPU may take to show where it is.
const PATIENCE_MS: u32 = 10_000;

/// Who is to show where it is, and has not yet.
static ASKED: CpuMask = CpuMask::new();

#[distributed_slice(NMI_HANDLERS)]
static NMI_CPU_BACKTRACE: NmiHandler = |regs| nmi_cpu_backtrace(regs);

/// Shows where this CPU is, if that was asked, and says whether it was. In an NMI, which has interrupted what `regs` says.
pub(super) fn nmi_cpu_backtrace(regs: &PtRegs) -> bool {
    let cpu = smp_processor_id();
    let is_asked = ASKED.contains(cpu);
    if is_asked {
        pr_warn!("NMI backtrace for cpu {cpu}");
        dumpstack::show_regs(regs);
        ASKED.set(cpu, false);
    }
    is_asked
}

/// Shows in the log what `cpu` is doing, at once: Linux's function of the same name. Any context with other CPUs' locks free; `false` if it is not online or says nothing.
pub fn trigger_single_cpu_backtrace(cpu: usize) -> bool {
    let _stay = PreemptGuard::new();
    let this = smp_processor_id();
    if cpu == this {
        pr_warn!("NMI backtrace for cpu {cpu}");
        dumpstack::dump_stack();
        return true;
    }
    if !ONLINE.contains(cpu) || !apic::is_present() {
        return false;
    }
    pr_info!("Sending NMI from CPU {this} to CPUs {cpu}:");
    ASKED.set(cpu, true);
    // One that an NMI has stopped looks by itself.
    if !super::is_stopped(cpu) {
        apic::send_nmi(cpu);
    }
    let is_shown = (0..PATIENCE_MS).any(|_| {
        udelay(1000);
        !ASKED.contains(cpu)
    });
    if !is_shown {
        ASKED.set(cpu, false);
        pr_warn!("CPU {cpu} does not even take an NMI");
    }
    // What the other one has said waits until it goes on, which it may never do.
    printk::show();
    is_shown
}

/// The same of all CPUs, this one first: what the key `l` with SysRq does in Linux.
pub fn trigger_all_cpu_backtrace() {
    let _stay = PreemptGuard::new();
    let this = smp_processor_id();
    trigger_single_cpu_backtrace(this);
    for cpu in ONLINE.iter().filter(|&cpu| cpu != this) {
        trigger_single_cpu_backtrace(cpu);
    }
}

/// The monitor's `btc`.
#[cfg(CONFIG_KDB)]
mod command {
    use core::fmt::Write;

    use super::*;
    use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};

    #[distributed_slice(KDB_COMMANDS)]
    static BTC: Command = Command {
        name: "btc",
        usage: "[cpu]",
        help: "Stack traceback of what runs on each cpu, by NMI; or on one",
        run: btc,
    };

    fn btc(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
        match arguments {
            [] => trigger_all_cpu_backtrace(),
            [cpu] => {
                let cpu = cpu.parse().map_err(|_| CommandError::BadNumber)?;
                if !trigger_single_cpu_backtrace(cpu) {
                    writeln!(screen, "diag: CPU {cpu} shows nothing")?;
                }
            }
            _ => return Err(CommandError::ArgumentCount),
        }
        Ok(Then::Stay)
    }
}
