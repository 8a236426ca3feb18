//! A report of an oops, read as strictly as Linux's tools write it down.

use anyhow::{Context, Result, bail, ensure};
use incipit_tests::log::Log;

/// Code bytes in front of the one that is marked, and all of them.
pub const PROLOGUE: usize = 42;
const CODE_BYTES: usize = 64;

/// The lines behind the code, up to the backtrace; `#` stands for a digit in hexadecimal.
const REGISTERS: [&str; 9] = [
    "RSP: ####:################ EFLAGS: ########",
    "RAX: ################ RBX: ################ RCX: ################",
    "RDX: ################ RSI: ################ RDI: ################",
    "RBP: ################ R08: ################ R09: ################",
    "R10: ################ R11: ################ R12: ################",
    "R13: ################ R14: ################ R15: ################",
    "FS:  ################(####) GS:################(####) knlGS:################",
    "CS:  #### DS: #### ES: #### CR0: ################",
    "CR2: ################ CR3: ################ CR4: ################",
];

/// How many of them an exception has in the backtrace.
const GENERAL: usize = 6;

/// What an oops says.
#[derive(Debug)]
pub struct Report {
    /// What happened.
    pub title: String,
    /// The processor's error code.
    pub error_code: u64,
    /// What ran: the line `During: …`, which is not there when the boot is done.
    pub during: Option<String>,
    /// Where, behind the selector: `name+0xoffset/0xsize` or a number.
    pub rip: String,
    /// The bytes around it, the marked one at [`PROLOGUE`]; or the address that could not be read.
    pub code: Result<Vec<u8>, u64>,
    /// The lines of [`REGISTERS`].
    registers: Vec<String>,
    /// The backtrace.
    pub trace: Vec<Entry>,
    /// The lines behind the backtrace, up to the end of the report.
    pub epilogue: Vec<String>,
}

/// A line of a backtrace.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// `name+0xoffset/0xsize`.
    pub place: String,
    /// Whether the frame pointers confirm it: there is no `?` in front.
    pub reliable: bool,
}

impl Report {
    /// The first report in `log`.
    ///
    /// # Errors
    ///
    /// If there is none, or a line of it is not of the form in which Linux writes it.
    pub fn parse(log: &Log) -> Result<Self> {
        let mut lines = log.lines();
        let (title, error_code) = lines
            .find_map(title)
            .with_context(|| format!("no oops; the log ends:\n{}", log.tail()))?;
        Self::parse_body(title, error_code, &mut lines).with_context(|| format!("in the report:\n{}", log.from(" [#1]")))
    }

    fn parse_body<'a>(title: &str, error_code: u64, lines: &mut impl Iterator<Item = &'a str>) -> Result<Self> {
        let mut next = || lines.next().context("the report breaks off");
        let task = next()?;
        ensure!(
            task.starts_with("CPU: 0 PID: 1 Comm: swapper/0 Not tainted "),
            "`{task}` does not say who ran"
        );
        prefixed(next()?, "Hardware name: QEMU ")?;
        let mut line = next()?;
        let during = line.strip_prefix("During: ").map(str::to_owned);
        if during.is_some() {
            line = next()?;
        }
        let rip = prefixed(line, "RIP: 0010:")?.to_owned();
        let code = code(next()?)?;
        let mut registers = Vec::new();
        for template in REGISTERS {
            let line = next()?;
            ensure!(has_form(line, template), "`{line}` is not of the form `{template}`");
            registers.push(line.to_owned());
        }
        let mut line = next()?;
        if line.starts_with("DR0: ") {
            ensure!(has_form(
                next()?,
                "DR3: ################ DR6: ################ DR7: ################"
            ));
            line = next()?;
        }
        ensure!(line == "Call Trace:", "`{line}` instead of the backtrace");
        let mut trace = Vec::new();
        let mut line = next()?;
        loop {
            if let Some(entry) = line.strip_prefix(' ') {
                if !entry.starts_with('<') {
                    trace.push(Entry::parse(entry)?);
                }
            } else if line.starts_with("RIP: 0010:") {
                // What was interrupted, where the trace goes on from one stack to another.
                let _ = self::code(next()?)?;
                for template in &REGISTERS[..GENERAL] {
                    let line = next()?;
                    ensure!(has_form(line, template), "`{line}` is not of the form `{template}`");
                }
            } else {
                break;
            }
            line = next()?;
        }
        ensure!(line == "Modules linked in:", "`{line}` behind the backtrace");
        let mut epilogue = Vec::new();
        loop {
            match next()? {
                "---[ end trace 0000000000000000 ]---" => break,
                line => epilogue.push(line.to_owned()),
            }
        }
        Ok(Self {
            title: title.to_owned(),
            error_code,
            during,
            rip,
            code,
            registers,
            trace,
            epilogue,
        })
    }

    /// The value of a register that is written `NAME: ` and 16 digits.
    ///
    /// # Errors
    ///
    /// If the report has no such register.
    pub fn register(&self, name: &str) -> Result<u64> {
        let key = format!("{name}: ");
        let value = self.registers.iter().find_map(|line| Some(line.split_once(&key)?.1));
        let digits = value
            .and_then(|value| value.split(' ').next())
            .with_context(|| format!("no register {name}"))?;
        Ok(u64::from_str_radix(digits.rsplit(':').next().unwrap_or(digits), 16)?)
    }
}

impl Entry {
    fn parse(line: &str) -> Result<Self> {
        let (place, reliable) = line.strip_prefix("? ").map_or((line, true), |place| (place, false));
        ensure!(!place.contains(' '), "`{place}` is no place");
        Ok(Self {
            place: place.to_owned(),
            reliable,
        })
    }
}

/// Title and error code, if `line` is the first of a report: `title: 0000 [#1]`.
fn title(line: &str) -> Option<(&str, u64)> {
    let (title, code) = line.strip_suffix(" [#1]")?.rsplit_once(": ")?;
    has_form(code, "####").then(|| Some((title, u64::from_str_radix(code, 16).ok()?)))?
}

fn prefixed<'a>(line: &'a str, prefix: &str) -> Result<&'a str> {
    line.strip_prefix(prefix)
        .with_context(|| format!("`{line}` does not begin with `{prefix}`"))
}

/// Whether `line` is `template` with a lower-case digit in hexadecimal for each `#`.
fn has_form(line: &str, template: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let same = |(byte, form): (u8, u8)| if form == b'#' { digit(byte) } else { byte == form };
    line.len() == template.len() && line.bytes().zip(template.bytes()).all(same)
}

/// The bytes of a line `Code: `, as `decodecode` takes it: two digits each, one of them between `<` and `>`.
fn code(line: &str) -> Result<Result<Vec<u8>, u64>> {
    if let Some(address) = line.strip_prefix("Code: Unable to access opcode bytes at 0x") {
        return Ok(Err(u64::from_str_radix(address.trim_end_matches('.'), 16)?));
    }
    let mut bytes = Vec::new();
    for word in prefixed(line, "Code: ")?.split(' ') {
        let marked = word.strip_prefix('<').and_then(|word| word.strip_suffix('>'));
        if marked.is_some() != (bytes.len() == PROLOGUE) {
            bail!("byte {} of `{line}` is marked wrongly", bytes.len());
        }
        let digits = marked.unwrap_or(word);
        ensure!(has_form(digits, "##"), "`{word}` in `{line}` is no byte");
        bytes.push(u8::from_str_radix(digits, 16)?);
    }
    ensure!(bytes.len() == CODE_BYTES, "{} bytes of code", bytes.len());
    Ok(Ok(bytes))
}
