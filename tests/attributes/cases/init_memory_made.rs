//! Nobody makes the proof that init memory is there but the walks.

use std::marker::PhantomData;

use incipit::prelude::*;

fn makes_one() -> InitMemory<'static> {
    InitMemory { boot: PhantomData } //~ ERROR field `boot` of struct `incipit::init::InitMemory` is private
}
