//! The registers of interrupted code, laid out as Linux's `struct pt_regs` so that its readers (debuggers, unwinders) find them.

use core::mem::offset_of;

/// The registers as the entry stubs push them; the last five are the processor's own frame (SDM 3, 6.14.2).
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs, reason = "the fields are the registers' names")]
pub struct PtRegs {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub bp: u64,
    pub bx: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub ax: u64,
    pub cx: u64,
    pub dx: u64,
    pub si: u64,
    pub di: u64,
    /// −1 after an exception; an interrupt's stub leaves its vector here, a system call its number.
    pub orig_ax: u64,
    pub ip: u64,
    pub cs: u64,
    pub flags: u64,
    pub sp: u64,
    pub ss: u64,
}

/// Bytes of [`PtRegs`] in front of [`PtRegs::orig_ax`]: what the stubs push after the error code.
pub const ORIG_AX: usize = offset_of!(PtRegs, orig_ax);

const _: () = assert!(
    ORIG_AX == 15 * 8 && size_of::<PtRegs>() == 21 * 8,
    "the stubs push exactly these registers"
);

impl PtRegs {
    /// Whether user code was interrupted.
    #[must_use]
    pub fn user_mode(&self) -> bool {
        self.cs & 3 != 0
    }

    /// The general register that instructions encode as `number` (SDM 2, 2.1.5); only the lowest four bits count.
    pub fn gp_mut(&mut self, number: u8) -> &mut u64 {
        match number & 15 {
            0 => &mut self.ax,
            1 => &mut self.cx,
            2 => &mut self.dx,
            3 => &mut self.bx,
            4 => &mut self.sp,
            5 => &mut self.bp,
            6 => &mut self.si,
            7 => &mut self.di,
            8 => &mut self.r8,
            9 => &mut self.r9,
            10 => &mut self.r10,
            11 => &mut self.r11,
            12 => &mut self.r12,
            13 => &mut self.r13,
            14 => &mut self.r14,
            _ => &mut self.r15,
        }
    }

    /// The value of the general register that instructions encode as `number`.
    #[must_use]
    pub fn gp(&self, number: u8) -> u64 {
        *self.clone().gp_mut(number)
    }
}
