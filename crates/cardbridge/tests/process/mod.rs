//! Running the program, reading its first line, and ending it as a service manager would.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

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
}

/// How a process ended, and what it had still to say.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) rest_of_stdout: String,
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
        Self { child, stdout }
    }

    /// The next line of stdout. Fails, with what it said on stderr, if the process ends without one.
    pub(crate) fn first_line(&mut self) -> String {
        let mut line = String::new();
        if self.stdout.read_line(&mut line).unwrap() == 0 {
            let mut said = String::new();
            self.child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut said)
                .unwrap();
            panic!("the program ended without a word on stdout: {said}");
        }
        line
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn terminate(mut self) -> Ended {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
        let mut rest_of_stdout = String::new();
        self.stdout.read_to_string(&mut rest_of_stdout).unwrap();
        let mut stderr = String::new();
        let mut pipe = self.child.stderr.take().unwrap();
        pipe.read_to_string(&mut stderr).unwrap();
        Ended {
            status: self.child.wait().unwrap(),
            rest_of_stdout,
            stderr,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
