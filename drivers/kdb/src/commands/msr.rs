//! Model-specific registers of each CPU.

use core::fmt::Write;
use core::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};

use incipit::arch::x86::msr::{rdmsr_safe, wrmsr_safe};
use incipit::kdb::{self, Command, CommandError, KDB_COMMANDS, Then};
use incipit::percpu::smp_processor_id;
use incipit::prelude::*;
use incipit::smp::call_function_single;
use linkme::distributed_slice;

use super::memory::address;
use super::number;

#[distributed_slice(KDB_COMMANDS)]
static RDMSR: Command = Command {
    name: "rdmsr",
    usage: "register [cpu]",
    help: "Display a model-specific register of a CPU",
    run: rdmsr,
};

#[distributed_slice(KDB_COMMANDS)]
static WRMSR: Command = Command {
    name: "wrmsr",
    usage: "register value [cpu]",
    help: "Write a model-specific register of a CPU",
    run: wrmsr,
};

fn rdmsr(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    let (register, cpu) = match arguments {
        [register] => (register, None),
        [register, cpu] => (register, Some(cpu)),
        _ => return Err(CommandError::ArgumentCount),
    };
    let (msr, cpu) = (self::register(register)?, self::cpu(cpu)?);
    let value = AtomicU64::new(0);
    match on_cpu(cpu, &|| rdmsr_safe(msr).map(|found| value.store(found, Relaxed))) {
        Ok(()) => writeln!(screen, "{:#018x}", value.into_inner())?,
        Err(error) => writeln!(screen, "diag: CPU {cpu} does not read register {msr:#x} ({error})")?,
    }
    Ok(Then::Stay)
}

fn wrmsr(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    let (register, value, cpu) = match arguments {
        [register, value] => (register, value, None),
        [register, value, cpu] => (register, value, Some(cpu)),
        _ => return Err(CommandError::ArgumentCount),
    };
    let (msr, value, cpu) = (self::register(register)?, address(value)?, self::cpu(cpu)?);
    // SAFETY: whoever sits at the monitor answers for the value, as for all else that is changed from there.
    let write = || unsafe { wrmsr_safe(msr, value) };
    if let Err(error) = on_cpu(cpu, &write) {
        writeln!(screen, "diag: CPU {cpu} does not take {value:#x} for register {msr:#x} ({error})")?;
    }
    Ok(Then::Stay)
}

/// The number of a register, in hexadecimal as the manuals give them.
fn register(text: &str) -> Result<u32, CommandError> {
    u32::try_from(address(text)?).map_err(|_| CommandError::BadNumber)
}

/// The number of a CPU; of this one if none is given.
fn cpu(text: Option<&&str>) -> Result<usize, CommandError> {
    text.map_or(Ok(smp_processor_id()), |text| {
        usize::try_from(number(text)?).map_err(|_| CommandError::BadNumber)
    })
}

/// What `f` says on `cpu`, or `ENXIO` if that is not online; `EBUSY` for another one while the monitor is in an exception, for the others are stopped where they were.
fn on_cpu(cpu: usize, f: &(dyn Fn() -> Result<(), Errno> + Sync)) -> Result<(), Errno> {
    if cpu == smp_processor_id() {
        return f();
    }
    if kdb::with_regs(|_| ()).is_some() {
        return Err(Errno::EBUSY);
    }
    let failed = AtomicI32::new(0);
    call_function_single(cpu, &|| {
        if let Err(error) = f() {
            failed.store(error.code(), Relaxed);
        }
    })?;
    Errno::from_code(failed.into_inner()).map_or(Ok(()), Err)
}
