//! `start_kernel` and `kernel_init`: the boot from end to end, in verbs.

use super::{ctors, init_args, initcall, ktest, memory, stage};
use crate::arch::x86::{process, setup as arch_setup};
use crate::kdb;
use crate::mm::fault_inject;
use crate::mm::kstack::KernelStack;
use crate::panic::task;
use crate::prelude::*;

/// Where the ways in come together: runs every stage, and does not come back.
///
/// `boot_params` is the physical address of the Linux boot protocol's `boot_params`. Called once, in long mode, interrupts off, on the boot stack, with the early
/// page tables (the first 4 GiB mapped at their own address and in the direct map) and GS base 0.
#[init_ref("runs the stages; pid 1 goes on from the last of them and nobody comes back")]
pub fn start_kernel(boot_params: u64) -> ! {
    arch_setup::set_boot_params(boot_params);
    memory::with_init_memory(stage::run_all);
    unreachable!("rest_init came back");
}

/// Nothing runs with a parameter that was only found out to be wrong before there was a console to say so on.
#[init]
#[stage(after(crate::console::console_init))]
pub(crate) fn panic_later() {
    if let Some(report) = init_args::overflow() {
        panic!("{report}");
    }
}

/// An initrd that the kernel's own allocations have reached is worth nothing any more.
#[init]
#[stage(after(panic_later))]
pub(crate) fn check_initrd() {
    arch_setup::initrd::check_not_overwritten();
}

/// The last stage: from here on the boot is what pid 1 does, on a stack of its own. Nobody goes back to what is on the boot's: the functions there go before
/// pid 1 does.
///
/// # Panics
///
/// Without memory for the stack.
#[init]
#[stage(last, after(check_initrd))]
pub(crate) fn rest_init() {
    let stack = match KernelStack::new() {
        Ok(stack) => stack.leak(),
        Err(error) => panic!("no memory for the stack of init ({error})"),
    };
    // SAFETY: nobody uses the new stack, and neither the walk of the stages nor those before it have lent anything on the boot's to others.
    unsafe { process::call_on_empty_stack(stack, kernel_init) }
}

/// Pid 1. Not init memory itself, which it outlives.
#[init_ref("does everything that needs init memory before it gives init memory back")]
extern "C" fn kernel_init() -> ! {
    memory::with_init_memory(kernel_init_freeable);
    memory::free_initmem();
    memory::mark_rodata_ro();
    run_init_process()
}

/// What pid 1 does with the help of init memory.
#[init]
fn kernel_init_freeable(init: InitMemory<'_>) {
    stage::end_last();
    task::become_init();
    #[cfg(CONFIG_SMP)]
    crate::arch::x86::smpboot::wake::smp_prepare_cpus();
    initcall::do_pre_smp_initcalls(init);
    #[cfg(CONFIG_SMP)]
    crate::cpu::smp_init();
    ctors::do_ctors(init);
    initcall::report_unknown_names();
    initcall::do_initcalls(init);
    fault_inject::finish_boot();
    ktest::run_all(init);
}

/// The end of the boot. There is no user space yet that could run an init, so this is where Linux, too, stops when it finds none.
fn run_init_process() -> ! {
    if kdb::is_requested() && !kdb::enter("the boot is done") {
        pr_warn!("kdb: this image has no monitor: it was built without CONFIG_KDB");
    }
    let error = -Errno::ENOENT.code();
    pr_info!("Run {} as init process", init_args::ramdisk_init());
    init_args::log();
    pr_err!("Failed to execute {} (error {error})", init_args::ramdisk_init());
    if let Some(path) = init_args::requested_init() {
        panic!("Requested init {path} failed (error {error}).");
    }
    panic!("No working init found.  Try passing init= option to kernel. See Linux Documentation/admin-guide/init.rst for guidance.");
}
