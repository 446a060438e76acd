//! Frames of the PN532's host link (UM0701-02 §6.2.1). Bytes in, frames out; knows no command.

/// Between chip and host nothing longer is allowed: TFI and 264 bytes (§6.2.1.2).
const LONGEST: usize = 265;
/// TFI from the host to the chip.
pub(super) const FROM_HOST: u8 = 0xD4;
/// TFI from the chip to the host.
pub(super) const FROM_CHIP: u8 = 0xD5;

/// "I have your frame" (§6.2.1.3).
pub(super) const ACK: [u8; 6] = [0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00];
/// "I know the frame but not what it wants" (§6.2.1.5).
pub(super) const SYNTAX_ERROR: [u8; 8] = [0x00, 0x00, 0xFF, 0x01, 0xFF, 0x7F, 0x81, 0x00];

/// What the host said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Incoming {
    /// A sound frame with a command code and its parameters.
    Command(Vec<u8>),
    /// A sound frame that is no command from a host.
    Nonsense,
    Ack,
    Nack,
}

/// Wraps a response (code and data) in a frame, in the extended form where it must.
pub(super) fn response(data: &[u8]) -> Vec<u8> {
    debug_assert!(data.len() < LONGEST, "no response is longer than 264 bytes");
    let len = data.len() + 1;
    let mut frame = vec![0x00, 0x00, 0xFF];
    match u8::try_from(len) {
        Ok(len) => frame.extend([len, len.wrapping_neg()]),
        Err(_) => {
            let [_, _, high, low] = u32::try_from(len)
                .expect("a response is short")
                .to_be_bytes();
            frame.extend([0xFF, 0xFF, high, low, high.wrapping_add(low).wrapping_neg()]);
        }
    }
    frame.push(FROM_CHIP);
    frame.extend(data);
    let sum = data
        .iter()
        .fold(FROM_CHIP, |sum, &byte| sum.wrapping_add(byte));
    frame.extend([sum.wrapping_neg(), 0x00]);
    frame
}

/// Finds frames in a stream of bytes. Holds at most one frame; what fits no frame is skipped.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    state: State,
}

#[derive(Debug)]
enum State {
    /// Looking for the start code 00 FF, whatever comes before.
    Hunting {
        after_zero: bool,
    },
    Length,
    LengthChecksum {
        length: u8,
    },
    ExtendedLength {
        seen: Vec<u8>,
    },
    /// TFI, data and their checksum, `expected` bytes in all.
    Body {
        expected: usize,
        seen: Vec<u8>,
    },
}

impl Default for State {
    fn default() -> State {
        State::Hunting { after_zero: false }
    }
}

impl Decoder {
    /// Takes one byte; returns a frame when it was the last byte of one that matters.
    pub(super) fn push(&mut self, byte: u8) -> Option<Incoming> {
        let (next, frame) = step(std::mem::take(&mut self.state), byte);
        self.state = next;
        frame
    }

    /// Between frames: nothing is held.
    pub(super) fn is_hunting(&self) -> bool {
        matches!(self.state, State::Hunting { .. })
    }
}

fn hunting(last: u8) -> State {
    State::Hunting {
        after_zero: last == 0,
    }
}

fn body(length: usize) -> State {
    State::Body {
        expected: length + 1,
        seen: Vec::with_capacity(length + 1),
    }
}

fn step(state: State, byte: u8) -> (State, Option<Incoming>) {
    match state {
        State::Hunting { after_zero: true } if byte == 0xFF => (State::Length, None),
        State::Hunting { .. } => (hunting(byte), None),
        State::Length => (State::LengthChecksum { length: byte }, None),
        State::LengthChecksum { length } => match (length, byte) {
            (0x00, 0xFF) => (hunting(byte), Some(Incoming::Ack)),
            (0xFF, 0x00) => (hunting(byte), Some(Incoming::Nack)),
            (0xFF, 0xFF) => (
                State::ExtendedLength {
                    seen: Vec::with_capacity(3),
                },
                None,
            ),
            (length, check) if length != 0 && length.wrapping_add(check) == 0 => {
                (body(length.into()), None)
            }
            _ => (hunting(byte), None),
        },
        State::ExtendedLength { mut seen } => {
            seen.push(byte);
            match seen[..] {
                [high, low, check] => {
                    let length = usize::from(u16::from_be_bytes([high, low]));
                    let sound = high.wrapping_add(low).wrapping_add(check) == 0;
                    let fits = (1..=LONGEST).contains(&length);
                    (
                        if sound && fits {
                            body(length)
                        } else {
                            hunting(byte)
                        },
                        None,
                    )
                }
                _ => (State::ExtendedLength { seen }, None),
            }
        }
        State::Body { expected, mut seen } => {
            seen.push(byte);
            if seen.len() < expected {
                return (State::Body { expected, seen }, None);
            }
            let sum = seen.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte));
            seen.pop();
            (hunting(byte), (sum == 0).then(|| command(seen)))
        }
    }
}

fn command(mut seen: Vec<u8>) -> Incoming {
    if seen.len() < 2 || seen[0] != FROM_HOST {
        return Incoming::Nonsense;
    }
    seen.remove(0);
    Incoming::Command(seen)
}

#[cfg(test)]
mod tests {
    use super::{Decoder, Incoming, response};

    fn decode(hex: &str) -> Vec<Incoming> {
        let bytes = hex::decode(hex.replace(' ', "")).unwrap();
        let mut decoder = Decoder::default();
        bytes
            .into_iter()
            .filter_map(|byte| decoder.push(byte))
            .collect()
    }

    #[test]
    fn published_commands_are_decoded() {
        for (frame, command) in [
            ("00 00 ff 02 fe d4 02 2a 00", "02"),
            ("00 00 ff 05 fb d4 14 01 00 00 17 00", "14010000"),
            ("00 00 ff 05 fb d4 14 01 14 01 02 00", "14011401"),
            ("00 00 ff 04 fc d4 4a 01 00 e1 00", "4a0100"),
            ("00 00 ff 06 fa d4 32 05 ff 01 02 f3 00", "3205ff0102"),
            ("00 00 ff 04 fc d4 32 01 00 f9 00", "320100"),
            ("00 00 ff 05 fb d4 40 01 30 04 b7 00", "40013004"),
            ("00 00 ff 03 fd d4 52 00 da 00", "5200"),
        ] {
            assert_eq!(
                decode(frame),
                [Incoming::Command(hex::decode(command).unwrap())],
                "{frame}"
            );
        }
    }

    #[test]
    fn published_answers_are_encoded() {
        assert_eq!(
            hex::encode(response(&[0x03, 0x32, 0x01, 0x06, 0x07])),
            "0000ff06fad50332010607e800"
        );
        assert_eq!(hex::encode(response(&[0x15])), "0000ff02fed5151600");
    }

    #[test]
    fn ack_and_nack_are_told_apart() {
        assert_eq!(
            decode("0000ff00ff00 0000ffff0000"),
            [Incoming::Ack, Incoming::Nack]
        );
    }

    #[test]
    fn an_extended_frame_is_decoded_and_encoded() {
        let mut data = vec![0x42];
        data.extend([0x5A; 263]);
        let frame = response(&data);
        assert_eq!(frame[..8], [0x00, 0x00, 0xFF, 0xFF, 0xFF, 0x01, 0x09, 0xF6]);

        let mut from_host = frame.clone();
        from_host[8] = 0xD4;
        let dcs = from_host.len() - 2;
        from_host[dcs] = from_host[dcs].wrapping_add(1);
        assert_eq!(decode(&hex::encode(from_host)), [Incoming::Command(data)]);
    }

    #[test]
    fn a_short_command_may_come_in_the_extended_form() {
        assert_eq!(
            decode("0000ffffff0002fe d4022a00"),
            [Incoming::Command(vec![0x02])]
        );
    }

    #[test]
    fn garbage_and_broken_checksums_are_skipped_and_the_next_frame_is_found() {
        let good = "0000ff02fed4022a00";
        for broken in [
            "",
            "5555000000000000000000000000000000",
            "00000000000000000000",
            "0000ff02fdd4022a00",
            "0000ff02fed4022b00",
            "0000ffffff7fffd4",
            "0000ffffff000000",
            "00ff00",
            "00ff0000ff0000ff",
            "ffffffffff",
        ] {
            let frames = decode(&format!("{broken}{good}"));
            assert_eq!(
                frames.last(),
                Some(&Incoming::Command(vec![0x02])),
                "after {broken}"
            );
        }
    }

    #[test]
    fn a_frame_in_the_wrong_direction_is_nonsense() {
        assert_eq!(decode("0000ff02fed5032800"), [Incoming::Nonsense]);
        assert_eq!(decode("0000ff01ffd42c00"), [Incoming::Nonsense]);
    }
}
