//! Chromium without a window, by its own protocol: a JSON object at a time through a pipe, each ended by a zero.
//!
//! Nothing here waits for a time to pass: a condition is looked at until it holds.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::guest::Folder;

/// The browser.
pub const CHROMIUM: &str = "chromium";

/// It reads its orders from descriptor 3 and answers on 4. It has no sandbox: root may not have one, and all that it opens is what we wrote.
const START: &str = r#"exec "$@" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
    --disable-background-networking --disable-component-update --remote-debugging-pipe about:blank 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;

/// How long a browser may take for everything that is asked of it. Far above what it takes, on a busy machine, too.
const LIMIT: Duration = Duration::from_secs(120);
/// How long a condition may take to hold.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a condition is looked at.
const PAUSE: Duration = Duration::from_millis(10);

/// A browser with one page; it ends when this is dropped.
pub struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    session: Option<String>,
    calls: u64,
    events: Vec<Value>,
    deadline: Instant,
    _folder: Folder,
}

impl Browser {
    /// Starts the browser with an empty page of `width` pixels.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(width: u32) -> Result<Self> {
        let folder = Folder::new()?;
        let mut profile = OsStr::new("--user-data-dir=").to_owned();
        profile.push(folder.path());
        let mut child = Command::new("sh")
            .args(["-c", START, "sh", CHROMIUM])
            .arg(profile)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting a shell")?;
        let input = child.stdin.take().context("the browser has no input")?;
        let messages = read_in_background(child.stdout.take().context("the browser has no output")?);
        let mut browser = Self {
            child,
            input,
            messages,
            session: None,
            calls: 0,
            events: Vec::new(),
            deadline: Instant::now() + LIMIT,
            _folder: folder,
        };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }))?;
        let attached = browser.call("Target.attachToTarget", &json!({ "targetId": target["targetId"], "flatten": true }))?;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.call(&format!("{domain}.enable"), &json!({}))?;
        }
        browser.set_width(width)?;
        Ok(browser)
    }

    /// Makes the page `width` pixels wide.
    ///
    /// # Errors
    ///
    /// The browser's.
    pub fn set_width(&mut self, width: u32) -> Result<()> {
        let size = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", &size).map(drop)
    }

    /// Lets the reader prefer dark colours, or light ones.
    ///
    /// # Errors
    ///
    /// The browser's.
    pub fn prefer_dark(&mut self, dark: bool) -> Result<()> {
        let feature = json!({ "name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" } });
        self.call("Emulation.setEmulatedMedia", &json!({ "features": [feature] })).map(drop)
    }

    /// Takes scripts away from the pages that are opened from now on; [`eval`](Self::eval) goes on working.
    ///
    /// # Errors
    ///
    /// The browser's.
    pub fn disable_scripts(&mut self) -> Result<()> {
        self.call("Emulation.setScriptExecutionDisabled", &json!({ "value": true }))
            .map(drop)
    }

    /// Opens `file`, and waits until it is there.
    ///
    /// # Errors
    ///
    /// If the browser cannot show it.
    pub fn open(&mut self, file: &Path) -> Result<()> {
        self.events.clear();
        let opened = self.call("Page.navigate", &json!({ "url": format!("file://{}", file.display()) }))?;
        ensure!(opened.get("errorText").is_none(), "{}: {}", file.display(), opened["errorText"]);
        self.wait_for_event("Page.loadEventFired")
    }

    /// The value of a JavaScript expression; a promise is waited for.
    ///
    /// # Errors
    ///
    /// If it throws.
    pub fn eval(&mut self, expression: &str) -> Result<Value> {
        let what = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", &what)?;
        if let Some(exception) = answer.get("exceptionDetails") {
            bail!("`{expression}` throws: {exception}");
        }
        Ok(answer["result"]["value"].clone())
    }

    /// The same for an expression that is text.
    ///
    /// # Errors
    ///
    /// If it throws, or is no text.
    pub fn text(&mut self, expression: &str) -> Result<String> {
        let value = self.eval(expression)?;
        value
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("`{expression}` is {value}, no text"))
    }

    /// Waits until `condition` holds.
    ///
    /// # Errors
    ///
    /// If it does not come to hold.
    pub fn wait_for(&mut self, condition: &str) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while self.eval(&format!("Boolean({condition})"))? != Value::Bool(true) {
            ensure!(
                Instant::now() < end,
                "HARNESS: `{condition}` does not come to hold in {} s",
                PATIENCE.as_secs()
            );
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// The middle of the first element that `selector` finds, scrolled into view.
    fn middle_of(&mut self, selector: &str) -> Result<(f64, f64)> {
        let look = format!(
            "(() => {{ const found = document.querySelector({selector:?}); found.scrollIntoView({{ block: 'center' }});
                const at = found.getBoundingClientRect(); return [at.x + at.width / 2, at.y + at.height / 2]; }})()"
        );
        let at = self.eval(&look)?;
        let [x, y] = [&at[0], &at[1]].map(Value::as_f64);
        Ok((x.with_context(|| format!("no {selector}"))?, y.context("no place")?))
    }

    /// Moves the pointer onto what `selector` finds.
    ///
    /// # Errors
    ///
    /// If it finds nothing.
    pub fn point_at(&mut self, selector: &str) -> Result<()> {
        let (x, y) = self.middle_of(selector)?;
        self.mouse("mouseMoved", x, y, 0)
    }

    /// Clicks what `selector` finds.
    ///
    /// # Errors
    ///
    /// If it finds nothing.
    pub fn click(&mut self, selector: &str) -> Result<()> {
        let (x, y) = self.middle_of(selector)?;
        self.mouse("mouseMoved", x, y, 0)?;
        self.mouse("mousePressed", x, y, 1)?;
        self.mouse("mouseReleased", x, y, 1)
    }

    fn mouse(&mut self, kind: &str, x: f64, y: f64, clicks: u32) -> Result<()> {
        let button = if clicks > 0 { "left" } else { "none" };
        let event = json!({ "type": kind, "x": x, "y": y, "button": button, "clickCount": clicks });
        self.call("Input.dispatchMouseEvent", &event).map(drop)
    }

    /// Touches what `selector` finds with a finger.
    ///
    /// # Errors
    ///
    /// If it finds nothing.
    pub fn tap(&mut self, selector: &str) -> Result<()> {
        let (x, y) = self.middle_of(selector)?;
        self.call("Emulation.setTouchEmulationEnabled", &json!({ "enabled": true }))?;
        for (kind, points) in [("touchStart", json!([{ "x": x, "y": y }])), ("touchEnd", json!([]))] {
            self.call("Input.dispatchTouchEvent", &json!({ "type": kind, "touchPoints": points }))?;
        }
        Ok(())
    }

    /// Presses and releases a key that types nothing, such as `Tab` or `Escape`.
    ///
    /// # Errors
    ///
    /// The browser's.
    pub fn press(&mut self, key: &str, code: u32) -> Result<()> {
        for kind in ["rawKeyDown", "keyUp"] {
            let event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            self.call("Input.dispatchKeyEvent", &event)?;
        }
        Ok(())
    }

    /// Types `text` into what has the focus.
    ///
    /// # Errors
    ///
    /// The browser's.
    pub fn type_text(&mut self, text: &str) -> Result<()> {
        self.call("Input.insertText", &json!({ "text": text })).map(drop)
    }

    /// What the page asked for since it was opened, itself included.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let requests = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        requests
            .map(|event| event["params"]["request"]["url"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// What the page, or the browser about it, complained of since it was opened.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let is_complaint = |event: &&Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => event["params"]["type"] == "error",
            Some("Log.entryAdded") => event["params"]["entry"]["level"] != "verbose",
            _ => false,
        };
        self.events
            .iter()
            .filter(is_complaint)
            .map(|event| event["params"].to_string())
            .collect()
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Result<Value> {
        self.calls += 1;
        let id = self.calls;
        let mut call = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            call["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&call)?;
        bytes.push(0);
        self.input
            .write_all(&bytes)
            .and_then(|()| self.input.flush())
            .context("asking the browser")?;
        loop {
            let message = self.next().with_context(|| format!("waiting for the answer to {method}"))?;
            if message["id"] != id {
                self.events.push(message);
                continue;
            }
            ensure!(message.get("error").is_none(), "{method}: {}", message["error"]);
            return Ok(message["result"].clone());
        }
    }

    fn wait_for_event(&mut self, method: &str) -> Result<()> {
        while !self.events.iter().any(|event| event["method"] == method) {
            let message = self.next().with_context(|| format!("waiting for {method}"))?;
            self.events.push(message);
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Value> {
        match self.messages.recv_timeout(self.deadline.saturating_duration_since(Instant::now())) {
            Ok(message) => Ok(message),
            Err(RecvTimeoutError::Disconnected) => bail!("the browser has ended"),
            Err(RecvTimeoutError::Timeout) => bail!("HARNESS: nothing in {} s", LIMIT.as_secs()),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends its own children. It may have ended by itself already.
        self.session = None;
        if self.call("Browser.close", &json!({})).is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// Hands on the messages that come out of `pipe`, so that waiting for one can have an end.
fn read_in_background(pipe: ChildStdout) -> Receiver<Value> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let pipe = BufReader::new(pipe);
        for message in pipe.split(0).map_while(Result::ok) {
            let Ok(message) = serde_json::from_slice(&message) else { return };
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    receiver
}
