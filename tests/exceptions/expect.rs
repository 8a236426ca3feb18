//! What is expected of a crash point.

use self::Ending::{InInterrupt, Killed, Segfault};
use self::Expect::Oops;

/// A crash point.
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// What triggers it.
    pub trigger: Trigger,
    /// What the command line says besides.
    pub words: &'static str,
    /// How many processors it takes.
    pub processors: u32,
    /// What becomes of it.
    pub expect: Expect,
}

/// What triggers a crash point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The last initcall, for the command line.
    Initcall,
    /// The monitor's command, when the boot is done.
    Monitor,
}

impl Trigger {
    /// The function that calls it, below `incipit_lkdtm`.
    pub fn function(self) -> &'static str {
        match self {
            Self::Initcall => "trigger::lkdtm_module_init",
            Self::Monitor => "command::lkdtm",
        }
    }
}

/// What becomes of a crash point.
pub enum Expect {
    /// A report of an oops, and the panic that it ends in.
    Oops(Report),
    /// A panic with a line that begins so.
    Panic(&'static str),
    /// Lines that contain these texts, as for [`Expect::GoesOn`], and then a panic with a line that begins so.
    PanicBehind(&'static [&'static str], &'static str),
    /// Lines that contain these texts, in this order, and the boot goes on. A text that ends with `+` is followed by offset and size of the function.
    GoesOn(&'static [&'static str]),
}

/// What a report has to say.
pub struct Report {
    /// Its title.
    pub title: &'static str,
    /// The error code; an emulator may have another.
    pub error_codes: &'static [u64],
    /// The function of the crash point, below `incipit_lkdtm`.
    pub function: &'static str,
    /// What RIP points to.
    pub rip: Rip,
    /// Lines in front of the report.
    pub before: &'static [&'static str],
    /// The address of the page fault.
    pub cr2: Option<Address>,
    /// What the system dies of.
    pub ending: Ending,
}

/// What RIP points to.
pub enum Rip {
    /// An instruction of the function with one of these names.
    At(&'static [&'static str]),
    /// The instruction behind one with one of these names.
    After(&'static [&'static str]),
    /// Either: an emulator that has no such exception goes on to the interrupt that stands for it.
    AtOrAfter(&'static [&'static str], &'static [&'static str]),
    /// The beginning of a symbol of the image that is no code, or none any more.
    Data(&'static str),
    /// The heap: an address without a name, but with bytes to show.
    Heap,
    /// An address at which nothing can be read.
    Number(u64),
}

/// The address of a page fault.
#[derive(Clone, Copy)]
pub enum Address {
    /// This one.
    Value(u64),
    /// So many bytes from a symbol.
    Symbol(&'static str, i64),
    /// What the crash point has announced: `attempting bad … at 0x…`.
    Announced,
}

/// What the system dies of.
pub enum Ending {
    /// Init gets a SIGSEGV.
    Segfault,
    /// Init gets a SIGKILL.
    Killed,
    /// There is no going on behind an exception that can come anywhere.
    InInterrupt,
}

impl Ending {
    /// The reason of the panic.
    pub fn reason(&self) -> &'static str {
        match self {
            Segfault => "Attempted to kill init! exitcode=0x0000000b",
            Killed => "Attempted to kill init! exitcode=0x00000009",
            InInterrupt => "Fatal exception in interrupt",
        }
    }
}

/// The crash point `name`.
pub const fn case(name: &'static str, expect: Expect) -> Case {
    Case {
        name,
        trigger: Trigger::Initcall,
        words: "",
        processors: 1,
        expect,
    }
}

/// The same with more words on the command line.
pub const fn with_words(words: &'static str, case: Case) -> Case {
    Case { words, ..case }
}

/// The same with two processors.
pub const fn on_two_processors(case: Case) -> Case {
    Case { processors: 2, ..case }
}

/// The crash point `name`, which is one only when the boot is done.
pub const fn after_the_boot(name: &'static str, expect: Expect) -> Case {
    Case {
        name,
        trigger: Trigger::Monitor,
        words: "",
        processors: 1,
        expect,
    }
}

/// An exception that is an oops with the function's name.
pub const fn oops(title: &'static str, error_codes: &'static [u64], function: &'static str, rip: Rip) -> Expect {
    Oops(Report {
        title,
        error_codes,
        function,
        rip,
        before: &[],
        cr2: None,
        ending: Segfault,
    })
}

/// An exception that is handled as if it could come anywhere.
pub const fn anywhere(title: &'static str, function: &'static str, rip: Rip, before: &'static [&'static str]) -> Expect {
    Oops(Report {
        title,
        error_codes: &[0],
        function,
        rip,
        before,
        cr2: None,
        ending: InInterrupt,
    })
}

/// An access to the page below a stack by a plain instruction.
pub const fn guard_page(function: &'static str, before: &'static [&'static str]) -> Expect {
    Oops(Report {
        title: "stack guard page",
        error_codes: &[0],
        function,
        rip: Rip::At(&["mov"]),
        before,
        cr2: Some(Address::Announced),
        ending: Segfault,
    })
}

/// A page fault.
pub const fn page_fault(
    error_codes: &'static [u64],
    function: &'static str,
    rip: Rip,
    before: &'static [&'static str],
    address: Address,
) -> Expect {
    Oops(Report {
        title: "Oops",
        error_codes,
        function,
        rip,
        before,
        cr2: Some(address),
        ending: Killed,
    })
}

/// A write to the null pointer by what handles an exception that can come anywhere.
pub const fn page_fault_inside(function: &'static str, before: &'static [&'static str]) -> Expect {
    Oops(Report {
        title: "Oops",
        error_codes: &[2],
        function,
        rip: Rip::At(&["mov"]),
        before,
        cr2: Some(Address::Value(0)),
        ending: InInterrupt,
    })
}
