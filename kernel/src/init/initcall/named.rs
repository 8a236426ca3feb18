//! What the command line asks of single initcalls, by name: `initcall_blacklist=`, `initcall_fail=`, `initcall_stop_after=`.
//!
//! A name is a function's identifier or its full path.

use super::initcalls;
use crate::init::info::EntryInfo;
use crate::locking::SpinLock;
use crate::prelude::*;

/// How many requests are kept: an early option has no allocator to rely on.
const MOST: usize = 32;

/// What is asked of an initcall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// Not to be called.
    Blacklist,
    /// Not to be called, as if it had come back with the error.
    Fail(Errno),
    /// To be the last that is called.
    StopAfter,
}

impl Request {
    /// The option that asks for it.
    const fn option(self) -> &'static str {
        match self {
            Self::Blacklist => "initcall_blacklist",
            Self::Fail(_) => "initcall_fail",
            Self::StopAfter => "initcall_stop_after",
        }
    }
}

static REQUESTS: SpinLock<[Option<(&str, Request)>; MOST]> = SpinLock::new([None; MOST]);

/// `initcall_blacklist=NAME[,NAME…]`: initcalls that are not to run.
#[init]
#[early_param("initcall_blacklist")]
fn initcall_blacklist(list: Option<&'static str>) -> Result<(), Errno> {
    for name in names(list)? {
        pr_debug!("blacklisting initcall {name}");
        ask(name, Request::Blacklist);
    }
    Ok(())
}

/// `initcall_fail=NAME[:errno][,…]`: initcalls that are to fail, with `EIO` if no error is given.
#[init]
#[cfg_attr(CONFIG_INITCALL_FAIL, early_param("initcall_fail"))]
fn initcall_fail(list: Option<&'static str>) -> Result<(), Errno> {
    for word in names(list)? {
        match parse_failure(word) {
            Ok((name, error)) => ask(name, Request::Fail(error)),
            Err(text) => {
                pr_err!("initcall_fail: `{text}' in `{word}' is no error: must be a name such as ENODEV or a number from 1 to 4095")
            }
        }
    }
    Ok(())
}

/// `initcall_stop_after=NAME`: no further initcall runs behind this one.
#[init]
#[early_param("initcall_stop_after")]
fn initcall_stop_after(name: Option<&'static str>) -> Result<(), Errno> {
    let name = name.filter(|name| !name.is_empty()).ok_or(Errno::EINVAL)?;
    ask(name, Request::StopAfter);
    Ok(())
}

/// The names in a list with commas; an empty list is an error.
#[init]
fn names(list: Option<&'static str>) -> Result<impl Iterator<Item = &'static str>, Errno> {
    let list = list.filter(|list| !list.is_empty()).ok_or(Errno::EINVAL)?;
    Ok(list.split(',').filter(|name| !name.is_empty()))
}

/// A name and its error; a path has colons, too, but two at a time. What cannot be an error comes back as it is.
#[init]
fn parse_failure(word: &'static str) -> Result<(&'static str, Errno), &'static str> {
    match word.rsplit_once(':') {
        Some((name, error)) if !name.ends_with(':') => error.parse().map(|error| (name, error)).map_err(|_| error),
        _ => Ok((word, Errno::EIO)),
    }
}

#[init]
fn ask(name: &'static str, request: Request) {
    if let Some(free) = REQUESTS.lock().iter_mut().find(|slot| slot.is_none()) {
        *free = Some((name, request));
        super::look_at_each();
    } else {
        pr_err!("{}: more than {MOST} initcalls are named, {name} ignored", request.option());
    }
}

/// Whether `request` is made of the initcall.
#[init]
pub(super) fn asks(info: &EntryInfo, request: Request) -> bool {
    requests_of(info, |asked| (asked == request).then_some(())).is_some()
}

/// Whether one of them is to be the last.
#[cfg(CONFIG_INITCALL_PARALLEL)]
#[init]
pub(super) fn one_is_the_last() -> bool {
    REQUESTS.lock().iter().flatten().any(|(_, request)| *request == Request::StopAfter)
}

/// The error that the initcall is to fail with, if it is to.
#[init]
pub(super) fn failure(info: &EntryInfo) -> Option<Errno> {
    requests_of(info, |asked| match asked {
        Request::Fail(error) => Some(error),
        Request::Blacklist | Request::StopAfter => None,
    })
}

/// The first request of the initcall that `wanted` makes something of.
fn requests_of<T>(info: &EntryInfo, wanted: impl Fn(Request) -> Option<T>) -> Option<T> {
    let requests = REQUESTS.lock();
    let mut of_this = requests.iter().flatten().filter(|(name, _)| info.is_called(name));
    of_this.find_map(|(_, request)| wanted(*request))
}

/// Names those asked for that no initcall has.
#[init]
pub(in crate::init) fn report_unknown_names() {
    if !crate::printk::ENABLED {
        return;
    }
    for (name, request) in REQUESTS.lock().iter().flatten() {
        if !initcalls().any(|info| info.is_called(name)) {
            pr_warn!("{}: there is no initcall {name}", request.option());
        }
    }
}

mod tests {
    use super::*;

    #[ktest]
    fn a_failure_has_a_name_and_an_error() {
        for (word, name, error) in [
            ("pci_init", "pci_init", Errno::EIO),
            ("pci_init:ENODEV", "pci_init", Errno::ENODEV),
            ("pci_init:12", "pci_init", Errno::ENOMEM),
            ("pci_init:-12", "pci_init", Errno::ENOMEM),
            ("a::pci::pci_init", "a::pci::pci_init", Errno::EIO),
            ("a::pci::pci_init:5", "a::pci::pci_init", Errno::EIO),
        ] {
            assert_eq!(parse_failure(word), Ok((name, error)), "{word}");
        }
    }

    #[ktest]
    fn what_is_no_error_is_named() {
        for (word, text) in [("a:", ""), ("a:EWHAT", "EWHAT"), ("a:0", "0"), ("a:4096", "4096"), ("a::b:x", "x")] {
            assert_eq!(parse_failure(word), Err(text), "{word}");
        }
    }
}
