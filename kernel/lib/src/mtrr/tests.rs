use std::string::{String, ToString};
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

const VALID: u64 = 1 << 11;
const GIB: u64 = 1 << 30;

/// Registers that count, with `default` and ranges of base, size and type. Sizes are powers of two.
fn mtrrs(default: u8, ranges: &[(u64, u64, u8)]) -> Mtrrs {
    let mut mtrrs = Mtrrs::new(40, 0x508, 0xc00 | u64::from(default));
    mtrrs.fixed = [MemoryType::WRITE_BACK; FIXED];
    for (register, (base, size, kind)) in mtrrs.variable.iter_mut().zip(ranges) {
        *register = VariableRange {
            base: base | u64::from(*kind),
            mask: !(size - 1) & ((1 << 40) - 1) | VALID,
        };
    }
    mtrrs
}

fn gaps(mtrrs: &Mtrrs, tom2: Option<u64>, end: u64) -> Option<Vec<(u64, u64)>> {
    match mtrrs.coverage(tom2) {
        Coverage::Ranges(cached) => Some(cached.gaps(end).map(|range| (range.start, range.end)).collect()),
        Coverage::NotConcerned | Coverage::Blank => None,
    }
}

#[test]
fn rows_are_those_of_proc_mtrr() {
    let mtrrs = mtrrs(
        6,
        &[
            (0x8000_0000, 0x8000_0000, 0),
            (0xd000_0000, 0x1000_0000, 1),
            (0xe_0000, 0x2_0000, 5),
            (0x1_0000_0000, GIB, 6),
        ],
    );
    assert_eq!(
        mtrrs.rows().to_string(),
        "reg00: base=0x080000000 ( 2048MB), size= 2048MB, count=1: uncachable\n\
         reg01: base=0x0d0000000 ( 3328MB), size=  256MB, count=1: write-combining\n\
         reg02: base=0x0000e0000 (    0MB), size=  128KB, count=1: write-protect\n\
         reg03: base=0x100000000 ( 4096MB), size= 1024MB, count=1: write-back\n"
    );
}

#[test]
fn lines_show_the_registers() {
    let mut mtrrs = mtrrs(0, &[(0, 0x8000_0000, 6)]);
    mtrrs.fixed[16..24].fill(MemoryType::UNCACHABLE);
    mtrrs.fixed[24..].fill(MemoryType(3));
    mtrrs.cap = 0x502;
    let lines: Vec<String> = mtrrs.lines().map(|line| line.to_string()).collect();
    assert_eq!(
        lines,
        [
            "MTRR default type: uncachable",
            "MTRR fixed ranges enabled:",
            "  00000-9FFFF write-back",
            "  A0000-BFFFF uncachable",
            "  C0000-FFFFF ?",
            "MTRR variable ranges enabled:",
            "  0 base 0000000000 mask FF80000000 write-back",
            "  1 disabled",
        ]
    );
}

#[test]
fn a_mask_for_fewer_address_bits_is_mended() {
    let range = VariableRange {
        base: 0x8000_0000,
        mask: 0xf_8000_0000 | VALID,
    };
    let meant = Extent {
        base: 0x8000_0000,
        size: 0x8000_0000,
        kind: MemoryType::UNCACHABLE,
        mended: false,
    };
    assert_eq!(range.extent(36), Some(meant));
    assert_eq!(range.extent(46), Some(Extent { mended: true, ..meant }));
    assert_eq!(
        VariableRange {
            mask: range.mask & !VALID,
            ..range
        }
        .extent(36),
        None
    );
}

#[test]
fn a_mask_of_nothing_is_a_range_of_everything() {
    let everything = VariableRange { base: 6, mask: VALID };
    assert_eq!(everything.extent(36).map(|extent| (extent.base, extent.size)), Some((0, 1 << 36)));
    assert_eq!(
        everything.extent(64).map(|extent| (extent.size, extent.mended)),
        Some((1 << 52, false))
    );
}

#[test]
fn overlapping_ranges_have_the_type_of_the_manual() {
    let mut both = mtrrs(0, &[(0, 2 * GIB, 6), (GIB, GIB, 4), (GIB + GIB / 2, GIB / 2, 0)]);
    assert_eq!(both.type_at(GIB / 2), MemoryType::WRITE_BACK);
    assert_eq!(both.type_at(GIB), MemoryType::WRITE_THROUGH);
    assert_eq!(both.type_at(2 * GIB - 1), MemoryType::UNCACHABLE);
    assert_eq!(both.type_at(2 * GIB), MemoryType::UNCACHABLE);
    both.fixed[24] = MemoryType::WRITE_PROTECT;
    assert_eq!(
        (both.type_at(0xb_ffff), both.type_at(0xc_0000)),
        (MemoryType::WRITE_BACK, MemoryType::WRITE_PROTECT)
    );
    both.def_type &= !(1 << 10);
    assert_eq!(both.type_at(0xc_0000), MemoryType::WRITE_BACK);
    both.def_type = 6;
    assert_eq!(both.type_at(0), MemoryType::UNCACHABLE);
}

#[test]
fn ram_behind_the_last_range_is_not_cached() {
    // The usual error: 4 GiB of RAM, the part above the hole forgotten.
    let forgotten = mtrrs(0, &[(0, 2 * GIB, 6), (2 * GIB, GIB, 6)]);
    assert_eq!(gaps(&forgotten, None, 3 * GIB), Some(Vec::new()));
    assert_eq!(gaps(&forgotten, None, 5 * GIB), Some([(3 * GIB, 5 * GIB)].into()));
    assert_eq!(gaps(&forgotten, Some(5 * GIB), 5 * GIB), Some([(3 * GIB, 4 * GIB)].into()));
}

#[test]
fn what_is_taken_out_of_a_range_is_not_cached() {
    let with_hole = mtrrs(0, &[(0, 4 * GIB, 6), (3 * GIB, GIB, 0), (0xa_0000, 0x2_0000, 0)]);
    assert_eq!(gaps(&with_hole, None, 4 * GIB), Some([(3 * GIB, 4 * GIB)].into()));
    let mut without_fixed = with_hole;
    without_fixed.def_type &= !(1 << 10);
    assert_eq!(gaps(&without_fixed, None, GIB), Some([(0xa_0000, 0xc_0000)].into()));
}

#[test]
fn nothing_is_concluded_from_registers_that_say_nothing_of_ram() {
    assert!(matches!(mtrrs(6, &[(GIB, GIB, 0)]).coverage(None), Coverage::NotConcerned));
    assert!(matches!(
        mtrrs(0, &[(0, GIB, 6), (GIB, GIB, 1)]).coverage(None),
        Coverage::NotConcerned
    ));
    assert!(matches!(mtrrs(0, &[]).coverage(None), Coverage::Blank));
    assert!(matches!(mtrrs(0, &[(0, GIB, 0)]).coverage(None), Coverage::Blank));
    let mut off = mtrrs(0, &[(0, GIB, 6)]);
    off.def_type = 0;
    assert!(matches!(off.coverage(None), Coverage::NotConcerned));
}

#[test]
fn there_are_no_more_ranges_than_registers() {
    let many = Mtrrs::new(36, 0xff, 0xc06);
    assert_eq!(many.ranges().len(), MAX_VARIABLE);
}

fn any_mtrrs() -> impl Strategy<Value = Mtrrs> {
    let range = (any::<u64>(), any::<u64>(), 0..64u32).prop_map(|(base, mask, shift)| VariableRange {
        base: base >> shift,
        mask: mask | !0 << shift,
    });
    let types = prop::collection::vec(any::<u8>(), FIXED);
    (
        any::<u8>(),
        any::<u64>(),
        any::<u64>(),
        prop::collection::vec(range, MAX_VARIABLE),
        types,
    )
        .prop_map(|(phys_bits, cap, def_type, ranges, types)| {
            let mut mtrrs = Mtrrs::new(phys_bits, cap, def_type);
            mtrrs.variable.copy_from_slice(&ranges);
            mtrrs
                .fixed
                .iter_mut()
                .zip(types)
                .for_each(|(fixed, kind)| *fixed = MemoryType(kind));
            mtrrs
        })
}

proptest! {
    #[test]
    fn anything_is_shown(mtrrs in any_mtrrs(), address: u64) {
        let rows = mtrrs.rows().to_string();
        prop_assert!(rows.lines().count() <= mtrrs.count());
        prop_assert!(mtrrs.lines().count() >= 3 + mtrrs.count());
        mtrrs.lines().for_each(|line| assert!(!line.to_string().contains('\n')));
        prop_assert!(mtrrs.enabled() || mtrrs.type_at(address) == MemoryType::UNCACHABLE);
    }

    #[test]
    fn gaps_are_in_order_and_inside(mut mtrrs in any_mtrrs(), end: u64, tom2: Option<u64>) {
        mtrrs.def_type = mtrrs.def_type & !0xff | 0xc00;
        for range in &mut mtrrs.variable {
            range.base = (range.base & !0xff) | ((range.base & 1) * 6);
        }
        if let Some(found) = gaps(&mtrrs, tom2, end) {
            prop_assert!(found.iter().all(|(start, stop)| start < stop && *stop <= end));
            prop_assert!(found.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }

    /// Where no mask has holes, a page is cached by the gaps' account exactly if it is write-back by the manual's rules.
    #[test]
    fn gaps_agree_with_the_types_of_pages(ranges in prop::collection::vec((0..64u64, 0..6u32, any::<bool>()), 1..8), page in 0..64u64) {
        let ranges: Vec<_> = ranges
            .iter()
            .map(|&(at, shift, cached)| ((at >> shift << shift) * GIB, GIB << shift, if cached { 6 } else { 0 }))
            .collect();
        let mtrrs = mtrrs(0, &ranges);
        let address = page * GIB + MIB;
        if let Some(found) = gaps(&mtrrs, None, 64 * GIB) {
            let in_gap = found.iter().any(|(start, end)| (*start..*end).contains(&address));
            prop_assert_eq!(in_gap, mtrrs.type_at(address) != MemoryType::WRITE_BACK);
        }
    }
}

#[test]
fn cpus_with_the_same_registers_do_not_differ() {
    let boot = mtrrs(0, &[(0, 4 * GIB, 6), (0xd000_0000, 0x1000_0000, 1)]);
    assert_eq!(boot.differences(&boot.clone()), Differences::empty());
    // Bits that no address has, and a range that counts on neither.
    let mut other = boot.clone();
    other.def_type |= 1 << 40 | 1 << 9;
    other.variable[0].base |= 1 << 50 | 1 << 9;
    other.variable[0].mask |= 1 << 50 | 1;
    other.variable[5].base = 0xdead_b006;
    other.variable[5].mask = !VALID;
    assert_eq!(boot.differences(&other), Differences::empty());
}

#[test]
fn each_kind_of_difference_has_its_line() {
    let boot = mtrrs(0, &[(0, 4 * GIB, 6), (0xd000_0000, 0x1000_0000, 1)]);
    let lines = |change: &dyn Fn(&mut Mtrrs)| {
        let mut other = boot.clone();
        change(&mut other);
        boot.differences(&other).lines().collect::<Vec<_>>()
    };
    let (fixed, variable, def_type) = (
        "your CPUs had inconsistent fixed MTRR settings",
        "your CPUs had inconsistent variable MTRR settings",
        "your CPUs had inconsistent MTRRdefType settings",
    );
    assert_eq!(lines(&|other| other.fixed[87] = MemoryType::UNCACHABLE), [fixed]);
    assert_eq!(lines(&|other| other.variable[1].base ^= 6), [variable]);
    assert_eq!(lines(&|other| other.variable[1].mask &= !VALID), [variable]);
    assert_eq!(lines(&|other| other.variable[7] = other.variable[0]), [variable]);
    assert_eq!(lines(&|other| other.def_type = 0xc06), [def_type]);
    assert_eq!(lines(&|other| other.def_type &= !VALID), [def_type]);
    assert_eq!(lines(&|other| *other = Mtrrs::new(40, 0x508, 0)), [fixed, variable, def_type]);
}

#[test]
fn what_only_one_cpu_has_registers_for_is_a_difference() {
    let boot = mtrrs(6, &[(0, GIB, 0); 8]);
    let mut fewer = boot.clone();
    fewer.cap = 0x504;
    fewer.variable[4..].fill(VariableRange::default());
    assert_eq!(boot.differences(&fewer), Differences::VARIABLE);
    assert_eq!(fewer.differences(&boot), Differences::VARIABLE);
    // Without registers for the first MiB they are not looked at.
    let (mut one, mut other) = (boot.clone(), boot);
    (one.cap, other.cap) = (8, 8);
    other.fixed.fill(MemoryType::WRITE_THROUGH);
    assert_eq!(one.differences(&other), Differences::empty());
}

proptest! {
    #[test]
    fn difference_is_mutual_and_shows_in_some_type(cap: u64, def: (u64, u64), ranges: [(u64, u64); 4], others: [(u64, u64); 4], address: u64) {
        let make = |def_type, ranges: [(u64, u64); 4]| {
            let mut mtrrs = Mtrrs::new(40, cap, def_type);
            for (register, (base, mask)) in mtrrs.variable.iter_mut().zip(ranges) {
                *register = VariableRange { base, mask };
            }
            mtrrs
        };
        let (one, other) = (make(def.0, ranges), make(def.1, others));
        prop_assert_eq!(one.differences(&other), other.differences(&one));
        // Registers that do not differ give each address the same type.
        if one.differences(&other).is_empty() {
            prop_assert_eq!(one.type_at(address), other.type_at(address));
        }
        let same = make(def.0 | 1 << 63, ranges);
        prop_assert_eq!(one.differences(&same), Differences::empty());
        prop_assert_eq!(one.type_at(address), same.type_at(address));
    }
}
