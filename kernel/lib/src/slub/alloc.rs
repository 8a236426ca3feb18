//! Taking an object.

use super::{Backend, Link, SlabWord};

/// An object: its slab, and where it is in that.
pub type Object<B> = (<B as Backend>::Slab, usize);

/// Takes one of the CPU's free objects, or nothing if it has none or something came between: the fast path. One try, so that there is nothing to keep for another;
/// who has got nothing goes on with [`refill`].
#[inline]
pub fn take<B: Backend>(b: B) -> Option<Object<B>> {
    let cpu = b.cpu();
    let word = b.cpu_word(cpu);
    let slab = b.cpu_slab(cpu);
    let offset = word.link().offset()?;
    let next = b.link(slab, offset);
    b.exchange_cpu_word(word, word.advance(next)).then_some((slab, offset))
}

/// Takes an object when the fast path gave none, or none of the node asked for: from the CPU's slab, from what others gave back to that, from a slab of the node's list, from
/// new memory.
pub fn refill<B: Backend>(b: B, request: B::Request) -> Option<Object<B>> {
    if let Some(object) = b.with_interrupts_off(|| from_cpu(b, request).or_else(|| from_partial(b, request))) {
        return Some(object);
    }
    let fresh = b.new_slab(request)?;
    b.with_interrupts_off(|| {
        // An interrupt may have found a slab for this CPU meanwhile.
        flush(b);
        let list = loop {
            let word = b.slab_word(fresh);
            if let Some(list) = freeze(b, fresh, word) {
                break list;
            }
        };
        install(b, fresh, list)
    })
}

/// Gives up the CPU's slab, with interrupts off.
pub fn flush<B: Backend>(b: B) {
    let cpu = b.cpu();
    let (word, slab) = (b.cpu_word(cpu), b.cpu_slab(cpu));
    if slab != B::NO_SLAB {
        b.set_cpu(cpu, word.advance(Link::NONE), B::NO_SLAB);
        deactivate(b, slab, word.link());
    }
}

/// An object of the slab that the CPU has, if it has one that fits and that is not full; interrupts are off.
fn from_cpu<B: Backend>(b: B, request: B::Request) -> Option<Object<B>> {
    let cpu = b.cpu();
    let (word, slab) = (b.cpu_word(cpu), b.cpu_slab(cpu));
    if slab == B::NO_SLAB {
        return None;
    }
    if !b.fits(request, slab) {
        flush(b);
        return None;
    }
    let list = if word.link().is_none() { reclaim(b, slab) } else { word.link() };
    if list.is_none() {
        b.set_cpu(cpu, word.advance(Link::NONE), B::NO_SLAB);
        return None;
    }
    install(b, slab, list)
}

/// An object of a slab from the lists of the nodes, which becomes the CPU's; interrupts are off and the CPU has none.
fn from_partial<B: Backend>(b: B, request: B::Request) -> Option<Object<B>> {
    let (slab, list) = b.find_node(request, |node| {
        b.with_node(node, |lists| {
            let slab = lists.partial.first()?;
            lists.partial.remove(b, slab);
            // Others can give objects back meanwhile; the list they see is not empty, so they leave the slab where it is.
            loop {
                let word = b.slab_word(slab);
                if let Some(list) = freeze(b, slab, word) {
                    return Some((slab, list));
                }
            }
        })
    })?;
    install(b, slab, list)
}

/// Makes a slab a CPU's and takes its list; `None` if the word has changed.
fn freeze<B: Backend>(b: B, slab: B::Slab, word: SlabWord) -> Option<Link> {
    let taken = word.with_link(Link::NONE).with_in_use(word.objects()).with_frozen(true);
    b.exchange_slab_word(slab, word, taken).then(|| word.link())
}

/// Makes a frozen slab, and the list that was taken from it, the CPU's, but for the first object, which is the caller's.
fn install<B: Backend>(b: B, slab: B::Slab, list: Link) -> Option<Object<B>> {
    let offset = list.offset()?;
    let cpu = b.cpu();
    b.set_cpu(cpu, b.cpu_word(cpu).advance(b.link(slab, offset)), slab);
    Some((slab, offset))
}

/// Takes what was given back to the CPU's slab by others. If that is nothing, the slab is full and no longer a CPU's.
fn reclaim<B: Backend>(b: B, slab: B::Slab) -> Link {
    loop {
        let word = b.slab_word(slab);
        let list = word.link();
        let taken = word.with_link(Link::NONE).with_in_use(word.objects()).with_frozen(!list.is_none());
        if b.exchange_slab_word(slab, word, taken) {
            return list;
        }
    }
}

/// Gives a CPU's slab back to its node, with the CPU's list of free objects.
fn deactivate<B: Backend>(b: B, slab: B::Slab, list: Link) {
    let (count, tail) = measure(b, slab, list);
    let discard = b.with_node(b.node_of(slab), |lists| {
        loop {
            let word = b.slab_word(slab);
            let mut thawed = word.with_frozen(false).with_in_use(word.in_use().saturating_sub(count));
            if let Some(tail) = tail {
                b.set_link(slab, tail, word.link());
                thawed = thawed.with_link(list);
            }
            if b.exchange_slab_word(slab, word, thawed) {
                if thawed.in_use() == 0 && lists.partial.len() >= b.min_partial() {
                    return true;
                }
                if !thawed.link().is_none() {
                    lists.partial.push_back(b, slab);
                }
                return false;
            }
        }
    });
    if discard {
        b.discard_slab(slab);
    }
}

/// How long a list is, and where its last object is. One that was overwritten, or leads in a circle, ends where a list must.
fn measure<B: Backend>(b: B, slab: B::Slab, list: Link) -> (u32, Option<usize>) {
    let (mut count, mut tail, mut link) = (0, None, list);
    let most = b.slab_word(slab).objects();
    while let Some(offset) = link.offset() {
        if count == most {
            break;
        }
        (count, tail, link) = (count + 1, Some(offset), b.link(slab, offset));
    }
    (count, tail)
}
