//! Data structures and parsers of the kernel that need no hardware.
//!
//! Everything here works on plain values and borrowed slices: no allocation, no globals, no
//! `unsafe`, no knowledge of the processor. That is what lets each room be tested and fuzzed on the
//! host, against models that are too slow or too simple to boot with. Code that touches memory,
//! ports or locks lives in the kernel crate and calls in here.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "std"))]
extern crate std;

pub mod acpi;
pub mod atomic;
pub mod bootparam;
pub mod buddy;
pub mod checksum;
pub mod clocksource;
pub mod cmdline;
pub mod cmos;
pub mod cpufeature;
pub mod crashkernel;
pub mod debugobjects;
pub mod deferred;
pub mod dmi;
pub mod e820;
pub mod edd;
pub mod efi;
pub mod errno;
pub mod fault_attr;
pub mod gfp;
pub mod glob;
pub mod hash;
pub mod ida;
pub mod idr;
pub mod init_args;
pub mod initrd;
pub mod interval_tree;
pub mod kallsyms;
pub mod large_hash;
pub mod llist;
pub mod mem_range;
pub mod memblock;
pub mod mempolicy;
pub mod mptable;
pub mod mtrr;
pub mod nmi_ring;
pub mod ntp;
pub mod numa;
pub mod order;
pub mod page;
pub mod param;
pub mod pcp;
pub mod percpu;
pub mod poison;
pub mod psf;
pub mod pvclock;
pub mod qspinlock;
pub mod ratelimit;
pub mod rbtree;
pub mod resource;
pub mod ring;
pub mod rom;
pub mod seqcount;
pub mod slub;
pub mod sparse;
pub mod text;
pub mod time;
pub mod timekeeping;
pub mod timer_wheel;
pub mod timerqueue;
pub mod tsc;
pub mod video;
pub mod vmap;
pub mod vt;
pub mod walk;
pub mod watermark;
pub mod wire;
pub mod xarray;
pub mod zone;
pub mod zone_limits;
pub mod zonelist;
