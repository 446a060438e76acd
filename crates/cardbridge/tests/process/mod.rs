//! Running the program, reading its first line, and ending it as a service manager would.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};

/// The program under test, with nothing of the caller's environment that it would heed.
pub(crate) fn cardbridge() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardbridge"));
    command.env_remove("CARDBRIDGE_LOG");
    command
}

/// A process that goes on until it is told to end; killed if a test forgets it.
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    /// What it said on stderr so far.
    said: String,
}

/// How a process ended, and what it had still to say.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) rest_of_stdout: String,
    /// From its first line on.
    pub(crate) stderr: String,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self {
            child,
            stdout,
            stderr,
            said: String::new(),
        }
    }

    /// The next line of stdout. Fails, with what it said on stderr, if the process ends without one.
    pub(crate) fn first_line(&mut self) -> String {
        let mut line = String::new();
        if self.stdout.read_line(&mut line).unwrap() == 0 {
            self.stderr.read_to_string(&mut self.said).unwrap();
            panic!("the program ended without a word on stdout: {}", self.said);
        }
        line
    }

    /// Waits until a line on stderr holds these words. Fails if the process ends without it.
    pub(crate) fn says(&mut self, words: &str) {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            let length = self.stderr.read_line(&mut line).unwrap();
            assert!(
                length > 0,
                "the program ended without {words:?}: {}",
                self.said
            );
            self.said.push_str(&line);
        }
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn terminate(self) -> Ended {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
        self.wait()
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(mut self) -> Ended {
        let mut rest_of_stdout = String::new();
        self.stdout.read_to_string(&mut rest_of_stdout).unwrap();
        self.stderr.read_to_string(&mut self.said).unwrap();
        Ended {
            status: self.child.wait().unwrap(),
            rest_of_stdout,
            stderr: std::mem::take(&mut self.said),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
