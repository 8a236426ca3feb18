//! Neither the proof nor an entry that was got by it can be kept.

use std::sync::Mutex;

use incipit::init::setup::SetupEntry;
use incipit::prelude::*;
use incipit::table;

static PROOF: Mutex<Option<InitMemory<'static>>> = Mutex::new(None);
static ENTRY: Mutex<Option<&'static SetupEntry>> = Mutex::new(None);

#[initcall(device)]
fn keeps_the_proof(init: InitMemory<'_>) -> Result<(), Errno> {
    *PROOF.lock().unwrap() = Some(init); //~ ERROR borrowed data escapes outside of function
    Ok(())
}

#[initcall(device)]
fn keeps_an_entry(init: InitMemory<'_>) -> Result<(), Errno> {
    *ENTRY.lock().unwrap() = table::SETUP.get(init, 0); //~ ERROR borrowed data escapes outside of function
    Ok(())
}

#[stage]
fn keeps_the_walk(init: InitMemory<'_>) {
    let entries: incipit::table::Iter<'static, SetupEntry> = table::SETUP.iter(init); //~ ERROR lifetime may not live long enough
    drop(entries);
}

fn lengthens_it<'short, 'long: 'short>(init: InitMemory<'short>) -> InitMemory<'long> {
    init //~ ERROR lifetime may not live long enough
}

fn shortens_it<'short, 'long: 'short>(init: InitMemory<'long>) -> InitMemory<'short> {
    init //~ ERROR lifetime may not live long enough
}
