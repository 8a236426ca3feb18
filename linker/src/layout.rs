//! Where the image stands in memory, and the stretches of it that are no tables: text that is told apart, and the pieces of the per-CPU template.

/// Stretches of text that the profiler and the backtrace tell apart: input section, start symbol, end symbol.
pub const TEXT_RANGES: &[(&str, &str, &str)] = &[
    (".sched.text", "__sched_text_start", "__sched_text_end"),
    (".spinlock.text", "__lock_text_start", "__lock_text_end"),
    (".kprobes.text", "__kprobes_text_start", "__kprobes_text_end"),
    (".entry.text", "__entry_text_start", "__entry_text_end"),
    (".fixup", "__fixup_text_start", "__fixup_text_end"),
    REF_TEXT,
];

/// Functions that stay and may refer to init memory, `#[init_ref]`: input section, start symbol, end symbol.
pub const REF_TEXT: (&str, &str, &str) = (".ref.text", "__ref_text_start", "__ref_text_end");

/// Statics that stay and may refer to init memory, `#[init_ref]`: input section, start symbol, end symbol.
pub const REF_DATA: (&str, &str, &str) = (".ref.data", "__ref_data_start", "__ref_data_end");

/// The pieces of the per-CPU template in order: variant of `#[percpu]` (empty for the plain one), input section, alignment of the piece in bytes.
pub const PERCPU_PIECES: &[(&str, &str, u64)] = &[
    ("first", ".data..percpu..first", PAGE),
    ("page_aligned", ".data..percpu..page_aligned", PAGE),
    ("read_mostly", ".data..percpu..readmostly", CACHE_LINE),
    ("", ".data..percpu", CACHE_LINE),
    ("shared_aligned", ".data..percpu..shared_aligned", CACHE_LINE),
];

/// Bytes in a page.
pub const PAGE: u64 = 4096;
/// Bytes in a cache line.
pub const CACHE_LINE: u64 = 64;
/// What a virtual address of the image is above its physical one.
pub const KERNEL_MAP: u64 = 0xffff_ffff_8000_0000;
/// Where the image starts in physical memory: where the Linux boot protocol loads a kernel.
pub const PHYSICAL_START: u64 = 0x10_0000;
