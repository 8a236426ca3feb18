//! A machine for a cache: slabs of a few objects, CPUs, nodes. Included twice, with two kinds of atomics.

use super::sync::{AtomicU32, AtomicU64, AtomicUsize, Mutex, Ordering};
use crate::slub::{Backend, CpuWord, Link, Node, SlabWord};
use std::cell::Cell;
use std::vec::Vec;

/// Bytes of the model's objects: as large as a link's granularity.
pub const SIZE: usize = 8;
/// No slab.
pub const NONE: usize = usize::MAX;

pub struct Cpu {
    word: AtomicU64,
    slab: AtomicUsize,
    /// Held for one instruction, or for as long as interrupts are off.
    instruction: Mutex<()>,
}

pub struct Slab {
    word: AtomicU64,
    links: Vec<AtomicU32>,
    previous: AtomicUsize,
    next: AtomicUsize,
}

pub struct Machine {
    pub cpus: Vec<Cpu>,
    slabs: Vec<Slab>,
    nodes: Vec<Mutex<Node<usize>>>,
    unused: Mutex<Vec<usize>>,
    pub min_partial: usize,
    objects: u32,
}

impl Machine {
    pub fn new(cpus: usize, nodes: usize, slabs: usize, objects: u32, min_partial: usize) -> Machine {
        Machine {
            cpus: (0..cpus)
                .map(|cpu| Cpu {
                    word: AtomicU64::new(CpuWord::new(cpu).bits()),
                    slab: AtomicUsize::new(NONE),
                    instruction: Mutex::new(()),
                })
                .collect(),
            slabs: (0..slabs)
                .map(|_| Slab {
                    word: AtomicU64::new(0),
                    links: (0..objects).map(|_| AtomicU32::new(0)).collect(),
                    previous: AtomicUsize::new(NONE),
                    next: AtomicUsize::new(NONE),
                })
                .collect(),
            nodes: (0..nodes).map(|_| Mutex::new(Node::new())).collect(),
            unused: Mutex::new((0..slabs).rev().collect()),
            min_partial,
            objects,
        }
    }

    /// How many slabs nobody has.
    pub fn unused(&self) -> usize {
        self.unused.lock().expect("no panic").len()
    }
}

/// A thread of the machine.
pub struct Thread<'m> {
    pub machine: &'m Machine,
    pub cpu: Cell<usize>,
    interrupts_off: Cell<bool>,
    /// Called between any two steps that something can come between.
    pub between: &'m dyn Fn(&Thread<'m>),
}

impl<'m> Thread<'m> {
    pub fn new(machine: &'m Machine, cpu: usize, between: &'m dyn Fn(&Thread<'m>)) -> Thread<'m> {
        Thread {
            machine,
            cpu: Cell::new(cpu),
            interrupts_off: Cell::new(false),
            between,
        }
    }

    /// One instruction on a CPU's data.
    fn instruction<R>(&self, f: impl FnOnce(&Cpu) -> R) -> R {
        if self.interrupts_off.get() {
            return f(&self.machine.cpus[self.cpu.get()]);
        }
        (self.between)(self);
        let cpu = &self.machine.cpus[self.cpu.get()];
        let _one_at_a_time = cpu.instruction.lock().expect("no panic");
        f(cpu)
    }
}

impl Backend for &Thread<'_> {
    type Slab = usize;
    type Cpu = usize;
    type Request = usize;
    const NO_SLAB: usize = NONE;

    fn min_partial(self) -> usize {
        self.machine.min_partial
    }

    fn cpu(self) -> usize {
        self.cpu.get()
    }

    fn cpu_word(self, cpu: usize) -> CpuWord {
        self.instruction(|_| CpuWord::from_bits(self.machine.cpus[cpu].word.load(Ordering::Acquire)))
    }

    fn cpu_slab(self, cpu: usize) -> usize {
        self.instruction(|_| self.machine.cpus[cpu].slab.load(Ordering::Acquire))
    }

    fn set_cpu(self, cpu: usize, word: CpuWord, slab: usize) {
        assert!(self.interrupts_off.get() && cpu == self.cpu.get());
        self.machine.cpus[cpu].word.store(word.bits(), Ordering::Release);
        self.machine.cpus[cpu].slab.store(slab, Ordering::Release);
    }

    fn exchange_cpu_word(self, old: CpuWord, new: CpuWord) -> bool {
        self.instruction(|cpu| {
            let same = cpu.word.load(Ordering::Acquire) == old.bits();
            if same {
                cpu.word.store(new.bits(), Ordering::Release);
            }
            same
        })
    }

    fn with_interrupts_off<R>(self, f: impl FnOnce() -> R) -> R {
        (self.between)(self);
        let _off = self.machine.cpus[self.cpu.get()].instruction.lock().expect("no panic");
        assert!(!self.interrupts_off.replace(true));
        let result = f();
        self.interrupts_off.set(false);
        result
    }

    fn slab_word(self, slab: usize) -> SlabWord {
        SlabWord::from_bits(self.machine.slabs[slab].word.load(Ordering::Acquire))
    }

    fn exchange_slab_word(self, slab: usize, old: SlabWord, new: SlabWord) -> bool {
        let word = &self.machine.slabs[slab].word;
        word.compare_exchange(old.bits(), new.bits(), Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    fn link(self, slab: usize, offset: usize) -> Link {
        let link = self.machine.slabs.get(slab).and_then(|slab| slab.links.get(offset / SIZE));
        Link::from_raw(link.map_or(u32::MAX, |link| link.load(Ordering::Relaxed)))
    }

    fn set_link(self, slab: usize, offset: usize, link: Link) {
        self.machine.slabs[slab].links[offset / SIZE].store(link.raw(), Ordering::Relaxed);
    }

    fn node_of(self, slab: usize) -> usize {
        slab % self.machine.nodes.len()
    }

    fn fits(self, request: usize, slab: usize) -> bool {
        request == NONE || self.node_of(slab) == request
    }

    fn find_node<R>(self, request: usize, mut f: impl FnMut(usize) -> Option<R>) -> Option<R> {
        (0..self.machine.nodes.len())
            .filter(|&node| request == NONE || node == request)
            .find_map(&mut f)
    }

    fn with_node<R>(self, node: usize, f: impl FnOnce(&mut Node<usize>) -> R) -> R {
        let outer = self.interrupts_off.replace(true);
        let result = f(&mut self.machine.nodes[node].lock().expect("no panic"));
        self.interrupts_off.set(outer);
        result
    }

    fn neighbours(self, slab: usize) -> (usize, usize) {
        let slab = &self.machine.slabs[slab];
        (slab.previous.load(Ordering::Relaxed), slab.next.load(Ordering::Relaxed))
    }

    fn set_neighbours(self, slab: usize, previous: usize, next: usize) {
        let slab = &self.machine.slabs[slab];
        slab.previous.store(previous, Ordering::Relaxed);
        slab.next.store(next, Ordering::Relaxed);
    }

    fn new_slab(self, request: usize) -> Option<usize> {
        (self.between)(self);
        let mut unused = self.machine.unused.lock().expect("no panic");
        let index = unused.iter().rposition(|&slab| self.fits(request, slab))?;
        let slab = unused.remove(index);
        let objects = self.machine.objects;
        for object in 0..objects {
            let next = if object + 1 < objects {
                Link::to((object as usize + 1) * SIZE)
            } else {
                Link::NONE
            };
            self.set_link(slab, object as usize * SIZE, next);
        }
        let word = &self.machine.slabs[slab].word;
        word.store(SlabWord::new(Link::to(0), objects).bits(), Ordering::Release);
        Some(slab)
    }

    fn discard_slab(self, slab: usize) {
        let word = self.slab_word(slab);
        assert!(word.in_use() == 0 && !word.frozen(), "slab {slab} is in use: {word:?}");
        self.machine.unused.lock().expect("no panic").push(slab);
    }
}
