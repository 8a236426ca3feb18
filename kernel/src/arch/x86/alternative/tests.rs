//! Code in two forms, asked which of them it is.

use super::{NOPS, patched};
use crate::arch::x86::cpu::features::{Feature, boot_cpu_has};
use crate::prelude::*;

/// What every processor that runs this has.
const HERE: Feature = Feature::named("sse2");
/// What none has: Linux's number of a bug of the Pentium's.
const NOWHERE: Feature = Feature::named("3dnowext");

fn form_with(there: bool) -> u32 {
    let form: u32;
    // SAFETY: both forms set a register.
    unsafe {
        if there {
            alternative!("xor {form:e}, {form:e}", "mov {form:e}, 1", HERE, form = out(reg) form, options(nomem, nostack));
        } else {
            alternative!("mov {form:e}, 0", "mov {form:e}, 1", NOWHERE, form = out(reg) form, options(nomem, nostack));
        }
    }
    form
}

#[ktest]
fn code_is_replaced_where_the_processor_has_the_feature() {
    assert_eq!((boot_cpu_has(HERE), form_with(true)), (true, 1));
    assert_eq!(form_with(false), u32::from(boot_cpu_has(NOWHERE)));
    assert!(patched() > 0);
}

#[ktest]
fn every_nop_is_as_long_as_its_place_says() {
    assert!(NOPS.iter().enumerate().all(|(index, nop)| nop.len() == index + 1));
}
