//! A session with the kernel's own monitor, typed on the serial line.

use anyhow::Result;

use crate::built::Build;
use crate::guest::Guest;
use crate::machine::Machine;

/// What the monitor writes when it waits for a line on the boot CPU, where it comes at the end of the boot.
pub const PROMPT: &str = "[0]kdb> ";

/// The end of that, whatever the CPU.
const PROMPT_END: &str = "]kdb> ";

/// A guest whose monitor waits for a line.
pub struct Session {
    /// The guest.
    pub guest: Guest,
}

impl Session {
    /// A session on the usual machine, with more words on the command line.
    ///
    /// # Errors
    ///
    /// If the guest does not come to its monitor.
    pub fn new(words: &str) -> Result<Self> {
        Self::on(&Machine::new(&Build::ours().vmlinux()).append("kdb").append(words))
    }

    /// A session on a machine whose command line asks for the monitor.
    ///
    /// # Errors
    ///
    /// If the guest does not come to its monitor.
    pub fn on(machine: &Machine) -> Result<Self> {
        let mut guest = machine.start()?;
        guest.wait_for(PROMPT)?;
        Ok(Self { guest })
    }

    /// Types a line and returns what it prints, until the monitor waits again, on whichever CPU.
    ///
    /// # Errors
    ///
    /// If the guest ends, or the answer does not.
    pub fn obey(&mut self, line: &str) -> Result<String> {
        self.guest.send(format!("{line}\r").as_bytes())?;
        let text = self.guest.wait_for(PROMPT_END)?;
        // The line that was typed comes back first.
        let answer = text.split_once('\n').map_or("", |(_, answer)| answer);
        let prompt = answer.rfind('[').unwrap_or(answer.len());
        Ok(answer[..prompt].to_owned())
    }
}

/// The names in the list that `stages` or `initcalls` shows, in order.
#[must_use]
pub fn names(list: &str) -> Vec<&str> {
    // Number, level, state, result, microseconds, name, place.
    list.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| words.first().is_some_and(|word| word.parse::<u32>().is_ok()))
        .map(|words| words.get(5).copied().unwrap_or_default())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn rows_have_a_number_and_the_name_is_the_sixth_word() {
        let list = "  #  level state\n  1  -  ok  0  7  setup_arch  kernel/x.rs:1\n  2  -  ok  0  7  rest_init  kernel/y.rs:2\n";
        assert_eq!(names(list), ["setup_arch", "rest_init"]);
        assert!(names("").is_empty());
    }
}
