//! The mode of a parameter's file, by the rules of Linux's `VERIFY_OCTAL_PERMISSIONS`.

use std::sync::atomic::AtomicU32;

use incipit::prelude::*;

#[param(perm = 0o646)] //~ ERROR the mode 0o646 lets everybody write the parameter
static WORLD_WRITABLE: AtomicU32 = AtomicU32::new(0);

#[param(perm = 0o044)] //~ ERROR the mode 0o044 lets others read what the owner may not
static OWNER_BLIND: AtomicU32 = AtomicU32::new(0);

#[param(perm = 0o404)] //~ ERROR the mode 0o404 lets others read what the owner may not
static GROUP_BLIND: AtomicU32 = AtomicU32::new(0);

#[param(perm = 0o460)] //~ ERROR the mode 0o460 lets the group write what the owner may not
static GROUP_WRITABLE: AtomicU32 = AtomicU32::new(0);

#[param(perm = 0o1644)] //~ ERROR the mode 0o1644 is no file mode: must be at most 0o777
static TOO_MANY_BITS: AtomicU32 = AtomicU32::new(0);

#[param(perm = 420)] //~ ERROR the mode 420 is not octal: write 0o644
static DECIMAL: AtomicU32 = AtomicU32::new(0);

#[param(perm = "0644")] //~ ERROR expected integer literal
static TEXT: AtomicU32 = AtomicU32::new(0);

#[param(perm = 0o7777777)] //~ ERROR number too large
static TOO_LARGE: AtomicU32 = AtomicU32::new(0);
