//! The terminal: a screen, and the display that shows it now.

use incipit::console::IoAddress;
use incipit::prelude::*;
use incipit::printk::BustableLock;

use crate::display::{DUMMY_CON, Described, Display, TerminalScreen};
use crate::parameters;

/// The screen and its display.
struct Terminal {
    screen: TerminalScreen,
    display: &'static dyn Display,
    /// What was on the display before is on the screen, too.
    adopted: bool,
}

static TERMINAL: BustableLock<Terminal> = BustableLock::new(Terminal {
    screen: TerminalScreen::new(),
    display: &DUMMY_CON,
    adopted: false,
});

/// The display that the terminal begins on: Linux's variable of this name.
static CONSWITCHP: BustableLock<&'static dyn Display> = BustableLock::new(&DUMMY_CON);

/// Says which display the terminal begins on. To be called before the consoles register.
pub fn set_conswitchp(display: &'static dyn Display) {
    if let Some(mut conswitchp) = CONSWITCHP.lock() {
        *conswitchp = display;
    }
}

/// Whether two references lead to the same display. Those of types without a size lead to one place, and are told from each other by what they do.
fn is_same(one: &'static dyn Display, other: &'static dyn Display) -> bool {
    core::ptr::eq(one, other)
}

/// The display in use; `None` for the dummy.
pub fn current() -> Option<&'static dyn Display> {
    let display = TERMINAL.lock()?.display;
    (!is_same(display, &DUMMY_CON)).then_some(display)
}

/// Where the display in use has its memory.
pub fn address() -> Option<IoAddress> {
    TERMINAL.lock()?.display.address()
}

/// Begins on `display`. Returns its size.
fn begin(display: &'static dyn Display) -> Result<(usize, usize), Errno> {
    let (columns, rows) = display.startup()?;
    let mut terminal = TERMINAL.lock().ok_or(Errno::EBUSY)?;
    terminal.screen.set_colours(parameters::colours());
    terminal.screen.resize(columns, rows).map_err(|_| Errno::EINVAL)?;
    (terminal.display, terminal.adopted) = (display, false);
    Ok((columns, rows))
}

/// Begins on the display that [`set_conswitchp`] named, or the dummy if that cannot be used, unless there is one already, for an early console.
#[init]
pub fn begin_on_conswitchp() {
    let conswitchp = CONSWITCHP
        .lock()
        .map_or(&DUMMY_CON as &'static dyn Display, |conswitchp| *conswitchp);
    let started = match current() {
        Some(display) => size().map(|size| (display, size)),
        None => begin(conswitchp).ok().map(|size| (conswitchp, size)),
    };
    let (display, (columns, rows)) = match started {
        Some(started) => started,
        None => (&DUMMY_CON as &'static dyn Display, begin(&DUMMY_CON).unwrap_or_default()),
    };
    pr_info!("Console: {} {columns}x{rows}", Described(display));
}

fn size() -> Option<(usize, usize)> {
    let terminal = TERMINAL.lock()?;
    Some((terminal.screen.columns(), terminal.screen.rows()))
}

/// Begins on `display`, or goes on if the terminal is on it already; what was written before is not on it. Linux's `do_take_over_console`.
///
/// # Errors
///
/// The display's; `EBUSY` if another one is in use, which is not taken away from who reads it, and `EINVAL` if the display has no room for a character.
pub fn take_over(display: &'static dyn Display) -> Result<(), Errno> {
    match current() {
        Some(other) if is_same(other, display) => return Ok(()),
        Some(_) => return Err(Errno::EBUSY),
        None => {}
    }
    let (columns, rows) = begin(display)?;
    pr_info!("Console: switching to {} {columns}x{rows}", Described(display));
    Ok(())
}

/// Sees to it that what is on the display is not lost when it is drawn on.
pub fn adopt() {
    if let Some(mut terminal) = TERMINAL.lock() {
        let Terminal { screen, display, adopted } = &mut *terminal;
        if !core::mem::replace(adopted, true) {
            display.adopt(screen);
        }
    }
}

/// Writes `text`, to be shown by [`show`].
pub fn write(text: &[u8]) {
    if let Some(mut terminal) = TERMINAL.lock() {
        terminal.screen.write(text);
    }
}

/// Shows what was written.
pub fn show() {
    if let Some(mut terminal) = TERMINAL.lock() {
        let damage = terminal.screen.take_damage();
        terminal.display.draw(&terminal.screen, &damage);
    }
}
