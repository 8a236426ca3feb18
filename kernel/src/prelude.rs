//! What a subsystem needs: `use incipit::prelude::*;`.

pub use incipit_lib::errno::Errno;
pub use incipit_macros::{
    capability, cpu_state, early_param, earlycon, exception_entry, init, init_ref, initcall, initdata, ktest, obsolete_setup, param,
    percpu, setup, softirq, stage,
};

pub use crate::init::InitMemory;
pub use crate::init::param::{Bint, ByteString, Charp, InvBool, ParamArray, ParamError, ParamValue};
pub use crate::init::setup::SetupResult;
pub use crate::printk::Level;
pub use crate::{
    pr_alert, pr_cont, pr_crit, pr_debug, pr_debug_ratelimited, pr_emerg, pr_emerg_ratelimited, pr_err, pr_err_once, pr_err_ratelimited,
    pr_info, pr_info_once, pr_info_ratelimited, pr_notice, pr_notice_once, pr_notice_ratelimited, pr_warn, pr_warn_once,
    pr_warn_ratelimited, printk, warn, warn_on, warn_on_once, warn_once,
};
