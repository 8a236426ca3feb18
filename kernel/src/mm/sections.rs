//! Where the parts of the image are: the linker script's symbols as ranges of addresses.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

#[cfg(CONFIG_KALLSYMS)]
use incipit_lib::kallsyms;

use super::START_KERNEL_MAP;
use crate::prelude::*;
use crate::table;

/// Whether the section [`init()`] is gone.
static INIT_FREED: AtomicBool = AtomicBool::new(false);

/// A range of addresses of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    start: usize,
    end: usize,
}

impl Section {
    /// The range from `start` up to, but without, `end`.
    #[must_use]
    pub const fn between(start: usize, end: usize) -> Section {
        Section { start, end }
    }

    /// The first address.
    #[must_use]
    pub const fn start_address(self) -> usize {
        self.start
    }

    /// The address behind the last.
    #[must_use]
    pub const fn end_address(self) -> usize {
        self.end
    }

    /// Bytes in the range.
    #[must_use]
    pub const fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether the range has no bytes.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `address` lies in the range.
    #[must_use]
    pub const fn contains(self, address: usize) -> bool {
        self.start <= address && address < self.end
    }

    /// A pointer to the first byte.
    #[must_use]
    pub fn as_ptr(self) -> *const u8 {
        core::ptr::with_exposed_provenance(self.start)
    }

    /// The physical address of the first byte.
    #[must_use]
    pub const fn phys(self) -> u64 {
        (self.start - START_KERNEL_MAP) as u64
    }
}

/// A symbol of the linker script: only its address means something.
#[repr(C)]
struct Symbol([u8; 0]);

macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident = $start:ident..$end:ident;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name() -> Section {
                Section { start: (&raw const $start).expose_provenance(), end: (&raw const $end).expose_provenance() }
            }
        )*
    };
}

// SAFETY: the linker script defines all of them, and `boot/` the stack. Their type has no bytes, so that nothing can be read through them.
unsafe extern "C" {
    static _text: Symbol;
    static _stext: Symbol;
    static _etext: Symbol;
    static __entry_text_start: Symbol;
    static __entry_text_end: Symbol;
    static __start_rodata: Symbol;
    static __end_rodata: Symbol;
    static __init_begin: Symbol;
    static __init_end: Symbol;
    static _sinittext: Symbol;
    static _einittext: Symbol;
    static __start_init_rodata: Symbol;
    static __end_init_rodata: Symbol;
    static __per_cpu_start: Symbol;
    static __per_cpu_end: Symbol;
    static _sdata: Symbol;
    static _edata: Symbol;
    static __bss_start: Symbol;
    static __bss_stop: Symbol;
    static __brk_base: Symbol;
    static __brk_limit: Symbol;
    static _end: Symbol;
    #[cfg(CONFIG_KALLSYMS)]
    static __kallsyms_start: Symbol;
    static init_stack: Symbol;
}

sections! {
    /// The image from its first instruction to the end of its brk; the symbol table comes behind it.
    image = _text.._end;
    /// Code that stays, the first instructions included.
    text = _text.._etext;
    /// Code that stays, as far as a profile counts it.
    core_text = _stext.._etext;
    /// The first instructions of exceptions and interrupts.
    entry_text = __entry_text_start..__entry_text_end;
    /// Constants, read-only tables, notes.
    rodata = __start_rodata..__end_rodata;
    /// All that is given back after the boot.
    init = __init_begin..__init_end;
    /// Code that is given back after the boot.
    init_text = _sinittext.._einittext;
    /// Constants and tables that are given back after the boot.
    init_rodata = __start_init_rodata..__end_init_rodata;
    /// The template of the per-CPU data.
    percpu = __per_cpu_start..__per_cpu_end;
    /// Initialised data.
    data = _sdata.._edata;
    /// Zeroed data.
    bss = __bss_start..__bss_stop;
    /// Memory for before there is memory: [`super::brk`].
    brk = __brk_base..__brk_limit;
}

/// Bytes of the stack on which the boot runs, for which `boot/` has the room: Linux's `THREAD_SIZE`.
pub const INIT_STACK_SIZE: usize = 16 << 10;

/// The stack on which the boot runs; the page below it is its guard.
#[must_use]
pub fn boot_stack() -> Section {
    let start = (&raw const init_stack).expose_provenance();
    Section {
        start,
        end: start + INIT_STACK_SIZE,
    }
}

/// The symbol table, which the post-link step leaves behind the image; empty in an image without one.
#[cfg(not(CONFIG_KALLSYMS))]
#[must_use]
pub fn kallsyms() -> Section {
    let end = image().end_address();
    Section { start: end, end }
}

/// The symbol table, which the post-link step leaves behind the image.
#[cfg(CONFIG_KALLSYMS)]
#[must_use]
pub fn kallsyms() -> Section {
    let start = (&raw const __kallsyms_start).expose_provenance();
    Section {
        start,
        end: start + kallsyms_len(),
    }
}

/// Whether `address` is code: what stays, or, for as long as it is there, what runs during the boot only.
#[must_use]
pub fn is_text(address: usize) -> bool {
    text().contains(address) || (init_text().contains(address) && !init_is_freed())
}

/// The section of init memory that `address` lies in, whether it is gone or not.
#[must_use]
pub fn init_section(address: usize) -> Option<&'static str> {
    let table = |table: &&table::Description| table.freed && (table.start.addr()..table.end.addr()).contains(&address);
    if !init().contains(address) {
        None
    } else if init_text().contains(address) {
        Some(".init.text")
    } else if let Some(table) = table::all().iter().find(table) {
        Some(table.section)
    } else if percpu().contains(address) {
        Some(".data..percpu")
    } else if init_rodata().contains(address) {
        Some(".init.rodata")
    } else {
        Some(".init.data")
    }
}

/// Whether init memory is gone.
#[must_use]
pub fn init_is_freed() -> bool {
    INIT_FREED.load(Relaxed)
}

/// Notes that init memory is about to go.
pub(crate) fn set_init_freed() {
    INIT_FREED.store(true, Relaxed);
}

/// Bytes of the symbol table; an image that was not sealed has an empty placeholder there.
#[cfg(CONFIG_KALLSYMS)]
fn kallsyms_len() -> usize {
    let start: *const [u8; kallsyms::PREFIX] = (&raw const __kallsyms_start).cast();
    // SAFETY: the linker script puts a placeholder of that size behind the symbol, which the seal only grows, in a mapped page that nobody writes.
    kallsyms::size(unsafe { &*start }).unwrap_or(kallsyms::PREFIX)
}

#[ktest]
fn init_memory_is_known_by_its_sections() {
    let cases = [
        (init().start_address(), Some(".init.text")),
        (init_text().end_address() - 1, Some(".init.text")),
        (table::STAGE.start_address(), Some(".stage.init")),
        (table::SETUP.end_address() - 1, Some(".init.setup")),
        (percpu().start_address(), Some(".data..percpu")),
        (init().start_address() - 1, None),
        (init().end_address(), None),
        (table::PARAM.start_address(), None),
        (0, None),
    ];
    for (address, expected) in cases {
        assert_eq!(init_section(address), expected, "{address:#x}");
    }
}

#[ktest]
fn init_text_is_text_while_it_is_there() {
    assert!(!init_is_freed());
    assert!(is_text(init_text().start_address()) && is_text(text().start_address()));
    assert!(!is_text(text().end_address()) && !is_text(init_rodata().start_address()));
}
