//! Initcalls with three relations each: how many, says the package's name.

#![no_std]

include!(concat!(env!("OUT_DIR"), "/graph.rs"));
