//! The driver against an emulated PN532 on a pseudo-terminal: the real serial port code and the real wire.
#![expect(clippy::unwrap_used, reason = "a test's own fixtures may fail it")]

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use card::{
    BlockData, ClassicCommand, ClassicKey, Command, CommandKind, KeyType, Reply, SelectAnswer,
};
use driver_pn532::Pn532Driver;
use emulator::{Card, Cards, Moment, Origin, Pn532Encoder, Slot, Technology};
use encoder::{
    Access, BlockEncoder, CardSession, CardWait, Driver as _, Encoder, Error, ErrorKind, Identity,
    Selector, Settings, Stop,
};

/// Generous: it only keeps a broken test from hanging.
const LIMIT: Duration = Duration::from_secs(10);
const TRANSPORT: [u8; 6] = [0xFF; 6];

/// One emulated encoder with its drawer of cards.
struct Rig {
    encoder: Pn532Encoder,
    cards: Cards,
    _home: tempfile::TempDir,
}

impl Rig {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self {
            encoder: Pn532Encoder::start(Slot::new(), home.path().join("front-desk")).unwrap(),
            cards: Cards::new(),
            _home: home,
        }
    }

    fn slot(&self) -> &Slot {
        self.encoder.slot()
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
        self.slot().place(&self.card(uid));
    }

    fn selector(&self) -> Selector {
        Selector::Port(self.encoder.path().to_owned())
    }

    fn try_open(&self) -> Result<Box<dyn BlockEncoder>, Error> {
        let Encoder::Block(encoder) = Pn532Driver.open(&self.selector(), &Settings::default())?;
        Ok(encoder)
    }

    fn open(&self) -> Box<dyn BlockEncoder> {
        self.try_open().unwrap()
    }

    fn field_becomes(&self, on: bool) {
        assert!(self.slot().wait_for(LIMIT, |now| now.is_field_on == on));
    }
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
fn a_card_says_what_it_is() {
    let rig = Rig::new();
    rig.place("04A1B2C3");
    let mut encoder = rig.open();
    let session = select(encoder.as_mut());
    assert_eq!(session.card().uid.to_string(), "04A1B2C3");
    assert_eq!(
        session.card().answer,
        SelectAnswer::Iso14443a {
            atqa: [0x00, 0x04],
            sak: 0x08,
            ats: vec![]
        }
    );
    assert!(session.supports(CommandKind::Classic));
}

#[test]
fn a_card_that_is_put_on_later_is_waited_for() {
    let rig = Rig::new();
    let mut encoder = rig.open();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            rig.field_becomes(true);
            rig.place("04A1B2C3");
        });
        let session = select(encoder.as_mut());
        assert_eq!(session.card().uid.to_string(), "04A1B2C3");
    });
}

#[test]
fn no_card_by_the_deadline_is_said_and_the_encoder_works_on() {
    let rig = Rig::new();
    let mut encoder = rig.open();
    let stop = Stop::default();
    for wait in [CardWait::Resting, CardWait::Fresh] {
        let kind = refusal(encoder.as_mut(), wait, 30, &stop);
        assert_eq!(kind, ErrorKind::NoCard, "{wait:?}");
        rig.field_becomes(false);
    }
    rig.place("04A1B2C3");
    select(encoder.as_mut());
}

#[test]
fn a_stop_ends_the_wait_and_the_encoder_works_on() {
    let rig = Rig::new();
    let mut encoder = rig.open();
    for wait in [CardWait::Resting, CardWait::Fresh] {
        let stop = Stop::default();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                rig.field_becomes(true);
                stop.raise();
            });
            let kind = refusal(encoder.as_mut(), wait, 10_000, &stop);
            assert_eq!(kind, ErrorKind::Cancelled, "{wait:?}");
        });
        rig.field_becomes(false);
    }
    rig.place("04A1B2C3");
    select(encoder.as_mut());
}

#[test]
fn a_block_is_written_and_read_back() {
    for uid in ["04A1B2C3", "04A1B2C3D4E5F6"] {
        let rig = Rig::new();
        rig.place(uid);
        let mut encoder = rig.open();
        let mut session = select(encoder.as_mut());
        assert_eq!(session.card().uid.to_string(), uid);
        let open = session.exchange(&authenticate(7, TRANSPORT)).unwrap();
        assert_eq!(open, Reply::Done);
        let written = session.exchange(&write(5, [0x5A; 16])).unwrap();
        assert_eq!(written, Reply::Done);
        let data = session.exchange(&read(5)).unwrap();
        assert_eq!(data, Reply::Data(vec![0x5A; 16]));
        assert_eq!(rig.card(uid).memory()[80..96], [0x5A; 16]);
        assert_eq!(rig.slot().log().exchanges(), 3);
    }
}

#[test]
fn after_a_wrong_key_the_card_answers_again_once_it_is_selected_anew() {
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
}

#[test]
fn what_the_access_bits_forbid_is_refused() {
    let rig = Rig::new();
    rig.place("04A1B2C3");
    let mut encoder = rig.open();
    let mut session = select(encoder.as_mut());
    session.exchange(&authenticate(0, TRANSPORT)).unwrap();
    // The manufacturer's block can never be written.
    let refused = session.exchange(&write(0, [0; 16])).unwrap();
    assert_eq!(refused, Reply::Refused);
    session.exchange(&Command::Reselect).unwrap();
    // Nor can a sector be read that was not opened.
    assert_eq!(session.exchange(&read(4)).unwrap(), Reply::Refused);
}

#[test]
fn a_card_taken_off_midway_is_gone() {
    for moment in [Moment::Before, Moment::Unanswered, Moment::After] {
        let rig = Rig::new();
        rig.place("04A1B2C3");
        let mut encoder = rig.open();
        let mut session = select(encoder.as_mut());
        session.exchange(&authenticate(7, TRANSPORT)).unwrap();
        rig.slot().remove_at(1, moment);
        let last = session.exchange(&read(5)).unwrap();
        let answered = matches!(last, Reply::Data(_));
        assert_eq!(answered, moment == Moment::After, "{moment:?}");
        assert_eq!(session.exchange(&read(5)).unwrap(), Reply::Refused);
        let error = session.exchange(&Command::Reselect).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CardGone, "{moment:?}");
    }
}

#[test]
fn a_card_that_took_its_place_is_reported() {
    let rig = Rig::new();
    rig.place("04A1B2C3");
    let mut encoder = rig.open();
    let mut session = select(encoder.as_mut());
    rig.place("05000001");
    let again = session.exchange(&Command::Reselect).unwrap();
    let Reply::Reselected(card) = &again else {
        panic!("a card lies there");
    };
    assert_eq!(card.uid.to_string(), "05000001");
    let open = session.exchange(&authenticate(7, TRANSPORT)).unwrap();
    assert_eq!(open, Reply::Done);
}

#[test]
fn two_cards_are_too_many() {
    let rig = Rig::new();
    rig.place("04A1B2C3");
    rig.slot().add(&rig.card("05000001"));
    let mut encoder = rig.open();
    let kind = refusal(
        encoder.as_mut(),
        CardWait::Resting,
        10_000,
        &Stop::default(),
    );
    assert_eq!(kind, ErrorKind::SeveralCards);
    rig.place("05000001");
    select(encoder.as_mut());
}

#[test]
fn a_fresh_card_is_not_the_one_that_rests_there() {
    let rig = Rig::new();
    rig.place("04A1B2C3");
    let mut encoder = rig.open();
    let stop = Stop::default();
    let kind = refusal(encoder.as_mut(), CardWait::Fresh, 150, &stop);
    assert_eq!(kind, ErrorKind::NoCard);
    rig.field_becomes(false);

    // Another card in its place is one; the same card is one once it was away for longer than between two looks. As
    // nothing tells a person when the encoder looks, they go on until it is content.
    for next in [Some("05000001"), None] {
        let (content, is_content) = channel::<()>();
        std::thread::scope(|scope| {
            let _tells = content;
            scope.spawn(|| {
                let is_content = is_content;
                let pause = || {
                    is_content.recv_timeout(Duration::from_millis(300))
                        == Err(RecvTimeoutError::Timeout)
                };
                while pause() {
                    match next {
                        Some(uid) => rig.place(uid),
                        None => rig.slot().remove(),
                    }
                    if pause() {
                        rig.place("04A1B2C3");
                    }
                }
            });
            let deadline = Instant::now() + LIMIT;
            encoder.select(CardWait::Fresh, deadline, &stop).unwrap();
        });
    }
}

#[test]
fn the_field_goes_off_with_the_session() {
    let rig = Rig::new();
    rig.place("04A1B2C3");
    let mut encoder = rig.open();
    let session = select(encoder.as_mut());
    rig.field_becomes(true);
    drop(session);
    rig.field_becomes(false);
    select(encoder.as_mut());
}

#[test]
fn a_pulled_cable_is_an_absent_encoder() {
    let rig = Rig::new();
    let mut encoder = rig.open();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            rig.field_becomes(true);
            rig.encoder.unplug();
        });
        let kind = refusal(
            encoder.as_mut(),
            CardWait::Resting,
            10_000,
            &Stop::default(),
        );
        assert_eq!(kind, ErrorKind::Absent);
    });
    assert_eq!(rig.try_open().err().unwrap().kind(), ErrorKind::Absent);
    drop(encoder);

    rig.encoder.plug().unwrap();
    rig.place("04A1B2C3");
    let mut encoder = rig.open();
    let mut session = select(encoder.as_mut());
    rig.encoder.unplug();
    let error = session.exchange(&authenticate(7, TRANSPORT)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Absent);
}

#[test]
fn a_port_is_held_while_it_is_open_and_free_afterwards() {
    let rig = Rig::new();
    let encoder = rig.open();
    let error = rig.try_open().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Held);
    drop(encoder);
    rig.open();
}

#[test]
fn an_encoder_that_a_killed_program_left_waiting_is_taken_over() {
    let rig = Rig::new();
    let leave = |bytes: &[u8]| {
        let path = rig.encoder.path().to_str().unwrap();
        let mut port = serialport::new(path, 115_200).open().unwrap();
        port.write_all(bytes).unwrap();
    };
    rig.open();
    // InListPassiveTarget, endless.
    leave(&[
        0, 0, 0xFF, 6, 0xFA, 0xD4, 0x32, 0x05, 0xFF, 0x01, 0xFF, 0xF6, 0,
    ]);
    let waits = [0, 0, 0xFF, 0x04, 0xFC, 0xD4, 0x4A, 0x01, 0x00, 0xE1, 0x00];
    leave(&waits);
    rig.field_becomes(true);
    rig.open();
    // And one whose program died within the frame.
    leave(&waits[..7]);
    rig.place("04A1B2C3");
    select(rig.open().as_mut());
}

#[test]
fn something_else_at_the_port_is_not_taken_for_an_encoder() {
    let (_terminal, port) = silent_terminal();
    let error = Pn532Driver
        .open(&Selector::Port(port), &Settings::default())
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::Unresponsive);
}

/// A terminal at whose other end nobody answers.
fn silent_terminal() -> (std::os::fd::OwnedFd, std::path::PathBuf) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    (master, Path::new(name.to_str().unwrap()).to_owned())
}

#[test]
fn a_listing_follows_the_cable() {
    let rig = Rig::new();
    let (tx, changes) = channel();
    let watched = [(rig.selector(), Settings::default())];
    let changed = Arc::new(move || tx.send(()).unwrap_or_default());
    let _watch = Pn532Driver.watch(&watched, changed).unwrap();

    let listing = Pn532Driver.look_up(&rig.selector());
    assert_eq!(listing.access, Access::Accessible);
    assert_eq!(listing.identity, Identity::of_port(rig.encoder.path()));

    rig.encoder.unplug();
    changes.recv_timeout(LIMIT).unwrap();
    let listing = Pn532Driver.look_up(&rig.selector());
    assert!(matches!(listing.access, Access::Absent { .. }));

    rig.encoder.plug().unwrap();
    changes.recv_timeout(LIMIT).unwrap();
    let listing = Pn532Driver.look_up(&rig.selector());
    assert_eq!(listing.access, Access::Accessible);
}
