//! QEMU's monitor, by its protocol (QMP): a JSON object a line.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// A connection to the monitor.
pub struct Monitor {
    stream: BufReader<UnixStream>,
}

impl Monitor {
    pub(crate) fn new(stream: UnixStream) -> Result<Self> {
        let mut monitor = Self {
            stream: BufReader::new(stream),
        };
        monitor.read().context("the monitor's greeting")?;
        monitor.execute("qmp_capabilities", &json!({}))?;
        Ok(monitor)
    }

    fn read(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            bail!("QEMU has closed its monitor");
        }
        serde_json::from_str(&line).with_context(|| format!("the monitor wrote `{line}`"))
    }

    /// Has a command executed and returns what it returns.
    ///
    /// # Errors
    ///
    /// If QEMU refuses it, with QEMU's reason.
    pub fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        let line = format!("{}\n", json!({ "execute": command, "arguments": arguments }));
        self.stream.get_mut().write_all(line.as_bytes())?;
        loop {
            // Events come in between, whenever something happens to the machine.
            let answer = self.read()?;
            if let Some(error) = answer.get("error") {
                bail!("{command}: {error}");
            }
            if let Some(value) = answer.get("return") {
                return Ok(value.clone());
            }
        }
    }

    /// Has a line of the monitor for people executed and returns what it prints.
    ///
    /// # Errors
    ///
    /// If QEMU refuses it.
    pub fn human(&mut self, line: &str) -> Result<String> {
        let answer = self.execute("human-monitor-command", &json!({ "command-line": line }))?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    /// Saves `size` bytes of physical memory at `address` to `file`.
    ///
    /// # Errors
    ///
    /// If QEMU refuses it.
    pub fn save_memory(&mut self, address: u64, size: usize, file: &Path) -> Result<()> {
        self.execute("pmemsave", &json!({ "val": address, "size": size, "filename": file }))
            .map(drop)
    }
}
