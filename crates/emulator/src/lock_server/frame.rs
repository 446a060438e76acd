//! The bytes of the protocol: frames, their checksum, and an ear that finds them in a stream. Fields are bytes, not
//! text: the separator is no ASCII, and no UTF-8 either.

use std::time::{Duration, Instant};

pub(super) const STX: u8 = 0x02;
pub(super) const ETX: u8 = 0x03;
pub(super) const ENQ: u8 = 0x05;
pub(super) const ACK: u8 = 0x06;
pub(super) const NAK: u8 = 0x15;
/// Between fields, and before the first and after the last.
pub(super) const SEPARATOR: u8 = 0xB3;
/// In the place of the checksum: it is not used. Whichever the checksum would be.
pub(super) const NO_CHECKSUM: u8 = 0x0D;

/// What stands between two separators.
pub(super) type Field = Vec<u8>;

/// A frame that is begun and not gone on with is forgotten after this time; a client allows as much between two bytes
/// (batiati/Onity `Client.cs`, `PROTOCOL_TIMEOUT`).
const PATIENCE: Duration = Duration::from_secs(2);
/// Far more than any command has; a longer one is no command.
const LONGEST: usize = 4096;

/// XOR of all bytes after STX, ETX included.
fn checksum(between: &[u8]) -> u8 {
    between.iter().fold(ETX, |sum, byte| sum ^ byte)
}

/// A frame of these fields, with its checksum or without.
pub(super) fn frame(fields: &[Field], has_checksum: bool) -> Vec<u8> {
    let mut between = vec![SEPARATOR];
    for field in fields {
        between.extend(field);
        between.push(SEPARATOR);
    }
    let last = if has_checksum {
        checksum(&between)
    } else {
        NO_CHECKSUM
    };
    [&[STX][..], &between, &[ETX, last]].concat()
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// Are you ready?
    Enquiry,
    /// A frame with a right checksum, or none. No fields at all if it does not begin with a separator.
    Frame(Vec<Field>),
    /// A frame with a wrong checksum.
    Damaged,
}

/// What is heard in these bytes alone.
pub(super) fn heard_in(bytes: &[u8]) -> Option<Heard> {
    let (mut ear, now) = (Ear::default(), Instant::now());
    bytes.iter().find_map(|byte| ear.hear(*byte, now))
}

/// An ear that keeps the bytes of what it heard.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    ear: Ear,
    bytes: Vec<u8>,
}

impl Splitter {
    /// Takes one byte, which came at this moment; tells what it ends, without what lay before that.
    pub(super) fn hear(&mut self, byte: u8, now: Instant) -> Option<(Vec<u8>, Heard)> {
        let was_outside = matches!(self.ear.stage, Stage::Outside);
        let heard = self.ear.hear(byte, now);
        let begins = matches!(&self.ear.stage, Stage::Inside(between) if between.is_empty());
        if was_outside || begins {
            self.bytes.clear();
        }
        self.bytes.push(byte);
        heard.map(|heard| (std::mem::take(&mut self.bytes), heard))
    }
}

/// Finds frames and enquiries in a stream that may be cut anywhere, and passes over everything between them.
#[derive(Debug, Default)]
pub(super) struct Ear {
    stage: Stage,
    /// When the last byte came.
    last: Option<Instant>,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Outside,
    Inside(Vec<u8>),
    /// The ETX has come; whatever byte is next is the checksum.
    Ended(Vec<u8>),
}

impl Ear {
    /// Takes one byte, which came at this moment.
    pub(super) fn hear(&mut self, byte: u8, now: Instant) -> Option<Heard> {
        let last = self.last.replace(now).unwrap_or(now);
        if now.saturating_duration_since(last) > PATIENCE {
            self.stage = Stage::Outside;
        }
        match std::mem::take(&mut self.stage) {
            Stage::Outside => match byte {
                ENQ => return Some(Heard::Enquiry),
                STX => self.stage = Stage::Inside(Vec::new()),
                _ => {}
            },
            Stage::Inside(between) if byte == ETX => self.stage = Stage::Ended(between),
            // The one before was cut off.
            Stage::Inside(_) if byte == STX => self.stage = Stage::Inside(Vec::new()),
            Stage::Inside(mut between) => {
                between.push(byte);
                if between.len() <= LONGEST {
                    self.stage = Stage::Inside(between);
                }
            }
            Stage::Ended(between) => {
                let is_right = byte == NO_CHECKSUM || byte == checksum(&between);
                return Some(if is_right {
                    Heard::Frame(fields(&between))
                } else {
                    Heard::Damaged
                });
            }
        }
        None
    }
}

fn fields(between: &[u8]) -> Vec<Field> {
    let Some((&SEPARATOR, rest)) = between.split_first() else {
        return Vec::new();
    };
    let mut fields: Vec<Field> = rest
        .split(|byte| *byte == SEPARATOR)
        .map(<[u8]>::to_vec)
        .collect();
    // After the last separator there is nothing.
    if fields.last().is_some_and(Vec::is_empty) {
        fields.pop();
    }
    fields
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{ACK, ENQ, ETX, Ear, Field, Heard, NAK, SEPARATOR, STX, frame};

    fn fields(text: &str) -> Vec<Field> {
        text.split('|').map(|field| field.into()).collect()
    }

    fn heard(bytes: &[u8]) -> Vec<Heard> {
        let (mut ear, now) = (Ear::default(), Instant::now());
        bytes
            .iter()
            .filter_map(|byte| ear.hear(*byte, now))
            .collect()
    }

    /// From what public clients of the protocol send and are sent, recomputed. The second one's checksum is ETX.
    const VECTORS: [(&str, &str); 6] = [
        ("CO|0|101", "02b3434fb330b3313031b3030f"),
        (
            "LT|Online Encoder 1|R",
            "02b34c54b34f6e6c696e6520456e636f6465722031b352b30303",
        ),
        (
            "CN|1|R|101||||||1400211126|1200221126",
            "02b3434eb331b352b3313031b3b3b3b3b3b331343030323131313236b331323030323231313236b30358",
        ),
        ("OV|1", "02b34f56b331b30398"),
        ("LT|3|E", "02b34c54b333b345b3036d"),
        ("CN|1", "02b3434eb331b3038c"),
    ];

    #[test]
    fn known_frames_are_written_byte_by_byte_as_public_clients_have_them() {
        for (text, bytes) in VECTORS {
            assert_eq!(hex::encode(frame(&fields(text), true)), bytes, "{text}");
        }
    }

    #[test]
    fn known_frames_are_heard_however_they_are_cut() {
        for (text, bytes) in VECTORS {
            let bytes = hex::decode(bytes).unwrap();
            assert_eq!(heard(&bytes), [Heard::Frame(fields(text))], "{text}");
        }
    }

    #[test]
    fn a_checksum_that_looks_like_a_control_byte_ends_the_frame_all_the_same() {
        // One room for each control byte that the checksum can be.
        for control in [STX, ETX, ENQ, ACK, NAK, SEPARATOR] {
            let name = |byte: &u8| *byte >= b' ' && *byte != SEPARATOR;
            let room = (0..=0xFF)
                .filter(name)
                .flat_map(|first| (0..=0xFF).filter(name).map(move |second| [first, second]))
                .map(|room| vec![b"CO".to_vec(), b"0".to_vec(), room.to_vec()])
                .find(|fields| frame(fields, true).ends_with(&[ETX, control]));
            let room = room.unwrap_or_else(|| panic!("no room with the checksum {control:02X}"));
            let twice = [frame(&room, true), frame(&room, true)].concat();
            let once = Heard::Frame(room);
            assert_eq!(heard(&twice), [once.clone(), once], "{control:02X}");
        }
    }

    #[test]
    fn without_a_checksum_a_frame_is_right_and_with_a_wrong_one_it_is_damaged() {
        let mut bytes = frame(&fields("CO|0|101"), false);
        assert_eq!(heard(&bytes), [Heard::Frame(fields("CO|0|101"))]);
        *bytes.last_mut().unwrap() = 0x0E;
        assert_eq!(heard(&bytes), [Heard::Damaged]);
    }

    #[test]
    fn what_lies_between_frames_is_passed_over_and_one_that_was_cut_off_is_forgotten() {
        let whole = frame(&fields("OV|1"), true);
        let stream = [b"x\x03y", &whole[..4], &whole, &[ACK, ENQ]].concat();
        let frame = Heard::Frame(fields("OV|1"));
        assert_eq!(heard(&stream), [frame, Heard::Enquiry]);
    }

    #[test]
    fn a_frame_that_is_not_gone_on_with_is_forgotten_after_two_seconds() {
        let (mut ear, now) = (Ear::default(), Instant::now());
        assert_eq!(ear.hear(STX, now), None);
        let late = now + Duration::from_millis(2001);
        assert_eq!(ear.hear(ENQ, late), Some(Heard::Enquiry));
        assert_eq!(ear.hear(STX, late), None);
        assert_eq!(ear.hear(ENQ, late + Duration::from_secs(2)), None);
    }

    #[test]
    fn a_frame_without_a_leading_separator_has_no_fields_and_an_endless_one_never_ends() {
        let bytes = [STX, b'C', b'O', ETX, 0x0D];
        assert_eq!(heard(&bytes), [Heard::Frame(Vec::new())]);
        let endless = [vec![STX], vec![b'x'; 5000], vec![ETX, 0x0D, ENQ]].concat();
        assert_eq!(heard(&endless), [Heard::Enquiry]);
    }
}
