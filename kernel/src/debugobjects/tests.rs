//! Objects that break each rule; the warnings are part of the tests.

use super::*;
use crate::mm::slab::KVec;

/// What is followed here: a number, whose address is what counts.
type Object = u64;

static PLAIN: Descr = Descr::new("plain");

fn state(object: &Object) -> Option<State> {
    TABLE.lock().find((&raw const *object).addr()).map(|seen| seen.state)
}

fn warnings(run: impl FnOnce()) -> usize {
    let before = WARNINGS.load(Relaxed);
    run();
    WARNINGS.load(Relaxed) - before
}

#[ktest]
fn a_right_life_is_followed_without_a_word() {
    let object = 1_u64;
    let used = TABLE.lock().counts().pool_used;
    let said = warnings(|| {
        init(&object, &PLAIN);
        assert_eq!(activate(&object, &PLAIN), Ok(()));
        assert_eq!(state(&object), Some(State::Active));
        active_state(&object, &PLAIN, 0, 3);
        active_state(&object, &PLAIN, 3, 0);
        deactivate(&object, &PLAIN);
        destroy(&object, &PLAIN);
        free(&object, &PLAIN);
    });
    assert_eq!((said, state(&object), TABLE.lock().counts().pool_used), (0, None, used));
}

#[ktest]
fn a_second_activation_is_named_and_refused() {
    let object = 2_u64;
    init(&object, &PLAIN);
    assert_eq!(activate(&object, &PLAIN), Ok(()));
    assert_eq!(warnings(|| assert_eq!(activate(&object, &PLAIN), Err(Errno::EINVAL))), 1);
    deactivate(&object, &PLAIN);
    free(&object, &PLAIN);
}

#[ktest]
fn what_can_be_mended_is() {
    static MENDING: Descr = Descr {
        fixup_init: Some(|address, state| {
            assert_eq!(state, State::Active);
            deactivate(core::ptr::without_provenance::<Object>(address), &MENDING);
            true
        }),
        is_static_object: Some(|_| true),
        ..Descr::new("mending")
    };
    let object = 3_u64;
    assert_eq!(activate(&object, &MENDING), Ok(()), "as good as a static");
    let fixups = FIXUPS.load(Relaxed);
    assert_eq!(warnings(|| init(&object, &MENDING)), 1);
    assert_eq!((FIXUPS.load(Relaxed), state(&object)), (fixups + 1, Some(State::Inactive)));
    free(&object, &MENDING);
}

#[ktest]
fn memory_that_goes_with_an_active_object_in_it_is_named() {
    let objects: [Object; 3] = Default::default();
    objects.iter().for_each(|object| init(object, &PLAIN));
    assert_eq!(activate(&objects[1], &PLAIN), Ok(()));
    let freed = || check_no_obj_freed(objects.as_ptr().cast(), size_of_val(&objects));
    assert_eq!(warnings(freed), usize::from(cfg!(CONFIG_DEBUG_OBJECTS_FREE)));
    assert_eq!(warnings(freed), 0);
    objects.iter().for_each(|object| TABLE.lock().remove((&raw const *object).addr()));
}

#[cfg(CONFIG_DEBUG_OBJECTS_FREE)]
#[ktest]
fn a_box_that_goes_with_an_active_object_in_it_is_named() {
    let object = alloc::boxed::Box::new(5_u64);
    init(&*object, &PLAIN);
    assert_eq!(activate(&*object, &PLAIN), Ok(()));
    assert_eq!(warnings(|| drop(object)), 1);
}

#[ktest]
fn what_nobody_initialised_is_named() {
    let object = 4_u64;
    assert_eq!(warnings(|| assert_init(&object, &PLAIN)), 1);
    assert_eq!(warnings(|| deactivate(&object, &PLAIN)), 1);
    assert_eq!(state(&object), None);
}

#[ktest]
fn the_pool_is_filled_from_the_heap() {
    const MANY: usize = 3000;
    let objects = KVec::<Object>::collect(0..MANY as u64).expect("memory");
    objects.iter().for_each(|object| init(object, &PLAIN));
    assert!(is_enabled());
    assert!(TABLE.lock().counts().allocated >= MANY - 1024);
    objects.iter().for_each(|object| free(object, &PLAIN));
}
