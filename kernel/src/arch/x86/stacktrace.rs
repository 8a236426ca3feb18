//! Stacks and the frames on them: which stack an address belongs to, and who called whom.

use core::arch::asm;

use super::cpu::entry_area::EXCEPTION_STACK_SIZE;
use super::maccess::get_kernel_nofault;
use super::process;
use super::ptregs::PtRegs;
use super::segment::{CPU_TSS, Ist};
use super::traps::irq_stack;
use crate::mm::PAGE_SIZE;
use crate::prelude::*;

/// A stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackInfo {
    /// What a backtrace calls it.
    pub name: &'static str,
    /// Its lowest address.
    pub begin: usize,
    /// The address behind its highest.
    pub end: usize,
    /// Whether its highest word says where the stack pointer of the interrupted stack is.
    pub is_linked: bool,
}

impl StackInfo {
    /// The stack pointer of whoever was interrupted, where the stack says it: the saved registers lie there.
    #[must_use]
    pub fn interrupted(&self) -> Option<usize> {
        let link = self.is_linked.then(|| get_kernel_nofault((self.end - 8) as *const u64).ok());
        link.flatten().map(|sp| sp as usize)
    }

    /// Whether `size` bytes at `address` lie on the stack.
    #[must_use]
    pub fn holds(&self, address: usize, size: usize) -> bool {
        address >= self.begin && address.checked_add(size).is_some_and(|end| end <= self.end)
    }
}

/// The stacks that this CPU may run on.
fn stacks() -> impl Iterator<Item = StackInfo> {
    let task = process::task_stack();
    let task = StackInfo {
        name: "TASK",
        begin: task.start_address(),
        end: task.end_address(),
        is_linked: false,
    };
    let interrupts = irq_stack::this_cpu().map(|stack| StackInfo {
        name: "IRQ",
        begin: stack.start,
        end: stack.end,
        is_linked: true,
    });
    let exceptions = Ist::ALL.into_iter().filter_map(|ist| {
        let end = CPU_TSS.with_this_cpu(|tss| tss.ist(ist)) as usize;
        (end != 0).then(|| StackInfo {
            name: ist.name(),
            begin: end - EXCEPTION_STACK_SIZE,
            end,
            is_linked: false,
        })
    });
    core::iter::once(task).chain(interrupts).chain(exceptions)
}

/// The stack that `address` lies on.
#[must_use]
pub fn stack_of(address: usize) -> Option<StackInfo> {
    stacks().find(|stack| stack.holds(address, 1))
}

/// The stack whose guard page `address` lies on.
#[must_use]
pub fn stack_with_guard_page(address: usize) -> Option<StackInfo> {
    stacks().find(|stack| (stack.begin - PAGE_SIZE..stack.begin).contains(&address))
}

/// A step of a walk along the frame pointers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A call, whose return address lies at `slot`.
    Call {
        /// Where the return address lies.
        slot: usize,
    },
    /// An exception or interrupt, whose registers lie at this address.
    Exception {
        /// Where the [`PtRegs`] lie.
        regs: usize,
    },
}

/// Walks the frames from a frame pointer upwards. Frames may be anything: each must lie higher than the one before on a stack of this CPU, and is read without
/// trust, so the walk ends wherever the chain is broken.
#[derive(Debug, Clone)]
pub struct Frames {
    frame: usize,
    lowest: usize,
    /// The stack that the last frame was on: the next one's, nearly always.
    stack: Option<StackInfo>,
}

/// Set in a frame pointer that leads to saved registers instead of a frame; the entry stubs do that.
const ENCODED: usize = 1;

impl Frames {
    /// From the frame that `bp` leads to; no frame is believed below `sp`.
    #[must_use]
    pub fn new(bp: usize, sp: usize) -> Frames {
        Frames {
            frame: bp,
            lowest: sp,
            stack: None,
        }
    }

    /// The next frame pointer, if it leads upwards on the same stack, or from one stack to another by way of an exception.
    fn follow(&mut self, next: usize, above: usize) {
        self.frame = next;
        self.lowest = above;
    }
}

impl Iterator for Frames {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let stack = match self.stack {
            Some(stack) if stack.holds(self.lowest, 1) => stack,
            _ => *self.stack.insert(stack_of(self.lowest)?),
        };
        if self.frame & ENCODED != 0 {
            let at = self.frame & !ENCODED;
            if !stack.holds(at, 1) && stack.interrupted() == Some(at) {
                // The handler's stack is not the one on which the registers were saved.
                self.stack = None;
                self.lowest = at;
                return self.next();
            }
            if at < self.lowest || !stack.holds(at, size_of::<PtRegs>()) {
                return None;
            }
            let regs = read_regs(at)?;
            self.follow(regs.bp as usize, regs.sp as usize);
            return Some(Step::Exception { regs: at });
        }
        if self.frame < self.lowest || !self.frame.is_multiple_of(8) || !stack.holds(self.frame, 16) {
            return None;
        }
        let slot = self.frame + 8;
        let next = get_kernel_nofault(self.frame as *const u64).ok()? as usize;
        self.follow(next, slot + 8);
        Some(Step::Call { slot })
    }
}

/// Reads saved registers that may not be there.
#[must_use]
pub fn read_regs(at: usize) -> Option<PtRegs> {
    let mut bytes = [0; size_of::<PtRegs>()];
    super::maccess::copy_from_kernel_nofault(&mut bytes, at as *const u8).ok()?;
    // SAFETY: the registers are integers, for which any bytes will do.
    Some(unsafe { bytes.as_ptr().cast::<PtRegs>().read_unaligned() })
}

/// Saves the return addresses on the stack into `entries`, the innermost first, and says how many there are. `skip` leaves out as many: 0 begins with the caller.
/// Where an exception struck, its address stands for it.
#[inline(never)]
pub fn save_stack_trace(entries: &mut [usize], skip: usize) -> usize {
    let (bp, sp): (usize, usize);
    // SAFETY: copies two registers.
    unsafe { asm!("mov {}, rbp", "mov {}, rsp", out(reg) bp, out(reg) sp, options(nomem, nostack, preserves_flags)) };
    let addresses = Frames::new(bp, sp).map_while(|step| match step {
        Step::Call { slot } => get_kernel_nofault(slot as *const u64).ok().map(|address| address as usize),
        Step::Exception { regs } => read_regs(regs).map(|regs| regs.ip as usize),
    });
    let mut saved = 0;
    for (entry, address) in entries.iter_mut().zip(addresses.skip(skip)) {
        *entry = address;
        saved += 1;
    }
    saved
}

mod tests;
