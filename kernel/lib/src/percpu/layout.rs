//! How the units of the first chunk are laid out: Linux's `pcpu_build_alloc_info`, and the lines that it logs of it.

use core::fmt;

/// Bytes of a page.
const PAGE_SIZE: usize = 4096;
/// The smallest unit: Linux's `PCPU_MIN_UNIT_SIZE`, which is also the largest allocation that is sure to fit into one.
pub const MIN_UNIT_SIZE: usize = 32 << 10;
/// The least room for allocations at run time: Linux's `PERCPU_DYNAMIC_EARLY_SIZE`.
pub const DYNAMIC_EARLY_SIZE: usize = 20 << 10;

/// What a unit has to hold, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The template.
    pub fixed: usize,
    /// Room for the per-CPU data of loadable code.
    pub reserved: usize,
    /// Room for allocations at run time. More if the unit has some left.
    pub dynamic: usize,
}

impl Sizes {
    /// All of it.
    #[must_use]
    pub const fn sum(self) -> usize {
        self.fixed + self.reserved + self.dynamic
    }

    /// The same with at least [`DYNAMIC_EARLY_SIZE`], ending with a page.
    #[must_use]
    pub const fn rounded(self) -> Sizes {
        let dynamic = if self.dynamic < DYNAMIC_EARLY_SIZE {
            DYNAMIC_EARLY_SIZE
        } else {
            self.dynamic
        };
        let all = (self.fixed + self.reserved + dynamic).next_multiple_of(PAGE_SIZE);
        Sizes {
            dynamic: all - self.fixed - self.reserved,
            ..self
        }
    }
}

/// The layout for CPUs with numbers below `N`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout<const N: usize> {
    /// What a unit holds.
    pub sizes: Sizes,
    /// Bytes from a unit to the next.
    pub unit_size: usize,
    /// Bytes that are allocated at once, a multiple of the unit and of the atom.
    pub alloc_size: usize,
    /// Alignment, and least size, of what is allocated.
    pub atom_size: usize,
    /// The group of each possible CPU.
    group_of: [Option<u8>; N],
    /// How many CPUs each group has; 0 behind the last group.
    counts: [u8; N],
}

impl<const N: usize> Layout<N> {
    /// Lays out units for `cpus`, numbers below `N` in ascending order, of which there must be one. Allocations are multiples of `atom`, a power of two not below
    /// a page; `near` says of two CPUs whether they may share one.
    #[must_use]
    pub fn new(sizes: Sizes, atom: usize, cpus: impl Iterator<Item = usize> + Clone, near: impl Fn(usize, usize) -> bool) -> Self {
        let sizes = sizes.rounded();
        let (group_of, counts) = group(cpus.clone(), near);
        let least = sizes.sum().max(MIN_UNIT_SIZE);
        let alloc_size = least.next_multiple_of(atom);
        let units = units_per_alloc(alloc_size, least, &counts, cpus.count());
        Layout {
            sizes,
            unit_size: alloc_size / units,
            alloc_size,
            atom_size: atom,
            group_of,
            counts,
        }
    }

    /// How many groups there are.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.counts.iter().take_while(|&&count| count != 0).count()
    }

    /// The CPUs of a group, in the order of its units.
    pub fn cpus(&self, group: usize) -> impl Iterator<Item = usize> {
        let is_member = move |of: &Option<u8>| of.is_some_and(|of| usize::from(of) == group);
        self.group_of
            .iter()
            .enumerate()
            .filter(move |(_, of)| is_member(of))
            .map(|(cpu, _)| cpu)
    }

    /// How many units a group has; those behind its CPUs' are nobody's.
    #[must_use]
    pub fn units(&self, group: usize) -> usize {
        usize::from(self.counts[group]).next_multiple_of(self.units_per_alloc())
    }

    fn units_per_alloc(&self) -> usize {
        self.alloc_size / self.unit_size
    }

    /// The lines that describe the layout in Linux's words: the sizes first, then which CPUs share an allocation.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_, N>> {
        let allocs: usize = (0..self.groups()).map(|group| self.units(group) / self.units_per_alloc()).sum();
        let rows = allocs.div_ceil(self.allocs_per_line());
        (0..=rows).map(|number| Line { layout: self, number })
    }

    fn allocs_per_line(&self) -> usize {
        let width = self.units_per_alloc() * (self.cpu_width() + 1) + self.group_width() + 3;
        let fitting = (60 / width).max(1);
        1 << fitting.ilog2()
    }

    fn group_width(&self) -> usize {
        digits(self.groups())
    }

    fn cpu_width(&self) -> usize {
        digits(self.counts.iter().map(|&count| usize::from(count)).sum())
    }
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

/// Puts each CPU into the group of the first one that is near.
fn group<const N: usize>(cpus: impl Iterator<Item = usize> + Clone, near: impl Fn(usize, usize) -> bool) -> ([Option<u8>; N], [u8; N]) {
    const { assert!(N <= u8::MAX as usize) };
    let mut group_of = [None; N];
    let mut counts = [0; N];
    let mut groups = 0;
    let mut rest = cpus;
    while let Some(first) = rest.next() {
        if group_of[first].is_some() {
            continue;
        }
        let others = rest.clone().filter(|&other| near(first, other) && near(other, first));
        for cpu in core::iter::once(first).chain(others) {
            if group_of[cpu].is_none() {
                group_of[cpu] = Some(groups);
                counts[usize::from(groups)] += 1;
            }
        }
        groups += 1;
    }
    (group_of, counts)
}

/// Into how many units an allocation is divided: as many as possible, unless more than a third of all is left over or fewer units take no more allocations.
fn units_per_alloc(alloc_size: usize, least: usize, counts: &[u8], cpus: usize) -> usize {
    let whole_pages = |units: usize| alloc_size.is_multiple_of(units) && (alloc_size / units).is_multiple_of(PAGE_SIZE);
    let most = alloc_size / least;
    let mut best = (1, usize::MAX);
    for units in (1..=most).rev().filter(|&units| whole_pages(units)) {
        let allocs: usize = counts.iter().map(|&count| usize::from(count).div_ceil(units)).sum();
        let wasted = allocs * units - cpus;
        if wasted > cpus / 3 {
            continue;
        }
        if allocs > best.1 {
            break;
        }
        best = (units, allocs);
    }
    best.0
}

/// A line about a layout.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a, const N: usize> {
    layout: &'a Layout<N>,
    number: usize,
}

impl<const N: usize> fmt::Display for Line<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Layout {
            sizes,
            unit_size,
            alloc_size,
            atom_size,
            ..
        } = self.layout;
        write!(f, "pcpu-alloc: ")?;
        let Some(row) = self.number.checked_sub(1) else {
            let Sizes { fixed, reserved, dynamic } = sizes;
            let atoms = alloc_size / atom_size;
            return write!(f, "s{fixed} r{reserved} d{dynamic} u{unit_size} alloc={atoms}*{atom_size}");
        };
        let shown = self.layout.allocs_per_line();
        let per_alloc = self.layout.units_per_alloc();
        let allocs = (0..self.layout.groups()).flat_map(|group| (0..self.layout.units(group) / per_alloc).map(move |alloc| (group, alloc)));
        for (group, alloc) in allocs.skip(row * shown).take(shown) {
            write!(f, "[{group:0width$}] ", width = self.layout.group_width())?;
            let width = self.layout.cpu_width();
            let mut cpus = self.layout.cpus(group).skip(alloc * per_alloc);
            for _ in 0..per_alloc {
                match cpus.next() {
                    Some(cpu) => write!(f, "{cpu:0width$} ")?,
                    None => write!(f, "{:-<width$} ", "")?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
