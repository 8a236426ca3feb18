//! Giving an object back, and slabs that have nothing but free objects.

use super::{Backend, Link, SlabWord};

/// The object is the first of the list that it would go to: it is free already, and nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlreadyFree;

/// What became of one try to give an object to the CPU.
enum Attempt {
    /// It is one of the CPU's free objects.
    Done,
    /// Nothing: its slab is not the CPU's.
    Elsewhere,
    /// Nothing: it is the first of the CPU's free objects already.
    AlreadyFree,
    /// Nothing: something came between.
    Disturbed,
}

/// Gives the object at `offset` of a slab back if the slab is the CPU's, and says whether that is done: the fast path. One try, as for [`take`](super::alloc::take); what it did not do
/// is [`give_slow`]'s.
#[inline]
pub fn give<B: Backend>(b: B, slab: B::Slab, offset: usize) -> bool {
    matches!(attempt(b, slab, offset), Attempt::Done)
}

#[inline]
fn attempt<B: Backend>(b: B, slab: B::Slab, offset: usize) -> Attempt {
    let link = Link::to(offset);
    let cpu = b.cpu();
    let word = b.cpu_word(cpu);
    if b.cpu_slab(cpu) != slab {
        return Attempt::Elsewhere;
    }
    if word.link() == link {
        return Attempt::AlreadyFree;
    }
    b.set_link(slab, offset, word.link());
    if b.exchange_cpu_word(word, word.advance(link)) {
        Attempt::Done
    } else {
        Attempt::Disturbed
    }
}

/// Gives an object back that the fast path did not: to the CPU after all, or to its slab's own list, and the slab to its node if it was full.
///
/// # Errors
///
/// [`AlreadyFree`] if it is the last that was given back there.
pub fn give_slow<B: Backend>(b: B, slab: B::Slab, offset: usize) -> Result<(), AlreadyFree> {
    loop {
        match attempt(b, slab, offset) {
            Attempt::Done => return Ok(()),
            Attempt::AlreadyFree => return Err(AlreadyFree),
            Attempt::Elsewhere => break,
            Attempt::Disturbed => {}
        }
    }
    loop {
        let old = b.slab_word(slab);
        let new = with_object(b, slab, offset, old)?;
        if changes_lists(old, new) {
            return give_locked(b, slab, offset);
        }
        if b.exchange_slab_word(slab, old, new) {
            return Ok(());
        }
    }
}

/// The same, under the lock of the slab's node: the slab was full, or may become empty.
fn give_locked<B: Backend>(b: B, slab: B::Slab, offset: usize) -> Result<(), AlreadyFree> {
    let discard = b.with_node(b.node_of(slab), |lists| {
        let (old, new) = loop {
            let old = b.slab_word(slab);
            let new = with_object(b, slab, offset, old)?;
            if b.exchange_slab_word(slab, old, new) {
                break (old, new);
            }
        };
        if !changes_lists(old, new) {
            return Ok(false);
        }
        let listed = !old.link().is_none();
        if new.in_use() == 0 && lists.partial.len() >= b.min_partial() {
            if listed {
                lists.partial.remove(b, slab);
            }
            return Ok(true);
        }
        if !listed {
            lists.partial.push_back(b, slab);
        }
        Ok(false)
    })?;
    if discard {
        b.discard_slab(slab);
    }
    Ok(())
}

/// The slab's word with one more free object, whose link is written.
fn with_object<B: Backend>(b: B, slab: B::Slab, offset: usize, old: SlabWord) -> Result<SlabWord, AlreadyFree> {
    let link = Link::to(offset);
    if old.link() == link || old.in_use() == 0 {
        return Err(AlreadyFree);
    }
    b.set_link(slab, offset, old.link());
    Ok(old.with_link(link).with_in_use(old.in_use() - 1))
}

/// Whether the slab is not a CPU's and changes from full to partial, or becomes empty.
fn changes_lists(old: SlabWord, new: SlabWord) -> bool {
    !old.frozen() && (old.link().is_none() || new.in_use() == 0)
}

/// Gives the memory of a node's empty slabs back and sorts the others, the fullest first, so that the emptiest are the last to be used. Says whether slabs with
/// objects are left on the list.
pub fn shrink<B: Backend>(b: B, node: usize) -> bool {
    /// Free objects by which slabs are told apart: Linux's `SHRINK_PROMOTE_MAX`.
    const PROMOTE_MAX: u32 = 32;
    let mut empty = super::list::List::new();
    let left = b.with_node(node, |lists| {
        let slabs = lists.partial.len();
        let mut next = lists.partial.first();
        for _ in 0..slabs {
            let Some(slab) = next else { break };
            let following = b.neighbours(slab).1;
            next = (following != B::NO_SLAB).then_some(following);
            if b.slab_word(slab).in_use() == 0 {
                lists.partial.remove(b, slab);
                empty.push_back(b, slab);
            }
        }
        for free in (1..=PROMOTE_MAX).rev() {
            promote(b, lists, free);
        }
        !lists.partial.is_empty()
    });
    while let Some(slab) = empty.first() {
        empty.remove(b, slab);
        b.discard_slab(slab);
    }
    left
}

/// Moves the slabs with this many free objects to the front.
fn promote<B: Backend>(b: B, lists: &mut super::Node<B::Slab>, free: u32) {
    let mut next = lists.partial.first();
    while let Some(slab) = next {
        let following = b.neighbours(slab).1;
        next = (following != B::NO_SLAB).then_some(following);
        let word = b.slab_word(slab);
        if word.objects() - word.in_use() == free {
            lists.partial.remove(b, slab);
            lists.partial.push_front(b, slab);
        }
    }
}
