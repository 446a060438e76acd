//! A private `pcscd`: unprivileged, in a user and mount namespace of its own, with `vpcd` readers on
//! free ports. For tests and demonstrations; it touches nothing of the system's `pcscd`.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify;
use tempfile::TempDir;
use thiserror::Error;

use crate::bell::timeout_until;

/// From start to the first connection. It takes some 10 ms where nothing else runs.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Ports are chosen and then let go, so another process may take one: so often new ones are tried.
const PORT_TRIES: usize = 5;
/// `pcscd` has 16 places for readers, and each `vpcd` entry takes two.
const MOST_READERS: usize = 8;
/// The package's own configuration tells where the driver lies.
const PACKAGED_CONFIGURATION: &str = "/etc/reader.conf.d/vpcd";
/// The name of its socket, which is compiled in.
const SOCKET: &str = "pcscd.comm";
/// Lines of output kept for an error message.
const LINES_KEPT: usize = 12;
/// What `pcscd` says when its readers are set up, and what it says of a port that is taken.
const READY: &str = "daemon ready";
const PORT_TAKEN: &str = "Could not initialize connection";

/// Why a private `pcscd` could not be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PcscdError {
    /// A program or the `vpcd` driver is missing.
    #[error("{what} is missing; install the Debian package {package}")]
    Missing {
        /// What is missing.
        what: String,
        /// The package that has it.
        package: &'static str,
    },
    /// More readers than one `pcscd` can have, or none.
    #[error("a pcscd has 1 to {MOST_READERS} virtual readers, not {0}")]
    Readers(usize),
    /// Files or processes could not be set up.
    #[error("the private pcscd could not be set up: {step} failed")]
    Setup {
        /// What was being done.
        step: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// It did not come up.
    #[error("the private pcscd did not come up; are user namespaces allowed here? It said: {said}")]
    DidNotStart {
        /// The end of what it printed.
        said: String,
    },
}

/// An unprivileged `pcscd` of one's own in a user and mount namespace, with `vpcd` readers on free
/// ports. Several run beside each other and beside the system's. Clients reach it with the
/// environment variable `PCSCLITE_CSOCK_NAME` set to [`socket`](PrivatePcscd::socket). Ends on drop,
/// and with the process that started it.
///
/// Mind that `vpcd` listens on all of the machine's addresses, and takes whoever connects for a card.
#[derive(Debug)]
pub struct PrivatePcscd {
    child: Child,
    listeners: Vec<JoinHandle<()>>,
    socket: PathBuf,
    ports: Vec<u16>,
    /// The script removes it, also when this process is killed; this is for a script that never ran.
    _folder: TempDir,
}

impl PrivatePcscd {
    /// Starts a `pcscd` with this many readers (1–8) and waits until it takes connections.
    ///
    /// # Errors
    /// A missing package, or a set-up that failed.
    pub fn start(readers: usize) -> Result<PrivatePcscd, PcscdError> {
        if !(1..=MOST_READERS).contains(&readers) {
            return Err(PcscdError::Readers(readers));
        }
        let driver = find_driver()?;
        let mut said = String::new();
        for _ in 0..PORT_TRIES {
            match start_once(&driver, readers)? {
                Ok(pcscd) => return Ok(pcscd),
                Err(port_taken) => said = port_taken,
            }
        }
        Err(PcscdError::DidNotStart { said })
    }

    /// The server's socket, for `PCSCLITE_CSOCK_NAME`.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The loopback port of each reader, for [`PcscReader::start`](crate::PcscReader::start).
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// The name that PC/SC clients see for the n-th reader, counted from 0. Each has a second slot
    /// whose name ends in `01`, and which is always empty.
    #[must_use]
    pub fn reader_name(&self, n: usize) -> String {
        format!("{} 00 00", friendly_name(n))
    }
}

impl Drop for PrivatePcscd {
    fn drop(&mut self) {
        // The end of its input is what the script waits for.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
        for listener in self.listeners.drain(..) {
            let _ = listener.join();
        }
    }
}

fn friendly_name(n: usize) -> String {
    format!("Virtual reader {n}")
}

fn setup(step: &'static str) -> impl Fn(io::Error) -> PcscdError {
    move |source| PcscdError::Setup { step, source }
}

fn find_driver() -> Result<PathBuf, PcscdError> {
    for (program, package) in [
        ("pcscd", "pcscd"),
        ("unshare", "util-linux"),
        ("setpriv", "util-linux"),
        ("mount", "mount"),
    ] {
        if find_program(program).is_none() {
            return Err(PcscdError::Missing {
                what: program.to_owned(),
                package,
            });
        }
    }
    fs::read_to_string(PACKAGED_CONFIGURATION)
        .ok()
        .and_then(|text| {
            let path = text
                .lines()
                .find_map(|line| line.trim().strip_prefix("LIBPATH"))?;
            Some(PathBuf::from(path.trim()))
        })
        .filter(|path| path.exists())
        .ok_or_else(|| PcscdError::Missing {
            what: "the vpcd driver".to_owned(),
            package: "vsmartcard-vpcd",
        })
}

/// Looks where shells look, and where daemons lie that are not in everybody's PATH.
fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// One try. The inner error: a port was taken meanwhile, and what `pcscd` said of it.
fn start_once(driver: &Path, readers: usize) -> Result<Result<PrivatePcscd, String>, PcscdError> {
    // Not in $TMPDIR: a socket's path has at most 107 bytes, and /run is covered in the namespace.
    let folder = tempfile::Builder::new()
        .prefix("pcscd-")
        .tempdir_in("/tmp")
        .map_err(setup("making a folder"))?;
    let run = folder.path().join("pcscd");
    let configuration = folder.path().join("reader.conf.d");
    fs::create_dir(&run).map_err(setup("making a folder"))?;
    fs::create_dir(&configuration).map_err(setup("making a folder"))?;
    let ports = free_ports(readers).map_err(setup("finding free ports"))?;
    for (n, port) in ports.iter().enumerate() {
        // Readers that share a driver file share its state, and hang.
        let library = folder.path().join(format!("libifdvpcd{n}.so"));
        fs::copy(driver, &library).map_err(setup("copying the vpcd driver"))?;
        let name = friendly_name(n);
        let entry = format!(
            "FRIENDLYNAME \"{name}\"\nDEVICENAME /dev/null:0x{port:X}\nLIBPATH {}\nCHANNELID 0x{port:X}\n",
            library.display()
        );
        fs::write(configuration.join(format!("vpcd{n}")), entry)
            .map_err(setup("writing the configuration"))?;
    }
    let listens = inotify::init(inotify::CreateFlags::CLOEXEC)
        .and_then(|watch| {
            // The last thing that pcscd does to its socket, after listen(), is to open it for all.
            inotify::add_watch(&watch, &run, inotify::WatchFlags::ATTRIB)?;
            Ok(watch)
        })
        .map_err(|error| setup("watching for the socket")(error.into()))?;

    let deadline = Instant::now() + START_LIMIT;
    let Spawned {
        child,
        listeners,
        lines,
    } = spawn(folder.path(), &configuration)?;
    // From here on, dropping this ends the process.
    let pcscd = PrivatePcscd {
        child,
        listeners,
        socket: run.join(SOCKET),
        ports,
        _folder: folder,
    };
    let said = match await_ready(&lines, deadline) {
        Ready::Yes => String::new(),
        Ready::PortTaken(said) => return Ok(Err(said)),
        Ready::No(said) => return Err(PcscdError::DidNotStart { said }),
    };
    match await_socket(&listens, deadline) {
        Ok(true) => Ok(Ok(pcscd)),
        Ok(false) => Err(PcscdError::DidNotStart { said }),
        Err(error) => Err(setup("watching for the socket")(error)),
    }
}

/// Waits until the socket was opened for all; `false` if it was not in time.
fn await_socket(watch: &OwnedFd, deadline: Instant) -> io::Result<bool> {
    let mut buffer = [MaybeUninit::uninit(); 512];
    let mut events = inotify::Reader::new(watch, &mut buffer);
    loop {
        if events.is_buffer_empty() {
            let mut fds = [PollFd::new(watch, PollFlags::IN)];
            if poll(&mut fds, Some(&timeout_until(deadline)))? == 0 {
                return Ok(false);
            }
        }
        // pcscd does the same to the folder and to its other files.
        if events
            .next()?
            .file_name()
            .is_some_and(|name| name.to_bytes() == SOCKET.as_bytes())
        {
            return Ok(true);
        }
    }
}

enum Ready {
    Yes,
    PortTaken(String),
    No(String),
}

fn await_ready(lines: &Receiver<String>, deadline: Instant) -> Ready {
    let mut said = VecDeque::new();
    let mut port_taken = false;
    loop {
        let Ok(line) = lines.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        else {
            return Ready::No(said.into_iter().collect::<Vec<_>>().join(" / "));
        };
        port_taken |= line.contains(PORT_TAKEN);
        if line.contains(READY) {
            return if port_taken {
                Ready::PortTaken(line)
            } else {
                Ready::Yes
            };
        }
        if said.len() == LINES_KEPT {
            said.pop_front();
        }
        said.push_back(line);
    }
}

/// Two ports in a row for each reader: an entry of `vpcd` is always two slots.
fn free_ports(readers: usize) -> io::Result<Vec<u16>> {
    let mut held = Vec::new();
    let mut ports = Vec::new();
    while ports.len() < readers {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = first.local_addr()?.port();
        if let Some(Ok(second)) = port
            .checked_add(1)
            .map(|next| TcpListener::bind((Ipv4Addr::LOCALHOST, next)))
        {
            held.push(second);
            ports.push(port);
        }
        // Held until all are found, so that the same one is not offered again.
        held.push(first);
    }
    Ok(ports)
}

/// Runs `pcscd` until its input ends, which it does with the process that holds the other end. The
/// socket's path is compiled into `pcscd` as /run/pcscd/pcscd.comm. Signals meant for the program that
/// uses all this must not end the script before it has cleaned up.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
mount --bind "$0" /run || exit
setpriv --pdeathsig KILL pcscd --foreground --info --config "$1" </dev/null &
exec >/dev/null 2>&1
read -r end
kill -KILL $!
wait
rm -rf -- "$0"
"#;

/// A script that was started.
struct Spawned {
    child: Child,
    listeners: Vec<JoinHandle<()>>,
    /// What it and `pcscd` say.
    lines: Receiver<String>,
}

/// Starts the process, and threads that read what it says for as long as it lives.
fn spawn(folder: &Path, configuration: &Path) -> Result<Spawned, PcscdError> {
    let mut child = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT])
        .args([folder, configuration])
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(setup("starting unshare"))?;
    let (said, lines) = channel();
    let mut listeners = Vec::new();
    if let Some(output) = child.stdout.take() {
        let said = said.clone();
        listeners.push(std::thread::spawn(move || pass_on(output, &said)));
    }
    // Complaints of unshare and mount.
    if let Some(errors) = child.stderr.take() {
        listeners.push(std::thread::spawn(move || pass_on(errors, &said)));
    }
    Ok(Spawned {
        child,
        listeners,
        lines,
    })
}

/// Reads to the end, also when nobody listens any more: a full pipe would stop the process.
fn pass_on(output: impl io::Read, said: &Sender<String>) {
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        let _ = said.send(String::from_utf8_lossy(&line).into_owned());
    }
}
