//! Tests of the options of a line, and of a line's behaviour towards a UART that is sane, stuck or absent.

use incipit::prelude::*;
use uart_16550::backend::Backend;
use uart_16550::spec::registers::{LSR, MCR, Parity, WordLength, offsets};

use uart_16550::Uart16550;

use crate::line::Line;
use crate::settings::{BadSettings, LineSettings};

/// A UART made of memory, with what tests look at.
struct FakeUart {
    registers: [u8; 8],
    sent: arrayvec::ArrayVec<u8, 64>,
    status_reads: u32,
    /// How many reads of the status the last byte still takes.
    on_the_way: u32,
    behaviour: Behaviour,
}

#[derive(PartialEq)]
enum Behaviour {
    Sane,
    /// Never sends a byte.
    Stuck,
    /// Its registers take bytes at once, but the last is on its way for some reads of the status.
    Slow,
    /// Every register reads as all ones.
    Absent,
}

impl FakeUart {
    fn new(behaviour: Behaviour) -> Self {
        Self {
            registers: [0; 8],
            sent: arrayvec::ArrayVec::new(),
            status_reads: 0,
            on_the_way: 0,
            behaviour,
        }
    }
}

impl Backend for &mut FakeUart {
    // SAFETY: a UART of memory alone; any register may be read.
    unsafe fn read(&mut self, register: u8) -> u8 {
        let register = usize::from(register);
        if self.behaviour == Behaviour::Absent {
            return 0xff;
        }
        match register {
            offsets::LSR => {
                self.status_reads += 1;
                self.on_the_way = self.on_the_way.saturating_sub(1);
                match self.behaviour {
                    Behaviour::Stuck => 0,
                    Behaviour::Slow if self.on_the_way > 0 => LSR::THR_EMPTY.bits(),
                    _ => (LSR::THR_EMPTY | LSR::TRANSMITTER_EMPTY).bits(),
                }
            }
            // In the loop, RTS comes back as CTS and OUT2 as DCD.
            offsets::MSR if self.registers[offsets::MCR] & MCR::LOOP_BACK.bits() != 0 => {
                (self.registers[offsets::MCR] & 0x02) << 3 | (self.registers[offsets::MCR] & 0x08) << 4
            }
            _ => self.registers[register],
        }
    }

    // SAFETY: the same for writing.
    unsafe fn write(&mut self, register: u8, value: u8) {
        let latch_open = self.registers[offsets::LCR] & 0x80 != 0;
        if usize::from(register) == offsets::DATA && !latch_open {
            let _ = self.sent.try_push(value);
            self.on_the_way = 10;
        }
        self.registers[usize::from(register)] = value;
    }
}

fn line(uart: &mut FakeUart) -> Line<&mut FakeUart> {
    // SAFETY: it is the only user of a UART that is memory.
    Line::new(unsafe { Uart16550::new_with_backend(uart) })
}

#[ktest]
fn a_lines_options_are_speed_parity_bits_and_flow_control() {
    let settings = |baud, parity, bits, flow_control| LineSettings {
        baud,
        parity,
        bits,
        flow_control,
    };
    for (text, expected) in [
        ("", LineSettings::DEFAULT),
        ("115200", settings(115_200, Parity::Disabled, WordLength::EightBits, false)),
        ("57600e", settings(57_600, Parity::Even, WordLength::EightBits, false)),
        ("1200o7", settings(1200, Parity::Odd, WordLength::SevenBits, false)),
        ("115200n8r", settings(115_200, Parity::Disabled, WordLength::EightBits, true)),
        ("50n5", settings(50, Parity::Disabled, WordLength::FiveBits, false)),
    ] {
        assert_eq!(LineSettings::parse(text), (expected, Ok(())), "{text}");
    }
}

#[ktest]
fn a_bad_option_is_named_and_those_before_it_count() {
    for (text, error) in [
        ("fast", BadSettings::Baud),
        ("0", BadSettings::Baud),
        ("115201", BadSettings::Baud),
        ("230400", BadSettings::Baud),
        ("99999999999999999999", BadSettings::Baud),
        ("-9600", BadSettings::Baud),
        ("115200x8", BadSettings::Parity('x')),
        ("115200n9", BadSettings::Bits('9')),
        ("115200n8x", BadSettings::FlowControl('x')),
        ("115200n8rr", BadSettings::Surplus),
    ] {
        let (settings, result) = LineSettings::parse(text);
        assert_eq!(result, Err(error), "{text}");
        assert_eq!(settings.baud, if error == BadSettings::Baud { 9600 } else { 115_200 }, "{text}");
    }
}

#[ktest]
fn a_line_feed_goes_out_behind_a_carriage_return() {
    let mut uart = FakeUart::new(Behaviour::Sane);
    line(&mut uart).write(b"a\n\nb");
    assert_eq!(uart.sent.as_slice(), b"a\r\n\r\nb");
}

#[ktest]
fn the_status_is_read_once_for_a_whole_fifo() {
    let mut uart = FakeUart::new(Behaviour::Sane);
    line(&mut uart).write(b"0123456789abcdef0123456789abcdef");
    assert_eq!(uart.sent.len(), 32);
    assert!(uart.status_reads <= 3, "{} reads", uart.status_reads);
}

#[ktest]
fn what_was_written_is_on_the_wire() {
    let mut uart = FakeUart::new(Behaviour::Slow);
    line(&mut uart).write(b"the last words before a reset");
    assert_eq!(uart.on_the_way, 0);
}

#[ktest]
fn a_stuck_line_is_waited_for_once() {
    let mut uart = FakeUart::new(Behaviour::Stuck);
    let mut stuck = line(&mut uart);
    stuck.write(b"lost");
    stuck.write(b"lost too");
    assert_eq!(uart.sent.len(), 0);
    assert!(uart.status_reads < 2 << 20, "{} reads", uart.status_reads);
}

#[ktest]
fn a_stuck_line_is_not_set_up() {
    let mut uart = FakeUart::new(Behaviour::Stuck);
    assert_eq!(line(&mut uart).init(&LineSettings::DEFAULT), Err(Errno::ETIMEDOUT));
}

#[ktest]
fn a_port_without_a_uart_is_not_there() {
    assert!(!line(&mut FakeUart::new(Behaviour::Absent)).is_present());
    assert!(line(&mut FakeUart::new(Behaviour::Sane)).is_present());
}

#[ktest]
fn the_settings_that_a_line_has_are_read_back() {
    let mut uart = FakeUart::new(Behaviour::Sane);
    let settings = LineSettings {
        baud: 57_600,
        parity: Parity::Even,
        bits: WordLength::SevenBits,
        flow_control: false,
    };
    assert_eq!(line(&mut uart).init(&settings), Ok(()));
    // In the fake, as the divisor's low byte and the data register are one cell, the byte stays where it was written.
    assert_eq!(line(&mut uart).current_settings(), settings);
}
