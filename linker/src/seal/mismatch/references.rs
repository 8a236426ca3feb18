//! Who refers to what: the relocations, each turned into the address that it means.

use std::collections::HashMap;

use anyhow::{Result, bail};
use object::elf::{self, RelocationType};

use super::items::Items;
use crate::layout::KERNEL_MAP;
use crate::script;
use crate::seal::image::Image;
use crate::seal::relocations::{self, Relocation};
use crate::table::{Lifetime, Table};
use crate::tables;

/// What a field refers to.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// Whatever is at this address.
    Address(u64),
    /// The edge of a table of init memory: who knows it, walks it.
    Table(&'static Table),
}

/// That the field at an address refers to something.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    /// Address of the field.
    pub at: u64,
    /// What it refers to.
    pub to: Target,
}

/// The symbols of the linker script.
#[derive(Debug)]
pub struct Places(HashMap<String, Option<&'static Table>>);

impl Places {
    /// Those of every configuration.
    #[must_use]
    pub fn new() -> Self {
        let mut places: HashMap<_, _> = script::symbols().into_iter().map(|symbol| (symbol, None)).collect();
        for table in tables::ALL.iter().filter(|table| table.lifetime == Lifetime::Init) {
            places.extend(crate::seal::placed::boundaries(table).map(|symbol| (symbol.to_owned(), Some(*table))));
        }
        Self(places)
    }

    /// Whether the linker script defines `symbol`: a place, without anything in it.
    #[must_use]
    pub fn contains(&self, symbol: &str) -> bool {
        self.0.contains_key(symbol)
    }

    /// What a reference to `symbol` means: nothing for a bound of init memory as a whole, which says where it is and needs nothing in it.
    fn meaning(&self, symbol: &str) -> Option<Option<Target>> {
        self.0.get(symbol).map(|table| table.map(Target::Table))
    }
}

/// The references of one image, in two parts, because where items begin is known only from the first.
#[derive(Debug, Default)]
pub struct References {
    /// Those whose target is in the relocation itself.
    pub plain: Vec<Reference>,
    /// Entries of tables of distances from the table's start, with the sum that the relocation holds.
    distances: Vec<Reference>,
}

impl References {
    /// Reads those of `image`.
    ///
    /// # Errors
    ///
    /// If the relocations are malformed, or one is of a kind that this does not know.
    pub fn read(image: &Image, places: &Places) -> Result<Self> {
        let mut references = Self::default();
        let code: Vec<_> = image
            .sections()
            .iter()
            .filter(|section| section.is_code())
            .map(|section| section.range())
            .collect();
        for relocation in relocations::read(image)? {
            let symbol = &image.symbols()[relocation.symbol];
            if !symbol.is_defined() || symbol.section == elf::SHN_ABS.0 {
                continue;
            }
            let sum = symbol.value.wrapping_add_signed(relocation.addend);
            let in_code = code.iter().any(|range| range.contains(&relocation.at));
            let to = match form(relocation.kind) {
                None => bail!(
                    "the relocation at {:#x} is of the unknown type {}",
                    relocation.at,
                    relocation.kind.0
                ),
                Some(_) if symbol.is_named_place() => match places.meaning(&symbol.name) {
                    Some(None) => continue,
                    Some(Some(table)) => table,
                    None => Target::Address(symbol.value),
                },
                Some(Form::Absolute) => Target::Address(virtual_address(sum)),
                Some(Form::Branch) => Target::Address(sum.wrapping_add(4)),
                Some(Form::Relative) if in_code => Target::Address(sum.wrapping_add(tail(image, &relocation))),
                Some(Form::Relative) => {
                    references.distances.push(Reference {
                        at: relocation.at,
                        to: Target::Address(sum),
                    });
                    continue;
                }
            };
            references.plain.push(Reference { at: relocation.at, to });
        }
        Ok(references)
    }

    /// All of them, now that it is known where each table of distances begins.
    #[must_use]
    pub fn resolved(mut self, items: &Items) -> Vec<Reference> {
        for mut reference in self.distances {
            if let (Target::Address(sum), Some(item)) = (reference.to, items.at(reference.at)) {
                reference.to = Target::Address(sum.wrapping_sub(reference.at - items.all()[item].start));
                self.plain.push(reference);
            }
        }
        self.plain
    }
}

/// Code that runs before the image is mapped where it is linked holds physical addresses.
fn virtual_address(address: u64) -> u64 {
    if address < KERNEL_MAP {
        address.saturating_add(KERNEL_MAP)
    } else {
        address
    }
}

/// How a field holds an address.
enum Form {
    /// As it is.
    Absolute,
    /// As the distance from the end of a branch.
    Branch,
    /// As a distance from somewhere near.
    Relative,
}

fn form(kind: RelocationType) -> Option<Form> {
    match kind {
        elf::R_X86_64_64 | elf::R_X86_64_32 | elf::R_X86_64_32S | elf::R_X86_64_16 | elf::R_X86_64_8 => Some(Form::Absolute),
        elf::R_X86_64_PLT32 => Some(Form::Branch),
        elf::R_X86_64_PC32
        | elf::R_X86_64_PC64
        | elf::R_X86_64_PC16
        | elf::R_X86_64_PC8
        | elf::R_X86_64_GOTPCREL
        | elf::R_X86_64_GOTPCRELX
        | elf::R_X86_64_REX_GOTPCRELX => Some(Form::Relative),
        _ => None,
    }
}

/// How far the end of the instruction is behind the start of its displacement, from which the processor counts: the displacement itself, and an immediate
/// operand if one follows.
fn tail(image: &Image, relocation: &Relocation) -> u64 {
    let before = relocation.at.checked_sub(4).and_then(|start| image.at(start..relocation.at));
    4 + before.map_or(0, |before| immediate(before.try_into().unwrap_or_default()))
}

/// Bytes of the immediate operand of an instruction with an operand relative to itself, by the four bytes before its displacement: the last is ModRM, then, from
/// behind, come opcode and prefixes (Intel's manual, volume 2, appendix A). A branch has none.
fn immediate(before: [u8; 4]) -> u64 {
    let [first, second, opcode, operand] = before;
    if operand & 0xc7 != 0x05 {
        return 0;
    }
    let word = if first == 0x66 || second == 0x66 { 2 } else { 4 };
    let is_test = operand & 0x30 == 0;
    match (first, second, opcode) {
        (0x0f, 0x3a, _) | (_, 0x0f, 0x70..=0x73 | 0xa4 | 0xac | 0xba | 0xc2 | 0xc4..=0xc6) => 1,
        (0x0f, 0x38, _) | (_, 0x0f, _) => 0,
        (.., 0x6b | 0x80 | 0x83 | 0xc0 | 0xc1 | 0xc6) => 1,
        (.., 0x69 | 0x81 | 0xc7) => word,
        (.., 0xf6) if is_test => 1,
        (.., 0xf7) if is_test => word,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::immediate;

    #[test]
    fn the_immediate_operand_has_the_size_that_the_instruction_gives_it() {
        let cases: [(&str, [u8; 4], u64); 14] = [
            ("mov x(%rip), %rax", [0x90, 0x48, 0x8b, 0x05], 0),
            ("lea x(%rip), %r9", [0x90, 0x4c, 0x8d, 0x0d], 0),
            ("cmpb $1, x(%rip)", [0x90, 0x90, 0x80, 0x3d], 1),
            ("cmpq $1, x(%rip)", [0x90, 0x48, 0x83, 0x3d], 1),
            ("cmpq $0x1000, x(%rip)", [0x90, 0x48, 0x81, 0x3d], 4),
            ("movl $1, x(%rip)", [0x90, 0x90, 0xc7, 0x05], 4),
            ("movw $1, x(%rip)", [0x90, 0x66, 0xc7, 0x05], 2),
            ("movb $1, x(%rip)", [0x90, 0x90, 0xc6, 0x05], 1),
            ("testb $1, x(%rip)", [0x90, 0x90, 0xf6, 0x05], 1),
            ("negb x(%rip)", [0x90, 0x90, 0xf6, 0x1d], 0),
            ("imul $1000, x(%rip), %rax", [0x90, 0x48, 0x69, 0x05], 4),
            ("movzbl x(%rip), %eax", [0x90, 0x0f, 0xb6, 0x05], 0),
            ("btsl $3, x(%rip)", [0x90, 0x0f, 0xba, 0x2d], 1),
            ("call x", [0x90, 0x90, 0x90, 0xe8], 0),
        ];
        for (instruction, before, size) in cases {
            assert_eq!(immediate(before), size, "{instruction}");
        }
    }
}
