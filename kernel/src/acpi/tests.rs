//! Tests that run in the booted kernel, on whatever machine it has booted.

use super::*;
use crate::mm::memblock;
use crate::prelude::*;

#[ktest]
fn every_table_is_kept_whole_under_its_name() {
    for kept in tables() {
        assert_eq!(kept.bytes.len(), kept.header.length as usize);
        assert_eq!(&kept.bytes[..4], &kept.header.signature.0);
        assert!(table(&kept.header.signature.0).is_some());
    }
    assert!(table(b"\0\0\0\0").is_none());
}

#[ktest]
fn the_memory_of_the_tables_is_taken() {
    for kept in tables() {
        let end = kept.phys + u64::from(kept.header.length);
        assert!(memblock::reserved().any(|region| region.base <= kept.phys && end <= region.end()));
    }
}

#[ktest]
fn the_boot_processor_is_among_those_of_the_tables() {
    use crate::arch::x86::{cpu, smpboot};
    let mut known = smpboot::processors().peekable();
    assert!(known.peek().is_none() || known.any(|apic_id| apic_id == cpu::boot_cpu_apic_id()));
}
