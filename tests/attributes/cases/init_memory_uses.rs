//! Every function that a table of the boot holds may take the proof that init memory is there, and walk tables that go with it: compiles.

use incipit::console::{Console, EarlyconDevice};
use incipit::init::setup::SetupEntry;
use incipit::prelude::*;
use incipit::table;

#[initcall(device)]
fn call(init: InitMemory<'_>) -> Result<(), Errno> {
    for entry in table::SETUP.iter(init) {
        look_at(entry);
    }
    table::SETUP.get(init, 0).map(look_at).ok_or(Errno::ENOENT)
}

#[init]
#[initcall(late, sync, after(call))]
fn with_a_named_lifetime<'boot>(init: InitMemory<'boot>) -> Result<(), Errno> {
    let first: Option<&'boot SetupEntry> = table::SETUP.get(init, 0);
    first.map(look_at).ok_or(Errno::ENOENT)
}

#[stage]
fn stage(init: incipit::init::InitMemory<'_>) {
    let copy = init;
    assert_eq!(table::STAGE.iter(init).count(), table::STAGE.iter(copy).count());
}

#[early_param("x")]
fn early(_value: Option<&'static str>, init: InitMemory<'_>) -> Result<(), Errno> {
    passes_it_on(init);
    Ok(())
}

#[setup("x=")]
fn option(_rest: &'static str, InitMemory { .. }: InitMemory<'_>) -> SetupResult {
    SetupResult::Consumed
}

#[ktest]
fn test(init: InitMemory<'_>) {
    assert!(table::KTEST.iter(init).next().is_some());
}

#[earlycon("x")]
fn console(_device: &EarlyconDevice, _init: InitMemory<'_>) -> Result<&'static dyn Console, Errno> {
    Err(Errno::ENODEV)
}

/// Where a table was and how long it is can be told without the proof.
fn about() -> (usize, usize, usize, bool) {
    (
        table::SETUP.start_address(),
        table::SETUP.end_address(),
        table::SETUP.len(),
        table::SETUP.is_empty(),
    )
}

/// Tables that stay need no proof.
fn kept() -> Option<&'static incipit::init::param::KernelParam> {
    table::PARAM.iter().next()
}

fn passes_it_on(init: InitMemory<'_>) {
    table::SETUP.iter(init).for_each(look_at);
}

fn look_at(_entry: &SetupEntry) {}

const _: () = assert!(size_of::<InitMemory<'_>>() == 0);
