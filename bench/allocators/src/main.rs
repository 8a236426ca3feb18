//! The kernel's allocators beside crates of the same kind: the same memory, the same sequence, the same run, on the host.
//!
//! `make bench` shows the table. Times are this machine's and only their ratio means something. None of the contenders takes a lock: what is compared is how
//! they find memory.

mod contender;
mod measure;
mod ours;
mod trace;

use contender::{BuddySystem, Contender, Talc};
use measure::{Figures, figures};
use ours::Ours;
use trace::Step;

fn main() {
    let steps = measure::sequence();
    println!(
        "{:<24} {:>9} {:>9} {:>8} {:>8}",
        "allocator", "mean ns", "worst ns", "filled", "64 KiB"
    );
    show::<Ours>(&steps);
    show::<Talc>(&steps);
    show::<BuddySystem>(&steps);
}

fn show<C: Contender>(steps: &[Step]) {
    let Figures {
        mean,
        worst,
        filled,
        large,
    } = figures::<C>(steps);
    println!("{:<24} {mean:>9.1} {worst:>9} {filled:>7.1}% {large:>7.1}%", C::NAME);
}
