//! `failslab=` and `fail_page_alloc=`.

use incipit_lib::fault_attr::FaultAttr;

use super::Fault;
use crate::init::setup::SetupResult;
use crate::prelude::*;

/// `failslab=<interval>,<probability>,<space>,<times>`: of each `interval` allocations of small objects one may fail, with so many percent's probability; so many
/// bytes pass before the first does, and no more fail than `times` (-1: any number). Allocations that may sleep are left alone unless
/// `failslab.ignore_gfp_wait=0`.
#[cfg(CONFIG_FAILSLAB)]
#[setup("failslab=")]
#[init]
fn setup_failslab(value: &'static str) -> SetupResult {
    set(&super::FAILSLAB, value)
}

/// `fail_page_alloc=<interval>,<probability>,<space>,<times>`: the same for blocks of pages, of an order that `fail_page_alloc.min_order` has at least.
#[cfg(CONFIG_FAIL_PAGE_ALLOC)]
#[setup("fail_page_alloc=")]
#[init]
fn setup_fail_page_alloc(value: &'static str) -> SetupResult {
    set(&super::FAIL_PAGE_ALLOC, value)
}

#[init]
fn set(fault: &Fault, value: &str) -> SetupResult {
    match FaultAttr::parse(value.as_bytes()) {
        Ok(attr) => fault.set(attr),
        Err(_) => pr_warn!(
            "FAULT_INJECTION: failed to parse {}='{value}': <interval>,<probability>,<space>,<times>, the probability up to 100",
            fault.name
        ),
    }
    SetupResult::Consumed
}
