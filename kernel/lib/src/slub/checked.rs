//! The paths of a cache that is being debugged: every object goes by its node's lock, and no CPU ever has a slab.

use super::alloc::Object;
use super::{Backend, Link};

/// Takes an object that `check` finds good. A slab with one that is not is never used again: all its objects count as in use.
pub fn take<B: Backend>(b: B, request: B::Request, mut check: impl FnMut(B::Slab, usize) -> bool) -> Option<Object<B>> {
    loop {
        let found = b.find_node(request, |node| {
            b.with_node(node, |lists| {
                while let Some(slab) = lists.partial.first() {
                    let word = b.slab_word(slab);
                    let offset = word.link().offset();
                    let good = offset.is_some_and(|offset| check(slab, offset));
                    let taken = match offset {
                        Some(offset) if good => word.with_link(b.link(slab, offset)).with_in_use(word.in_use() + 1),
                        _ => word.with_link(Link::NONE).with_in_use(word.objects()),
                    };
                    // All changes of this word are made under the lock.
                    b.exchange_slab_word(slab, word, taken);
                    if taken.link().is_none() {
                        lists.partial.remove(b, slab);
                        lists.full.push_front(b, slab);
                    }
                    if let (true, Some(offset)) = (good, offset) {
                        return Some((slab, offset));
                    }
                }
                None
            })
        });
        if found.is_some() {
            return found;
        }
        let fresh = b.new_slab(request)?;
        b.with_node(b.node_of(fresh), |lists| lists.partial.push_front(b, fresh));
    }
}

/// Gives an object back that `check` finds to be one that may be; says whether it was. What is wrong with it is for `check` to say.
pub fn give<B: Backend>(b: B, slab: B::Slab, offset: usize, check: impl FnOnce() -> bool) -> bool {
    let outcome = b.with_node(b.node_of(slab), |lists| {
        if !check() {
            return None;
        }
        let word = b.slab_word(slab);
        b.set_link(slab, offset, word.link());
        let given = word.with_link(Link::to(offset)).with_in_use(word.in_use().saturating_sub(1));
        b.exchange_slab_word(slab, word, given);
        let was_full = word.link().is_none();
        if was_full {
            lists.full.remove(b, slab);
        }
        if given.in_use() == 0 && lists.partial.len() >= b.min_partial() {
            if !was_full {
                lists.partial.remove(b, slab);
            }
            return Some(true);
        }
        if was_full {
            lists.partial.push_back(b, slab);
        }
        Some(false)
    });
    if outcome == Some(true) {
        b.discard_slab(slab);
    }
    outcome.is_some()
}
