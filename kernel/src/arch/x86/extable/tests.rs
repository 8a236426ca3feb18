//! Tests of the search, of sorting, and of what each type of entry does to the registers.

use super::*;

/// Writes an entry for the instruction at `insn` with the fixup 5 bytes behind it.
fn write_entry(entry: &mut ExceptionTableEntry, insn: usize, data: u32) {
    let at = (&raw const *entry).addr();
    entry.insn = insn.wrapping_sub(at) as i32;
    entry.fixup = insn.wrapping_add(5).wrapping_sub(at + 4) as i32;
    entry.data = data;
}

const EMPTY: ExceptionTableEntry = ExceptionTableEntry {
    insn: 0,
    fixup: 0,
    data: 0,
};

/// An address near the table, as the text of the image is.
fn text_near(table: &[ExceptionTableEntry]) -> usize {
    table.as_ptr().addr() + 0x10_0000
}

#[ktest]
fn every_entry_is_found_and_no_address_between_them_in_tables_of_any_size() {
    let mut table = [EMPTY; 40];
    for count in 0..=table.len() {
        let table = &mut table[..count];
        let text = text_near(table);
        for (index, entry) in table.iter_mut().enumerate() {
            write_entry(entry, text + index * 3, 1);
        }
        for offset in 0..count * 3 + 3 {
            // SAFETY: the table is a slice.
            let found = unsafe { search(table.as_ptr(), count, text + offset) };
            let expected = (offset % 3 == 0 && offset / 3 < count).then(|| text + offset);
            assert_eq!(
                found.map(ExceptionTableEntry::insn_address),
                expected,
                "{count} entries, offset {offset}"
            );
        }
        for far in [0, 1, text - 1, usize::MAX, 1 << 47, isize::MAX as usize] {
            // SAFETY: the table is a slice.
            assert!(unsafe { search(table.as_ptr(), count, far) }.is_none(), "{count} entries, {far:#x}");
        }
    }
}

#[ktest]
fn sorting_orders_by_instruction_and_keeps_each_entrys_meaning() {
    let mut table = [EMPTY; 33];
    let text = text_near(&table);
    for (index, entry) in table.iter_mut().enumerate() {
        write_entry(entry, text + index * 20 % 33 * 7, index as u32);
    }
    // SAFETY: the table is a slice of this function's own.
    unsafe { sort(table.as_mut_ptr(), table.len()) };
    for (place, entry) in table.iter().enumerate() {
        assert_eq!(entry.insn_address(), text + place * 7);
        assert_eq!(entry.fixup_address(), text + place * 7 + 5);
        assert_eq!(entry.data as usize * 20 % 33, place);
    }
}

#[ktest]
fn the_images_table_is_sorted() {
    let mut last = 0;
    for entry in &EX_TABLE {
        assert!(entry.insn_address() >= last, "{:#x} after {last:#x}", entry.insn_address());
        last = entry.insn_address();
    }
}

/// What an entry with `data` does to registers that held 7 each.
fn applied(data: u32, vector: Vector) -> (bool, PtRegs) {
    let mut entry = EMPTY;
    let insn = (&raw const entry).addr() + 64;
    write_entry(&mut entry, insn, data);
    let mut regs = PtRegs {
        ax: 7,
        cx: 7,
        dx: 7,
        r8: 7,
        r15: 7,
        ip: insn as u64,
        ..PtRegs::default()
    };
    let handled = apply(&entry, &mut regs, vector);
    regs.ip = regs.ip.wrapping_sub(insn as u64);
    (handled, regs)
}

#[ktest]
fn an_immediate_goes_sign_extended_into_its_register() {
    let (handled, regs) = applied(0xfff2_080f | kind::IMM_REG, Vector::PageFault);
    assert!(!handled, "type 0x1f is unknown");
    assert_eq!((regs.r8, regs.ip), (7, 0));

    let (handled, regs) = applied(0xfff2_0800 | kind::IMM_REG, Vector::PageFault);
    assert!(handled);
    assert_eq!((regs.r8 as i64, regs.ax, regs.ip), (-14, 7, 5));

    let (_, regs) = applied(0x7fff_0f00 | kind::IMM_REG, Vector::PageFault);
    assert_eq!(regs.r15, 0x7fff);
}

#[ktest]
fn the_other_types_leave_their_marks() {
    let (handled, regs) = applied(kind::DEFAULT, Vector::PageFault);
    assert!(handled);
    assert_eq!((regs.ax, regs.dx, regs.ip), (7, 7, 5));

    let (_, regs) = applied(kind::DEFAULT | FLAG_CLEAR_AX | FLAG_CLEAR_DX, Vector::PageFault);
    assert_eq!((regs.ax, regs.dx), (0, 0));

    let (_, regs) = applied(kind::FAULT, Vector::GeneralProtection);
    assert_eq!(regs.ax, 13);

    let (_, regs) = applied(kind::RDMSR_SAFE | 8 << 8, Vector::GeneralProtection);
    assert_eq!((regs.r8 as i64, regs.ax, regs.dx, regs.ip), (-5, 0, 0, 5));

    let (_, regs) = applied(kind::WRMSR_SAFE | 8 << 8, Vector::GeneralProtection);
    assert_eq!((regs.r8 as i64, regs.ax, regs.dx), (-5, 7, 7));
}

#[ktest]
fn an_entry_of_no_known_type_is_no_fixup() {
    for kind in [0, 4, 18, 0xff] {
        let (handled, regs) = applied(kind, Vector::PageFault);
        assert!(!handled, "type {kind}");
        assert_eq!(regs.ip, 0);
    }
}

#[ktest]
fn the_index_of_a_table_leads_to_each_of_its_entries_and_to_nothing_beside_it() {
    let clumps = [10, 11, 12, 13, 14, 15, 16, 17, 18, 5000, 5001, 70_000, 70_001, 70_003, 1 << 30];
    for count in 1..=clumps.len() {
        let base = 0xffff_ffff_8010_0000_usize;
        let index = Index::new(clumps[..count].iter().map(|&offset| base + offset)).expect("an index");
        for (number, offset) in clumps[..count].iter().enumerate() {
            let range = index.narrow(base + offset).expect("a stretch");
            assert!(range.contains(&number), "{count} entries: {number} is not in {range:?}");
        }
        assert_eq!(index.narrow(base + 9), None);
        assert!(index.narrow(base.wrapping_add(clumps[count - 1] + (1 << 31))).is_none());
        assert_eq!((index.narrow(0), index.narrow(usize::MAX)), (None, None));
    }
    assert!(Index::new(core::iter::empty()).is_none());
}

#[ktest]
fn every_entry_of_the_image_is_found() {
    for entry in &EX_TABLE {
        let found = search_exception_tables(entry.insn_address());
        assert_eq!(found.map(ExceptionTableEntry::insn_address), Some(entry.insn_address()));
    }
    assert!(search_exception_tables(every_entry_of_the_image_is_found as *const () as usize).is_none());
}
