//! What the areas are: `vmallocinfo`, in Linux's words, and the option about large pages.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::areas::{self, Area, VmFlags};
use crate::panic::Symbol;
use crate::prelude::*;

/// `nohugevmalloc`: areas are mapped by pages of 4 KiB.
static NO_HUGE: AtomicBool = AtomicBool::new(false);

/// `nohugevmalloc`: maps areas by pages of 4 KiB only.
#[early_param("nohugevmalloc")]
#[init]
fn nohugevmalloc(_: Option<&'static str>) -> Result<(), Errno> {
    NO_HUGE.store(true, Relaxed);
    Ok(())
}

pub(super) fn huge_pages_are_forbidden() -> bool {
    NO_HUGE.load(Relaxed)
}

/// `/proc/vmallocinfo`: an area in each line, by address, with its guard page.
///
/// # Errors
///
/// Those of `out`.
pub fn vmallocinfo(out: &mut dyn Write) -> fmt::Result {
    areas::for_each(|range, area| {
        write!(out, "0x{:016x}-0x{:016x} {:>7}", range.start, range.end, range.len())?;
        show(area, out)?;
        writeln!(out)
    })
}

fn show(area: &Area, out: &mut dyn Write) -> fmt::Result {
    if area.is_unmapped() {
        return write!(out, " unpurged vm_area");
    }
    if area.caller != 0 {
        write!(out, " {}", Symbol(area.caller))?;
    }
    if area.pages != 0 {
        write!(out, " pages={}", area.pages)?;
    }
    if area.phys != 0 {
        write!(out, " phys={:#018x}", area.phys)?;
    }
    let words = [
        (VmFlags::IOREMAP, " ioremap"),
        (VmFlags::ALLOC, " vmalloc"),
        (VmFlags::MAP, " vmap"),
        (VmFlags::PERCPU, " vmalloc"),
    ];
    for (flag, word) in words {
        if area.flags.contains(flag) {
            out.write_str(word)?;
        }
    }
    Ok(())
}

/// The monitor's `vmallocinfo`.
#[cfg(CONFIG_KDB)]
mod command {
    use core::fmt::Write;

    use linkme::distributed_slice;

    use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};

    #[distributed_slice(KDB_COMMANDS)]
    static VMALLOCINFO: Command = Command {
        name: "vmallocinfo",
        usage: "",
        help: "Display the areas of vmalloc, vmap and ioremap",
        run: vmallocinfo,
    };

    fn vmallocinfo(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
        if !arguments.is_empty() {
            return Err(CommandError::ArgumentCount);
        }
        super::vmallocinfo(screen)?;
        Ok(Then::Stay)
    }
}
