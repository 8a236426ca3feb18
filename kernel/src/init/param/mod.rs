//! Parameters: statics that the command line can set, and the parser that sets them.
//!
//! `value` holds the types a parameter may have, `parse` the walk over the command line. The table is sorted by name at build time, so a parameter is found by
//! binary search.

use core::ffi::{CStr, c_char};
use core::fmt;
use core::slice;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use incipit_lib::cmdline::lookup;

use crate::prelude::*;
use crate::table;

mod parse;
mod value;

pub use incipit_lib::param::ParamError;
pub(crate) use parse::parse_args;
pub use parse::parse_early_param;
pub(super) use parse::{hint, parse_level};
pub use value::{Bint, ByteString, Charp, InvBool, ParamArray, ParamValue};

/// The command line is parsed: parameters have their values, but for those of a later level.
#[capability]
pub struct Parameters;

/// An entry of `__param`: Linux's `struct kernel_param`, with the place of the module taken by what is known of the parameter.
#[repr(C)]
pub struct KernelParam {
    name: *const c_char,
    info: &'static ParamInfo,
    ops: &'static Operations,
    perm: u16,
    level: i8,
    flags: Flags,
    /// Linux has a gap here. Look-ups need not count the name's bytes.
    name_length: u32,
    argument: *const (),
}

// SAFETY: the name is a constant, and the argument is a `T: ParamValue`, which is `Sync`, that only `ops` of the same `T` use.
unsafe impl Sync for KernelParam {}

/// What a parameter's type does with its text; made from the type by [`KernelParam::new`].
struct Operations {
    /// # Safety
    ///
    /// The pointer leads to a value of the type that the operations were made from, for ever.
    set: unsafe fn(*const (), Option<&[u8]>) -> Result<(), ParamError>,
    /// # Safety
    ///
    /// As for `set`.
    get: unsafe fn(*const (), &mut dyn fmt::Write) -> fmt::Result,
    takes_no_value: bool,
    type_name: &'static str,
}

/// Properties of a parameter.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// Nothing special.
    pub const NONE: Self = Self(0);
    /// Linux's `KERNEL_PARAM_FL_UNSAFE`: setting it taints the kernel.
    pub const DANGEROUS: Self = Self(1);
}

/// What is known of a parameter besides its entry.
pub struct ParamInfo {
    file: &'static str,
    line: u32,
    origin: AtomicU8,
}

/// Where a parameter's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Origin {
    /// The static's initial value.
    Default = 0,
    /// The command line.
    CommandLine = 1,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Default => "default",
            Self::CommandLine => "command line",
        })
    }
}

impl ParamInfo {
    /// What the attribute makes.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(file: &'static str, line: u32) -> Self {
        Self {
            file,
            line,
            origin: AtomicU8::new(Origin::Default as u8),
        }
    }
}

impl KernelParam {
    /// What the attribute makes.
    #[doc(hidden)]
    #[must_use]
    pub const fn new<T: ParamValue>(
        name: &'static CStr,
        info: &'static ParamInfo,
        perm: u16,
        level: i8,
        flags: Flags,
        variable: &'static T,
    ) -> Self {
        let ops = const {
            &Operations {
                set: set::<T>,
                get: get::<T>,
                takes_no_value: T::TAKES_NO_VALUE,
                type_name: T::TYPE_NAME,
            }
        };
        let name_length = name.count_bytes() as u32;
        Self {
            name: name.as_ptr(),
            info,
            ops,
            perm,
            level,
            flags,
            name_length,
            argument: core::ptr::from_ref(variable).cast(),
        }
    }

    /// The full name: the module's, a dot, its own; or its own alone.
    #[must_use]
    pub fn name(&self) -> &'static str {
        str::from_utf8(self.name_bytes()).unwrap_or_default()
    }

    fn name_bytes(&self) -> &'static [u8] {
        // SAFETY: `new` took the pointer and the length from one `&'static CStr`.
        unsafe { slice::from_raw_parts(self.name.cast(), self.name_length as usize) }
    }

    /// The type, as Linux calls it.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        self.ops.type_name
    }

    /// Mode of the file that shows it; 0 for none.
    #[must_use]
    pub fn perm(&self) -> u16 {
        self.perm
    }

    /// Where the value comes from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        if self.info.origin.load(Relaxed) == Origin::Default as u8 {
            Origin::Default
        } else {
            Origin::CommandLine
        }
    }

    /// Source file and line.
    #[must_use]
    pub fn place(&self) -> (&'static str, u32) {
        (self.info.file, self.info.line)
    }

    /// The value, as text.
    #[must_use]
    pub fn value(&self) -> impl fmt::Display + '_ {
        // SAFETY: `argument` is the `T` that `ops` were made for.
        fmt::from_fn(|f| unsafe { (self.ops.get)(self.argument, f) })
    }

    /// Sets the value from text; none stands for the bare name.
    ///
    /// # Errors
    ///
    /// What is wrong with the text; the old value stays.
    pub fn set(&self, text: Option<&[u8]>, origin: Origin) -> Result<(), ParamError> {
        if text.is_none() && !self.ops.takes_no_value {
            return Err(ParamError::Invalid);
        }
        // SAFETY: `argument` is the `T` that `ops` were made for.
        unsafe { (self.ops.set)(self.argument, text) }?;
        self.info.origin.store(origin as u8, Relaxed);
        Ok(())
    }
}

/// # Safety
///
/// `variable` points to a `T` that lives forever.
unsafe fn set<T: ParamValue>(variable: *const (), text: Option<&[u8]>) -> Result<(), ParamError> {
    // SAFETY: as the caller promises.
    unsafe { &*variable.cast::<T>() }.set(text)
}

/// # Safety
///
/// As for [`set`].
unsafe fn get<T: ParamValue>(variable: *const (), out: &mut dyn fmt::Write) -> fmt::Result {
    // SAFETY: as the caller promises.
    unsafe { &*variable.cast::<T>() }.get(out)
}

/// The parameter called `name`, with `-` taken for `_`.
#[must_use]
pub fn find(name: &[u8]) -> Option<&'static KernelParam> {
    let name_at = |index| table::PARAM.get(index).map_or(&b""[..], KernelParam::name_bytes);
    table::PARAM.get(lookup::find_one(table::PARAM.len(), name_at, name)?)
}

/// All parameters, sorted by name.
pub fn params() -> impl Iterator<Item = &'static KernelParam> {
    table::PARAM.iter()
}
