//! The life of an object, and what is wrong with one that does not keep to it: the rules of Linux's debugobjects.

/// Where an object is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// Tracked, nothing else.
    #[default]
    None,
    /// Initialised.
    Init,
    /// Was active, and is not any more.
    Inactive,
    /// In use.
    Active,
    /// At its end; memory may go, nothing else may happen.
    Destroyed,
    /// Not tracked: nobody initialised it.
    NotAvailable,
}

impl State {
    /// Linux's word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            State::None => "none",
            State::Init => "initialized",
            State::Inactive => "inactive",
            State::Active => "active",
            State::Destroyed => "destroyed",
            State::NotAvailable => "not available",
        }
    }
}

/// What is done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// It is initialised.
    Init,
    /// It is put to use.
    Activate,
    /// It is taken out of use.
    Deactivate,
    /// It ends.
    Destroy,
    /// Its memory goes.
    Free,
    /// Somebody relies on it being initialised.
    AssertInit,
}

impl Operation {
    /// Linux's word for it, in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Operation::Init => "init",
            Operation::Activate => "activate",
            Operation::Deactivate => "deactivate",
            Operation::Destroy => "destroy",
            Operation::Free => "free",
            Operation::AssertInit => "assert_init",
        }
    }
}

/// What follows from an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is fine, and this is the state now.
    Becomes(State),
    /// It is fine, and the object is not tracked any more.
    Forget,
    /// It is wrong. Whoever knows the object may mend it.
    Mend,
    /// It is wrong, and nothing can be done about it.
    Wrong,
}

/// What follows from `operation` on an object in `state`, whose inner state while it is active is `active_state`.
#[must_use]
pub const fn judge(operation: Operation, state: State, active_state: u32) -> Verdict {
    use Operation::{Activate, AssertInit, Deactivate, Destroy, Free, Init};
    match (operation, state) {
        (Init, State::None | State::Init | State::Inactive) => Verdict::Becomes(State::Init),
        (Activate, State::Init | State::Inactive) => Verdict::Becomes(State::Active),
        (Deactivate, State::Init | State::Inactive | State::Active) if active_state == 0 => Verdict::Becomes(State::Inactive),
        (Destroy, State::None | State::Init | State::Inactive) => Verdict::Becomes(State::Destroyed),
        (Free, State::Active) | (Init | Activate | Destroy, State::Active) | (Activate | AssertInit, State::NotAvailable) => Verdict::Mend,
        // Nothing was tracked, so nothing ends.
        (Free, _) | (Destroy, State::NotAvailable) => Verdict::Forget,
        (AssertInit, _) | (Activate | Deactivate, State::None) => Verdict::Becomes(state),
        _ => Verdict::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Operation::*;

    const STATES: [State; 6] = [
        State::None,
        State::Init,
        State::Inactive,
        State::Active,
        State::Destroyed,
        State::NotAvailable,
    ];

    #[test]
    fn a_life_as_it_should_be() {
        let mut state = State::None;
        for operation in [Init, AssertInit, Activate, Deactivate, Activate, Deactivate, Init, Destroy] {
            match judge(operation, state, 0) {
                Verdict::Becomes(next) => state = next,
                other => panic!("{operation:?} on {state:?}: {other:?}"),
            }
        }
        assert_eq!((state, judge(Free, state, 0)), (State::Destroyed, Verdict::Forget));
    }

    #[test]
    fn what_is_active_is_neither_initialised_nor_freed_nor_activated_again() {
        for operation in [Init, Activate, Destroy, Free] {
            assert_eq!(judge(operation, State::Active, 0), Verdict::Mend, "{operation:?}");
        }
    }

    #[test]
    fn what_is_destroyed_only_goes() {
        for operation in [Init, Activate, Deactivate, Destroy] {
            assert_eq!(judge(operation, State::Destroyed, 0), Verdict::Wrong, "{operation:?}");
        }
        assert_eq!(judge(Free, State::Destroyed, 0), Verdict::Forget);
    }

    #[test]
    fn what_nobody_initialised_is_not_used() {
        assert_eq!(judge(Activate, State::NotAvailable, 0), Verdict::Mend);
        assert_eq!(judge(AssertInit, State::NotAvailable, 0), Verdict::Mend);
        assert_eq!(judge(Deactivate, State::NotAvailable, 0), Verdict::Wrong);
    }

    #[test]
    fn an_inner_state_must_end_before_the_active_one_does() {
        assert_eq!(judge(Deactivate, State::Active, 1), Verdict::Wrong);
        assert_eq!(judge(Deactivate, State::Active, 0), Verdict::Becomes(State::Inactive));
    }

    #[test]
    fn memory_that_goes_is_forgotten_unless_it_is_active() {
        for state in STATES {
            let expected = if state == State::Active { Verdict::Mend } else { Verdict::Forget };
            assert_eq!(judge(Free, state, 0), expected, "{state:?}");
        }
    }
}
