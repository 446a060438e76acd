//! Processes of the product's binary. None outlives the test that started it, however that ends.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

/// Generous: nothing here takes a second on an idle machine.
const LIMIT: Duration = Duration::from_secs(60);
/// How long a process may take to end by itself, and to remove its temporary files, when a test is through with it.
const GRACE: Duration = Duration::from_secs(10);

/// The binary, which lies beside other programs of the workspace, and beside the directory of the test executables.
fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("a process knows its executable");
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join("cardbridge"))
        .find(|binary| binary.is_file())
        .expect("cardbridge is missing; run `cargo build -p cardbridge`, or everything with `cargo xtask test`")
}

/// `cardbridge` with these arguments, and with nothing of the caller's environment that it would heed. It is killed
/// when the thread that starts it ends, so start it from the thread of the test.
#[must_use]
pub fn cardbridge(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL"])
        .arg(binary())
        .args(arguments)
        .env_remove("CARDBRIDGE_LOG")
        .stdin(Stdio::null());
    command
}

/// How a command ended.
#[derive(Debug)]
pub struct Output {
    /// Its exit code; `None` when it was killed.
    pub code: Option<i32>,
    /// The one JSON object that it printed.
    pub json: Value,
    /// What it told people.
    pub stderr: String,
}

impl Output {
    /// Runs a command that prints one JSON object to its end.
    ///
    /// # Panics
    /// It does not end in time, or prints something else.
    #[must_use]
    pub fn of(command: Command) -> Self {
        let mut process = Process::start(command);
        let mut text = String::new();
        while let Some(line) = process.line() {
            text.push_str(&line);
        }
        let status = process.wait();
        let stderr = process.stderr();
        let json = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{error} in {text:?}; {status}; {stderr}"));
        Self {
            code: status.code(),
            json,
            stderr,
        }
    }

    /// The object of a command that did what it was asked.
    ///
    /// # Panics
    /// It did not.
    #[must_use]
    #[track_caller]
    pub fn done(self) -> Value {
        assert_eq!(self.code, Some(0), "{} {}", self.json, self.stderr);
        self.json
    }

    /// The type of the error of a command that could not do what it was asked.
    ///
    /// # Panics
    /// It did, or failed in another way.
    #[must_use]
    #[track_caller]
    pub fn failed(&self) -> &str {
        assert_eq!(self.code, Some(1), "{} {}", self.json, self.stderr);
        let message = self.json["error"]["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "{}", self.json);
        self.json["error"]["type"].as_str().unwrap_or_default()
    }
}

/// A process under way. Ended on drop; what it said on stderr is shown when the test has failed.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Receiver<String>,
    stderr: File,
}

impl Process {
    /// Starts it.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let stderr = tempfile::tempfile().expect("a temporary file can be made");
        let shared = stderr.try_clone().expect("a file can be shared");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(shared)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{command:?} cannot be started ({error}); is util-linux there?")
            });
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let (send, lines) = channel();
        // Ends with the process, or when nobody reads any more.
        std::thread::spawn(move || {
            let lines = BufReader::new(stdout).lines();
            lines
                .map_while(Result::ok)
                .try_for_each(|line| send.send(line))
        });
        Self {
            child,
            lines,
            stderr,
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of its stdout; `None` once it has closed it.
    ///
    /// # Panics
    /// It neither writes nor ends.
    #[must_use]
    pub fn line(&mut self) -> Option<String> {
        use std::sync::mpsc::RecvTimeoutError::{Disconnected, Timeout};
        match self.lines.recv_timeout(LIMIT) {
            Ok(line) => Some(line),
            Err(Disconnected) => None,
            Err(Timeout) => panic!("it said nothing for {LIMIT:?}; {}", self.stderr()),
        }
    }

    /// The JSON object on the next line of its stdout.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn json_line(&mut self) -> Value {
        let Some(line) = self.line() else {
            let status = self.wait();
            panic!(
                "it ended without a word on stdout; {status}; {}",
                self.stderr()
            );
        };
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"))
    }

    /// Asks it to end, as a service manager does, and waits until it has.
    ///
    /// # Panics
    /// It does not end.
    pub fn terminate(&mut self) -> ExitStatus {
        assert!(self.signal("TERM"), "it has ended already");
        while self.line().is_some() {}
        self.wait()
    }

    /// Kills it without warning.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether the signal could be sent, which it cannot to a process that has ended and was waited for.
    fn signal(&self, signal: &str) -> bool {
        let mut kill = Command::new("kill");
        kill.args(["-s", signal, "--", &self.child.id().to_string()]);
        kill.stderr(Stdio::null());
        kill.status().is_ok_and(|status| status.success())
    }

    /// Called once its stdout is closed, which it does by ending.
    fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("a child can be waited for")
    }

    /// What it said on stderr so far.
    fn stderr(&self) -> String {
        let length = self.stderr.metadata().map_or(0, |file| file.len());
        let mut said = vec![0; usize::try_from(length).unwrap_or(0)];
        // Not from the file's position, which is the process's own.
        let read = self.stderr.read_at(&mut said, 0).unwrap_or(0);
        format!(
            "on stderr it said: {}",
            String::from_utf8_lossy(&said[..read])
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let is_running = matches!(self.child.try_wait(), Ok(None));
        if is_running && self.signal("TERM") {
            while self.lines.recv_timeout(GRACE).is_ok() {}
        }
        self.kill();
        if std::thread::panicking() {
            let said = self.stderr();
            let mut test_output = std::io::stderr().lock();
            let _ = std::io::Write::write_all(&mut test_output, said.as_bytes());
        }
    }
}
