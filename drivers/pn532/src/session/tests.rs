//! One card under a scripted chip: what only a disturbed field, or a long answer, shows.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use card::{ClassicKey, KeyType};
use encoder::{BlockEncoder as _, CardWait, Facts, Stop};

use super::*;
use crate::frame;
use crate::link::Link;
use crate::patience::Patience;
use crate::speed::RESET;

const CLASSIC: &[u8] = &[0x00, 0x04, 0x08, 4, 0x04, 0xA1, 0xB2, 0xC3];
const OTHER_CLASSIC: &[u8] = &[0x00, 0x04, 0x08, 4, 0x05, 0x00, 0x00, 0x01];
const DESFIRE: &[u8] = &[
    0x03, 0x44, 0x20, 4, 0x04, 1, 2, 3, 6, 0x75, 0x77, 0x81, 0x02, 0x80,
];
const PHONE: &[u8] = &[0x00, 0x04, 0x20, 4, 0x08, 1, 2, 3, 2, 0x78];

/// What a chip finds that looks a few times only, whatever it was told.
const NOTHING: &[u8] = &[];

/// A chip that finds a card, and answers exchanges with it from a script.
struct Scripted {
    card: &'static [u8],
    /// Takes the card's place when something is looked for the next time but `u32`.
    swap: Option<(u32, &'static [u8])>,
    exchanges: VecDeque<Vec<u8>>,
    input: Vec<u8>,
}

impl Scripted {
    fn new(card: &'static [u8], exchanges: &[&[u8]]) -> Self {
        Self {
            card,
            swap: None,
            exchanges: exchanges.iter().map(|answer| answer.to_vec()).collect(),
            input: Vec::new(),
        }
    }

    fn answer(&mut self, code: u8, parameters: &[u8]) -> Vec<u8> {
        match code {
            // Diagnose: the echo.
            0x00 => parameters.to_vec(),
            0x02 => vec![0x32, 1, 6, 7],
            0x4A => {
                if let Some((left, other)) = &mut self.swap {
                    match left.checked_sub(1) {
                        Some(fewer) => *left = fewer,
                        None => self.card = other,
                    }
                }
                match self.card {
                    NOTHING => vec![0],
                    card => [&[1, 1], card].concat(),
                }
            }
            0x40 | 0x42 => self.exchanges.pop_front().expect("a scripted answer"),
            _ => Vec::new(),
        }
    }
}

impl Line for Scripted {
    fn read(&mut self, buffer: &mut [u8], _: Instant) -> Result<usize, Pn532Error> {
        let count = self.input.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.input[..count]);
        self.input.drain(..count);
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Pn532Error> {
        // 00 00 FF LEN LCS D4 code …; waking and acknowledging are nobody's business here.
        let [0x00, 0x00, 0xFF, length, _, 0xD4, code, ref rest @ ..] = *bytes else {
            return Ok(());
        };
        assert!(length < 0xFF);
        let parameters = &rest[..usize::from(length) - 2];
        let body = [&[0xD5, code + 1][..], &self.answer(code, parameters)].concat();
        let length = body.len() as u8;
        let check = body.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte));
        self.input.extend(frame::ACK);
        self.input
            .extend([0x00, 0x00, 0xFF, length, length.wrapping_neg()]);
        self.input.extend(body);
        self.input.extend([check, 0x00]);
        Ok(())
    }

    fn set_speed(&mut self, _: u32) -> Result<(), Pn532Error> {
        Ok(())
    }
}

fn open(line: Scripted) -> Pn532<Scripted> {
    let link = Link::new(line, Patience::default(), None);
    Pn532::open(link, RESET, Facts::default()).unwrap()
}

fn exchange(line: Scripted, command: &Command) -> Result<Reply, ErrorKind> {
    let mut chip = open(line);
    let wait = Instant::now() + Duration::from_secs(1);
    let mut session = chip
        .select(CardWait::Resting, wait, &Stop::default())
        .unwrap();
    session.exchange(command).map_err(|error| error.kind())
}

fn authenticate() -> Command {
    Command::Classic(ClassicCommand::Authenticate {
        block: 7,
        key_type: KeyType::A,
        key: ClassicKey::new([1; 6]),
    })
}

fn get_version() -> Command {
    Command::Iso(Apdu::new(vec![0x90, 0x60, 0, 0, 0]))
}

#[test]
fn one_disturbance_does_not_make_an_own_card_foreign() {
    for disturbance in [0x01, 0x02, 0x03, 0x05, 0x0B] {
        let line = Scripted::new(CLASSIC, &[&[disturbance], &[0x00]]);
        assert_eq!(exchange(line, &authenticate()), Ok(Reply::Done));
        let line = Scripted::new(CLASSIC, &[&[disturbance], &[disturbance]]);
        assert_eq!(exchange(line, &authenticate()), Ok(Reply::Refused));
    }
}

#[test]
fn a_key_that_the_card_refused_is_not_tried_again() {
    let line = Scripted::new(CLASSIC, &[&[0x14]]);
    assert_eq!(exchange(line, &authenticate()), Ok(Reply::Refused));
}

#[test]
fn another_card_that_lies_there_after_a_disturbance_gets_no_key() {
    let mut line = Scripted::new(CLASSIC, &[&[0x02]]);
    line.swap = Some((2, OTHER_CLASSIC));
    assert_eq!(exchange(line, &authenticate()), Ok(Reply::Refused));
}

#[test]
fn a_disturbed_reading_is_left_to_the_procedure() {
    let line = Scripted::new(CLASSIC, &[&[0x02]]);
    let read = Command::Classic(ClassicCommand::Read { block: 4 });
    assert_eq!(exchange(line, &read), Ok(Reply::Refused));
}

#[test]
fn an_answer_in_parts_is_put_together() {
    let line = Scripted::new(DESFIRE, &[&[0x40, 1, 2], &[0x40, 3], &[0x00, 0x91, 0x00]]);
    let whole = Reply::Data(vec![1, 2, 3, 0x91, 0x00]);
    assert_eq!(exchange(line, &get_version()), Ok(whole));
}

#[test]
fn an_answer_that_never_ends_is_refused() {
    let part = [&[0x40][..], &[7; 200]].concat();
    for endless in [&[&part[..], &part][..], &[&[0x40]]] {
        let line = Scripted::new(DESFIRE, endless);
        assert_eq!(exchange(line, &get_version()), Err(ErrorKind::Protocol));
    }
}

#[test]
fn a_card_that_stops_speaking_its_protocol_is_gone() {
    for status in [0x01, 0x0B, 0x2B] {
        let line = Scripted::new(DESFIRE, &[&[status]]);
        assert_eq!(exchange(line, &get_version()), Err(ErrorKind::CardGone));
    }
}

#[test]
fn each_card_takes_the_commands_of_its_kind() {
    for (card, kind) in [
        (CLASSIC, CommandKind::Classic),
        (DESFIRE, CommandKind::Iso),
        (PHONE, CommandKind::Iso),
    ] {
        let mut chip = open(Scripted::new(card, &[]));
        let session = chip
            .select(CardWait::Resting, Instant::now(), &Stop::default())
            .unwrap();
        for other in [CommandKind::Classic, CommandKind::Type2, CommandKind::Iso] {
            assert_eq!(session.supports(other), other == kind);
        }
    }
}

#[test]
fn a_card_whose_uid_changes_is_not_fresh_because_it_has_a_new_one() {
    let mut line = Scripted::new(PHONE, &[]);
    line.swap = Some((1, &[0x00, 0x04, 0x20, 4, 0x08, 7, 7, 7, 2, 0x78]));
    let mut chip = open(line);
    let wait = Instant::now() + Duration::from_millis(250);
    let fresh = chip.select(CardWait::Fresh, wait, &Stop::default());
    assert_eq!(fresh.err().unwrap().kind(), ErrorKind::NoCard);
}

#[test]
fn a_chip_that_gives_up_looking_at_once_is_asked_until_the_deadline_and_not_beyond() {
    let (told, tells) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut chip = open(Scripted::new(NOTHING, &[]));
        let soon = Instant::now() + Duration::from_millis(50);
        let selected = chip.select(CardWait::Resting, soon, &Stop::default());
        let kind = selected.map(|_| ()).map_err(|error| error.kind());
        told.send(kind).unwrap();
    });
    // Generous: it only keeps a broken test from hanging.
    let ended = tells.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(ended, Err(ErrorKind::NoCard));
}
