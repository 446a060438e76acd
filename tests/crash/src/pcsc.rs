//! A `pcscd` of one's own with one reader. PC/SC's client library finds its service by an environment variable, which a
//! process cannot safely set for itself: a test that watches the service runs itself once more with it.

use std::ffi::CString;
use std::fmt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use emulator::PrivatePcscd;
use pcsc::{Context, ReaderState, Scope, State};

use crate::LIMIT;

const SOCKET: &str = "PCSCLITE_CSOCK_NAME";
const INSIDE: &str = "CARDBRIDGE_TEST_INSIDE";

/// Runs a test, by its name, in a process of its own that looks for `pcscd` behind a link of its own.
#[expect(
    clippy::print_stdout,
    reason = "what the inner test said is the outer one's to say"
)]
pub fn with_pcscd(name: &str, test: impl FnOnce()) {
    if std::env::var(INSIDE).as_deref() == Ok(name) {
        return test();
    }
    let home = tempfile::tempdir().unwrap();
    let run = Command::new("setpriv")
        .args(["--pdeathsig", "KILL"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, name)
        .env(SOCKET, home.path().join("socket"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
    println!("{said}");
}

/// A `pcscd` with one reader.
pub struct Pcscd {
    pcscd: PrivatePcscd,
    context: Context,
}

impl Pcscd {
    /// Starts it where this process looks for it.
    #[must_use]
    pub fn start() -> Self {
        let pcscd = PrivatePcscd::start(1).unwrap_or_else(|error| panic!("{error}"));
        let link = PathBuf::from(std::env::var_os(SOCKET).unwrap());
        symlink(pcscd.socket(), link).unwrap();
        Self {
            context: Context::establish(Scope::User).unwrap(),
            pcscd,
        }
    }

    /// Where the emulated reader reaches it.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.pcscd.ports()[0]
    }

    /// Where programs reach it.
    #[must_use]
    pub fn socket(&self) -> &Path {
        self.pcscd.socket()
    }

    /// The reader, as programs see it.
    #[must_use]
    pub fn reader_name(&self) -> String {
        self.pcscd.reader_name(0)
    }

    /// The same, as the bridge shows it: without the number, which is another one after every replug.
    #[must_use]
    pub fn display_name(&self) -> String {
        self.reader_name().trim_end_matches(" 00 00").to_owned()
    }

    /// Waits until the service has seen that the card is gone. It looks every 400 ms, and a card that is put back sooner
    /// it never sees again. That the reader counts as empty tells nothing, for it does so after any failed command; but
    /// the service counts insertions and removals by what it saw, the first insertion with 1.
    pub fn wait_until_empty(&self) {
        let name = CString::new(self.reader_name()).unwrap();
        let mut states = [ReaderState::new(name, State::UNAWARE)];
        loop {
            let changed = self.context.get_status_change(LIMIT, &mut states);
            changed.unwrap_or_else(|error| panic!("pcscd did not notice the removal: {error}"));
            if states[0].event_count().is_multiple_of(2) {
                return;
            }
            states[0].sync_current_state();
        }
    }
}

impl fmt::Debug for Pcscd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pcscd.fmt(f)
    }
}
