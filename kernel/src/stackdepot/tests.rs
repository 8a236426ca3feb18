//! Tests with traces that nobody has.

use super::*;

#[ktest]
fn a_trace_is_kept_once_and_comes_back_as_it_was() {
    let trace = [0x1111, usize::MAX, 0, 3];
    let handle = save(&trace).expect("memory");
    let traces = stats().0;
    assert_eq!(save(&trace), Some(handle));
    assert_eq!(stats().0, traces);
    assert!(handle.addresses().eq(trace));
    assert_eq!(Handle::from_number(handle.get()), Some(handle));
}

#[ktest]
fn traces_that_begin_alike_are_told_apart() {
    let whole: [usize; DEPTH + 1] = core::array::from_fn(|index| 0x2222 + index);
    let handles: [_; DEPTH + 1] = core::array::from_fn(|depth| save(&whole[..depth]).expect("memory"));
    for (depth, handle) in handles.into_iter().enumerate() {
        assert!(handle.addresses().eq(whole[..depth].iter().copied()), "{depth}");
    }
    assert_eq!(save(&whole), Some(handles[DEPTH]), "what is too deep is cut");
}

#[ktest]
fn more_than_a_pool_of_traces_is_found_again() {
    let trace = |number: usize| [0x3333, number, number * 7, number ^ 0x5555];
    let count = 2 * POOL_WORDS / (HEADER + 4);
    for number in 0..count {
        assert!(save(&trace(number)).is_some());
    }
    let traces = stats();
    for number in 0..count {
        assert!(save(&trace(number)).is_some_and(|handle| handle.addresses().eq(trace(number))));
    }
    assert_eq!(stats(), traces);
}

#[ktest]
fn the_callers_trace_begins_in_the_caller() {
    let handle = save_here(0).expect("memory");
    let first = handle.addresses().next().expect("a caller");
    assert!(crate::mm::sections::is_text(first));
}

#[ktest]
fn a_number_that_is_no_handle_has_no_addresses() {
    assert_eq!(Handle::from_number(0), None);
    let far = Handle::from_number(u32::MAX).expect("not 0");
    assert_eq!(far.addresses().count(), 0);
}
