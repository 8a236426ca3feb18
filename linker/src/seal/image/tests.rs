use object::elf::{STT_FUNC, STT_OBJECT};

use super::*;
use crate::seal::testing::{Elf, Kernel};

#[test]
fn what_is_loaded_is_found_by_address() {
    let image = Kernel::new().image();
    let data = image.address_of("_sdata").unwrap();
    assert_eq!(image.at(data..data + 4), Some(&[1; 4][..]));
    assert_eq!(image.u64_at(data), Some(0x0101_0101_0101_0101));
    assert_eq!(image.section_at(data).unwrap().name, ".data");
}

#[test]
fn what_the_file_does_not_hold_is_not_found() {
    let mut image = Kernel::new().image();
    let (bss, data) = (image.address_of("__bss_start").unwrap(), image.address_of("_sdata").unwrap());
    for addresses in [0..8, bss..bss + 8, data..data + 0x1000, u64::MAX - 8..u64::MAX, data + 8..data] {
        assert_eq!(image.at(addresses.clone()), None, "{addresses:x?}");
    }
    assert_eq!(image.u64_at(u64::MAX), None);
    let error = image.patch(bss, &[0; 8]).unwrap_err().to_string();
    assert!(error.starts_with("nothing in the file is loaded at"), "{error}");
}

#[test]
fn a_global_symbol_comes_before_a_local_one_and_an_undefined_one_is_none() {
    let mut elf = Elf::new(2);
    elf.section(".text", Elf::RX, 0x1000, &[0; 64]);
    elf.local("name", 0x1010, 0, STT_FUNC.0);
    elf.symbol("name", 0x1020, 0, STT_OBJECT.0);
    elf.local("name", 0x1030, 0, STT_FUNC.0);
    elf.undefined("nothing", 1);
    let image = Image::parse(elf.build()).unwrap();
    assert_eq!(image.address_of("name"), Some(0x1020));
    assert_eq!(image.address_of("nothing"), None);
}

#[test]
fn a_file_without_symbols_is_refused() {
    let mut bytes = Kernel::new().bytes();
    // The type of the section `.symtab`, which is the third from the end, becomes that of ordinary contents.
    let headers = u64::from_le_bytes(bytes[0x28..0x30].try_into().unwrap()) as usize;
    let count = usize::from(bytes[0x3c]);
    bytes[headers + (count - 3) * 64 + 4] = 1;
    assert!(Image::parse(bytes).unwrap_err().to_string().starts_with("no symbol table"));
}
