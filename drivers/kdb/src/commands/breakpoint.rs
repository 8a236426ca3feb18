//! Stopping where the kernel comes to: by the processor's breakpoints, and instruction by instruction.

use core::fmt::Write;

use incipit::arch::x86::cpu::masks::CpuMask;
use incipit::arch::x86::hw_breakpoint::{Access, WideBreakpoint};
use incipit::arch::x86::irqflags::X86_EFLAGS_TF;
use incipit::arch::x86::ptregs::PtRegs;
use incipit::arch::x86::traps::{Vector, debug::set_hook};
use incipit::kdb::{self, Command, CommandError, KDB_COMMANDS, Then};
use incipit::locking::SpinLock;
use incipit::panic::{Line, Symbol, symbols};
use incipit::percpu::smp_processor_id;
use linkme::distributed_slice;

use super::memory::address;
use super::{none, number, optional};

/// Breakpoints of the processor.
const PLACES: usize = 4;

/// A breakpoint, and what it was asked for.
struct Place {
    _armed: WideBreakpoint,
    address: u64,
    access: Access,
    len: usize,
}

/// All that are set.
static BREAKPOINTS: SpinLock<[Option<Place>; PLACES]> = SpinLock::new([const { None }; PLACES]);

/// The CPUs on which the next debug exception is the end of a step.
static STEPPING: CpuMask = CpuMask::new();

#[distributed_slice(KDB_COMMANDS)]
static BPH: Command = Command {
    name: "bph",
    usage: "[address|symbol [inst|dataw|dataa [length]]]",
    help: "Set a hardware breakpoint of all cpus, or display them; length: 1, 2, 4, 8",
    run: bph,
};

#[distributed_slice(KDB_COMMANDS)]
static BC: Command = Command {
    name: "bc",
    usage: "number",
    help: "Clear a breakpoint",
    run: bc,
};

#[distributed_slice(KDB_COMMANDS)]
static SS: Command = Command {
    name: "ss",
    usage: "",
    help: "Run one instruction",
    run: ss,
};

fn bph(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    let (place, access, len) = match arguments {
        [] => return list(screen),
        [place] => (place, "inst", "1"),
        [place, access] => (place, *access, if *access == "inst" { "1" } else { "8" }),
        [place, access, len] => (place, *access, *len),
        _ => return Err(CommandError::ArgumentCount),
    };
    let named = symbols::table().and_then(|table| table.address_of(place));
    let address = named.map_or_else(|| address(place), Ok)?;
    let access = match access {
        "inst" => Access::Execute,
        "dataw" => Access::Write,
        "dataa" => Access::ReadWrite,
        other => {
            writeln!(screen, "diag: '{other}' is none of inst, dataw, dataa")?;
            return Ok(Then::Stay);
        }
    };
    let len = number(len)? as usize;
    let places = &mut *BREAKPOINTS.lock();
    match WideBreakpoint::new(address as usize, len, access, on_breakpoint) {
        Ok(armed) => {
            let free = places.iter_mut().enumerate().find(|(_, place)| place.is_none());
            if let Some((index, place)) = free {
                *place = Some(Place {
                    _armed: armed,
                    address,
                    access,
                    len,
                });
                show(index, place.as_ref(), screen)?;
            }
        }
        Err(error) => writeln!(screen, "diag: no breakpoint at {} ({error})", Symbol(address as usize))?,
    }
    Ok(Then::Stay)
}

fn list(screen: &mut dyn Write) -> Result<Then, CommandError> {
    let places = &*BREAKPOINTS.lock();
    places
        .iter()
        .enumerate()
        .try_for_each(|(index, place)| show(index, place.as_ref(), screen))?;
    Ok(Then::Stay)
}

fn show(index: usize, place: Option<&Place>, screen: &mut dyn Write) -> Result<(), CommandError> {
    if let Some(place) = place {
        let access = match place.access {
            Access::Execute => "Instruction(Register)",
            Access::Write => "Data Write",
            Access::ReadWrite => "Data Access",
        };
        let at = Symbol(place.address as usize);
        writeln!(screen, "{access} BP #{index} at {:#x} ({at}), length {}", place.address, place.len)?;
    }
    Ok(())
}

fn bc(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    let wanted = number(optional(arguments)?.ok_or(CommandError::ArgumentCount)?)?;
    let places = &mut *BREAKPOINTS.lock();
    let place = usize::try_from(wanted).ok().and_then(|index| places.get_mut(index));
    match place.and_then(Option::take) {
        Some(place) => writeln!(screen, "Breakpoint {wanted} at {:#x} cleared", place.address)?,
        None => writeln!(screen, "diag: there is no breakpoint {wanted}")?,
    }
    Ok(Then::Stay)
}

fn ss(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    none(arguments)?;
    STEPPING.set(smp_processor_id(), true);
    set_hook(Some(on_step));
    if kdb::with_regs(|regs| regs.flags |= X86_EFLAGS_TF).is_some() {
        return Ok(Then::Leave);
    }
    STEPPING.set(smp_processor_id(), false);
    writeln!(screen, "diag: the kernel was not stopped at an instruction: see bph")?;
    Ok(Then::Stay)
}

/// This CPU has come to a breakpoint.
fn on_breakpoint(regs: &mut PtRegs) {
    enter("Breakpoint", regs);
}

/// The instruction that [`ss`] was for is done.
fn on_step(regs: &mut PtRegs, vector: Vector) -> bool {
    let cpu = smp_processor_id();
    let is_mine = vector == Vector::Debug && STEPPING.contains(cpu);
    if is_mine {
        STEPPING.set(cpu, false);
        regs.flags &= !X86_EFLAGS_TF;
        enter("SS trap", regs);
    }
    is_mine
}

fn enter(why: &str, regs: &mut PtRegs) {
    let mut reason = Line::<256>::new();
    // A name that is too long is cut off.
    let _ = write!(reason, "{why} @ {:#x} ({})", regs.ip, Symbol(regs.ip as usize));
    kdb::enter_from_exception(reason.as_str(), regs);
}
