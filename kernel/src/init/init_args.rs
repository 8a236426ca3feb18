//! What the command line leaves for init: its arguments, its environment, and which init it is to be.

use incipit_lib::init_args::{InitArgs, Overflow};
use incipit_lib::text::Lossy;

use super::param;
use crate::locking::SpinLock;
use crate::prelude::*;

static ARGS: SpinLock<InitArgs<'static>> = SpinLock::new(InitArgs::new());
/// `init=`, and `rdinit=`, which Linux tries first.
static REQUESTED: SpinLock<[Option<&'static str>; 2]> = SpinLock::new([None; 2]);

/// `init=path`: the program to run as init. Words before it on the command line are none of its arguments.
#[init]
#[setup("init=")]
fn init_setup(path: &'static str) -> SetupResult {
    request(0, path)
}

/// `rdinit=path`: the program to run as init while the root is the initial ramdisk.
#[init]
#[setup("rdinit=")]
fn rdinit_setup(path: &'static str) -> SetupResult {
    request(1, path)
}

/// Arguments before the program's name are none of its arguments.
#[init]
fn request(which: usize, path: &'static str) -> SetupResult {
    REQUESTED.lock()[which] = Some(path);
    ARGS.lock().clear_arguments();
    SetupResult::Consumed
}

/// What `init=` says, if it stands on the command line.
pub(super) fn requested_init() -> Option<&'static str> {
    REQUESTED.lock()[0]
}

/// What is tried first as init: what `rdinit=` says, else `/init`.
pub(super) fn ramdisk_init() -> &'static str {
    REQUESTED.lock()[1].unwrap_or("/init")
}

/// Keeps a word for init as an argument.
#[init]
pub(super) fn add_argument(word: &'static [u8]) {
    ARGS.lock().add_argument(word);
}

/// Keeps a word for init as a variable of its environment.
#[init]
pub(super) fn add_variable(word: &'static [u8]) {
    ARGS.lock().add_variable(word);
}

/// The first word for which there was no room.
#[init]
pub(super) fn overflow() -> Option<Overflow<'static>> {
    ARGS.lock().overflow()
}

/// Says which words nobody in the kernel knows, and what they may have been meant to be.
#[init]
pub(super) fn report_unknown(init: InitMemory<'_>) {
    if !crate::printk::ENABLED {
        return;
    }
    let args = ARGS.lock();
    let Some(unknown) = args.unknown() else { return };
    pr_notice!("Unknown kernel command line parameters \"{unknown}\", will be passed to user space.");
    for word in args.arguments().iter().chain(args.variables()) {
        let name = word.split(|byte| *byte == b'=').next().unwrap_or_default();
        param::hint(init, name);
    }
}

/// The lines with which Linux shows what init gets (at debug level).
pub(super) fn log() {
    let args = ARGS.lock();
    pr_debug!("  with arguments:");
    pr_debug!("    {}", ramdisk_init());
    args.arguments().iter().for_each(|word| pr_debug!("    {}", Lossy(word)));
    pr_debug!("  with environment:");
    args.environment().for_each(|word| pr_debug!("    {}", Lossy(word)));
}
