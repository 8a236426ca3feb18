//! Empty initcalls: how many, says the package's name. Two images that differ in their number alone tell what one costs.

#![no_std]

use incipit::prelude::*;

include!(concat!(env!("OUT_DIR"), "/initcalls.rs"));
