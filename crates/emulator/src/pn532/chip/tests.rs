//! The chip as a host meets it, frame by frame, with the time as an argument.

mod blocks;
mod exchanging;
mod paged;
mod searching;
mod waking;

use std::time::{Duration, Instant};

use super::Chip;
use crate::slot::Slot;
use crate::{Card, Cards, Origin, Technology};

const ACK: &str = "0000ff00ff00";
const ERROR: &str = "0000ff01ff7f8100";
const WAKE_UP: [u8; 16] = [0x55, 0x55, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A chip, its slot, and a clock that only the test moves.
struct Bench {
    chip: Chip,
    slot: Slot,
    now: Instant,
}

impl Bench {
    /// As after power-on.
    fn asleep() -> Bench {
        let slot = Slot::new();
        Bench {
            chip: Chip::new(slot.clone()),
            slot,
            now: Instant::now(),
        }
    }

    /// Woken and configured.
    fn ready() -> Bench {
        let mut bench = Bench::asleep();
        assert!(bench.raw(&WAKE_UP).is_empty());
        assert_eq!(bench.ask("14 01 00"), "15");
        bench
    }

    fn with_card(uid: &str) -> Bench {
        let bench = Bench::ready();
        bench.slot.place(&card(uid));
        bench
    }

    /// With the card listed as target 1.
    fn with_target(uid: &str) -> Bench {
        let mut bench = Bench::with_card(uid);
        assert!(bench.ask("4a 01 00").starts_with("4b01"));
        bench
    }

    /// With sector 1 open by key A.
    fn opened() -> Bench {
        let mut bench = Bench::with_target("04A1B2C3");
        assert_eq!(bench.ask("40 01 60 04 ffffffffffff 04a1b2c3"), "4100");
        bench
    }

    fn raw(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut frames = Vec::new();
        for byte in bytes {
            frames.extend(self.chip.receive(&[*byte]));
            frames.extend(self.chip.carry_out(self.now));
        }
        frames.into_iter().map(hex::encode).collect()
    }

    /// Sends a command and returns the frames that come at once.
    fn send(&mut self, command: &str) -> Vec<String> {
        self.raw(&host_frame(command))
    }

    /// Sends a command that answers at once and returns the response without its frame.
    fn ask(&mut self, command: &str) -> String {
        let frames = self.send(command);
        let [ack, response] = &frames[..] else {
            panic!("{command} brought {frames:?}")
        };
        assert_eq!(ack, ACK);
        response_in(response)
    }

    /// Lets time pass and returns the frame that came of it, if any.
    fn pass(&mut self, time: Duration) -> Option<String> {
        self.now += time;
        self.chip
            .wake(self.now)
            .pop()
            .map(|frame| response_in(&hex::encode(frame)))
    }
}

fn card(uid: &str) -> Card {
    card_of(Technology::MifareClassic1k, uid)
}

fn card_of(technology: Technology, uid: &str) -> Card {
    Cards::new()
        .card(technology, uid.parse().unwrap(), Origin::Factory)
        .unwrap()
}

fn host_frame(command: &str) -> Vec<u8> {
    let mut body = vec![0xD4];
    body.extend(hex::decode(command.replace(' ', "")).unwrap());
    let len = u8::try_from(body.len()).unwrap();
    let sum = body.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte));
    let mut frame = vec![0x00, 0x00, 0xFF, len, len.wrapping_neg()];
    frame.extend(body);
    frame.extend([sum.wrapping_neg(), 0x00]);
    frame
}

/// Code and data of a response frame in the normal form; an error frame as `error`.
fn response_in(frame: &str) -> String {
    if frame == ERROR {
        return "error".to_owned();
    }
    let (head, body) = frame.split_at(10);
    assert!(head.starts_with("0000ff"), "{frame}");
    body.strip_prefix("d5")
        .expect("a response")
        .strip_suffix("00")
        .map(|rest| rest[..rest.len() - 2].to_owned())
        .unwrap()
}
