//! `setup_arch`: from what the boot loader handed over to memory that the kernel can use.
//!
//! Reads top-down: [`setup_arch`] is the table of contents, each verb is a function of one of the files here.

pub mod boot_params;
#[cfg(CONFIG_CRASH_RESERVE)]
mod crash;
pub mod e820;
pub mod firmware;
pub mod initrd;
mod memory;
mod resources;
mod setup_data;

pub use boot_params::{boot_command_line, boot_params, set_boot_params};
pub use memory::{max_low_pfn, max_pfn};

use incipit_lib::text::Lossy;

use crate::arch::x86::cpu::common::early_cpu_init;
use crate::arch::x86::cpu::features::{boot_cpu_has, feature};
#[cfg(CONFIG_MTRR)]
use crate::arch::x86::cpu::mtrr::mtrr_bp_init;
use crate::arch::x86::mm::init::init_mem_mapping;
use crate::arch::x86::mm::pat::pat_init;
use crate::arch::x86::mm::pgt_buf::early_alloc_pgt_buf;
use crate::arch::x86::tsc;
use crate::init::param::parse_early_param;
use crate::mm::brk;
#[cfg(CONFIG_NUMA)]
use crate::mm::{memblock, zone_limits};
use crate::prelude::*;

/// The end of what the early page tables map.
const EARLY_MAP_END: u64 = 1 << 32;

/// Takes over the machine: Linux's stage of the same name.
///
/// Before it only the early page tables and the image's own memory may be used, the [brk](crate::mm::brk) too; behind it memblock gives memory, and all RAM is in the direct map.
#[stage(after(crate::init::version::linux_banner), provides(crate::mm::Heap))]
#[init]
pub fn setup_arch(init: InitMemory<'_>) {
    pr_info!("Command line: {}", Lossy(boot_command_line()));
    early_cpu_init();
    memory::reserve_image();
    e820::memory_setup();
    setup_data::parse();
    parse_early_param(init);
    report_nx();
    #[cfg(CONFIG_EFI)]
    crate::efi::efi_memblock_x86_reserve_range();
    setup_data::reserve();
    e820::finish_early_params();
    #[cfg(CONFIG_EFI)]
    crate::efi::efi_init();
    tsc::tsc_early_init();
    e820::add_kernel_range();
    e820::trim_bios_range();
    #[cfg(CONFIG_MTRR)]
    mtrr_bp_init();
    pat_init();
    memory::find_end_of_ram();
    memory::reserve_low_memory();
    initrd::reserve_initrd();
    #[cfg(CONFIG_NUMA)]
    if zone_limits::movable_node_is_enabled() {
        memblock::stay_near_the_image();
    }
    early_alloc_pgt_buf();
    brk::reserve_brk();
    memory::memblock_setup();
    init_mem_mapping();
}

/// Says whether pages can be made not executable: Linux's `x86_report_nx`.
#[init]
fn report_nx() {
    if boot_cpu_has(feature::NX) {
        pr_info!("NX (Execute Disable) protection: active");
    } else {
        pr_notice!("Notice: NX (Execute Disable) protection missing in CPU!");
    }
}
