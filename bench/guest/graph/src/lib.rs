//! Initcalls with three relations to one on the average: how many, says the package's name.

#![no_std]

include!(concat!(env!("OUT_DIR"), "/graph.rs"));
