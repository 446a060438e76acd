//! A `pcscd` with a reader and its cards, and the commands that the tests send.
//!
//! PC/SC's client library finds its service by an environment variable, which a process cannot safely set for itself:
//! each test runs itself once more with it.

use std::ffi::CString;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command as Process;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use card::{BlockData, ClassicCommand, ClassicKey, Command, KeyType};
use driver_pcsc::PcscDriver;
use emulator::{
    Card, Cards, KeyStructures, Origin, PcscReader, PrivatePcscd, ReaderSettings, Slot, Technology,
};
use encoder::{
    BlockEncoder, CardSession, CardWait, Driver as _, Encoder, Error, ErrorKind, Opening, Selector,
    Stop,
};

/// Generous: it only keeps a broken test from hanging.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);
pub(crate) const TRANSPORT: [u8; 6] = [0xFF; 6];
const SOCKET: &str = "PCSCLITE_CSOCK_NAME";
const INSIDE: &str = "CARDBRIDGE_TEST_INSIDE";

/// Runs a test in a process of its own that looks for `pcscd` behind a link of its own.
#[expect(
    clippy::print_stdout,
    reason = "what the inner test left out is the outer one's to say"
)]
pub(crate) fn with_pcscd(name: &str, test: impl FnOnce()) {
    if std::env::var(INSIDE).as_deref() == Ok(name) {
        let (done, is_done) = channel::<()>();
        std::thread::spawn(move || {
            if is_done.recv_timeout(8 * LIMIT) == Err(RecvTimeoutError::Timeout) {
                std::process::abort();
            }
        });
        test();
        return drop(done);
    }
    let home = tempfile::tempdir().unwrap();
    let run = Process::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, name)
        .env(SOCKET, home.path().join("socket"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
    // What was not done is never passed over in silence.
    for skipped in said.lines().filter(|line| line.contains("skipped: ")) {
        println!("{skipped}");
    }
}

/// The service and one reader behind it.
pub(crate) struct RunningPcscd {
    pub(crate) reader: PcscReader,
    pub(crate) name: String,
    private: PrivatePcscd,
}

impl RunningPcscd {
    pub(crate) fn start(slot: &Slot, settings: ReaderSettings) -> Self {
        let pcscd = PrivatePcscd::start(1).unwrap();
        let link = PathBuf::from(std::env::var_os(SOCKET).unwrap());
        symlink(pcscd.socket(), &link).unwrap();
        Self {
            reader: PcscReader::start(slot.clone(), pcscd.ports()[0], settings).unwrap(),
            name: pcscd.reader_name(0),
            private: pcscd,
        }
    }

    /// Ends the service as a crash would, while others go on using it.
    pub(crate) fn kill(&self) {
        self.signal("KILL");
    }

    /// Sends the service itself a signal: it runs below the program that the private one was started with.
    pub(crate) fn signal(&self, signal: &str) {
        let folder = self.private.socket().ancestors().nth(2).unwrap();
        let configuration = folder.join("reader.conf.d");
        let of_ours = |process: &PathBuf| {
            let called = std::fs::read(process.join("cmdline")).unwrap_or_default();
            let called = String::from_utf8_lossy(&called).replace('\0', " ");
            called.starts_with("pcscd") && called.contains(configuration.to_str().unwrap())
        };
        let process = std::fs::read_dir("/proc")
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(of_ours)
            .expect("the private pcscd");
        let sent = Process::new("kill")
            .arg(format!("-{signal}"))
            .arg(process.file_name().unwrap())
            .status();
        assert!(sent.unwrap().success());
    }

    pub(crate) fn stop(self) {
        std::fs::remove_file(std::env::var_os(SOCKET).unwrap()).unwrap();
    }
}

pub(crate) struct Rig {
    pub(crate) slot: Slot,
    cards: Cards,
    pub(crate) pcscd: RunningPcscd,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with_keys(KeyStructures::Volatile)
    }

    pub(crate) fn with_keys(keys: KeyStructures) -> Self {
        Self::with(ReaderSettings::default().with_key_structures(keys))
    }

    pub(crate) fn with(settings: ReaderSettings) -> Self {
        let slot = Slot::new();
        Self {
            pcscd: RunningPcscd::start(&slot, settings),
            cards: Cards::new(),
            slot,
        }
    }

    pub(crate) fn card(&self, uid: &str) -> Card {
        self.cards
            .card(
                Technology::MifareClassic1k,
                uid.parse().unwrap(),
                Origin::Factory,
            )
            .unwrap()
    }

    pub(crate) fn place(&self, uid: &str) {
        self.slot.place(&self.card(uid));
    }

    /// Places a card of any technology as it leaves the factory.
    pub(crate) fn place_new(&self, technology: Technology) -> Card {
        self.place_as(technology, "04A1B2C3D4E5F6")
    }

    pub(crate) fn place_as(&self, technology: Technology, uid: &str) -> Card {
        let uid = uid.parse().unwrap();
        let card = self.cards.card(technology, uid, Origin::Factory).unwrap();
        self.slot.place(&card);
        card
    }

    pub(crate) fn selector(&self) -> Selector {
        Selector::Reader(self.pcscd.name.clone())
    }

    /// The same reader as the listing names it: without the number that is another one after every replug.
    pub(crate) fn lasting_selector(&self) -> Selector {
        let name = self.pcscd.name.strip_suffix(" 00 00").unwrap();
        Selector::Reader(name.to_owned())
    }

    /// The service's view of the reader; its count of insertions and removals above all.
    pub(crate) fn watched(&self) -> (pcsc::Context, [pcsc::ReaderState; 1]) {
        watched(&self.pcscd.name)
    }

    pub(crate) fn another_program(&self, mode: pcsc::ShareMode) -> Result<pcsc::Card, pcsc::Error> {
        another_program(&self.pcscd.name, mode)
    }

    pub(crate) fn open(&self) -> Box<dyn BlockEncoder> {
        open(&self.selector()).unwrap()
    }
}

pub(crate) fn watched(reader: &str) -> (pcsc::Context, [pcsc::ReaderState; 1]) {
    let context = pcsc::Context::establish(pcsc::Scope::User).unwrap();
    let name = CString::new(reader).unwrap();
    let mut states = [pcsc::ReaderState::new(name, pcsc::State::UNAWARE)];
    context.get_status_change(LIMIT, &mut states).unwrap();
    (context, states)
}

/// What another program gets that connects to the card once the service has seen it.
pub(crate) fn another_program(
    reader: &str,
    mode: pcsc::ShareMode,
) -> Result<pcsc::Card, pcsc::Error> {
    let (context, mut states) = watched(reader);
    while !states[0].event_state().contains(pcsc::State::PRESENT) {
        states[0].sync_current_state();
        context.get_status_change(LIMIT, &mut states).unwrap();
    }
    context.connect(states[0].name(), mode, pcsc::Protocols::ANY)
}

/// Waits until a card came or went. pcscd looks every 400 ms.
pub(crate) fn await_news(context: &pcsc::Context, states: &mut [pcsc::ReaderState; 1], count: u32) {
    while states[0].event_count() == count {
        states[0].sync_current_state();
        context.get_status_change(LIMIT, states).unwrap();
    }
}

pub(crate) fn open(selector: &Selector) -> Result<Box<dyn BlockEncoder>, Error> {
    open_as(selector, &Opening::default())
}

pub(crate) fn open_as(selector: &Selector, how: &Opening) -> Result<Box<dyn BlockEncoder>, Error> {
    let Encoder::Block(encoder) = PcscDriver::default().open(selector, how)? else {
        panic!("an encoder of another kind");
    };
    Ok(encoder)
}

pub(crate) fn select(encoder: &mut dyn BlockEncoder) -> Box<dyn CardSession + '_> {
    encoder
        .select(CardWait::Resting, Instant::now() + LIMIT, &Stop::default())
        .unwrap()
}

pub(crate) fn refusal(
    encoder: &mut dyn BlockEncoder,
    wait: CardWait,
    within_ms: u64,
    stop: &Stop,
) -> ErrorKind {
    let deadline = Instant::now() + Duration::from_millis(within_ms);
    match encoder.select(wait, deadline, stop) {
        Ok(session) => panic!("selected {:?}", session.card()),
        Err(error) => error.kind(),
    }
}

pub(crate) fn authenticate(block: u8, key: [u8; 6]) -> Command {
    authenticate_with(block, KeyType::A, key)
}

pub(crate) fn authenticate_with(block: u8, key_type: KeyType, key: [u8; 6]) -> Command {
    Command::Classic(ClassicCommand::Authenticate {
        block,
        key_type,
        key: ClassicKey::new(key),
    })
}

pub(crate) fn read(block: u8) -> Command {
    Command::Classic(ClassicCommand::Read { block })
}

pub(crate) fn write(block: u8, bytes: [u8; 16]) -> Command {
    Command::Classic(ClassicCommand::Write {
        block,
        data: BlockData::new(bytes),
    })
}
