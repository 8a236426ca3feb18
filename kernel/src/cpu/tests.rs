use super::masks;
use super::*;
use crate::percpu::smp_processor_id;
use crate::prelude::*;

/// Every CPU but this one that is online.
fn others() -> impl Iterator<Item = usize> {
    let this = smp_processor_id();
    ONLINE.iter().filter(move |&cpu| cpu != this)
}

#[ktest]
fn a_cpu_goes_and_comes_back_as_often_as_one_likes() {
    const TIMES: usize = 20;
    for cpu in others() {
        for _ in 0..TIMES {
            assert_eq!(cpu_down(cpu), Ok(()));
            assert!(!ONLINE.contains(cpu) && !ACTIVE.contains(cpu));
            assert_eq!(cpu_up(cpu), Ok(()));
            assert!(ONLINE.contains(cpu) && ACTIVE.contains(cpu));
        }
    }
}

#[ktest]
fn all_others_go_and_come_back() {
    let before = CpuMask::default();
    others().for_each(|cpu| before.set(cpu, true));
    for cpu in before.iter() {
        assert_eq!(cpu_down(cpu), Ok(()));
    }
    assert_eq!(ONLINE.weight(), 1);
    for cpu in before.iter() {
        assert_eq!(cpu_up(cpu), Ok(()));
    }
    assert_eq!(ONLINE.weight(), before.weight() + 1);
}

#[ktest]
fn who_cannot_come_or_go_is_said_to() {
    let this = smp_processor_id();
    assert_eq!(cpu_down(this), Err(Errno::EBUSY));
    assert_eq!(cpu_down(masks::nr_cpu_ids()), Err(Errno::EINVAL));
    assert_eq!(cpu_up(masks::nr_cpu_ids()), Err(Errno::EINVAL));
    assert_eq!(cpu_up(usize::MAX), Err(Errno::EINVAL));
    if crate::arch::x86::smpboot::wake::can_start() {
        // It is here already.
        assert_eq!(cpu_up(this), Ok(()));
    }
}
