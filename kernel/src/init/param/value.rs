//! The types that a parameter may have.
//!
//! Texts become values by `incipit_lib::param`, which has Linux's rules; here is where they are stored. Any type of a subsystem's own can be a parameter by
//! implementing [`ParamValue`].

use core::fmt::{self, Write};
use core::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize,
    Ordering::Relaxed,
};

use incipit_lib::param::{self, ParamError};
use incipit_lib::text::Lossy;

use crate::locking::SpinLock;
use crate::mm::slab::KVec;

/// A static that can be set from text and shown as text.
///
/// `set` is called with interrupts disabled during the boot; it may allocate once `setup_arch` is through (parameters are parsed after it).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter",
    label = "no way from text to this type",
    note = "use `AtomicBool`, an atomic integer, `Bint`, `InvBool`, `Charp`, `ByteString<N>` or `ParamArray<T, N>`, or implement `ParamValue` for it"
)]
pub trait ParamValue: Sync + 'static {
    /// The type's name, as Linux calls it or as the subsystem does.
    const TYPE_NAME: &'static str;
    /// Whether the bare name, without `=value`, sets it, too.
    const TAKES_NO_VALUE: bool = false;

    /// Takes the value from `text`; none stands for the bare name, which comes only if [`Self::TAKES_NO_VALUE`].
    ///
    /// # Errors
    ///
    /// What is wrong with the text. The old value must stay then.
    fn set(&self, text: Option<&[u8]>) -> Result<(), ParamError>;

    /// Writes the value as text.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    fn get(&self, out: &mut dyn Write) -> fmt::Result;
}

macro_rules! integers {
    ($($atomic:ty, $integer:ty, $name:literal;)*) => {$(
        impl ParamValue for $atomic {
            const TYPE_NAME: &'static str = $name;

            fn set(&self, text: Option<&[u8]>) -> Result<(), ParamError> {
                self.store(param::parse_int::<$integer>(text.ok_or(ParamError::Invalid)?)?, Relaxed);
                Ok(())
            }

            fn get(&self, out: &mut dyn Write) -> fmt::Result {
                write!(out, "{}", self.load(Relaxed))
            }
        }

        impl Element for $integer {
            const TYPE_NAME: &'static str = concat!("array of ", $name);
        }
    )*};
}

integers! {
    AtomicU8, u8, "byte";
    AtomicI8, i8, "signed byte";
    AtomicU16, u16, "ushort";
    AtomicI16, i16, "short";
    AtomicU32, u32, "uint";
    AtomicI32, i32, "int";
    AtomicU64, u64, "ullong";
    AtomicI64, i64, "llong";
    AtomicUsize, usize, "ulong";
    AtomicIsize, isize, "long";
}

fn yes_or_no(value: bool) -> char {
    if value { 'Y' } else { 'N' }
}

impl ParamValue for AtomicBool {
    const TYPE_NAME: &'static str = "bool";
    const TAKES_NO_VALUE: bool = true;

    fn set(&self, text: Option<&[u8]>) -> Result<(), ParamError> {
        self.store(param::parse_bool(text)?, Relaxed);
        Ok(())
    }

    fn get(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_char(yes_or_no(self.load(Relaxed)))
    }
}

/// A bool that is kept in an integer: Linux's `bint`.
#[derive(Debug)]
pub struct Bint(AtomicI32);

impl Bint {
    /// A parameter that starts as `value`.
    #[must_use]
    pub const fn new(value: i32) -> Self {
        Self(AtomicI32::new(value))
    }

    /// The value: 0 or 1 once it has been set from text.
    #[must_use]
    pub fn load(&self) -> i32 {
        self.0.load(Relaxed)
    }
}

impl ParamValue for Bint {
    const TYPE_NAME: &'static str = "bint";
    const TAKES_NO_VALUE: bool = true;

    fn set(&self, text: Option<&[u8]>) -> Result<(), ParamError> {
        self.0.store(param::parse_bint(text)?, Relaxed);
        Ok(())
    }

    fn get(&self, out: &mut dyn Write) -> fmt::Result {
        write!(out, "{}", self.load())
    }
}

/// A bool that the text sets to its opposite: Linux's `invbool`.
#[derive(Debug)]
pub struct InvBool(AtomicBool);

impl InvBool {
    /// A parameter that starts as `value`.
    #[must_use]
    pub const fn new(value: bool) -> Self {
        Self(AtomicBool::new(value))
    }

    /// The value, already turned round.
    #[must_use]
    pub fn load(&self) -> bool {
        self.0.load(Relaxed)
    }
}

impl ParamValue for InvBool {
    const TYPE_NAME: &'static str = "invbool";
    const TAKES_NO_VALUE: bool = true;

    fn set(&self, text: Option<&[u8]>) -> Result<(), ParamError> {
        self.0.store(param::parse_invbool(text)?, Relaxed);
        Ok(())
    }

    fn get(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_char(yes_or_no(!self.load()))
    }
}

/// A string of up to 1024 bytes, kept on the heap: Linux's `charp`.
#[derive(Debug)]
pub struct Charp {
    initial: Option<&'static str>,
    set: SpinLock<Option<KVec<u8>>>,
}

impl Charp {
    /// A parameter without a value.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            initial: None,
            set: SpinLock::new(None),
        }
    }

    /// A parameter that starts as `value`.
    #[must_use]
    pub const fn new(value: &'static str) -> Self {
        Self {
            initial: Some(value),
            set: SpinLock::new(None),
        }
    }

    /// Calls `f` with the value, if there is one. The value cannot change meanwhile.
    pub fn with<R>(&self, f: impl FnOnce(Option<&[u8]>) -> R) -> R {
        let set = self.set.lock();
        f(set.as_deref().or_else(|| self.initial.map(str::as_bytes)))
    }
}

impl ParamValue for Charp {
    const TYPE_NAME: &'static str = "charp";

    fn set(&self, text: Option<&[u8]>) -> Result<(), ParamError> {
        let copy = KVec::collect(param::parse_charp(text)?.iter().copied())?;
        *self.set.lock() = Some(copy);
        Ok(())
    }

    fn get(&self, out: &mut dyn Write) -> fmt::Result {
        self.with(|value| match value {
            Some(bytes) => write!(out, "{}", Lossy(bytes)),
            None => out.write_str("(null)"),
        })
    }
}

/// A string of at most `N` bytes, kept in the static itself: Linux's `string`.
#[derive(Debug)]
pub struct ByteString<const N: usize>(SpinLock<([u8; N], usize)>);

impl<const N: usize> ByteString<N> {
    /// A parameter that starts as `value`, which must fit.
    ///
    /// # Panics
    ///
    /// If it does not fit; in a static, that is a compile error.
    #[must_use]
    pub const fn new(value: &str) -> Self {
        assert!(value.len() <= N, "the initial value does not fit");
        let mut bytes = [0; N];
        let (place, _) = bytes.split_at_mut(value.len());
        place.copy_from_slice(value.as_bytes());
        Self(SpinLock::new((bytes, value.len())))
    }

    /// Calls `f` with the value. The value cannot change meanwhile.
    pub fn with<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        let value = self.0.lock();
        f(&value.0[..value.1])
    }
}

impl<const N: usize> ParamValue for ByteString<N> {
    const TYPE_NAME: &'static str = "string";

    fn set(&self, text: Option<&[u8]>) -> Result<(), ParamError> {
        let text = param::parse_string(text, N)?;
        let mut value = self.0.lock();
        value.0[..text.len()].copy_from_slice(text);
        value.1 = text.len();
        Ok(())
    }

    fn get(&self, out: &mut dyn Write) -> fmt::Result {
        self.with(|value| write!(out, "{}", Lossy(value)))
    }
}

/// What a [`ParamArray`] may hold.
pub trait Element: for<'a> param::FromParam<'a> + fmt::Display + Copy + Send + 'static {
    /// The array's type, for people.
    const TYPE_NAME: &'static str;
}

impl Element for bool {
    const TYPE_NAME: &'static str = "array of bool";
}

/// Between one and `N` values with commas between them: Linux's `module_param_array`.
#[derive(Debug)]
pub struct ParamArray<T, const N: usize> {
    least: usize,
    values: SpinLock<([T; N], usize)>,
}

impl<T: Element, const N: usize> ParamArray<T, N> {
    /// A parameter that holds `values`, the first `count` of which are given so far; the text must have `least` at the least.
    #[must_use]
    pub const fn new(values: [T; N], count: usize, least: usize) -> Self {
        assert!(count <= N && least <= N, "the array has no room for so many values");
        Self {
            least,
            values: SpinLock::new((values, count)),
        }
    }

    /// Calls `f` with the values that are given. They cannot change meanwhile.
    pub fn with<R>(&self, f: impl FnOnce(&[T]) -> R) -> R {
        let values = self.values.lock();
        f(&values.0[..values.1])
    }
}

impl<T: Element, const N: usize> ParamValue for ParamArray<T, N> {
    const TYPE_NAME: &'static str = T::TYPE_NAME;

    fn set(&self, text: Option<&[u8]>) -> Result<(), ParamError> {
        let mut values = self.values.lock();
        values.1 = param::parse_array(text, self.least, &mut values.0)?;
        Ok(())
    }

    fn get(&self, out: &mut dyn Write) -> fmt::Result {
        self.with(|values| {
            values
                .iter()
                .enumerate()
                .try_for_each(|(index, value)| write!(out, "{}{value}", if index == 0 { "" } else { "," }))
        })
    }
}
