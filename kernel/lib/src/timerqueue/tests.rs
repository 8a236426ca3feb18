//! Against a sorted list.

use super::*;
use proptest::prelude::*;
use std::vec::Vec;

struct Timers(Vec<TimerqueueNode>);

fn id(index: usize) -> Id {
    Id::new((index + 1) * 2).unwrap()
}

impl rbtree::Arena for Timers {
    fn node(&self, id: Id) -> &RbNode {
        self.timer(id).links()
    }
}

impl Arena for Timers {
    fn timer(&self, id: Id) -> &TimerqueueNode {
        &self.0[id.get() / 2 - 1]
    }
}

const COUNT: usize = 32;

proptest! {
    #[test]
    fn the_first_is_always_the_one_that_expires_first(steps in prop::collection::vec((0..COUNT, 0..40u64), 1..200)) {
        let timers = Timers((0..COUNT).map(|_| TimerqueueNode::new()).collect());
        let mut queue = Timerqueue::new();
        // Sorted by time, equal ones as they were added.
        let mut model: Vec<(u64, usize)> = Vec::new();
        for (index, expires) in steps {
            if let Some(at) = model.iter().position(|&(_, other)| other == index) {
                prop_assert_eq!(queue.remove(&timers, id(index)), at == 0);
                model.remove(at);
            } else {
                timers.0[index].set_expires(expires);
                let at = model.partition_point(|&(other, _)| other <= expires);
                prop_assert_eq!(queue.add(&timers, id(index)), at == 0);
                model.insert(at, (expires, index));
            }
            prop_assert_eq!(queue.first(), model.first().map(|&(_, index)| id(index)));
            let mut listed = Vec::new();
            queue.for_each(&timers, |timer| listed.push(timer));
            prop_assert_eq!(listed, model.iter().map(|&(_, index)| id(index)).collect::<Vec<_>>());
        }
    }
}
