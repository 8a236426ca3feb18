//! Per-CPU data: one template in the image, one copy for each CPU.
//!
//! The GS base of a CPU is the distance from the template to the CPU's copy, so that `gs:[address of the static]` is the CPU's own. Before
//! [`setup_per_cpu_areas`] the distance is 0 and the template itself serves the boot CPU. The template lies in init memory: a static declared `#[percpu]` is
//! reached through the methods of [`PerCpu`] only, never by its own address.

use core::arch::asm;
use core::cell::UnsafeCell;
use core::sync::atomic::{
    AtomicBool, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed,
};

use crate::arch::x86::cpu::masks::{self, NR_CPUS};
use crate::arch::x86::msr;
use crate::mm::{self, PAGE_SIZE, sections};
use crate::preempt;
use crate::prelude::*;

/// Room kept in each area for the per-CPU data of loadable code: Linux's `PERCPU_MODULE_RESERVE`.
const RESERVED_SIZE: usize = 8 << 10;
/// Room kept in each area for allocations at run time: Linux's `PERCPU_DYNAMIC_RESERVE`.
const DYNAMIC_SIZE: usize = 28 << 10;

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
static PER_CPU_OFFSET: [AtomicUsize; NR_CPUS] = [const { AtomicUsize::new(0) }; NR_CPUS];

/// Where and how large the areas are, once they exist.
static UNIT_SIZE: AtomicUsize = AtomicUsize::new(0);

impl<T> PerCpu<T> {
    /// The template's value, from which each copy starts.
    ///
    /// # Safety
    ///
    /// For the expansion of `#[percpu]`: the value must be a static in a section of the per-CPU template.
    pub const unsafe fn new(value: T) -> Self {
        PerCpu(UnsafeCell::new(value))
    }

    /// Where this CPU's copy is. The answer holds for as long as the caller stays on the CPU.
    #[inline]
    #[must_use]
    pub fn this_cpu_ptr(&self) -> *const T {
        let offset = THIS_CPU_OFF.this_cpu_read();
        self.0.get().cast_const().wrapping_byte_add(offset)
    }

    /// Where the copy of `cpu` is; the template for a CPU that has no area yet.
    #[inline]
    #[must_use]
    pub fn per_cpu_ptr(&self, cpu: usize) -> *const T {
        let offset = PER_CPU_OFFSET.get(cpu).map_or(0, |offset| offset.load(Relaxed));
        self.0.get().cast_const().wrapping_byte_add(offset)
    }
}

impl<T: Sync> PerCpu<T> {
    /// Calls `f` with this CPU's copy; preemption is off meanwhile, so that the caller stays on the CPU.
    #[inline]
    pub fn with_this_cpu<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        let _guard = preempt::PreemptGuard::new();
        // SAFETY: the copy was initialised from the template and is never freed; `T: Sync` allows the other CPUs and interrupts to look at it too.
        f(unsafe { &*self.this_cpu_ptr() })
    }

    /// The copy of `cpu`, or nothing if there is no such CPU.
    #[inline]
    #[must_use]
    pub fn per_cpu(&'static self, cpu: usize) -> Option<&'static T> {
        // SAFETY: as in `with_this_cpu`.
        masks::POSSIBLE.contains(cpu).then(|| unsafe { &*self.per_cpu_ptr(cpu) })
    }
}

macro_rules! this_cpu_operations {
    ($($atomic:ident $integer:ident $class:ident $modifier:literal $width:literal;)*) => {$(
        impl PerCpu<$atomic> {
            /// This CPU's value, read in one instruction: neither preemption nor an interrupt comes between finding the copy and reading it.
            #[inline]
            pub fn this_cpu_read(&self) -> $integer {
                let value;
                // SAFETY: GS base and address add up to this CPU's copy (module documentation), an atomic integer of this width.
                unsafe {
                    asm!(concat!("mov {value", $modifier, "}, ", $width, " ptr gs:[{copy}]"),
                        value = lateout($class) value, copy = in(reg) self.0.get(), options(nostack, preserves_flags, readonly));
                }
                value
            }

            /// Sets this CPU's value in one instruction.
            #[inline]
            pub fn this_cpu_write(&self, value: $integer) {
                // SAFETY: as in `this_cpu_read`; the copy may be written through a shared reference because it is an atomic.
                unsafe {
                    asm!(concat!("mov ", $width, " ptr gs:[{copy}], {value", $modifier, "}"),
                        value = in($class) value, copy = in(reg) self.0.get(), options(nostack, preserves_flags));
                }
            }

            /// Adds to this CPU's value in one instruction, wrapping around. Atomic towards this CPU's interrupts; other CPUs only read the copy.
            #[inline]
            pub fn this_cpu_add(&self, value: $integer) {
                // SAFETY: as in `this_cpu_write`.
                unsafe {
                    asm!(concat!("add ", $width, " ptr gs:[{copy}], {value", $modifier, "}"),
                        value = in($class) value, copy = in(reg) self.0.get(), options(nostack));
                }
            }
        }
    )*};
}

this_cpu_operations! {
    AtomicU8 u8 reg_byte "" "byte";
    AtomicU16 u16 reg ":x" "word";
    AtomicU32 u32 reg ":e" "dword";
    AtomicI32 i32 reg ":e" "dword";
    AtomicU64 u64 reg "" "qword";
    AtomicI64 i64 reg "" "qword";
    AtomicUsize usize reg "" "qword";
    AtomicIsize isize reg "" "qword";
}

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

/// Bytes of memory of each CPU's area, 0 before [`setup_per_cpu_areas`].
#[must_use]
pub fn unit_size() -> usize {
    UNIT_SIZE.load(Relaxed)
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
    let template = sections::percpu();
    let static_size = template.len();
    let size = (static_size + RESERVED_SIZE + DYNAMIC_SIZE).next_multiple_of(PAGE_SIZE);
    pr_info!(
        "setup_percpu: NR_CPUS:{} nr_cpumask_bits:{} nr_cpu_ids:{} nr_node_ids:1",
        NR_CPUS,
        NR_CPUS,
        masks::nr_cpu_ids()
    );
    for cpu in masks::POSSIBLE.iter() {
        let area = match mm::memblock::alloc(size as u64, PAGE_SIZE as u64) {
            Ok(area) => mm::phys_to_virt(area.0),
            Err(error) => panic!("percpu: no memory for CPU {cpu}'s area of {size} bytes ({error})"),
        };
        // SAFETY: the area was just allocated with `size` bytes, not less than the template's, and the two do not overlap. Copying the boot CPU's live
        // values is meant: what it counted so far goes on in its own copy, and the others start from a state with preemption off, as this one does.
        unsafe {
            area.copy_from_nonoverlapping(template.as_ptr(), static_size);
            area.add(static_size).write_bytes(0, size - static_size);
        }
        let offset = area.addr().wrapping_sub(template.start_address());
        PER_CPU_OFFSET[cpu].store(offset, Relaxed);
        // SAFETY: both lie in the copy just made, at the same distance as the template's.
        unsafe {
            (*THIS_CPU_OFF.per_cpu_ptr(cpu)).store(offset, Relaxed);
            (*CPU_NUMBER.per_cpu_ptr(cpu)).store(cpu as u32, Relaxed);
        }
    }
    UNIT_SIZE.store(size, Relaxed);
    // SAFETY: the distance leads to a complete copy of the template, which stays.
    unsafe { msr::wrmsr(msr::IA32_GS_BASE, PER_CPU_OFFSET[smp_processor_id()].load(Relaxed) as u64) };
    let dynamic = size - static_size - RESERVED_SIZE;
    pr_info!(
        "percpu: Embedded {} pages/cpu s{static_size} r{RESERVED_SIZE} d{dynamic} u{size}",
        size / PAGE_SIZE
    );
}

#[ktest]
fn this_cpu_add_changes_only_this_cpus_copy() {
    #[percpu]
    static COUNTER: AtomicU64 = AtomicU64::new(5);

    COUNTER.this_cpu_write(7);
    COUNTER.this_cpu_add(u64::MAX);
    assert_eq!(COUNTER.this_cpu_read(), 6);
    let own = COUNTER.per_cpu(smp_processor_id()).expect("this CPU exists");
    assert_eq!(own.load(Relaxed), 6);
    for cpu in masks::POSSIBLE.iter().filter(|&cpu| cpu != smp_processor_id()) {
        assert_eq!(COUNTER.per_cpu(cpu).map(|copy| copy.load(Relaxed)), Some(5));
    }
}

#[ktest]
fn a_narrow_per_cpu_integer_leaves_its_neighbours_alone() {
    #[percpu]
    static NARROW: [AtomicU8; 3] = [const { AtomicU8::new(0xff) }; 3];

    // SAFETY: `PerCpu` is transparent, and the element lies inside the static.
    let middle = unsafe { &*(&raw const NARROW).cast::<PerCpu<AtomicU8>>().add(1) };
    middle.this_cpu_add(1);
    NARROW.with_this_cpu(|values| assert_eq!(values.each_ref().map(|value| value.load(Relaxed)), [0xff, 0, 0xff]));
}

#[ktest]
fn a_cpu_beyond_the_possible_ones_has_no_copy() {
    assert!(CPU_NUMBER.per_cpu(NR_CPUS).is_none());
    assert!(CPU_NUMBER.per_cpu(usize::MAX).is_none());
}
