//! The driver against a real `pcscd` of its own, with an emulated reader behind it.
//!
//! PC/SC's client library finds its service by an environment variable, which a process cannot safely set for itself:
//! each test runs itself once more with it.
#![expect(clippy::unwrap_used, reason = "a test's own fixtures may fail it")]

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command as Process;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use card::{
    BlockData, ClassicCommand, ClassicKey, Command, CommandKind, KeyType, Reply, SelectAnswer,
};
use driver_pcsc::PcscDriver;
use emulator::{
    Card, Cards, KeyStructures, Moment, Origin, PcscReader, PrivatePcscd, ReaderSettings, Slot,
    Technology,
};
use encoder::{
    Access, BlockEncoder, CardSession, CardWait, Driver as _, Encoder, Error, ErrorKind, Selector,
    Settings, Stop,
};

/// Generous: it only keeps a broken test from hanging.
const LIMIT: Duration = Duration::from_secs(20);
const TRANSPORT: [u8; 6] = [0xFF; 6];
const SOCKET: &str = "PCSCLITE_CSOCK_NAME";
const INSIDE: &str = "CARDBRIDGE_TEST_INSIDE";

/// Runs a test in a process of its own that looks for `pcscd` behind a link of its own.
fn with_pcscd(name: &str, test: impl FnOnce()) {
    if std::env::var(INSIDE).as_deref() == Ok(name) {
        let (done, is_done) = channel::<()>();
        std::thread::spawn(move || {
            if is_done.recv_timeout(3 * LIMIT) == Err(RecvTimeoutError::Timeout) {
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
    assert!(
        run.status.success(),
        "{}{}",
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr)
    );
}

/// The service and one reader behind it.
struct Service {
    _reader: PcscReader,
    name: String,
    _pcscd: PrivatePcscd,
}

impl Service {
    fn start(slot: &Slot, keys: KeyStructures) -> Self {
        let pcscd = PrivatePcscd::start(1).unwrap();
        let link = PathBuf::from(std::env::var_os(SOCKET).unwrap());
        symlink(pcscd.socket(), &link).unwrap();
        let settings = ReaderSettings::default().with_key_structures(keys);
        Self {
            _reader: PcscReader::start(slot.clone(), pcscd.ports()[0], settings).unwrap(),
            name: pcscd.reader_name(0),
            _pcscd: pcscd,
        }
    }

    fn stop(self) {
        std::fs::remove_file(std::env::var_os(SOCKET).unwrap()).unwrap();
    }
}

struct Rig {
    slot: Slot,
    cards: Cards,
    service: Service,
}

impl Rig {
    fn new() -> Self {
        Self::with_keys(KeyStructures::Volatile)
    }

    fn with_keys(keys: KeyStructures) -> Self {
        let slot = Slot::new();
        Self {
            service: Service::start(&slot, keys),
            cards: Cards::new(),
            slot,
        }
    }

    fn card(&self, uid: &str) -> Card {
        self.cards
            .card(
                Technology::MifareClassic1k,
                uid.parse().unwrap(),
                Origin::Factory,
            )
            .unwrap()
    }

    fn place(&self, uid: &str) {
        self.slot.place(&self.card(uid));
    }

    fn selector(&self) -> Selector {
        Selector::Reader(self.service.name.clone())
    }

    /// The service's view of the reader; its count of insertions and removals above all.
    fn watched(&self) -> (pcsc::Context, [pcsc::ReaderState; 1]) {
        let context = pcsc::Context::establish(pcsc::Scope::User).unwrap();
        let name = std::ffi::CString::new(self.service.name.clone()).unwrap();
        let mut states = [pcsc::ReaderState::new(name, pcsc::State::UNAWARE)];
        context.get_status_change(LIMIT, &mut states).unwrap();
        (context, states)
    }

    fn open(&self) -> Box<dyn BlockEncoder> {
        open(&self.selector()).unwrap()
    }
}

fn open(selector: &Selector) -> Result<Box<dyn BlockEncoder>, Error> {
    let Encoder::Block(encoder) = PcscDriver.open(selector, &Settings::default())?;
    Ok(encoder)
}

fn select(encoder: &mut dyn BlockEncoder) -> Box<dyn CardSession + '_> {
    encoder
        .select(CardWait::Resting, Instant::now() + LIMIT, &Stop::default())
        .unwrap()
}

fn refusal(
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

fn authenticate(block: u8, key: [u8; 6]) -> Command {
    Command::Classic(ClassicCommand::Authenticate {
        block,
        key_type: KeyType::A,
        key: ClassicKey::new(key),
    })
}

fn read(block: u8) -> Command {
    Command::Classic(ClassicCommand::Read { block })
}

fn write(block: u8, bytes: [u8; 16]) -> Command {
    Command::Classic(ClassicCommand::Write {
        block,
        data: BlockData::new(bytes),
    })
}

#[test]
fn pcscd_shows_a_card_with_its_uid_and_atr() {
    with_pcscd("pcscd_shows_a_card_with_its_uid_and_atr", || {
        let rig = Rig::new();
        rig.place("04A1B2C3");
        let mut encoder = rig.open();
        let session = select(encoder.as_mut());
        assert_eq!(session.card().uid.to_string(), "04A1B2C3");
        let SelectAnswer::Atr(atr) = &session.card().answer else {
            panic!("PC/SC gives an ATR");
        };
        assert_eq!(atr[..2], [0x3B, 0x8F]);
        assert_eq!(atr[19], 0x6A);
        assert!(session.supports(CommandKind::Classic));
    });
}

#[test]
fn pcscd_tells_of_a_card_that_is_put_on_later() {
    with_pcscd("pcscd_tells_of_a_card_that_is_put_on_later", || {
        let rig = Rig::new();
        let mut encoder = rig.open();
        let kind = refusal(encoder.as_mut(), CardWait::Resting, 100, &Stop::default());
        assert_eq!(kind, ErrorKind::NoCard);
        let (slot, card) = (&rig.slot, rig.card("04A1B2C3D4E5F6"));
        std::thread::scope(|scope| {
            scope.spawn(|| slot.place(&card));
            let session = select(encoder.as_mut());
            assert_eq!(session.card().uid.to_string(), "04A1B2C3D4E5F6");
        });
    });
}

#[test]
fn a_stop_ends_a_wait_in_pcscd_at_once() {
    with_pcscd("a_stop_ends_a_wait_in_pcscd_at_once", || {
        let rig = Rig::new();
        let mut encoder = rig.open();
        for wait in [CardWait::Resting, CardWait::Fresh] {
            let stop = Stop::default();
            std::thread::scope(|scope| {
                scope.spawn(|| stop.raise());
                let kind = refusal(encoder.as_mut(), wait, 20_000, &stop);
                assert_eq!(kind, ErrorKind::Cancelled, "{wait:?}");
            });
        }
        rig.place("04A1B2C3");
        select(encoder.as_mut());
    });
}

#[test]
fn through_pcscd_a_block_is_written_and_read_back_with_either_key_structure() {
    with_pcscd(
        "through_pcscd_a_block_is_written_and_read_back_with_either_key_structure",
        || {
            for keys in [KeyStructures::Volatile, KeyStructures::Persistent] {
                let rig = Rig::with_keys(keys);
                rig.place("04A1B2C3");
                let mut encoder = rig.open();
                let mut session = select(encoder.as_mut());
                let open = session.exchange(&authenticate(7, TRANSPORT)).unwrap();
                assert_eq!(open, Reply::Done, "{keys:?}");
                let written = session.exchange(&write(5, [0x5A; 16])).unwrap();
                assert_eq!(written, Reply::Done);
                let data = session.exchange(&read(5)).unwrap();
                assert_eq!(data, Reply::Data(vec![0x5A; 16]));
                assert_eq!(rig.card("04A1B2C3").memory()[80..96], [0x5A; 16]);
                assert_eq!(rig.slot.log().exchanges(), 3);
                drop(session);
                drop(encoder);
                rig.service.stop();
            }
        },
    );
}

#[test]
fn through_pcscd_a_card_answers_again_after_a_wrong_key_once_it_is_selected_anew() {
    with_pcscd(
        "through_pcscd_a_card_answers_again_after_a_wrong_key_once_it_is_selected_anew",
        || {
            let rig = Rig::new();
            rig.place("04A1B2C3");
            let mut encoder = rig.open();
            let mut session = select(encoder.as_mut());
            for _ in 0..3 {
                let refused = session.exchange(&authenticate(7, [0xA0; 6])).unwrap();
                assert_eq!(refused, Reply::Refused);
                assert_eq!(session.exchange(&read(5)).unwrap(), Reply::Refused);
                let again = session.exchange(&Command::Reselect).unwrap();
                assert_eq!(again, Reply::Reselected(session.card().clone()));
            }
            let open = session.exchange(&authenticate(7, TRANSPORT)).unwrap();
            assert_eq!(open, Reply::Done);
            let refused = session.exchange(&write(0, [0; 16])).unwrap();
            assert_eq!(refused, Reply::Refused);
        },
    );
}

#[test]
fn a_card_that_was_opened_in_one_session_is_closed_in_the_next_under_pcscd() {
    with_pcscd(
        "a_card_that_was_opened_in_one_session_is_closed_in_the_next_under_pcscd",
        || {
            let rig = Rig::new();
            rig.place("04A1B2C3");
            let mut encoder = rig.open();
            let mut session = select(encoder.as_mut());
            session.exchange(&authenticate(7, TRANSPORT)).unwrap();
            drop(session);
            let mut session = select(encoder.as_mut());
            assert_eq!(session.exchange(&read(5)).unwrap(), Reply::Refused);
        },
    );
}

#[test]
fn pcscd_tells_that_a_card_was_taken_off_midway() {
    with_pcscd("pcscd_tells_that_a_card_was_taken_off_midway", || {
        let rig = Rig::new();
        let mut encoder = rig.open();
        for moment in [Moment::Before, Moment::Unanswered, Moment::After] {
            rig.place("04A1B2C3");
            let mut session = select(encoder.as_mut());
            let (context, mut states) = rig.watched();
            let present = states[0].event_count();
            session.exchange(&authenticate(7, TRANSPORT)).unwrap();
            rig.slot.remove_at(1, moment);
            // Whether the card refused or has gone is open at first; selecting it again tells.
            let gone = |result: Result<Reply, Error>| match result {
                Ok(Reply::Refused) => {}
                Ok(reply) => panic!("{reply:?} at {moment:?}"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::CardGone, "{moment:?} {error:?}"),
            };
            let last = session.exchange(&read(5));
            match moment {
                Moment::After => assert!(matches!(last, Ok(Reply::Data(_)))),
                _ => gone(last),
            }
            gone(session.exchange(&read(5)));
            let error = session.exchange(&Command::Reselect).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CardGone, "{moment:?}");
            drop(session);
            // pcscd looks every 400 ms; a card that comes back sooner is never seen again.
            while states[0].event_count() == present {
                states[0].sync_current_state();
                context.get_status_change(LIMIT, &mut states).unwrap();
            }
        }
    });
}

#[test]
fn a_card_that_pcscd_has_not_missed_yet_is_no_fault_of_the_reader() {
    with_pcscd(
        "a_card_that_pcscd_has_not_missed_yet_is_no_fault_of_the_reader",
        || {
            let rig = Rig::new();
            let mut encoder = rig.open();
            rig.place("04A1B2C3");
            drop(select(encoder.as_mut()));
            rig.slot.remove();
            let kind = refusal(encoder.as_mut(), CardWait::Resting, 50, &Stop::default());
            assert_eq!(kind, ErrorKind::NoCard);
        },
    );
}

#[test]
fn under_pcscd_a_fresh_card_is_not_the_one_that_rests_there() {
    with_pcscd(
        "under_pcscd_a_fresh_card_is_not_the_one_that_rests_there",
        || {
            let rig = Rig::new();
            rig.place("04A1B2C3");
            let mut encoder = rig.open();
            select(encoder.as_mut());
            let stop = Stop::default();
            let kind = refusal(encoder.as_mut(), CardWait::Fresh, 300, &stop);
            assert_eq!(kind, ErrorKind::NoCard);
            // As nothing tells a person when the wait begins, they go on until it is content.
            let (content, is_content) = channel::<()>();
            let (slot, card) = (&rig.slot, rig.card("04A1B2C3"));
            std::thread::scope(|scope| {
                let _tells = content;
                scope.spawn(|| {
                    let is_content = is_content;
                    let pause = || {
                        is_content.recv_timeout(Duration::from_millis(1000))
                            == Err(RecvTimeoutError::Timeout)
                    };
                    while pause() {
                        slot.remove();
                        if pause() {
                            slot.place(&card);
                        }
                    }
                });
                let deadline = Instant::now() + LIMIT;
                encoder.select(CardWait::Fresh, deadline, &stop).unwrap();
            });
        },
    );
}

#[test]
fn another_program_is_kept_out_of_a_session_by_pcscd() {
    with_pcscd("another_program_is_kept_out_of_a_session_by_pcscd", || {
        let rig = Rig::new();
        rig.place("04A1B2C3");
        let mut encoder = rig.open();
        let name = std::ffi::CString::new(rig.service.name.clone()).unwrap();
        let exclusively = |context: pcsc::Context| {
            context.connect(&name, pcsc::ShareMode::Exclusive, pcsc::Protocols::ANY)
        };
        let context = || pcsc::Context::establish(pcsc::Scope::User).unwrap();

        // Others that want in during a session wait, and get their turn after it.
        let session = select(encoder.as_mut());
        std::thread::scope(|scope| {
            let (tx, turn) = channel();
            let name = &name;
            scope.spawn(move || {
                let shared = context().connect(name, pcsc::ShareMode::Shared, pcsc::Protocols::ANY);
                tx.send(shared.map(drop)).unwrap();
            });
            let waits = turn.recv_timeout(Duration::from_millis(200));
            assert_eq!(waits, Err(RecvTimeoutError::Timeout));
            drop(session);
            turn.recv_timeout(LIMIT).unwrap().unwrap();
        });

        // Nor does it keep the reader between two sessions.
        let held = exclusively(context()).unwrap();
        let kind = refusal(encoder.as_mut(), CardWait::Resting, 1000, &Stop::default());
        assert_eq!(kind, ErrorKind::Held);
        let listing = PcscDriver.look_up(&rig.selector());
        assert!(matches!(listing.access, Access::Inaccessible { .. }));
        drop(held);
        select(encoder.as_mut());
    });
}

#[test]
fn a_pcscd_that_stops_takes_the_reader_with_it_and_brings_it_back() {
    with_pcscd(
        "a_pcscd_that_stops_takes_the_reader_with_it_and_brings_it_back",
        || {
            let (tx, changes) = channel();
            let changed = Arc::new(move || tx.send(()).unwrap_or_default());
            // Begun before there is a service at all.
            let watch = PcscDriver.watch(&[], changed).unwrap();
            let becomes = |wanted: bool| {
                let end = Instant::now() + LIMIT;
                while PcscDriver.list().is_empty() == wanted {
                    let left = end.saturating_duration_since(Instant::now());
                    changes.recv_timeout(left).expect("a change is told");
                }
            };
            let missing = Selector::Reader("None 00 00".to_owned());
            assert_eq!(open(&missing).err().unwrap().kind(), ErrorKind::Absent);

            let mut rig = Rig::new();
            becomes(true);
            let listing = PcscDriver.look_up(&rig.selector());
            assert_eq!(listing.access, Access::Accessible);
            assert!(PcscDriver.list().contains(&listing));
            assert_eq!(open(&missing).err().unwrap().kind(), ErrorKind::Absent);

            rig.place("04A1B2C3");
            let mut encoder = rig.open();
            let mut session = select(encoder.as_mut());
            let Rig { service, .. } = rig;
            service.stop();
            let error = session.exchange(&authenticate(7, TRANSPORT)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Absent);
            drop(session);
            let kind = refusal(encoder.as_mut(), CardWait::Resting, 1000, &Stop::default());
            assert_eq!(kind, ErrorKind::Absent);
            becomes(false);

            rig = Rig::new();
            becomes(true);
            rig.place("04A1B2C3");
            select(encoder.as_mut());
            drop(watch);
            // The callback, and with it the sender, goes when the watch's thread ends.
            while changes.recv_timeout(LIMIT) != Err(RecvTimeoutError::Disconnected) {}
        },
    );
}
