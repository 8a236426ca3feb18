//! The macros that write to the log: Linux's `pr_info` and its family.
//!
//! Each takes a format string and arguments as `format_args!` does, no newline at the end, and may be used in any context: nothing is allocated, nothing
//! sleeps, and arguments are formatted before any lock is taken, so that a `Display` that logs something itself is no deadlock.

/// Writes a line to the kernel log at the level that its first argument names (a [`Level`](crate::printk::Level)).
#[macro_export]
macro_rules! printk {
    ($level:expr, $($text:tt)+) => {
        if $crate::printk::ENABLED {
            $crate::printk::vprintk($level, ::core::format_args!($($text)+))
        }
    };
}

/// Writes the beginning of a line at the level that its first argument names; [`pr_cont!`](crate::pr_cont) writes the rest.
///
/// The line is shown once it is complete: when a `pr_cont!` ends with a newline, or something else is logged.
#[macro_export]
macro_rules! pr_begin {
    ($level:expr, $($text:tt)+) => {
        if $crate::printk::ENABLED {
            $crate::printk::vprintk_begin($level, ::core::format_args!($($text)+))
        }
    };
}

/// Continues the line that this caller began with [`pr_begin!`](crate::pr_begin); text that ends with a newline completes it.
///
/// If another caller's message came in between, the text becomes a line of its own.
#[macro_export]
macro_rules! pr_cont {
    ($($text:tt)+) => {
        if $crate::printk::ENABLED {
            $crate::printk::vprintk_cont(::core::format_args!($($text)+))
        }
    };
}

/// The name of the function around it, for messages.
#[doc(hidden)]
#[macro_export]
macro_rules! __function_name {
    () => {{
        fn here() {}
        $crate::printk::enclosing_function(::core::any::type_name_of_val(&here))
    }};
}

/// Writes a line to the kernel log, but only the first time that this place is reached.
#[macro_export]
macro_rules! printk_once {
    ($level:expr, $($text:tt)+) => {{
        static REACHED: ::core::sync::atomic::AtomicBool = ::core::sync::atomic::AtomicBool::new(false);
        if !REACHED.swap(true, ::core::sync::atomic::Ordering::Relaxed) {
            $crate::printk!($level, $($text)+);
        }
    }};
}

/// Writes a line to the kernel log, but at most ten in five seconds from this place; says how many were left out.
#[macro_export]
macro_rules! printk_ratelimited {
    ($level:expr, $($text:tt)+) => {{
        static LIMIT: $crate::printk::RateLimit = $crate::printk::RateLimit::new();
        if LIMIT.allows($crate::__function_name!()) {
            $crate::printk!($level, $($text)+);
        }
    }};
}

/// Logs that the system is unusable.
#[macro_export]
macro_rules! pr_emerg {
    ($($text:tt)+) => { $crate::printk!($crate::printk::Level::Emerg, $($text)+) };
}

/// Logs what must be acted on at once.
#[macro_export]
macro_rules! pr_alert {
    ($($text:tt)+) => { $crate::printk!($crate::printk::Level::Alert, $($text)+) };
}

/// Logs a critical condition.
#[macro_export]
macro_rules! pr_crit {
    ($($text:tt)+) => { $crate::printk!($crate::printk::Level::Crit, $($text)+) };
}

/// Logs an error.
#[macro_export]
macro_rules! pr_err {
    ($($text:tt)+) => { $crate::printk!($crate::printk::Level::Err, $($text)+) };
}

/// Logs a warning.
#[macro_export]
macro_rules! pr_warn {
    ($($text:tt)+) => { $crate::printk!($crate::printk::Level::Warning, $($text)+) };
}

/// Logs something normal that is worth a note.
#[macro_export]
macro_rules! pr_notice {
    ($($text:tt)+) => { $crate::printk!($crate::printk::Level::Notice, $($text)+) };
}

/// Logs information.
#[macro_export]
macro_rules! pr_info {
    ($($text:tt)+) => { $crate::printk!($crate::printk::Level::Info, $($text)+) };
}

/// Logs what helps to find a fault; not shown on consoles unless `debug` or `loglevel=8` asks for it.
#[macro_export]
macro_rules! pr_debug {
    ($($text:tt)+) => { $crate::printk!($crate::printk::Level::Debug, $($text)+) };
}

/// As [`pr_emerg!`](crate::pr_emerg), but only once per boot.
#[macro_export]
macro_rules! pr_emerg_once {
    ($($text:tt)+) => { $crate::printk_once!($crate::printk::Level::Emerg, $($text)+) };
}

/// As [`pr_alert!`](crate::pr_alert), but only once per boot.
#[macro_export]
macro_rules! pr_alert_once {
    ($($text:tt)+) => { $crate::printk_once!($crate::printk::Level::Alert, $($text)+) };
}

/// As [`pr_crit!`](crate::pr_crit), but only once per boot.
#[macro_export]
macro_rules! pr_crit_once {
    ($($text:tt)+) => { $crate::printk_once!($crate::printk::Level::Crit, $($text)+) };
}

/// As [`pr_err!`](crate::pr_err), but only once per boot.
#[macro_export]
macro_rules! pr_err_once {
    ($($text:tt)+) => { $crate::printk_once!($crate::printk::Level::Err, $($text)+) };
}

/// As [`pr_warn!`](crate::pr_warn), but only once per boot.
#[macro_export]
macro_rules! pr_warn_once {
    ($($text:tt)+) => { $crate::printk_once!($crate::printk::Level::Warning, $($text)+) };
}

/// As [`pr_notice!`](crate::pr_notice), but only once per boot.
#[macro_export]
macro_rules! pr_notice_once {
    ($($text:tt)+) => { $crate::printk_once!($crate::printk::Level::Notice, $($text)+) };
}

/// As [`pr_info!`](crate::pr_info), but only once per boot.
#[macro_export]
macro_rules! pr_info_once {
    ($($text:tt)+) => { $crate::printk_once!($crate::printk::Level::Info, $($text)+) };
}

/// As [`pr_debug!`](crate::pr_debug), but only once per boot.
#[macro_export]
macro_rules! pr_debug_once {
    ($($text:tt)+) => { $crate::printk_once!($crate::printk::Level::Debug, $($text)+) };
}

/// As [`pr_emerg!`](crate::pr_emerg), but at most ten times in five seconds.
#[macro_export]
macro_rules! pr_emerg_ratelimited {
    ($($text:tt)+) => { $crate::printk_ratelimited!($crate::printk::Level::Emerg, $($text)+) };
}

/// As [`pr_alert!`](crate::pr_alert), but at most ten times in five seconds.
#[macro_export]
macro_rules! pr_alert_ratelimited {
    ($($text:tt)+) => { $crate::printk_ratelimited!($crate::printk::Level::Alert, $($text)+) };
}

/// As [`pr_crit!`](crate::pr_crit), but at most ten times in five seconds.
#[macro_export]
macro_rules! pr_crit_ratelimited {
    ($($text:tt)+) => { $crate::printk_ratelimited!($crate::printk::Level::Crit, $($text)+) };
}

/// As [`pr_err!`](crate::pr_err), but at most ten times in five seconds.
#[macro_export]
macro_rules! pr_err_ratelimited {
    ($($text:tt)+) => { $crate::printk_ratelimited!($crate::printk::Level::Err, $($text)+) };
}

/// As [`pr_warn!`](crate::pr_warn), but at most ten times in five seconds.
#[macro_export]
macro_rules! pr_warn_ratelimited {
    ($($text:tt)+) => { $crate::printk_ratelimited!($crate::printk::Level::Warning, $($text)+) };
}

/// As [`pr_notice!`](crate::pr_notice), but at most ten times in five seconds.
#[macro_export]
macro_rules! pr_notice_ratelimited {
    ($($text:tt)+) => { $crate::printk_ratelimited!($crate::printk::Level::Notice, $($text)+) };
}

/// As [`pr_info!`](crate::pr_info), but at most ten times in five seconds.
#[macro_export]
macro_rules! pr_info_ratelimited {
    ($($text:tt)+) => { $crate::printk_ratelimited!($crate::printk::Level::Info, $($text)+) };
}

/// As [`pr_debug!`](crate::pr_debug), but at most ten times in five seconds.
#[macro_export]
macro_rules! pr_debug_ratelimited {
    ($($text:tt)+) => { $crate::printk_ratelimited!($crate::printk::Level::Debug, $($text)+) };
}
