//! Handlers of softirqs: one of the ten, and a plain function.

use incipit::prelude::*;

#[softirq] //~ ERROR `#[softirq]` takes the softirq: Hi, Timer, NetTx, NetRx, Block, IrqPoll, Tasklet, Sched, Hrtimer, Rcu
fn of_nothing() {}

#[softirq(Timers)] //~ ERROR unknown softirq `Timers`: must be one of Hi, Timer, NetTx, NetRx, Block, IrqPoll, Tasklet, Sched, Hrtimer, Rcu
fn of_no_softirq() {}

#[softirq(Timer, Hrtimer)] //~ ERROR `#[softirq]` takes one softirq and nothing else: Hi, Timer,
fn of_two() {}

#[softirq(Block)]
fn with_argument(_cpu: usize) {} //~ ERROR takes one argument where no argument is right, and `InitMemory<'_>` may follow: `#[softirq]` stands on a `fn()`

#[softirq(Block)]
fn with_proof(_init: InitMemory<'_>) {} //~ ERROR softirqs run as long as the kernel does: there is no proof of init memory for them

#[softirq(Block)]
fn with_result() -> bool { //~ ERROR returns a value that nobody reads: `#[softirq]` stands on a `fn()`
    true
}
