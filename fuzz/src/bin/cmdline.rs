//! Command lines: words, values of every type, look-ups, suggestions, and what is left for init.

#![no_main]

use incipit_lib::cmdline::{self, Args, Tokens, lookup};
use incipit_lib::crashkernel::{self, Request};
use incipit_lib::e820::UserRange;
use incipit_lib::errno::Errno;
use incipit_lib::init_args::InitArgs;
use incipit_lib::slub::geometry::SlabFlags;
use incipit_lib::slub::options::DebugOptions;
use incipit_lib::param::{self, FromParam, ParamError};
use libfuzzer_sys::fuzz_target;

/// A table of names as the build sorts them.
const NAMES: [&[u8]; 12] = [
    b"console",
    b"console=",
    b"debug",
    b"init=",
    b"initcall_debug",
    b"log_buf_len",
    b"loglevel",
    b"loglevel=",
    b"mem",
    b"memmap",
    b"quiet",
    b"ro",
];

/// A report or a detail must be a single line, whatever the bytes were.
fn report(error: ParamError, name: &[u8], value: Option<&[u8]>) {
    assert_ne!(error.report("Booting kernel", name, value).to_string(), "");
    if let Some(detail) = error.detail(name) {
        assert_ne!(detail.to_string(), "");
    }
    assert_eq!(ParamError::from(Errno::from(error)).errno(), error.errno());
}

/// Whatever it says, only checks come of it, and a letter is named only if it is there.
fn slub_debug(value: &[u8]) {
    let Ok(value) = core::str::from_utf8(value) else { return };
    let options = DebugOptions {
        value: Some(value),
        default: SlabFlags::empty(),
    };
    let checks = SlabFlags::DEBUG | SlabFlags::FAILSLAB;
    assert!(["kmalloc-64", "", value].iter().all(|cache| checks.contains(options.flags_for(cache))));
    assert!(options.unknown().all(|letter| value.contains(letter)));
}

fn read<'a, T: FromParam<'a>>(name: &[u8], value: Option<&'a [u8]>) -> Option<T> {
    match T::from_param(value) {
        Ok(read) => Some(read),
        Err(error) => {
            report(error, name, value);
            None
        }
    }
}

fn values(name: &[u8], value: Option<&[u8]>) {
    let wide = read::<i64>(name, value);
    let narrow = read::<i16>(name, value);
    if let Some(narrow) = narrow {
        assert_eq!(wide, Some(i64::from(narrow)));
    }
    let unsigned = read::<u64>(name, value);
    if let (Some(byte), Some(unsigned)) = (read::<u8>(name, value), unsigned) {
        assert_eq!(u64::from(byte), unsigned);
    }
    assert_eq!(read::<bool>(name, value).map(i32::from), param::parse_bint(value).ok());
    read::<&str>(name, value);
    read::<&[u8]>(name, value);

    let mut list = [7_u16; 4];
    match param::parse_array(value, 2, &mut list) {
        Ok(count) => assert!((2..=4).contains(&count)),
        Err(error) => {
            assert_eq!(list, [7; 4]);
            report(error, name, value);
        }
    }
    if let Some(value) = value {
        let _ = UserRange::parse_mem(value);
        assert!(UserRange::parse_memmap(value).count() <= value.len() + 1);
        if let Ok((_, rest)) = param::memparse(value) {
            assert!(value.ends_with(rest) && rest.len() < value.len());
        }
    }
}

fn names(text: &[u8]) {
    let name_at = |at: usize| NAMES[at];
    for at in lookup::find_exact(NAMES.len(), name_at, text) {
        assert!(cmdline::parameq(NAMES[at], text));
    }
    let found = lookup::find_prefixes(NAMES.len(), name_at, text).flatten().count();
    let scanned = NAMES.iter().filter(|name| cmdline::parameqn(name, text, name.len())).count();
    assert_eq!(found, scanned);
    if let Some(suggestion) = cmdline::suggest(text, NAMES) {
        assert!(!cmdline::parameq(suggestion, text));
        assert!(suggestion.len().abs_diff(text.len()) <= 2);
    }
}

/// A list of ranges asks for less than there is, an error is at a place in the value.
fn crash_kernel(value: &[u8]) {
    const MEMORY: u64 = 1 << 30;
    match crashkernel::parse(value, MEMORY) {
        Ok(Request::Anywhere { size, .. }) => assert!(!value.contains(&b':') || size < MEMORY),
        Ok(Request::High(_)) => assert!(value.ends_with(b",high")),
        Ok(Request::Low(_)) => assert!(value.ends_with(b",low")),
        Err(error) => assert!(error.offset <= value.len() && !error.to_string().is_empty()),
    }
}

fuzz_target!(|line: &[u8]| {
    let mut copy = line.to_vec();
    let mut args = Args::new(&mut copy);
    let mut init = InitArgs::new();
    let mut tokens = Tokens::new(line);
    loop {
        let (arg, token) = (args.next(), tokens.next());
        assert_eq!(arg.map(|arg| arg.token()), token);
        let (Some(arg), Some(token)) = (arg, token) else {
            break;
        };
        if token.ends_kernel_part() {
            break;
        }
        names(token.param);
        names(arg.text());
        values(token.param, token.value);
        crash_kernel(token.value.unwrap_or(token.param));
        slub_debug(token.value.unwrap_or(token.param));
        match token.value {
            Some(_) => init.add_variable(arg.text()),
            None => init.add_argument(arg.text()),
        }
    }
    assert_eq!(args.into_rest(), tokens.rest());
    if let Some(unknown) = init.unknown() {
        assert!(unknown.to_string().len() <= 3 * line.len());
    }
    if let Some(overflow) = init.overflow() {
        assert!(overflow.to_string().starts_with("Too many boot "));
    }
});
