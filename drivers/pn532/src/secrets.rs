//! What of a command and of its answer a recording keeps to itself: keys, passwords, cryptograms, and whatever is on a
//! card. What remains readable is which command it was, for which block or page, and how it ended.

use std::ops::Range;

/// What is secret of one command, by the bytes of the command (its code, then its parameters).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secrets {
    /// Which of its bytes.
    pub(crate) command: Range<usize>,
    /// Whether the data of its answer is, which is everything behind code and status.
    pub(crate) answer: bool,
}

const IN_DATA_EXCHANGE: u8 = 0x40;
const IN_COMMUNICATE_THRU: u8 = 0x42;

/// What is secret of a command.
pub(crate) fn of(command: &[u8]) -> Secrets {
    let end = command.len();
    let (command, answer) = match *command {
        // MIFARE authentication: block, then six bytes of key, then the UID, which is no secret.
        [IN_DATA_EXCHANGE, _, 0x60 | 0x61, ..] => (4..10, false),
        // READ
        [IN_DATA_EXCHANGE, _, 0x30, _] => (end..end, true),
        // WRITE of a block or a page
        [IN_DATA_EXCHANGE, _, 0xA0 | 0xA2, ..] => (4..end, false),
        // DESFire's GetVersion
        [IN_DATA_EXCHANGE, _, 0x90, 0x60, ..] => (end..end, false),
        // Any other APDU but for its class and instruction; and the rest of a long answer.
        [IN_DATA_EXCHANGE, ..] => (4..end, true),
        // GET_VERSION
        [IN_COMMUNICATE_THRU, 0x60] => (end..end, false),
        // FAST_READ
        [IN_COMMUNICATE_THRU, 0x3A, ..] => (end..end, true),
        // PWD_AUTH, and both steps of an Ultralight C's authentication.
        [IN_COMMUNICATE_THRU, ..] => (2..end, true),
        _ => (end..end, false),
    };
    let range = command.start.min(end)..command.end.min(end);
    Secrets {
        command: range,
        answer,
    }
}

/// Finds what is secret in the bytes that come, however they are cut: the data of frames, and whatever is no frame.
#[derive(Debug, Default)]
pub(crate) struct Mask {
    state: State,
    last: u8,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Hunting,
    /// Behind the start code, so many bytes of lengths seen.
    Lengths(usize, [u8; 5]),
    /// In the body, so many bytes of it seen and so many to come, checksum included.
    Body(usize, usize),
}

/// TFI, code and status of an answer.
const READABLE: usize = 3;

impl Mask {
    /// The secret parts of the next bytes, when the answer to what was asked is secret.
    pub(crate) fn secret_parts(&mut self, bytes: &[u8]) -> Vec<Range<usize>> {
        bytes
            .iter()
            .enumerate()
            .filter(|&(_, byte)| self.hides(*byte))
            .map(|(at, _)| at..at + 1)
            .collect()
    }

    fn hides(&mut self, byte: u8) -> bool {
        let (next, hides) = match self.state {
            State::Hunting if (self.last, byte) == (0x00, 0xFF) => {
                (State::Lengths(0, [0; 5]), false)
            }
            // What a frame may begin with tells nothing; anything else may be the rest of a broken one.
            State::Hunting => (State::Hunting, !matches!(byte, 0x00 | 0xFF)),
            State::Lengths(seen, mut lengths) => {
                lengths[seen] = byte;
                (after_lengths(&lengths[..=seen]), false)
            }
            State::Body(seen, to_come) => {
                let next = match to_come {
                    1 => State::Hunting,
                    _ => State::Body(seen + 1, to_come - 1),
                };
                (next, seen >= READABLE)
            }
        };
        self.state = next;
        self.last = byte;
        hides
    }
}

/// ACK and NACK have no body; an extended frame has FFh FFh, then two bytes of length and their checksum.
fn after_lengths(lengths: &[u8]) -> State {
    match *lengths {
        [_] | [0xFF, 0xFF] | [0xFF, 0xFF, _] | [0xFF, 0xFF, _, _] => {
            let mut seen = [0; 5];
            seen[..lengths.len()].copy_from_slice(lengths);
            State::Lengths(lengths.len(), seen)
        }
        [0xFF, 0xFF, high, low, _] => {
            State::Body(0, usize::from(u16::from_be_bytes([high, low])) + 1)
        }
        [0x00, 0xFF] | [0xFF, 0x00] => State::Hunting,
        [length, _] => State::Body(0, usize::from(length) + 1),
        _ => State::Hunting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is_secret(command: &[u8], bytes: Range<usize>, answer: bool) {
        assert_eq!(
            of(command),
            Secrets {
                command: bytes,
                answer
            }
        );
    }

    #[test]
    fn keys_and_what_is_on_a_card_are_secret() {
        is_secret(
            &[0x40, 1, 0x60, 7, 1, 2, 3, 4, 5, 6, 4, 0xA1, 0xB2, 0xC3],
            4..10,
            false,
        );
        is_secret(&[0x40, 1, 0x30, 4], 4..4, true);
        is_secret(&[0x40, 1, 0xA0, 4, 9, 9, 9], 4..7, false);
        is_secret(&[0x40, 1, 0xA2, 4, 9, 9, 9, 9], 4..8, false);
        is_secret(&[0x42, 0x3A, 4, 9], 4..4, true);
        is_secret(&[0x42, 0x1B, 1, 2, 3, 4], 2..6, true);
        is_secret(&[0x42, 0xAF, 1, 2, 3], 2..5, true);
        is_secret(&[0x40, 1, 0x90, 0xAF, 0, 0, 2, 7, 7, 0], 4..10, true);
        is_secret(&[0x40, 1], 2..2, true);
    }

    #[test]
    fn what_a_card_is_and_what_concerns_the_chip_are_not() {
        is_secret(&[0x42, 0x60], 2..2, false);
        is_secret(&[0x40, 1, 0x90, 0x60, 0, 0, 0], 7..7, false);
        is_secret(&[0x4A, 1, 0], 3..3, false);
        is_secret(&[0x10, 7], 2..2, false);
    }

    /// The bytes with `??` for what is secret, fed in pieces of this length.
    fn masked(bytes: &[u8], piece: usize) -> String {
        let mut mask = Mask::default();
        let mut shown = String::new();
        for piece in bytes.chunks(piece) {
            let secret = mask.secret_parts(piece);
            for (at, byte) in piece.iter().enumerate() {
                match secret.iter().any(|range| range.contains(&at)) {
                    true => shown.push_str("?? "),
                    false => shown.push_str(&format!("{byte:02X} ")),
                }
            }
        }
        shown
    }

    #[test]
    fn the_data_of_an_answer_is_found_however_it_is_cut() {
        let bytes = [
            0, 0, 0xFF, 0, 0xFF, 0, 0, 0, 0xFF, 5, 0xFB, 0xD5, 0x41, 0, 7, 8, 0xDB, 0,
        ];
        for piece in 1..bytes.len() {
            let shown = "00 00 FF 00 FF 00 00 00 FF 05 FB D5 41 00 ?? ?? ?? 00 ";
            assert_eq!(masked(&bytes, piece), shown);
        }
        let extended = [0, 0xFF, 0xFF, 0xFF, 0, 4, 0xFC, 0xD5, 0x41, 0, 7, 0xE3, 0];
        assert_eq!(
            masked(&extended, 3),
            "00 FF FF FF 00 04 FC D5 41 00 ?? ?? 00 "
        );
    }

    #[test]
    fn what_is_no_frame_is_secret() {
        assert_eq!(
            masked(&[0x07, 0x08, 0x00, 0x09, 0xFF], 2),
            "?? ?? 00 ?? FF "
        );
    }
}
