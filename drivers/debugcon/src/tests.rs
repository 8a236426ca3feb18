//! Tests of how the port is recognised.

use incipit::prelude::*;

use crate::is_answer;

#[ktest]
fn only_a_port_that_gives_its_own_number_takes_text() {
    assert!(is_answer(0xe9));
    assert!(!is_answer(0xff) && !is_answer(0x00));
}
