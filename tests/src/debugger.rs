//! QEMU's debugger stub, by gdb's remote protocol: stops the guest at an address and rewrites its memory.
//!
//! So a test can hand the kernel what no boot loader would: a memory map with overlaps, an initrd outside memory.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use anyhow::{Context, Result, bail, ensure};

/// How many bytes of memory one packet carries.
const CHUNK: usize = 1024;

/// A general register, by its number in the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // The names are the registers'.
pub enum Register {
    Rax,
    Rbx,
    Rcx,
    Rdx,
    Rsi,
    Rdi,
}

/// A connection to the stub.
pub struct Debugger {
    stream: UnixStream,
}

impl Debugger {
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self { stream }
    }

    /// Lets the guest run until it is about to execute the instruction at `address`.
    ///
    /// # Errors
    ///
    /// If it stops elsewhere or ends.
    pub fn run_to(&mut self, address: u64) -> Result<()> {
        self.expect_ok(&format!("Z1,{address:x},1"))?;
        let stop = self.command("c")?;
        ensure!(
            stop.starts_with("T05") || stop.starts_with("S05"),
            "the guest did not come to {address:#x}: {stop}"
        );
        self.expect_ok(&format!("z1,{address:x},1"))
    }

    /// Lets the guest run, and lets go of it.
    ///
    /// # Errors
    ///
    /// If the stub does not answer.
    pub fn detach(&mut self) -> Result<()> {
        self.expect_ok("D")
    }

    /// The value of a register.
    ///
    /// # Errors
    ///
    /// If the stub does not tell.
    pub fn register(&mut self, register: Register) -> Result<u64> {
        let all = self.command("g")?;
        let at = register as usize * 16;
        let bytes = from_hex(all.get(at..at + 16).with_context(|| format!("too few registers: {all}"))?)?;
        Ok(u64::from_le_bytes(bytes.try_into().unwrap_or_default()))
    }

    /// `size` bytes of memory at the virtual address `address`.
    ///
    /// # Errors
    ///
    /// If nothing is mapped there.
    pub fn read(&mut self, address: u64, size: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(size);
        while bytes.len() < size {
            let part = CHUNK.min(size - bytes.len());
            let answer = self.command(&format!("m{:x},{part:x}", address + bytes.len() as u64))?;
            bytes.extend(from_hex(&answer).with_context(|| format!("reading {address:#x}"))?);
        }
        Ok(bytes)
    }

    /// Writes `bytes` to memory at the virtual address `address`.
    ///
    /// # Errors
    ///
    /// If nothing is mapped there.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
        for (index, part) in bytes.chunks(CHUNK).enumerate() {
            let hex: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
            self.expect_ok(&format!("M{:x},{:x}:{hex}", address + (index * CHUNK) as u64, part.len()))?;
        }
        Ok(())
    }

    fn expect_ok(&mut self, command: &str) -> Result<()> {
        let answer = self.command(command)?;
        ensure!(answer == "OK", "the debugger stub answers {command:.40} with `{answer}`");
        Ok(())
    }

    /// Sends a packet and returns the one that answers it.
    fn command(&mut self, command: &str) -> Result<String> {
        self.stream
            .write_all(format!("${command}#{:02x}", checksum(command.as_bytes())).as_bytes())?;
        while self.byte()? != b'$' {}
        let mut answer = Vec::new();
        loop {
            match self.byte()? {
                b'#' => break,
                byte => answer.push(byte),
            }
        }
        let sum = [self.byte()?, self.byte()?];
        let sent = u8::from_str_radix(&String::from_utf8_lossy(&sum), 16).context("a checksum")?;
        ensure!(sent == checksum(&answer), "a packet of the debugger stub is damaged");
        self.stream.write_all(b"+")?;
        let answer = String::from_utf8(answer)?;
        if answer.starts_with('E') && answer.len() == 3 {
            bail!("the debugger stub refuses {command:.40}: {answer}");
        }
        Ok(answer)
    }

    fn byte(&mut self) -> Result<u8> {
        let mut byte = [0];
        self.stream.read_exact(&mut byte).context("the debugger stub is gone")?;
        Ok(byte[0])
    }
}

fn checksum(packet: &[u8]) -> u8 {
    packet.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

fn from_hex(text: &str) -> Result<Vec<u8>> {
    ensure!(
        text.len().is_multiple_of(2) && text.is_ascii(),
        "`{text:.40}` is no sequence of bytes"
    );
    (0..text.len())
        .step_by(2)
        .map(|at| Ok(u8::from_str_radix(&text[at..at + 2], 16)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    /// A stub that answers each packet with the next of `answers`, and tells at last what it was sent; its end of the connection stays open until then.
    fn stub(answers: &'static [&'static str]) -> (Debugger, thread::JoinHandle<(Vec<String>, UnixStream)>) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let thread = thread::spawn(move || {
            let mut packets = Vec::new();
            for answer in answers {
                let mut packet = Vec::new();
                let mut byte = [0];
                while !(packet.len() > 3 && packet[packet.len() - 3] == b'#') {
                    theirs.read_exact(&mut byte).unwrap();
                    if byte[0] != b'+' || !packet.is_empty() {
                        packet.push(byte[0]);
                    }
                }
                packets.push(String::from_utf8(packet).unwrap());
                theirs
                    .write_all(format!("+${answer}#{:02x}", checksum(answer.as_bytes())).as_bytes())
                    .unwrap();
            }
            (packets, theirs)
        });
        (Debugger::new(ours), thread)
    }

    #[test]
    fn the_guest_is_stopped_with_a_breakpoint_that_is_removed() {
        let (mut debugger, stub) = stub(&["OK", "T05thread:01;", "OK"]);
        debugger.run_to(0x1000).unwrap();
        assert_eq!(stub.join().unwrap().0, ["$Z1,1000,1#d5", "$c#63", "$z1,1000,1#f5"]);
    }

    #[test]
    fn memory_is_read_and_written_in_hexadecimal() {
        let (mut debugger, stub) = stub(&["01ff", "OK"]);
        assert_eq!(debugger.read(0x10, 2).unwrap(), [1, 0xff]);
        debugger.write(0x20, &[0xab, 0]).unwrap();
        assert_eq!(stub.join().unwrap().0, ["$m10,2#2c", "$M20,2:ab00#6a"]);
    }

    #[test]
    fn a_register_is_found_by_its_number() {
        let (mut debugger, stub) =
            stub(&["010000000000000002000000000000000300000000000000040000000000000005000000000000000610000000000000"]);
        assert_eq!(debugger.register(Register::Rdi).unwrap(), 0x1006);
        stub.join().unwrap();
    }

    #[test]
    fn a_refusal_is_an_error() {
        let (mut debugger, stub) = stub(&["E14"]);
        assert!(debugger.read(0, 1).unwrap_err().to_string().contains("refuses m0,1"));
        stub.join().unwrap();
    }
}
