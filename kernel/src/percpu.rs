//! Per-CPU data: one template in the image, one copy for each CPU, and room beside the copies for what is allocated later.
//!
//! The GS base of a CPU is the distance from the template to the CPU's copy, so that `gs:[address of the static]` is the CPU's own. Before
//! [`setup_per_cpu_areas`] the distance is 0 and the template itself serves the boot CPU. The template lies in init memory: a static declared `#[percpu]` is
//! reached through the methods of [`PerCpu`] only, never by its own address. What [`alloc_percpu`] gives has an address of the same kind, and the same methods.

mod boxed;
mod chunks;
pub mod counter;
mod first_chunk;
mod units;

use core::arch::asm;
use core::cell::UnsafeCell;
use core::sync::atomic::{
    AtomicBool, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed,
};

use crate::arch::x86::cpu::masks::{self, NR_CPUS};
use crate::preempt;
use crate::prelude::*;

pub use boxed::{PerCpuBox, alloc_percpu, alloc_percpu_with};
pub use chunks::{bytes, count as chunks, used_bytes};

/// A variable of which each CPU has its own copy: what `#[percpu] static NAME: T` becomes.
///
/// The cell keeps every such static in writable memory and keeps the compiler from reading the template by itself.
#[repr(transparent)]
pub struct PerCpu<T>(UnsafeCell<T>);

// SAFETY: references to the copies are given out only where `T: Sync` allows them to be shared, and the integer operations are those of atomics.
unsafe impl<T: Sync> Sync for PerCpu<T> {}

/// The distance from the template to this CPU's copy: what its GS base holds.
#[percpu(first)]
static THIS_CPU_OFF: AtomicUsize = AtomicUsize::new(0);

/// This CPU's number.
#[percpu(read_mostly)]
static CPU_NUMBER: AtomicU32 = AtomicU32::new(0);

/// [`THIS_CPU_OFF`] of each CPU, for the others. 0, the template, for a CPU without an area.
pub(crate) static PER_CPU_OFFSET: [AtomicUsize; NR_CPUS] = [const { AtomicUsize::new(0) }; NR_CPUS];

impl<T> PerCpu<T> {
    /// The template's value, from which each copy starts.
    ///
    /// # Safety
    ///
    /// For the expansion of `#[percpu]`: the value must be a static in a section of the per-CPU template.
    pub const unsafe fn new(value: T) -> Self {
        PerCpu(UnsafeCell::new(value))
    }

    /// The address in the template.
    #[inline]
    fn template(&self) -> *mut T {
        self.0.get()
    }
}

/// Where the copy for `cpu` is of what has the address `template` in the template, or behind it in a chunk.
#[inline]
fn copy_of<T>(template: *const T, cpu: usize) -> *const T {
    let offset = PER_CPU_OFFSET.get(cpu).map_or(0, |offset| offset.load(Relaxed));
    template.wrapping_byte_add(offset)
}

/// Where this CPU's copy is of what [`PerCpuBox::into_raw`] said. The answer holds for as long as the caller stays on the CPU.
#[inline]
#[must_use]
pub fn this_cpu_ptr_of<T>(template: *const T) -> *const T {
    let mut copy = template;
    // SAFETY: adds the variable's value, which lies where GS base and the address of its template add up to.
    unsafe { asm!("add {copy}, qword ptr gs:[{offset}]", copy = inout(reg) copy, offset = sym THIS_CPU_OFF, options(nostack, readonly)) };
    copy
}

/// Access to the copies, the same whether the variable is in the template or was allocated.
macro_rules! accessors {
    ($owner:ident, $($lifetime:lifetime)?) => {
        impl<T> $owner<T> {
            /// Where this CPU's copy is. The answer holds for as long as the caller stays on the CPU.
            #[inline]
            #[must_use]
            pub fn this_cpu_ptr(&self) -> *const T {
                this_cpu_ptr_of(self.template())
            }

            /// Where the copy of `cpu` is; the template for a CPU that has no area yet.
            #[inline]
            #[must_use]
            pub fn per_cpu_ptr(&self, cpu: usize) -> *const T {
                copy_of(self.template(), cpu)
            }
        }

        impl<T: Sync> $owner<T> {
            /// Calls `f` with this CPU's copy; preemption is off meanwhile, so that the caller stays on the CPU.
            #[inline]
            pub fn with_this_cpu<R>(&self, f: impl FnOnce(&T) -> R) -> R {
                let guard = preempt::PreemptGuard::new();
                f(self.this_cpu(&guard))
            }

            /// This CPU's copy, for as long as `guard` keeps the caller on the CPU.
            #[inline]
            pub fn this_cpu<'a>(&'a self, _guard: &'a preempt::PreemptGuard) -> &'a T {
                // SAFETY: the copy is initialised and lives as long as its owner; `T: Sync` allows the other CPUs and interrupts to look at it too.
                unsafe { &*self.this_cpu_ptr() }
            }

            /// The copy of `cpu`, or nothing if there is no such CPU.
            #[inline]
            #[must_use]
            pub fn per_cpu(&$($lifetime)? self, cpu: usize) -> Option<&$($lifetime)? T> {
                // SAFETY: as in `this_cpu`.
                masks::POSSIBLE.contains(cpu).then(|| unsafe { &*self.per_cpu_ptr(cpu) })
            }
        }
    };
}

accessors!(PerCpu, 'static);
accessors!(PerCpuBox,);

macro_rules! this_cpu_operations {
    ($owner:ident: $($atomic:ident $integer:ident $class:ident $modifier:literal $width:literal;)*) => {$(
        impl $owner<$atomic> {
            /// This CPU's value, read in one instruction: neither preemption nor an interrupt comes between finding the copy and reading it.
            #[inline]
            pub fn this_cpu_read(&self) -> $integer {
                let value;
                // SAFETY: GS base and address add up to this CPU's copy (module documentation), an atomic integer of this width.
                unsafe {
                    asm!(concat!("mov {value", $modifier, "}, ", $width, " ptr gs:[{copy}]"),
                        value = lateout($class) value, copy = in(reg) self.template(), options(nostack, preserves_flags, readonly));
                }
                value
            }

            /// Sets this CPU's value in one instruction.
            #[inline]
            pub fn this_cpu_write(&self, value: $integer) {
                // SAFETY: as in `this_cpu_read`; the copy may be written through a shared reference because it is an atomic.
                unsafe {
                    asm!(concat!("mov ", $width, " ptr gs:[{copy}], {value", $modifier, "}"),
                        value = in($class) value, copy = in(reg) self.template(), options(nostack, preserves_flags));
                }
            }

            /// Adds to this CPU's value in one instruction, wrapping around. Atomic towards this CPU's interrupts; other CPUs only read the copy.
            #[inline]
            pub fn this_cpu_add(&self, value: $integer) {
                // SAFETY: as in `this_cpu_write`.
                unsafe {
                    asm!(concat!("add ", $width, " ptr gs:[{copy}], {value", $modifier, "}"),
                        value = in($class) value, copy = in(reg) self.template(), options(nostack));
                }
            }
        }
    )*};
}

macro_rules! this_cpu_operations_of {
    ($($owner:ident)*) => {$(
        this_cpu_operations! {
            $owner:
            AtomicU8 u8 reg_byte "" "byte";
            AtomicU16 u16 reg ":x" "word";
            AtomicU32 u32 reg ":e" "dword";
            AtomicI32 i32 reg ":e" "dword";
            AtomicU64 u64 reg "" "qword";
            AtomicI64 i64 reg "" "qword";
            AtomicUsize usize reg "" "qword";
            AtomicIsize isize reg "" "qword";
        }
    )*};
}

this_cpu_operations_of!(PerCpu PerCpuBox);

impl PerCpu<AtomicBool> {
    /// This CPU's value.
    #[inline]
    pub fn this_cpu_read(&self) -> bool {
        self.with_this_cpu(|value| value.load(Relaxed))
    }

    /// Sets this CPU's value.
    #[inline]
    pub fn this_cpu_write(&self, value: bool) {
        self.with_this_cpu(|own| own.store(value, Relaxed));
    }
}

/// The number of the CPU that runs this. It stays right for as long as the caller cannot move to another CPU.
#[inline]
#[must_use]
pub fn smp_processor_id() -> usize {
    CPU_NUMBER.this_cpu_read() as usize
}

/// Each CPU has its own copy of the per-CPU data.
#[capability]
pub struct PerCpuAreas;

/// Gives each possible CPU its copy of the template, and this CPU the GS base that leads to its own: Linux's stage of the same name.
///
/// # Panics
///
/// Without memory for the areas the boot cannot go on.
#[stage(after(crate::init::command_line::setup_command_line), provides(PerCpuAreas))]
#[init]
pub fn setup_per_cpu_areas() {
    first_chunk::set_up();
}

/// Moves what is known of the first chunk to memory that can be given back, as that of the others is: Linux's stage of the same name.
#[stage(after(crate::mm::slab::bootstrap::kmem_cache_init), before(crate::time::time_init))]
#[init]
pub fn percpu_init_late() {
    chunks::move_first_map();
}

mod tests;
