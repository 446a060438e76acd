//! The faults of a lock server's wire that no other has in the same form: what of a frame counts, how the server
//! refuses, where a UID stands, what is too long. And the one place where frames of either direction meet them.
//!
//! A frame is an enquiry or a command of a client's, an acknowledgement or an answer of the server's. `Nak` is the
//! protocol's own NAK in place of an acknowledgement; `WrongUid` needs an answer that tells a serial number.

use std::ops::Range;
use std::time::Instant;

use super::frame::{ETX, Heard, NAK, SEPARATOR, STX, frame, heard_in};
use super::state::{ConnectionId, State};
use crate::card::Uid;
use crate::faults::{Arrival, FaultKind, Passing, Way, Wire, arrival, noise};

/// No command and no answer has as much.
const TRAILING: usize = 8192;

/// What passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An acknowledgement, positive or negative, to the client.
    Acknowledgement,
    /// A frame to the client.
    Answer,
    /// An enquiry of the client's.
    Enquiry,
    /// A frame of the client's.
    Command,
}

impl Kind {
    /// Whether it can take a fault of that kind. An enquiry that is refused is one that the server is too busy for.
    fn can(self, fault: FaultKind, bytes: &[u8]) -> bool {
        match fault {
            FaultKind::Nak => self != Kind::Answer,
            FaultKind::WrongUid => self == Kind::Answer && self.with_other_uid(bytes).is_some(),
            FaultKind::Oversize => matches!(self, Kind::Answer | Kind::Command),
            _ => true,
        }
    }

    fn is_about_cards(self, bytes: &[u8]) -> bool {
        let names = ["CN", "CC", "CA", "LT", "L1", "L2", "L3", "P1", "P2", "P3"];
        match self {
            Kind::Answer => true,
            Kind::Command => names
                .iter()
                .any(|name| bytes[2..].starts_with(name.as_bytes())),
            Kind::Acknowledgement | Kind::Enquiry => false,
        }
    }
}

impl Wire for Kind {
    fn significant(&self, frame: &[u8]) -> Range<usize> {
        0..frame.len()
    }

    /// From the client a frame with a wrong checksum, which the server refuses by itself.
    fn refusal(&self) -> Vec<u8> {
        match self {
            Kind::Acknowledgement | Kind::Answer => vec![NAK],
            Kind::Enquiry | Kind::Command => vec![STX, SEPARATOR, ETX, 0xFF],
        }
    }

    /// The serial number that is told of a card that was made or read, its last digit another one.
    fn with_other_uid(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Some(Heard::Frame(mut fields)) = heard_in(bytes) else {
            return None;
        };
        let place = if fields.first()? == b"LT" { 12 } else { 2 };
        let field = fields.get_mut(place)?;
        std::str::from_utf8(field).ok()?.parse::<Uid>().ok()?;
        let last = field.last_mut()?;
        *last = if *last == b'0' { b'1' } else { b'0' };
        Some(frame(&fields, true))
    }

    /// A field that does not end within any reason.
    fn oversize(&self, bytes: &[u8], seed: u64) -> Vec<u8> {
        let printable = noise(TRAILING, seed).map(|byte| b' ' + byte % 64);
        let (head, end) = bytes.split_at(bytes.len().saturating_sub(2));
        head.iter()
            .copied()
            .chain(printable)
            .chain(end.iter().copied())
            .collect()
    }
}

impl State {
    /// What arrives of something that passes, which is nothing while the server is stalled.
    fn meet_faults(&self, way: Way, kind: Kind, bytes: Vec<u8>) -> Arrival {
        let passing = Passing {
            way,
            is_about_cards: kind.is_about_cards(&bytes),
            can: &|fault| kind.can(fault, &bytes),
        };
        match self.faults.pass(&passing) {
            Some(hits) => arrival(bytes, &hits, &kind),
            None => Arrival::default(),
        }
    }

    /// What arrives at the client of something that is said to it.
    pub(super) fn leaving(&self, kind: Kind, bytes: Vec<u8>) -> Arrival {
        self.meet_faults(Way::ToHost, kind, bytes)
    }

    /// Takes what a client sent. Commands and enquiries go to the inbox as they arrive, which may be later; what lies
    /// between them is passed over.
    pub(super) fn receive(&mut self, from: ConnectionId, bytes: &[u8], now: Instant) {
        for byte in bytes {
            let heard = match self.connections.get_mut(&from) {
                Some(connection) => connection.splitter.hear(*byte, now),
                None => return,
            };
            let Some((bytes, heard)) = heard else {
                continue;
            };
            let kind = match heard {
                Heard::Enquiry => Kind::Enquiry,
                Heard::Frame(_) | Heard::Damaged => Kind::Command,
            };
            let Arrival { delay, frames } = self.meet_faults(Way::FromHost, kind, bytes);
            // Nothing overtakes what is late.
            let last = self
                .inbox
                .iter()
                .rev()
                .find(|arriving| arriving.from == from);
            let at = last.map_or(now + delay, |last| last.at.max(now + delay));
            self.inbox
                .extend(frames.into_iter().map(|bytes| Arriving { from, bytes, at }));
        }
    }

    /// Something has arrived that was not heard yet.
    pub(super) fn has_arrived(&self, now: Instant) -> bool {
        self.inbox.iter().any(|arriving| arriving.at <= now)
    }

    /// Hears what has arrived by now.
    pub(super) fn hear(&mut self, now: Instant) {
        while let Some(at) = self.inbox.iter().position(|arriving| arriving.at <= now) {
            let Some(Arriving { from, bytes, .. }) = self.inbox.remove(at) else {
                return;
            };
            for byte in bytes {
                let heard = match self.connections.get_mut(&from) {
                    Some(connection) => connection.ear.hear(byte, now),
                    None => break,
                };
                if let Some(heard) = heard {
                    self.heard(from, heard);
                }
            }
        }
    }
}

/// Something of a client's that is on its way.
#[derive(Debug)]
pub(super) struct Arriving {
    pub(super) from: ConnectionId,
    bytes: Vec<u8>,
    pub(super) at: Instant,
}

#[cfg(test)]
mod tests {
    use super::Kind;
    use crate::faults::{FaultKind, Wire};
    use crate::lock_server::frame::{Heard, frame, heard_in};

    fn answer(line: &str) -> Vec<u8> {
        let fields: Vec<_> = line
            .split('|')
            .map(|field| field.as_bytes().to_vec())
            .collect();
        frame(&fields, true)
    }

    #[test]
    fn another_uid_stands_in_a_sound_answer_that_had_one() {
        for (told, other) in [
            ("CN|1|04A1B2C3", "CN|1|04A1B2C0"),
            (
                "LT|1|101||||CI|0|||12221126||04A1B2C3D4E5F0",
                "LT|1|101||||CI|0|||12221126||04A1B2C3D4E5F1",
            ),
        ] {
            assert_eq!(
                Kind::Answer.with_other_uid(&answer(told)),
                Some(answer(other))
            );
        }
        assert!(!Kind::Answer.can(FaultKind::WrongUid, &answer("CN|1")));
    }

    #[test]
    fn what_is_refused_on_its_way_is_heard_as_damaged() {
        assert_eq!(heard_in(&Kind::Command.refusal()), Some(Heard::Damaged));
    }
}
