//! Parameters of types that no text becomes.

use std::sync::Mutex;
use std::sync::atomic::AtomicPtr;

use incipit::prelude::*;

#[param]
static PLAIN: u32 = 0; //~ ERROR `u32` cannot be a parameter

#[param]
static LOCKED: Mutex<u32> = Mutex::new(0); //~ ERROR `std::sync::Mutex<u32>` cannot be a parameter

#[param]
static POINTER: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut()); //~ ERROR cannot be a parameter
