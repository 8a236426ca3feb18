//! Every attribute as it is meant to be used: compiles.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU32};

use incipit::console::{Console, EarlyconDevice};
use incipit::prelude::*;

pub mod other {
    use incipit::prelude::*;

    #[initcall(device)]
    pub fn first() -> Result<(), Errno> {
        Ok(())
    }

    pub mod inner {
        use incipit::prelude::*;

        #[initcall(device, after(super::first, self::sibling))]
        pub(crate) fn second() -> Result<(), Errno> {
            Ok(())
        }

        #[initcall(device)]
        fn sibling() -> Result<(), Errno> {
            Ok(())
        }
    }
}

#[stage]
fn one() {}

#[stage(after(one, crate::three))]
fn two() {}

#[stage(after(one),)]
fn three() {}

macro_rules! levels {
    ($($level:ident)*) => {$(
        mod $level {
            use incipit::prelude::*;

            #[initcall($level)]
            fn call() -> Result<(), Errno> {
                Err(Errno::ENODEV)
            }
        }
    )*};
}

levels!(early pure core postcore arch subsys fs rootfs device late console);

#[initcall(late, sync, after(other::first, other::inner::second))]
fn last() -> Result<(), Errno> {
    Ok(())
}

fn gone(_cpu: usize) {}

#[cpu_state(prepare)]
fn cpu_prepare(_cpu: usize) -> Result<(), Errno> {
    Ok(())
}

#[cpu_state(starting, name = "right:first", teardown = gone)]
fn cpu_first(_cpu: usize) -> Result<(), Errno> {
    Ok(())
}

#[cpu_state(starting, after(cpu_first), teardown = self::gone)]
fn cpu_starting(cpu: usize) -> Result<(), Errno> {
    if cpu == 0 { Err(Errno::EBUSY) } else { Ok(()) }
}

#[early_param("right")]
fn early(value: Option<&'static str>) -> Result<(), Errno> {
    value.map(drop).ok_or(Errno::EINVAL)
}

#[setup("right=")]
fn late_option(rest: &'static str) -> SetupResult {
    if rest.is_empty() { SetupResult::NotMine } else { SetupResult::Consumed }
}

obsolete_setup!("wrong=");

#[param]
static PLAIN: AtomicBool = AtomicBool::new(false);

#[param(name = "other", module = "somewhere", perm = 0o644, level = device, dangerous)]
static FULL: AtomicU32 = AtomicU32::new(0);

#[param(perm = 0o444)]
static SMALL: AtomicU8 = AtomicU8::new(0);

#[param(module = "")]
static WIDE: AtomicI64 = AtomicI64::new(0);

#[param]
static FLAG: Bint = Bint::new(0);

#[param]
static TURNED: InvBool = InvBool::new(false);

#[param]
static TEXT: Charp = Charp::none();

#[param]
static BOUNDED: ByteString<8> = ByteString::new("");

#[param]
static LIST: ParamArray<u16, 4> = ParamArray::new([0; 4], 0, 1);

struct Colour(AtomicU8);

impl ParamValue for Colour {
    const TYPE_NAME: &'static str = "colour";

    fn set(&self, text: Option<&[u8]>) -> Result<(), ParamError> {
        let number = match text {
            Some(b"red") => 1,
            _ => return Err(ParamError::Invalid),
        };
        self.0.store(number, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }

    fn get(&self, out: &mut dyn std::fmt::Write) -> std::fmt::Result {
        out.write_str("red")
    }
}

/// Something that others need.
#[capability]
pub struct PciBus;

#[capability(exclusive)]
pub struct Clock;

#[stage(provides(Clock), wants(PciBus))]
fn clock_stage() {}

#[initcall(core, provides(PciBus), on_error(skip_dependents))]
fn bus() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, requires(PciBus, Clock), wants(self::PciBus), after(bus), before(bound, self::bound), on_error(ignore))]
fn related() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, on_error(panic), after(bus), after(related))]
fn bound() -> Result<(), Errno> {
    Ok(())
}

#[param]
static COLOUR: Colour = Colour(AtomicU8::new(0));

#[percpu]
static COUNT: AtomicU32 = AtomicU32::new(0);

#[percpu(read_mostly)]
static RARE: AtomicU32 = AtomicU32::new(0);

#[repr(align(4096))]
struct Page([u8; 4096]);

#[percpu(page_aligned)]
static PAGE: Page = Page([0; 4096]);

#[init]
fn once() {}

#[init]
#[inline]
fn often() {}

#[init_ref("calls once() while it is there")]
pub fn later(first: bool) {
    if first {
        once();
        often();
    }
}

struct Later;

impl Later {
    #[init_ref("calls once() while it is there")]
    #[inline(always)]
    fn later(&self) {
        once();
    }
}

#[init_ref("is read while once() is there")]
static CALL: fn() = once;

#[initdata]
static TABLE: [u8; 4] = [0; 4];

#[initdata(readonly)]
static NAMES: [&str; 1] = ["x"];

#[ktest]
fn a_test() {
    assert_eq!(1 + 1, 2);
}

#[earlycon("right")]
fn early_console(_: &EarlyconDevice) -> Result<&'static dyn Console, Errno> {
    Err(Errno::ENODEV)
}

#[exception_entry]
fn read_model_specific(msr: u32) -> Result<u64, Errno> {
    let (low, high, error): (u32, u32, i32);
    // SAFETY: reading has no effect on memory, and a fault becomes `error`.
    unsafe {
        std::arch::asm!(
            may_fault!("rdmsr", error = EIO),
            in("ecx") msr,
            out("eax") low,
            out("edx") high,
            error = out("r8d") error,
            options(nomem, nostack),
        );
    }
    if error == 0 { Ok(u64::from(high) << 32 | u64::from(low)) } else { Err(Errno::EIO) }
}
