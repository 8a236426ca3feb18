//! Marks accesses through the global offset table as ones that the linker may turn into direct ones.
//!
//! rustc calls `memcpy` and its like through the table (`call *memcpy@GOTPCREL(%rip)`) and, unlike other compilers, with the relocation that a linker must
//! keep. An image at a fixed address needs no such table: here `R_X86_64_GOTPCREL` becomes `R_X86_64_GOTPCRELX` or `R_X86_64_REX_GOTPCRELX` where the
//! instruction is one for which the x86-64 psABI (appendix B, "Linker Optimization") defines the direct form, and the linker does the rest. What is left keeps
//! its place in the table, and the link fails over it.

use object::LittleEndian;
use object::elf::{FileHeader64, R_X86_64_GOTPCREL, R_X86_64_GOTPCRELX, R_X86_64_REX_GOTPCRELX, RelocationType};
use object::read::archive::ArchiveFile;
use object::read::elf::{FileHeader, Rela, SectionHeader};

/// Changes the relocations of every object in `data`, an object or an archive; returns how many.
pub fn relax(data: &mut [u8]) -> usize {
    let mut patches = Vec::new();
    if let Ok(archive) = ArchiveFile::parse(&*data) {
        for member in archive.members().flatten() {
            let (offset, size) = member.file_range();
            let (Ok(offset), Ok(size)) = (usize::try_from(offset), usize::try_from(size)) else {
                continue;
            };
            if let Some(object) = offset.checked_add(size).and_then(|end| data.get(offset..end)) {
                find(object, offset, &mut patches);
            }
        }
    } else {
        find(data, 0, &mut patches);
    }
    for (at, kind) in &patches {
        data[*at..*at + 4].copy_from_slice(&kind.0.to_le_bytes());
    }
    patches.len()
}

/// Finds the relocations of one object that can be changed: where their types are, from the start of the file, and what to. What is no object has none.
fn find(object: &[u8], base: usize, patches: &mut Vec<(usize, RelocationType)>) -> Option<()> {
    let header = FileHeader64::<LittleEndian>::parse(object).ok()?;
    let sections = header.sections(LittleEndian, object).ok()?;
    for section in sections.iter() {
        let Ok(Some((relocations, _))) = section.rela(LittleEndian, object) else {
            continue;
        };
        let target = sections.section(section.info_link(LittleEndian)).ok()?;
        let Ok(code) = target.data(LittleEndian, object) else { continue };
        let table = usize::try_from(section.sh_offset(LittleEndian)).ok()?;
        for (index, relocation) in relocations.iter().enumerate() {
            let (kind, offset) = (relocation.r_type(LittleEndian, false), relocation.r_offset(LittleEndian));
            if kind != R_X86_64_GOTPCREL || relocation.r_addend(LittleEndian) != -4 {
                continue;
            }
            if let Some(kind) = usize::try_from(offset).ok().and_then(|offset| relaxed_kind(code, offset)) {
                // The type is the low half of the second word of an entry of three.
                patches.push((base + table + index * size_of_val(relocation) + 8, kind));
            }
        }
    }
    Some(())
}

/// The relocation to use for the instruction whose displacement is at `offset` in `code`, if the instruction has a direct form.
fn relaxed_kind(code: &[u8], offset: usize) -> Option<RelocationType> {
    let (opcode, operand) = (*code.get(offset.checked_sub(2)?)?, *code.get(offset - 1)?);
    if operand & 0xc7 != 0x05 {
        return None;
    }
    let prefix = offset
        .checked_sub(3)
        .and_then(|at| code.get(at))
        .filter(|byte| **byte & 0xf0 == 0x40);
    match (opcode, operand, prefix) {
        // call *, jmp *
        (0xff, 0x15 | 0x25, _) => Some(R_X86_64_GOTPCRELX),
        // mov, test; add, or, adc, sbb, and, sub, xor, cmp
        (0x8b | 0x85 | 0x03 | 0x0b | 0x13 | 0x1b | 0x23 | 0x2b | 0x33 | 0x3b, _, Some(_)) => Some(R_X86_64_REX_GOTPCRELX),
        (0x8b, _, None) => Some(R_X86_64_GOTPCRELX),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::write::{Object, Relocation, SectionKind, Symbol, SymbolSection};
    use object::{Architecture, BinaryFormat, Endianness, ObjectSection as _, RelocationFlags, SymbolFlags, SymbolKind, SymbolScope};

    fn object_with(code: &[u8], offset: u64) -> Vec<u8> {
        let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
        let text = object.add_section(Vec::new(), b".text".to_vec(), SectionKind::Text);
        object.append_section_data(text, code, 1);
        let symbol = object.add_symbol(Symbol {
            name: b"memcpy".to_vec(),
            value: 0,
            size: 0,
            kind: SymbolKind::Text,
            scope: SymbolScope::Unknown,
            weak: false,
            section: SymbolSection::Undefined,
            flags: SymbolFlags::None,
        });
        let flags = RelocationFlags::Elf { r_type: R_X86_64_GOTPCREL };
        object
            .add_relocation(
                text,
                Relocation {
                    offset,
                    symbol,
                    addend: -4,
                    flags,
                },
            )
            .unwrap();
        object.write().unwrap()
    }

    fn kind_of(data: &[u8]) -> RelocationType {
        let file = object::File::parse(data).unwrap();
        let (_, relocation) = object::Object::section_by_name(&file, ".text")
            .unwrap()
            .relocations()
            .next()
            .unwrap();
        match relocation.flags() {
            RelocationFlags::Elf { r_type } => r_type,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_call_through_the_table_may_become_direct() {
        let mut data = object_with(&[0xff, 0x15, 0, 0, 0, 0], 2);
        assert_eq!(relax(&mut data), 1);
        assert_eq!(kind_of(&data), R_X86_64_GOTPCRELX);
    }

    #[test]
    fn a_load_with_a_wide_register_keeps_its_prefix_in_mind() {
        let mut data = object_with(&[0x4c, 0x8b, 0x25, 0, 0, 0, 0], 3);
        assert_eq!(relax(&mut data), 1);
        assert_eq!(kind_of(&data), R_X86_64_REX_GOTPCRELX);
    }

    #[test]
    fn an_instruction_without_a_direct_form_is_left_alone() {
        for code in [
            [0x48, 0xff, 0x35, 0, 0, 0, 0],
            [0x48, 0x8b, 0x84, 0, 0, 0, 0],
            [0x48, 0x89, 0x05, 0, 0, 0, 0],
        ] {
            let mut data = object_with(&code, 3);
            assert_eq!(relax(&mut data), 0, "{code:02x?}");
            assert_eq!(kind_of(&data), R_X86_64_GOTPCREL);
        }
    }

    #[test]
    fn what_is_no_object_is_left_alone() {
        for data in [&b""[..], b"BC\xc0\xde", b"!<arch>\n", &[0x7f; 100]] {
            let mut copy = data.to_vec();
            assert_eq!(relax(&mut copy), 0);
            assert_eq!(copy, data);
        }
    }
}
