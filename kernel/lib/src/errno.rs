//! Error numbers, as Linux numbers and names them on x86-64.
//!
//! [`Errno`] is the error type of everything in the kernel: a function returns
//! `Result<T, Errno>`, never a negative integer. The negative form exists only where a value leaves
//! the kernel (a system call's return register, an `initcall … returned -22` line).
//! The numbers are ABI: `include/uapi/asm-generic/errno.h` and, from 512, `include/linux/errno.h`.

use core::fmt;
use core::num::NonZeroI32;
use core::str::FromStr;

/// An error number: positive, at most [`Errno::MAX`]. `Option<Errno>` is as small as an `i32`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Errno(NonZeroI32);

macro_rules! errnos {
    ($($name:ident = $code:literal, $text:literal;)*) => {
        /// The numbers, by name.
        impl Errno {
            $(
                #[doc = $text]
                pub const $name: Errno = Errno(NonZeroI32::new($code).expect("an errno is not 0"));
            )*
        }

        /// Every named error, by number.
        const NAMES: &[(Errno, &str, &str)] = &[
            $((Errno::$name, stringify!($name), $text),)*
        ];
    };
}

errnos! {
    EPERM = 1, "Operation not permitted.";
    ENOENT = 2, "No such file or directory.";
    ESRCH = 3, "No such process.";
    EINTR = 4, "Interrupted system call.";
    EIO = 5, "Input/output error.";
    ENXIO = 6, "No such device or address.";
    E2BIG = 7, "Argument list too long.";
    ENOEXEC = 8, "Exec format error.";
    EBADF = 9, "Bad file descriptor.";
    ECHILD = 10, "No child processes.";
    EAGAIN = 11, "Resource temporarily unavailable.";
    ENOMEM = 12, "Out of memory.";
    EACCES = 13, "Permission denied.";
    EFAULT = 14, "Bad address.";
    ENOTBLK = 15, "Block device required.";
    EBUSY = 16, "Device or resource busy.";
    EEXIST = 17, "File exists.";
    EXDEV = 18, "Cross-device link.";
    ENODEV = 19, "No such device.";
    ENOTDIR = 20, "Not a directory.";
    EISDIR = 21, "Is a directory.";
    EINVAL = 22, "Invalid argument.";
    ENFILE = 23, "Too many open files in the system.";
    EMFILE = 24, "Too many open files.";
    ENOTTY = 25, "Not a terminal.";
    ETXTBSY = 26, "Text file busy.";
    EFBIG = 27, "File too large.";
    ENOSPC = 28, "No space left.";
    ESPIPE = 29, "Illegal seek.";
    EROFS = 30, "Read-only file system.";
    EMLINK = 31, "Too many links.";
    EPIPE = 32, "Broken pipe.";
    EDOM = 33, "Argument outside the domain of a function.";
    ERANGE = 34, "Result not representable.";
    EDEADLK = 35, "Resource deadlock would occur.";
    ENAMETOOLONG = 36, "File name too long.";
    ENOLCK = 37, "No record locks available.";
    ENOSYS = 38, "No such system call.";
    ENOTEMPTY = 39, "Directory not empty.";
    ELOOP = 40, "Too many symbolic links.";
    ENOMSG = 42, "No message of the desired type.";
    EIDRM = 43, "Identifier removed.";
    ECHRNG = 44, "Channel number out of range.";
    EL2NSYNC = 45, "Level 2 not synchronized.";
    EL3HLT = 46, "Level 3 halted.";
    EL3RST = 47, "Level 3 reset.";
    ELNRNG = 48, "Link number out of range.";
    EUNATCH = 49, "Protocol driver not attached.";
    ENOCSI = 50, "No CSI structure available.";
    EL2HLT = 51, "Level 2 halted.";
    EBADE = 52, "Invalid exchange.";
    EBADR = 53, "Invalid request descriptor.";
    EXFULL = 54, "Exchange full.";
    ENOANO = 55, "No anode.";
    EBADRQC = 56, "Invalid request code.";
    EBADSLT = 57, "Invalid slot.";
    EBFONT = 59, "Bad font file format.";
    ENOSTR = 60, "Device not a stream.";
    ENODATA = 61, "No data available.";
    ETIME = 62, "Timer expired.";
    ENOSR = 63, "Out of streams resources.";
    ENONET = 64, "Machine is not on the network.";
    ENOPKG = 65, "Package not installed.";
    EREMOTE = 66, "Object is remote.";
    ENOLINK = 67, "Link has been severed.";
    EADV = 68, "Advertise error.";
    ESRMNT = 69, "Srmount error.";
    ECOMM = 70, "Communication error on send.";
    EPROTO = 71, "Protocol error.";
    EMULTIHOP = 72, "Multihop attempted.";
    EDOTDOT = 73, "RFS specific error.";
    EBADMSG = 74, "Bad message.";
    EOVERFLOW = 75, "Value too large for the data type.";
    ENOTUNIQ = 76, "Name not unique on the network.";
    EBADFD = 77, "File descriptor in a bad state.";
    EREMCHG = 78, "Remote address changed.";
    ELIBACC = 79, "Cannot access a needed shared library.";
    ELIBBAD = 80, "Accessing a corrupted shared library.";
    ELIBSCN = 81, ".lib section corrupted.";
    ELIBMAX = 82, "Too many shared libraries.";
    ELIBEXEC = 83, "Cannot execute a shared library.";
    EILSEQ = 84, "Illegal byte sequence.";
    ERESTART = 85, "Interrupted system call should be restarted.";
    ESTRPIPE = 86, "Streams pipe error.";
    EUSERS = 87, "Too many users.";
    ENOTSOCK = 88, "Not a socket.";
    EDESTADDRREQ = 89, "Destination address required.";
    EMSGSIZE = 90, "Message too long.";
    EPROTOTYPE = 91, "Protocol of the wrong type for the socket.";
    ENOPROTOOPT = 92, "Protocol not available.";
    EPROTONOSUPPORT = 93, "Protocol not supported.";
    ESOCKTNOSUPPORT = 94, "Socket type not supported.";
    EOPNOTSUPP = 95, "Operation not supported.";
    EPFNOSUPPORT = 96, "Protocol family not supported.";
    EAFNOSUPPORT = 97, "Address family not supported.";
    EADDRINUSE = 98, "Address already in use.";
    EADDRNOTAVAIL = 99, "Cannot assign the requested address.";
    ENETDOWN = 100, "Network is down.";
    ENETUNREACH = 101, "Network is unreachable.";
    ENETRESET = 102, "Connection dropped by network reset.";
    ECONNABORTED = 103, "Connection aborted by software.";
    ECONNRESET = 104, "Connection reset by peer.";
    ENOBUFS = 105, "No buffer space available.";
    EISCONN = 106, "Already connected.";
    ENOTCONN = 107, "Not connected.";
    ESHUTDOWN = 108, "Cannot send after shutdown.";
    ETOOMANYREFS = 109, "Too many references.";
    ETIMEDOUT = 110, "Timed out.";
    ECONNREFUSED = 111, "Connection refused.";
    EHOSTDOWN = 112, "Host is down.";
    EHOSTUNREACH = 113, "No route to host.";
    EALREADY = 114, "Operation already in progress.";
    EINPROGRESS = 115, "Operation now in progress.";
    ESTALE = 116, "Stale file handle.";
    EUCLEAN = 117, "Structure needs cleaning.";
    ENOTNAM = 118, "Not a XENIX named type file.";
    ENAVAIL = 119, "No XENIX semaphores available.";
    EISNAM = 120, "Is a named type file.";
    EREMOTEIO = 121, "Remote input/output error.";
    EDQUOT = 122, "Quota exceeded.";
    ENOMEDIUM = 123, "No medium found.";
    EMEDIUMTYPE = 124, "Wrong medium type.";
    ECANCELED = 125, "Operation canceled.";
    ENOKEY = 126, "Required key not available.";
    EKEYEXPIRED = 127, "Key has expired.";
    EKEYREVOKED = 128, "Key has been revoked.";
    EKEYREJECTED = 129, "Key was rejected by the service.";
    EOWNERDEAD = 130, "Owner died.";
    ENOTRECOVERABLE = 131, "State not recoverable.";
    ERFKILL = 132, "Operation not possible because of the radio kill switch.";
    EHWPOISON = 133, "Memory page has a hardware error.";
    ERESTARTSYS = 512, "Restart the system call if the signal handler allows it.";
    ERESTARTNOINTR = 513, "Restart the system call always.";
    ERESTARTNOHAND = 514, "Restart the system call if there is no handler.";
    ENOIOCTLCMD = 515, "No such ioctl command.";
    ERESTART_RESTARTBLOCK = 516, "Restart by calling `restart_syscall`.";
    EPROBE_DEFER = 517, "The driver requests that the probe be retried later.";
    EOPENSTALE = 518, "Open found a stale directory entry.";
    ENOPARAM = 519, "Parameter not supported.";
    EBADHANDLE = 521, "Illegal NFS file handle.";
    ENOTSYNC = 522, "Update synchronization mismatch.";
    EBADCOOKIE = 523, "Cookie is stale.";
    ENOTSUPP = 524, "Operation is not supported inside the kernel.";
    ETOOSMALL = 525, "Buffer or request is too small.";
    ESERVERFAULT = 526, "An untranslatable error occurred.";
    EBADTYPE = 527, "Type not supported by the server.";
    EJUKEBOX = 528, "The request was begun but will not complete before the timeout.";
    EIOCBQUEUED = 529, "The request was queued and its completion will be reported.";
    ERECALLCONFLICT = 530, "Conflict with a recalled state.";
}

impl Errno {
    /// The largest error number: the last page of addresses is what an error pointer or a system
    /// call's return value may use (Linux's `MAX_ERRNO`).
    pub const MAX: i32 = 4095;

    /// Linux's second name for [`Errno::EAGAIN`].
    pub const EWOULDBLOCK: Errno = Errno::EAGAIN;

    /// Linux's second name for [`Errno::EDEADLK`].
    pub const EDEADLOCK: Errno = Errno::EDEADLK;

    /// The error with this positive number; `None` outside `1..=MAX`. The number need not have a
    /// name.
    pub const fn from_code(code: i32) -> Option<Errno> {
        if code > Self::MAX || code < 1 {
            return None;
        }
        match NonZeroI32::new(code) {
            Some(code) => Some(Errno(code)),
            None => None,
        }
    }

    /// The positive number.
    pub const fn code(self) -> i32 {
        self.0.get()
    }

    /// The form in which an error leaves the kernel: `-22` for `EINVAL`.
    pub const fn to_ret(self) -> isize {
        -(self.0.get() as isize)
    }

    /// Splits a return value: `-4095..=-1` is an error, everything else a result.
    ///
    /// # Errors
    ///
    /// The error that the value carries.
    pub const fn from_ret(ret: isize) -> Result<usize, Errno> {
        if ret >= 0 || ret < -(Self::MAX as isize) {
            return Ok(ret as usize);
        }
        match Self::from_code(-ret as i32) {
            Some(errno) => Err(errno),
            None => Ok(ret as usize),
        }
    }

    /// The symbolic name, such as `EINVAL`; `None` for a number without one.
    pub fn name(self) -> Option<&'static str> {
        self.entry().map(|entry| entry.1)
    }

    /// A short description, such as `Invalid argument.`; `None` for a number without one.
    pub fn description(self) -> Option<&'static str> {
        self.entry().map(|entry| entry.2)
    }

    fn entry(self) -> Option<&'static (Errno, &'static str, &'static str)> {
        let at = NAMES.binary_search_by_key(&self, |entry| entry.0).ok()?;
        NAMES.get(at)
    }
}

/// The name, or the bare number when there is none.
impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => fmt::Display::fmt(&self.code(), f),
        }
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name}({})", self.code()),
            None => write!(f, "Errno({})", self.code()),
        }
    }
}

impl core::error::Error for Errno {}

/// The text is neither an error's name nor a number in `1..=4095`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownErrno;

impl fmt::Display for UnknownErrno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an error name such as EINVAL, nor a number from 1 to 4095")
    }
}

impl core::error::Error for UnknownErrno {}

/// Parses a name (`EINVAL`, upper case as Linux writes it) or a decimal number; either may carry
/// the `-` of a return value.
impl FromStr for Errno {
    type Err = UnknownErrno;

    fn from_str(text: &str) -> Result<Errno, UnknownErrno> {
        let text = text.strip_prefix('-').unwrap_or(text);
        match text {
            "EWOULDBLOCK" => return Ok(Errno::EWOULDBLOCK),
            "EDEADLOCK" => return Ok(Errno::EDEADLOCK),
            _ => {}
        }
        if let Some(entry) = NAMES.iter().find(|entry| entry.1 == text) {
            return Ok(entry.0);
        }
        // The standard parser would also take a sign of its own.
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(UnknownErrno);
        }
        text.parse().ok().and_then(Errno::from_code).ok_or(UnknownErrno)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{format, string::ToString};

    #[test]
    fn numbers_are_those_of_the_abi() {
        for (errno, code) in [
            (Errno::EPERM, 1),
            (Errno::EAGAIN, 11),
            (Errno::EINVAL, 22),
            (Errno::ERANGE, 34),
            (Errno::ENOSYS, 38),
            (Errno::ELOOP, 40),
            (Errno::ENOMSG, 42),
            (Errno::EBADSLT, 57),
            (Errno::EBFONT, 59),
            (Errno::EOVERFLOW, 75),
            (Errno::EILSEQ, 84),
            (Errno::ETIMEDOUT, 110),
            (Errno::EHWPOISON, 133),
            (Errno::ERESTARTSYS, 512),
            (Errno::EPROBE_DEFER, 517),
            (Errno::ENOTSUPP, 524),
            (Errno::ERECALLCONFLICT, 530),
        ] {
            assert_eq!(errno.code(), code);
        }
    }

    #[test]
    fn the_table_has_every_number_from_1_to_133_but_the_two_aliases() {
        let named: std::vec::Vec<i32> = NAMES.iter().map(|entry| entry.0.code()).filter(|code| *code < 512).collect();
        let expected: std::vec::Vec<i32> = (1..=133).filter(|code| *code != 41 && *code != 58).collect();
        assert_eq!(named, expected);
    }

    #[test]
    fn the_table_is_sorted_as_the_binary_search_needs_it() {
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn an_error_shows_its_name_and_an_unnamed_one_its_number() {
        assert_eq!(Errno::EINVAL.to_string(), "EINVAL");
        assert_eq!(format!("{:<8}|", Errno::EIO), "EIO     |");
        assert_eq!(Errno::from_code(41).map(|errno| errno.to_string()).as_deref(), Some("41"));
        assert_eq!(format!("{:?}", Errno::EINVAL), "EINVAL(22)");
    }

    #[test]
    fn zero_negative_and_too_large_numbers_are_no_errors() {
        for code in [0, -1, 4096, i32::MAX, i32::MIN] {
            assert_eq!(Errno::from_code(code), None);
        }
        assert_eq!(Errno::from_code(4095).map(Errno::code), Some(4095));
    }

    #[test]
    fn a_return_value_is_an_error_only_in_the_last_page() {
        assert_eq!(Errno::EINVAL.to_ret(), -22);
        assert_eq!(Errno::from_ret(-22), Err(Errno::EINVAL));
        assert_eq!(Errno::from_ret(0), Ok(0));
        assert_eq!(Errno::from_ret(7), Ok(7));
        assert_eq!(Errno::from_ret(-4096), Ok(-4096_isize as usize));
        assert_eq!(Errno::from_ret(isize::MIN), Ok(isize::MIN as usize));
        assert!(Errno::from_ret(-4095).is_err());
    }

    #[test]
    fn every_name_and_number_parses_back() {
        for (errno, name, _) in NAMES {
            assert_eq!(name.parse(), Ok(*errno));
            assert_eq!(errno.code().to_string().parse(), Ok(*errno));
            assert_eq!(errno.to_ret().to_string().parse(), Ok(*errno));
        }
        assert_eq!("EWOULDBLOCK".parse(), Ok(Errno::EAGAIN));
    }

    #[test]
    fn other_text_does_not_parse() {
        for text in ["", "-", "einval", "EINVAL ", "0", "+5", "4096", "99999999999", "--5", "EX"] {
            assert_eq!(text.parse::<Errno>(), Err(UnknownErrno), "{text:?}");
        }
    }

    #[test]
    fn an_optional_error_needs_no_extra_space() {
        assert_eq!(size_of::<Option<Errno>>(), 4);
    }
}
