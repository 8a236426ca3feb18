//! Process numbers, and who has which: Linux's hash table of pids.
//!
//! A [`Pid`] is found by its number in a table that fits the machine. Who has one keeps it for as long as it is in the table; the table holds no more than the way to it.

use core::fmt;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use incipit_lib::hash::hash_64;
use spin::Once;

use crate::locking::IrqSpinLock;
use crate::mm::hash::{SystemHash, TableRequest, When, alloc_large_system_hash};
use crate::prelude::*;

/// A number, and its place in the table.
pub struct Pid {
    nr: u32,
    /// The next one in the same bucket.
    next: AtomicPtr<Pid>,
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pid({})", self.nr)
    }
}

impl Pid {
    /// A number that is in no table.
    #[must_use]
    pub const fn new(nr: u32) -> Pid {
        Pid {
            nr,
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The number.
    #[must_use]
    pub const fn nr(&self) -> u32 {
        self.nr
    }
}

type Chain = AtomicPtr<Pid>;

/// A table of pids by number.
struct PidHash {
    table: SystemHash<Chain>,
    /// Held by whoever follows or changes a chain.
    lock: IrqSpinLock<()>,
}

/// The kernel's table.
static PID_HASH: Once<PidHash> = Once::new();

impl PidHash {
    /// The chain that a number's pid is in.
    fn chain(&self, nr: u32) -> &'static Chain {
        self.table.bucket(hash_64(nr.into(), self.table.shift()))
    }

    /// The link that leads to the pid of this number, or the last link of its chain. The lock must be held.
    fn link(&self, nr: u32) -> &'static Chain {
        let mut link = self.chain(nr);
        while let Some(pid) = target(link) {
            if pid.nr == nr {
                break;
            }
            link = &pid.next;
        }
        link
    }
}

/// Where a link leads.
fn target(link: &Chain) -> Option<&'static Pid> {
    // SAFETY: `attach_pid` alone puts pids into chains, which it has for good, and `detach_pid` takes none away from who follows them.
    unsafe { link.load(Relaxed).as_ref() }
}

fn table() -> Result<&'static PidHash, Errno> {
    PID_HASH.get().ok_or(Errno::EAGAIN)
}

/// Puts a pid into the table.
///
/// # Errors
///
/// `EEXIST` if there is one of this number; `EAGAIN` before there is a table.
pub fn attach_pid(pid: &'static Pid) -> Result<(), Errno> {
    let table = table()?;
    let _guard = table.lock.lock();
    let link = table.link(pid.nr);
    if target(link).is_some() {
        return Err(Errno::EEXIST);
    }
    pid.next.store(ptr::null_mut(), Relaxed);
    link.store(ptr::from_ref(pid).cast_mut(), Relaxed);
    Ok(())
}

/// Takes the pid of a number out of the table, and returns it.
pub fn detach_pid(nr: u32) -> Option<&'static Pid> {
    let table = table().ok()?;
    let _guard = table.lock.lock();
    let link = table.link(nr);
    let pid = target(link)?;
    link.store(pid.next.load(Relaxed), Relaxed);
    Some(pid)
}

/// The pid of a number: Linux's `find_pid_ns`.
#[must_use]
pub fn find_pid(nr: u32) -> Option<&'static Pid> {
    let table = table().ok()?;
    let _guard = table.lock.lock();
    target(table.link(nr))
}

/// Makes the table: one bucket for 256 KiB of memory, at least 16 and at most 4096. Linux's stage of the same name.
#[stage(after(crate::printk::setup::setup_log_buf), before(crate::arch::x86::extable::sort_main_extable))]
#[init]
pub fn pidhash_init() {
    let request = TableRequest {
        name: "PID",
        bucket_size: size_of::<Chain>(),
        entries: 0,
        scale: 18,
        smallest: Some(4),
        low_limit: 0,
        high_limit: 4096,
    };
    PID_HASH.call_once(|| PidHash {
        table: alloc_large_system_hash(&request, When::Early),
        lock: IrqSpinLock::new(()),
    });
}

#[ktest]
fn a_pid_is_found_by_its_number_until_it_is_taken_out() {
    static PIDS: [Pid; 3] = [Pid::new(0x7fff_0001), Pid::new(0x7fff_0002), Pid::new(0x7fff_0003)];
    for pid in &PIDS {
        assert!(find_pid(pid.nr()).is_none());
        assert_eq!(attach_pid(pid), Ok(()));
    }
    assert_eq!(attach_pid(&PIDS[1]), Err(Errno::EEXIST));
    assert!(PIDS.iter().all(|pid| find_pid(pid.nr()).is_some_and(|found| ptr::eq(found, pid))));
    assert!(detach_pid(PIDS[1].nr()).is_some_and(|found| ptr::eq(found, &PIDS[1])));
    assert!(find_pid(PIDS[1].nr()).is_none() && detach_pid(PIDS[1].nr()).is_none());
    assert!(find_pid(PIDS[0].nr()).is_some() && find_pid(PIDS[2].nr()).is_some());
    assert!(detach_pid(PIDS[0].nr()).is_some() && detach_pid(PIDS[2].nr()).is_some());
}

#[ktest]
fn pids_of_one_bucket_do_not_hide_each_other() {
    use crate::mm::Gfp;
    use crate::mm::slab::{KBox, KVec};
    let table = table().expect("made during the boot");
    let shift = table.table.shift();
    let in_one = |nr: &u32| hash_64(u64::from(*nr), shift) == hash_64(0x4000_0000, shift);
    let boxed = |nr| KBox::new(Pid::new(nr), Gfp::KERNEL).expect("memory");
    let pids = (0x4000_0000..).filter(in_one).take(4).map(|nr| &*boxed(nr).leak());
    let pids: KVec<&'static Pid> = KVec::collect(pids).expect("memory");
    assert!(pids.iter().all(|pid| attach_pid(pid).is_ok()));
    // First, last, then those between.
    for at in [0, 3, 1, 2] {
        assert!(detach_pid(pids[at].nr()).is_some_and(|pid| ptr::eq(pid, pids[at])));
        assert!(find_pid(pids[at].nr()).is_none());
    }
    for pid in pids {
        // SAFETY: leaked above, and out of the table, which is all that knew of it.
        drop(unsafe { KBox::from_raw(ptr::NonNull::from(pid)) });
    }
}
