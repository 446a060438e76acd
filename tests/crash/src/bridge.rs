//! The daemon as a process: `cardbridge run` with a configuration of its own, to be killed with signal 9.

use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::site::KEY;

/// What one PC has on its disk: the configuration and, after the first start, the journal.
#[derive(Debug)]
pub struct Disk {
    configuration: PathBuf,
    state: PathBuf,
    log: PathBuf,
}

/// A running bridge. Killed at the latest when it is dropped, or when the thread that started it ends.
#[derive(Debug)]
pub struct Bridge {
    child: Child,
    log: PathBuf,
}

/// Rights that the daemon runs without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Those of whoever runs the tests.
    AsTests,
    /// None over the machine, also where root runs the tests.
    Ordinary,
}

impl Disk {
    /// A PC whose bridge knows this hub and has these `[[encoder]]` entries; without any, it takes PC/SC readers.
    #[must_use]
    pub fn new(folder: &Path, hub: SocketAddr, serial_port: Option<&Path>) -> Self {
        let disk = Self {
            configuration: folder.join("bridge.toml"),
            state: folder.join("state"),
            log: folder.join("bridge.log"),
        };
        let mut text = format!(
            "[hub]\nurl = \"http://{hub}\"\ntoken = \"any\"\n[site]\nkey = \"{KEY}\"\n\
             [bridge]\nname = \"Front Desk PC\"\nstate_dir = \"{}\"\ndiscover = {}\n",
            disk.state.display(),
            serial_port.is_none(),
        );
        if let Some(port) = serial_port {
            text += &format!(
                "[[encoder]]\ndriver = \"pn532\"\nname = \"Front Desk\"\nport = \"{}\"\n",
                port.display()
            );
        }
        let mut options = File::options();
        let options = options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&disk.configuration).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        disk
    }

    /// Where the journal lies.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Starts the bridge; `pcscd` is the socket of the one that it is to use.
    #[must_use]
    pub fn start(&self, rights: Rights, pcscd: Option<&Path>) -> Bridge {
        let program = program();
        assert!(
            program.is_file(),
            "{} is not there; build it with `cargo build -p cardbridge`",
            program.display()
        );
        let mut command = match rights {
            Rights::Ordinary if rustix::process::geteuid().is_root() => {
                // Root of a user namespace of its own keeps its files and loses its power.
                let mut unshare = Command::new("unshare");
                unshare.args(["--user", "--map-current-user", "setpriv"]);
                unshare
            }
            Rights::Ordinary | Rights::AsTests => Command::new("setpriv"),
        };
        // Each of these becomes the next, so that the process id is the daemon's.
        command.args(["--pdeathsig", "KILL"]).arg(program);
        command.arg("run").arg("--config").arg(&self.configuration);
        command.env("CARDBRIDGE_LOG", "info,bridge=debug");
        command.env_remove("PCSCLITE_CSOCK_NAME");
        if let Some(socket) = pcscd {
            command.env("PCSCLITE_CSOCK_NAME", socket);
        }
        let log = File::options().create(true).append(true).open(&self.log);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("setpriv or unshare (util-linux) cannot run: {error}"));
        Bridge {
            child,
            log: self.log.clone(),
        }
    }
}

impl Bridge {
    /// Kills it with signal 9 and waits until it is gone, with everything that it had open.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Bridge {
    #[expect(
        clippy::print_stderr,
        reason = "a failed test shows what the daemon said"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<_> = said.lines().collect();
            let last = &lines[lines.len().saturating_sub(40)..];
            eprintln!("the bridge's log ends:\n{}", last.join("\n"));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program under test lies beside the folder of the tests' own programs: one build makes both.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    folder.join("cardbridge")
}
