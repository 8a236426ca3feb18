//! The zero page, its `setup_data` chain, PVH and Multiboot2 information, and the initrd, from any bytes.

#![no_main]

use incipit_lib::bootparam::{BootParams, E820Extension, SetupDataChain, multiboot2, pvh, walk_setup_data};
use incipit_lib::e820::E820Table;
use incipit_lib::initrd;
use libfuzzer_sys::fuzz_target;

/// The input as memory at physical address 0.
fn map<'m>(memory: &'m [u8]) -> impl FnMut(u64, usize) -> Option<&'m [u8]> {
    |phys, len| {
        let start = usize::try_from(phys).ok()?;
        memory.get(start..start.checked_add(len)?)
    }
}

fn walk(memory: &[u8], first: u64) {
    let mut nodes = 0;
    let mut ended = false;
    for node in walk_setup_data(first, map(memory)) {
        assert!(!ended, "nothing follows an error");
        nodes += 1;
        match node {
            Ok(node) => {
                assert!(node.phys + node.size() <= memory.len() as u64);
                let _ = node.indirect();
                assert!(node.e820_entries().count() <= node.data.len() / 20);
            }
            Err(error) => {
                assert_ne!(error.to_string(), "");
                ended = true;
            }
        }
    }
    assert!(nodes <= SetupDataChain::<()>::MAX_NODES + 1);
}

fn page(params: &mut BootParams, memory: &[u8]) {
    params.sanitize();
    assert!(!params.sanitize());
    let hdr = params.hdr();
    let copy = params.clone();
    params.set_hdr(hdr);
    params.set_screen_info(params.screen_info());
    params.set_efi_info(params.efi_info());
    params.set_cmd_line_ptr(params.cmd_line_ptr());
    let (start, size) = params.ramdisk();
    params.set_ramdisk(start, size);
    assert!(copy == *params, "writing back what was read changes nothing");

    assert_ne!(params.loader().to_string(), "");
    assert!(params.eddbuf().len() <= BootParams::EDD_MAX);
    assert!(params.edd_mbr_sig_buffer().len() <= BootParams::EDD_MBR_SIG_MAX);
    walk(memory, hdr.setup_data);

    let mut table = Box::new(E820Table::new());
    table.memory_setup(params);
    let memory = table.entries().iter().map(|entry| entry.addr..entry.addr + entry.size);
    match initrd::check(start, size, memory, [("the kernel image", 0x10_0000..0x80_0000)]) {
        Ok(Some(initrd)) => assert!(table.mapped_all(initrd.start, initrd.end, None)),
        Ok(None) => assert!(start == 0 || size == 0),
        Err(error) => assert!(error.to_string().ends_with(" - disabling initrd")),
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((first, memory)) = data.split_first_chunk::<8>() else {
        return;
    };
    let first = u64::from_le_bytes(*first);
    walk(memory, first);

    let mut params = BootParams::zeroed();
    let mut extension = E820Extension::new();
    match pvh::to_boot_params(first, map(memory), &mut params, &mut extension, 0) {
        Ok(_) => assert!(params.hdr().is_valid()),
        Err(error) => {
            assert_ne!(error.to_string(), "");
            let unread = matches!(error, pvh::PvhError::Unmapped { .. } | pvh::PvhError::BadMagic { .. });
            assert_eq!(unread, params == BootParams::zeroed());
        }
    }
    page(&mut params, memory);

    let found = multiboot2::to_boot_params(first, map(memory), &mut params, &mut extension, 0);
    assert!(found.error.is_some_and(|error| !error.to_string().is_empty()) || params.e820_table().len() <= memory.len() / 24);
    assert!(params.hdr().is_valid());
    page(&mut params, memory);

    let len = memory.len().min(BootParams::SIZE);
    params.as_bytes_mut()[..len].copy_from_slice(&memory[..len]);
    page(&mut params, memory);
});
