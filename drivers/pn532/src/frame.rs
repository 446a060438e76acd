//! The frames of the serial protocol (UM 6.2.1): bytes in, bytes out, no line.
//!
//! ```text
//! normal    00 00 FF LEN LCS TFI PD0..PDn DCS 00      LEN + LCS = 0, TFI + PD + DCS = 0 (mod 256)
//! extended  00 00 FF FF FF LENM LENL LCS TFI PD0..PDn DCS 00
//! ACK       00 00 FF 00 FF 00
//! NACK      00 00 FF FF 00 00
//! error     00 00 FF 01 FF 7F 81 00
//! ```

use zeroize::{Zeroize, Zeroizing};

/// From the host: received, or stop what you are doing (UM 6.2.1.3).
pub(crate) const ACK: [u8; 6] = [0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00];
/// From the host: send your last answer again (UM 6.2.1.4).
pub(crate) const NACK: [u8; 6] = [0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00];

const START: [u8; 2] = [0x00, 0xFF];
const FROM_HOST: u8 = 0xD4;
const FROM_CHIP: u8 = 0xD5;
/// The only byte of an error frame (UM 6.2.1.5).
const SYNTAX_ERROR: u8 = 0x7F;
/// Frame identifier and data of the longest extended frame (UM 6.2.1.2).
const LONGEST: usize = 265;
/// The longest frame with all around it: nothing that is kept ever moves, so that zeroising reaches every copy.
const ROOM: usize = 2 * (LONGEST + 12);

/// What the chip sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// It took the command.
    Ack,
    /// It did not understand the frame.
    Nack,
    /// It does not have such a command, or not with such parameters.
    SyntaxError,
    /// An answer: response code, then data.
    Answer(u8, Zeroizing<Vec<u8>>),
}

/// Wraps a command (its code, then its parameters) for the chip.
pub(crate) fn encode(command: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = command.len() + 1;
    debug_assert!(length <= LONGEST, "no command is that long");
    let mut frame = Zeroizing::new(Vec::with_capacity(ROOM));
    frame.extend([0x00, 0x00, 0xFF]);
    match u8::try_from(length) {
        Ok(length) => frame.extend([length, length.wrapping_neg()]),
        Err(_) => {
            let [high, low] = (length as u16).to_be_bytes();
            frame.extend([0xFF, 0xFF, high, low, high.wrapping_add(low).wrapping_neg()]);
        }
    }
    frame.push(FROM_HOST);
    frame.extend(command);
    frame.push(sum(command).wrapping_add(FROM_HOST).wrapping_neg());
    frame.push(0x00);
    frame
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// Finds frames in whatever comes over the line: hunts for the start code, and after a bad checksum hunts on right
/// behind that start code.
pub(crate) struct Parser {
    bytes: Zeroizing<Vec<u8>>,
    rejected: bool,
}

enum Found {
    Frame(Frame, usize),
    Incomplete,
    Bad,
}

impl Parser {
    pub(crate) fn new() -> Self {
        Self {
            bytes: Zeroizing::new(Vec::with_capacity(ROOM)),
            rejected: false,
        }
    }

    /// Forgets everything.
    pub(crate) fn reset(&mut self) {
        self.bytes.zeroize();
        self.rejected = false;
    }

    /// Takes what was read, as much as is room for; says how much that was. Frames that are there must be taken out
    /// before more fits.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(ROOM - self.bytes.len());
        self.bytes.extend(&bytes[..taken]);
        taken
    }

    /// The next whole frame.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        loop {
            self.hunt();
            match find(&self.bytes) {
                Found::Frame(frame, length) => {
                    self.skip(length);
                    return Some(frame);
                }
                Found::Incomplete => return None,
                Found::Bad => {
                    self.skip(1);
                    self.rejected = true;
                }
            }
        }
    }

    /// Whether something came that is not, or not yet, part of a whole frame.
    pub(crate) fn is_dirty(&self) -> bool {
        self.rejected || self.bytes.iter().any(|byte| *byte != 0)
    }

    /// Skips to the next start code, or to a last byte that may begin one.
    fn hunt(&mut self) {
        let start = self.bytes.windows(2).position(|pair| pair == START);
        let keep = start.unwrap_or(match self.bytes.last() {
            Some(0) => self.bytes.len() - 1,
            _ => self.bytes.len(),
        });
        self.rejected |= self.bytes[..keep].iter().any(|byte| *byte != 0);
        self.skip(keep);
    }

    fn skip(&mut self, count: usize) {
        let kept = self.bytes.len() - count;
        self.bytes.copy_within(count.., 0);
        self.bytes[kept..].zeroize();
        self.bytes.truncate(kept);
    }
}

/// Looks at bytes that begin with a start code.
fn find(bytes: &[u8]) -> Found {
    match *bytes {
        [_, _, 0x00, 0xFF, ..] => Found::Frame(Frame::Ack, 4),
        [_, _, 0xFF, 0x00, ..] => Found::Frame(Frame::Nack, 4),
        [_, _, 0xFF, 0xFF, high, low, check, ..] => {
            let length = usize::from(u16::from_be_bytes([high, low]));
            body(bytes, 7, length, sum(&[high, low, check]))
        }
        [_, _, 0xFF, 0xFF, ..] => Found::Incomplete,
        [_, _, length, check, ..] => body(bytes, 4, usize::from(length), sum(&[length, check])),
        _ => Found::Incomplete,
    }
}

fn body(bytes: &[u8], at: usize, length: usize, check: u8) -> Found {
    if check != 0 || !(1..=LONGEST).contains(&length) {
        return Found::Bad;
    }
    let Some(body) = bytes.get(at..=at + length) else {
        return Found::Incomplete;
    };
    if sum(body) != 0 {
        return Found::Bad;
    }
    let frame = match &body[..length] {
        [SYNTAX_ERROR] => Frame::SyntaxError,
        [FROM_CHIP, code, data @ ..] => Frame::Answer(*code, Zeroizing::new(data.to_vec())),
        _ => return Found::Bad,
    };
    Found::Frame(frame, at + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        hex.split_whitespace()
            .map(|byte| u8::from_str_radix(byte, 16).unwrap())
            .collect()
    }

    fn answer(code: u8, data: &[u8]) -> Frame {
        Frame::Answer(code, Zeroizing::new(data.to_vec()))
    }

    fn parse(parts: &[&[u8]]) -> (Vec<Frame>, bool) {
        let mut parser = Parser::new();
        let mut frames = Vec::new();
        for part in parts {
            assert_eq!(parser.push(part), part.len());
            while let Some(frame) = parser.next() {
                frames.push(frame);
            }
        }
        (frames, parser.is_dirty())
    }

    /// Frames that libnfc, nfcpy and Adafruit's library send.
    #[test]
    fn commands_look_like_those_of_other_hosts() {
        for (command, frame) in [
            ("02", "00 00 ff 02 fe d4 02 2a 00"),
            ("14 01 00 00", "00 00 ff 05 fb d4 14 01 00 00 17 00"),
            ("14 01 14 01", "00 00 ff 05 fb d4 14 01 14 01 02 00"),
            ("4a 01 00", "00 00 ff 04 fc d4 4a 01 00 e1 00"),
            ("32 05 ff 01 02", "00 00 ff 06 fa d4 32 05 ff 01 02 f3 00"),
            ("32 01 00", "00 00 ff 04 fc d4 32 01 00 f9 00"),
            ("40 01 30 04", "00 00 ff 05 fb d4 40 01 30 04 b7 00"),
            ("52 00", "00 00 ff 03 fd d4 52 00 da 00"),
        ] {
            assert_eq!(*encode(&bytes(command)), bytes(frame), "{command}");
        }
    }

    #[test]
    fn a_long_command_goes_into_an_extended_frame() {
        let frame = encode(&[0x40; 264]);
        assert_eq!(frame[..8], bytes("00 00 ff ff ff 01 09 f6"));
        assert_eq!(frame[8], 0xD4);
        assert_eq!(sum(&frame[8..frame.len() - 1]), 0);
        assert_eq!(frame.len(), 8 + 265 + 2);
        assert_eq!(encode(&[0x40; 254])[..5], bytes("00 00 ff ff 01"));
    }

    #[test]
    fn answers_are_read() {
        for (frame, expected) in [
            ("00 00 ff 00 ff 00", Frame::Ack),
            ("00 00 ff ff 00 00", Frame::Nack),
            ("00 00 ff 01 ff 7f 81 00", Frame::SyntaxError),
            (
                "00 00 ff 06 fa d5 03 32 01 06 07 e8 00",
                answer(0x03, &[0x32, 0x01, 0x06, 0x07]),
            ),
            ("00 00 ff 02 fe d5 15 16 00", answer(0x15, &[])),
            ("00 00 ff ff ff 00 02 fe d5 15 16 00", answer(0x15, &[])),
        ] {
            let all = bytes(frame);
            let singly: Vec<&[u8]> = all.chunks(1).collect();
            assert_eq!(parse(&[&all]), (vec![expected.clone()], false), "{frame}");
            assert_eq!(parse(&singly), (vec![expected], false), "{frame} bytewise");
        }
    }

    #[test]
    fn the_longest_extended_answer_is_read() {
        let mut frame = bytes("00 00 ff ff ff 01 09 f6 d5 41");
        frame.extend([0x00; 263]);
        frame.extend([0x00_u8.wrapping_sub(0xD5).wrapping_sub(0x41), 0x00]);
        assert_eq!(parse(&[&frame]), (vec![answer(0x41, &[0; 263])], false));
    }

    #[test]
    fn garbage_before_a_frame_is_skipped() {
        let frame = bytes("00 00 ff 02 fe d5 15 16 00");
        for garbage in [
            "55 aa",
            "00 ff 12 34",
            "ff ff ff",
            "00 ff 02 fe d5 15 17",
            "00 00 ff 05",
            "00 00 00 00",
        ] {
            let garbage = bytes(garbage);
            let (frames, _) = parse(&[&garbage, &frame]);
            assert_eq!(frames, [answer(0x15, &[])], "{garbage:x?}");
        }
    }

    #[test]
    fn a_bad_checksum_makes_no_frame_and_is_noticed() {
        for frame in [
            "00 00 ff 02 fd d5 15 16 00",
            "00 00 ff 02 fe d5 15 17 00",
            "00 00 ff 02 fe d5 15",
            "00 00 fe 02 fe d5 15 16 00",
            "00 00 ff ff ff ff ff 02 00",
            "00 00 ff 02 fe d4 15 17 00",
        ] {
            assert_eq!(parse(&[&bytes(frame)]), (vec![], true), "{frame}");
        }
    }

    #[test]
    fn two_frames_in_one_read_are_both_found() {
        let both = bytes("00 00 ff 00 ff 00 00 00 ff 02 fe d5 15 16 00");
        assert_eq!(
            parse(&[&both]),
            (vec![Frame::Ack, answer(0x15, &[])], false)
        );
    }

    #[test]
    fn endless_noise_takes_no_more_room() {
        let mut parser = Parser::new();
        for _ in 0..100 {
            // Looks like the beginning of the longest frame.
            let taken = parser.push(&bytes("00 ff ff ff 01 09 f6 d5"));
            assert!(taken == 8 || !parser.bytes.is_empty());
            while parser.next().is_some() {}
        }
        assert!(parser.bytes.capacity() <= ROOM);
        assert!(parser.is_dirty());
    }
}
