//! A machine that runs: its console, and the ways to look into it.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::debugger::Debugger;
use crate::log::Log;
use crate::monitor::Monitor;
use crate::screen::{self, Picture};

/// How long a guest may run before the harness gives up on it. Far above what any boot takes, on a busy machine, too.
pub const LIMIT: Duration = Duration::from_secs(120);

/// How often something that cannot be waited for is looked at.
const PAUSE: Duration = Duration::from_millis(10);

/// A running machine; it ends when this is dropped.
pub struct Guest {
    child: Child,
    console: Arc<Console>,
    input: Option<Box<dyn Write + Send>>,
    readers: Vec<JoinHandle<()>>,
    errors: Arc<Console>,
    seen: usize,
    deadline: Instant,
    monitor: Option<Monitor>,
    debugger: Option<Debugger>,
    folder: Folder,
    has_children: bool,
}

impl Guest {
    pub(crate) fn new(mut child: Child, folder: Folder, sockets: Sockets) -> Result<Self> {
        let deadline = Instant::now() + LIMIT;
        let (console, errors) = (Arc::<Console>::default(), Arc::<Console>::default());
        let mut readers = Vec::new();
        if let Some(output) = child.stdout.take() {
            readers.push(Console::fill(&console, output));
        }
        if let Some(output) = child.stderr.take() {
            readers.push(Console::fill(&errors, output));
        }
        let input = child.stdin.take().map(|pipe| Box::new(pipe) as Box<dyn Write + Send>);
        let mut guest = Self {
            child,
            console,
            input,
            readers,
            errors,
            seen: 0,
            deadline,
            monitor: None,
            debugger: None,
            folder,
            has_children: false,
        };
        if let Some(listener) = sockets.monitor {
            guest.monitor = Some(Monitor::new(guest.accept(&listener)?)?);
        }
        if let Some(listener) = sockets.debugger {
            guest.debugger = Some(Debugger::new(guest.accept(&listener)?));
        }
        Ok(guest)
    }

    /// A machine whose serial line connects to `listener`.
    pub(crate) fn on_line(child: Child, folder: Folder, listener: &TcpListener) -> Result<Self> {
        let mut guest = Self::new(child, folder, Sockets::default())?;
        listener.set_nonblocking(true)?;
        let line = guest.connected(|| listener.accept().map(|(stream, _)| stream))?;
        line.set_nonblocking(false)?;
        // Each key is to arrive when it is pressed.
        line.set_nodelay(true)?;
        guest.input = Some(Box::new(line.try_clone()?));
        // The console's only writer so far was a standard output that leads nowhere.
        guest.console = Arc::default();
        guest.readers.push(Console::fill(&guest.console, line));
        Ok(guest)
    }

    /// Watches a program that runs a machine with its console on standard input and output, such as `make run`.
    ///
    /// # Errors
    ///
    /// If the program cannot be started.
    pub fn watch(program: &str, arguments: &[String], configure: impl FnOnce(&mut Command)) -> Result<Self> {
        // Ended by a signal, `timeout` ends the programs that its own has started, too.
        let mut command = Command::new("timeout");
        command.arg(LIMIT.as_secs().to_string()).arg(program).args(arguments);
        configure(&mut command);
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {program}"))?;
        let mut guest = Self::new(child, Folder::new()?, Sockets::default())?;
        guest.has_children = true;
        Ok(guest)
    }

    /// Waits until the emulator connects to `listener`.
    fn accept(&mut self, listener: &UnixListener) -> Result<UnixStream> {
        listener.set_nonblocking(true)?;
        let stream = self.connected(|| listener.accept().map(|(stream, _)| stream))?;
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(stream)
    }

    /// Asks `accept` until the emulator has connected.
    fn connected<S>(&mut self, accept: impl Fn() -> io::Result<S>) -> Result<S> {
        loop {
            if let Ok(stream) = accept() {
                return Ok(stream);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the emulator ended at once ({status}): {}", self.complaints());
            }
            ensure!(Instant::now() < self.deadline, "the emulator does not connect");
            thread::sleep(PAUSE);
        }
    }

    /// What the emulator says of itself: on standard error, or in the log of Bochs.
    fn complaints(&self) -> String {
        let log = fs::read(self.folder.path().join("bochs.log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        // The time, then the kind of message: p for panic, e for error.
        let serious = |line: &&str| line.get(11..13).is_some_and(|kind| matches!(kind, "p[" | "e["));
        let lines: Vec<_> = log.lines().filter(serious).collect();
        format!("{}{}", self.errors.text(), lines.join("; "))
    }

    /// Lets the guest run for `limit` from now on instead of [`LIMIT`] from its start.
    pub fn allow(&mut self, limit: Duration) {
        self.deadline = Instant::now() + limit;
    }

    /// Waits until the guest has written `text`, behind what was waited for before, and returns what it wrote up to there and not further.
    ///
    /// # Errors
    ///
    /// If the guest ends without that, or the limit is reached; the error shows the log.
    pub fn wait_for(&mut self, text: &str) -> Result<String> {
        let needle = text.as_bytes();
        let mut state = self.console.lock();
        loop {
            if let Some(at) = find(&state.bytes[self.seen..], needle) {
                let end = self.seen + at + needle.len();
                let passed = String::from_utf8_lossy(&state.bytes[self.seen..end]).replace('\r', "");
                self.seen = end;
                return Ok(passed);
            }
            if state.closed {
                bail!("the guest ended without writing `{text}`; {}", self.story(&state.bytes));
            }
            let Some(left) = self.deadline.checked_duration_since(Instant::now()) else {
                bail!(
                    "HARNESS: the guest did not write `{text}` in {} s; {}",
                    LIMIT.as_secs(),
                    self.story(&state.bytes)
                );
            };
            state = self.console.wait(state, left);
        }
    }

    /// Types `text` on the console, without an end of line of its own.
    ///
    /// # Errors
    ///
    /// If the emulator takes no input any more.
    pub fn send(&mut self, text: &[u8]) -> Result<()> {
        let input = self.input.as_mut().context("the console is closed")?;
        input.write_all(text).and_then(|()| input.flush()).context("typing on the console")
    }

    /// Waits until the guest ends the emulator.
    ///
    /// # Errors
    ///
    /// If that does not happen, or the emulator itself fails; the error shows the log.
    pub fn wait_for_end(mut self) -> Result<Log> {
        let mut state = self.console.lock();
        while !state.closed {
            let Some(left) = self.deadline.checked_duration_since(Instant::now()) else {
                bail!(
                    "HARNESS: the guest did not end in {} s; {}",
                    LIMIT.as_secs(),
                    self.story(&state.bytes)
                );
            };
            state = self.console.wait(state, left);
        }
        let log = Log::new(&state.bytes);
        drop(state);
        let status = self.child.wait()?;
        self.readers.drain(..).for_each(|reader| drop(reader.join()));
        ensure!(
            status.success(),
            "the emulator failed ({status}): {}; the log ends:\n{}",
            self.complaints(),
            log.tail()
        );
        Ok(log)
    }

    /// What the guest has written so far.
    #[must_use]
    pub fn log(&self) -> Log {
        Log::new(&self.console.lock().bytes)
    }

    /// QEMU's monitor.
    ///
    /// # Errors
    ///
    /// If the machine was started without.
    pub fn monitor(&mut self) -> Result<&mut Monitor> {
        self.monitor.as_mut().context("this machine has no monitor")
    }

    /// QEMU's debugger stub.
    ///
    /// # Errors
    ///
    /// If the machine was started without.
    pub fn debugger(&mut self) -> Result<&mut Debugger> {
        self.debugger.as_mut().context("this machine has no debugger")
    }

    /// The lines on the VGA text screen.
    ///
    /// # Errors
    ///
    /// If the machine has no monitor, or QEMU refuses to show its memory.
    pub fn screen(&mut self) -> Result<Vec<String>> {
        let monitor = self.monitor.as_mut().context("this machine has no monitor")?;
        screen::read_text(monitor, self.folder.path())
    }

    /// [`Guest::screen`], and above it the lines that have left the screen not too long ago.
    ///
    /// # Errors
    ///
    /// If the machine has no monitor, or QEMU refuses to show its memory.
    pub fn screen_and_above(&mut self) -> Result<Vec<String>> {
        let monitor = self.monitor.as_mut().context("this machine has no monitor")?;
        screen::read_text_and_above(monitor, self.folder.path())
    }

    /// A picture of the screen, in text mode, too.
    ///
    /// # Errors
    ///
    /// If the machine has no monitor, or QEMU takes no picture.
    pub fn picture(&mut self) -> Result<Picture> {
        let monitor = self.monitor.as_mut().context("this machine has no monitor")?;
        Picture::take(monitor, self.folder.path())
    }

    /// Waits until the lines that `look` reads from the screen contain `text`, and returns them.
    ///
    /// # Errors
    ///
    /// If that does not happen before the limit; the error shows the screen.
    pub fn wait_for_on_screen(&mut self, text: &str, look: impl Fn(&mut Self) -> Result<Vec<String>>) -> Result<Vec<String>> {
        loop {
            let lines = look(self)?;
            if lines.iter().any(|line| line.contains(text)) {
                return Ok(lines);
            }
            ensure!(
                Instant::now() < self.deadline,
                "HARNESS: the screen does not show `{text}`, but:\n{}",
                lines.join("\n")
            );
            thread::sleep(PAUSE * 10);
        }
    }

    /// Presses keys, by the names that QEMU has for them, one after the other.
    ///
    /// # Errors
    ///
    /// If the machine has no monitor, or QEMU does not know a key.
    pub fn press(&mut self, keys: &str) -> Result<()> {
        for key in keys.split_whitespace() {
            let complaint = self.monitor()?.human(&format!("sendkey {key} 20"))?;
            ensure!(complaint.is_empty(), "{complaint}");
            // QEMU lets the key go by itself; before that it would take the next one for a chord.
            thread::sleep(PAUSE * 5);
        }
        Ok(())
    }

    /// What an error says of the run.
    fn story(&self, console: &[u8]) -> String {
        format!(
            "the emulator says: {}; the log ends:\n{}",
            self.complaints(),
            Log::new(console).tail()
        )
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if self.has_children {
            // A signal that can be passed on. If the program has ended already, nobody has its number yet, because it has not been waited for.
            let _ = Command::new("kill").arg(self.child.id().to_string()).stderr(Stdio::null()).status();
        } else {
            // It may have ended by itself already.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}

/// What comes out of a pipe, and whether more can come.
#[derive(Default)]
struct Console {
    state: Mutex<Output>,
    changed: Condvar,
}

#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    closed: bool,
}

impl Console {
    /// Reads `pipe` to its end in a thread of its own.
    fn fill(this: &Arc<Self>, mut pipe: impl Read + Send + 'static) -> JoinHandle<()> {
        let this = Arc::clone(this);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let length = pipe.read(&mut buffer).unwrap_or_default();
                let mut state = this.lock();
                state.bytes.extend_from_slice(&buffer[..length]);
                state.closed = length == 0;
                this.changed.notify_all();
                if state.closed {
                    return;
                }
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, Output> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, Output>, most: Duration) -> MutexGuard<'a, Output> {
        self.changed
            .wait_timeout(state, most)
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .0
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.lock().bytes).trim().to_owned()
    }
}

/// A folder for one guest's sockets and files, gone with it. Not below the project: the path of a socket must be short.
pub struct Folder(PathBuf);

/// Where QEMU will connect to.
#[derive(Default)]
pub(crate) struct Sockets {
    monitor: Option<UnixListener>,
    debugger: Option<UnixListener>,
}

impl Folder {
    /// A new folder.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn new() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let path = std::env::temp_dir().join(format!("incipit-guest-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed)));
        fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn listen(&self, monitor: bool, debugger: bool) -> Result<Sockets> {
        let listen = |wanted: bool, name: &str| wanted.then(|| UnixListener::bind(self.0.join(name))).transpose();
        Ok(Sockets {
            monitor: listen(monitor, "monitor")?,
            debugger: listen(debugger, "debugger")?,
        })
    }

    /// The words with which QEMU connects to the socket `name`.
    pub(crate) fn client(&self, name: &str) -> String {
        format!("socket,id={name},path={},server=off", self.0.join(name).display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left over in the folder for temporary files harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}
