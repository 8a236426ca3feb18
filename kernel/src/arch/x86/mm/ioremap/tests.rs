//! Tests of reaching RAM, ROM and a device's memory.

use super::*;
use crate::mm::virt_to_phys;

/// Where a PC has its text screen.
const TEXT_SCREEN: u64 = 0xb_8000;

static WORDS: [u32; 4] = [1, 2, 3, 4];

#[ktest]
fn ram_is_read_through_the_direct_map() {
    let phys = virt_to_phys(core::ptr::from_ref(&WORDS).cast());
    let memory = memremap(phys, size_of_val(&WORDS)).expect("RAM");
    assert_eq!(memory.as_ptr(), phys_to_virt(phys).cast_const());
    assert_eq!(memory[..8], [1, 0, 0, 0, 2, 0, 0, 0]);
}

#[ktest]
fn a_rom_below_4_gib_holds_the_reset_vector() {
    // The last 16 bytes below 4 GiB are where every x86 processor starts: there is always something.
    let memory = memremap(0xffff_fff0, 16).expect("the firmware's ROM");
    assert!(memory.iter().any(|&byte| byte != 0xff && byte != 0), "{:02x?}", &*memory);
}

#[ktest]
fn what_cannot_be_is_refused() {
    assert!(matches!(memremap(0x1000, 0), Err(Errno::EINVAL)));
    assert!(matches!(memremap(u64::MAX, 2), Err(Errno::EINVAL)));
    assert!(matches!(memremap(1 << 60, 16), Err(Errno::EINVAL)));
    assert!(matches!(ioremap(TEXT_SCREEN, 0, CacheMode::Uncached), Err(Errno::EINVAL)));
    let ram = memblock::memory().next().expect("RAM");
    assert!(matches!(ioremap(ram.base, 16, CacheMode::Uncached), Err(Errno::EINVAL)));
}

#[ktest]
fn each_register_has_its_place_and_mode() {
    let phys = 0xfed0_0000;
    for (mode, flags) in [
        (CacheMode::Uncached, Flags::PWT | Flags::PCD),
        (CacheMode::WriteCombining, Flags::PWT),
        (CacheMode::WriteBack, Flags::empty()),
    ] {
        let registers = ioremap(phys + 0x10, 0x20, mode).expect("room");
        let (entry, _) = super::super::pgtable::lookup(registers.as_ptr().addr()).expect("canonical");
        assert_eq!(entry.phys(), phys);
        assert_eq!(entry.flags() & (Flags::PWT | Flags::PCD), flags, "{mode:?}");
        assert_eq!(registers.register::<u64>(0x18).addr(), registers.as_ptr().addr() + 0x18);
    }
}

#[ktest]
fn addresses_that_are_given_back_are_used_again() {
    vmalloc::vm_unmap_aliases();
    let first = memremap(0xfed0_0000, 16).expect("room").as_ptr();
    vmalloc::vm_unmap_aliases();
    let second = memremap(0xfed0_1000, 16).expect("room").as_ptr();
    assert_eq!(first, second);
    let leaked = memremap(0xfed0_0000, 16).expect("room").leak().as_ptr();
    assert_ne!(memremap(0xfed0_0000, 16).expect("room").as_ptr(), leaked);
}
