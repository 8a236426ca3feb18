//! Entering the monitor, and its loop of lines.

use core::fmt::{self, Write};

use arrayvec::ArrayVec;
use incipit::kdb::{self, Command, KDB_COMMANDS, Then};
use incipit::percpu::smp_processor_id;
use incipit::prelude::*;
use incipit_lib::cmdline::suggest;

use crate::editor::{Editor, Event};
use crate::terminal::Terminal;

/// How many words a line can have; as in Linux.
const MAX_WORDS: usize = 20;

/// `kdb`: enters the monitor at the end of the boot.
#[init]
#[early_param("kdb")]
fn kdb_setup(_value: Option<&'static str>) -> Result<(), Errno> {
    kdb::register_monitor(monitor);
    kdb::request();
    Ok(())
}

/// Reads and obeys lines until one lets the kernel go on.
fn monitor(reason: &str) {
    let (mut terminal, mut editor) = (Terminal::default(), Editor::default());
    let _ = write!(terminal, "\nEntering kdb on processor {}: {reason}\n", smp_processor_id());
    loop {
        let entered = read_line(&mut terminal, &mut editor);
        let then = entered.and_then(|event| obey(&event, &mut terminal));
        if terminal.resume() {
            let _ = terminal.write_str("^C\n");
        }
        if then == Ok(Then::Leave) {
            return;
        }
    }
}

fn read_line(terminal: &mut Terminal, editor: &mut Editor) -> Result<Event, fmt::Error> {
    write!(terminal, "[{}]kdb> ", smp_processor_id())?;
    loop {
        let byte = terminal.read_byte();
        match editor.take(byte, terminal)? {
            Event::Typing => {}
            event => return Ok(event),
        }
    }
}

fn obey(event: &Event, screen: &mut dyn Write) -> Result<Then, fmt::Error> {
    match event {
        Event::Entered(line) => run_line(line, screen),
        Event::TooLong(length) => {
            writeln!(
                screen,
                "A line of {length} bytes is too long: at most {} are taken.",
                crate::editor::LINE_MAX
            )?;
            Ok(Then::Stay)
        }
        Event::Typing | Event::Abandoned => Ok(Then::Stay),
    }
}

/// Runs the command that `line` names, and says on `screen` what is wrong with it.
pub fn run_line(line: &str, screen: &mut dyn Write) -> Result<Then, fmt::Error> {
    let mut words = line.split_ascii_whitespace();
    let Some(name) = words.next() else { return Ok(Then::Stay) };
    let Some(command) = find(name) else {
        return unknown(name, screen);
    };
    let arguments: ArrayVec<&str, MAX_WORDS> = words.by_ref().take(MAX_WORDS).collect();
    if words.next().is_some() {
        writeln!(screen, "Too many arguments: at most {MAX_WORDS}")?;
        return Ok(Then::Stay);
    }
    match (command.run)(&arguments, screen) {
        Ok(then) => Ok(then),
        Err(kdb::CommandError::Output) => Err(fmt::Error),
        Err(error) => {
            writeln!(screen, "diag: {error}")?;
            if error == kdb::CommandError::ArgumentCount {
                writeln!(screen, "Usage: {} {}", command.name, command.usage)?;
            }
            Ok(Then::Stay)
        }
    }
}

fn find(name: &str) -> Option<&'static Command> {
    KDB_COMMANDS.iter().find(|command| command.name == name)
}

fn unknown(name: &str, screen: &mut dyn Write) -> Result<Then, fmt::Error> {
    write!(screen, "Unknown kdb command: '{name}'")?;
    let names = KDB_COMMANDS.iter().map(|command| command.name.as_bytes());
    if let Some(similar) = suggest(name.as_bytes(), names).and_then(|similar| str::from_utf8(similar).ok()) {
        write!(screen, "; did you mean '{similar}'?")?;
    }
    screen.write_str("\n")?;
    Ok(Then::Stay)
}
