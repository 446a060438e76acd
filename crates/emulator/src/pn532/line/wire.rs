//! The faults of this wire that no other has in the same form: what of a frame counts, how the chip refuses, where a
//! UID stands, what is too long.

use std::ops::Range;

use crate::faults::{FaultKind, Wire, noise};
use crate::pn532::frame;

/// A frame of this size would not fit into the chip's memory; the longest that is allowed has 265 bytes (§6.2.1.2).
const TOO_LONG: u16 = 1024;
/// Garbage behind a frame.
const TRAILING: usize = 2048;

/// The direction of a frame, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An acknowledgement to the host.
    Acknowledgement,
    /// Any other frame to the host.
    Answer,
    /// A frame of the host's with a command.
    Command,
    /// A frame of the host's without.
    Control,
}

impl Kind {
    pub(super) fn of_outgoing(outgoing: &[u8]) -> Kind {
        if outgoing == frame::ACK {
            Kind::Acknowledgement
        } else {
            Kind::Answer
        }
    }

    /// Whether a frame of this kind can take a fault of that kind. The chip refuses commands, not acknowledgements.
    pub(super) fn can(self, fault: FaultKind, bytes: &[u8]) -> bool {
        match fault {
            FaultKind::Nak => matches!(self, Kind::Answer | Kind::Command),
            FaultKind::WrongUid => self == Kind::Answer && with_other_uid(bytes).is_some(),
            _ => true,
        }
    }
}

impl Wire for Kind {
    /// From the start code's 0xFF to the checksum.
    fn significant(&self, frame: &[u8]) -> Range<usize> {
        let start = frame.iter().position(|&byte| byte == 0xFF).unwrap_or(0);
        let end = match self {
            // The padding was cut off with the host's frame.
            Kind::Command | Kind::Control => frame.len(),
            Kind::Acknowledgement | Kind::Answer => frame.len().saturating_sub(1),
        };
        start..end.max(start)
    }

    /// To the host the frame for syntax errors at application level (§6.2.1.5): the chip sends no NACK, that is the
    /// host's (§6.2.1.4). From the host a sound frame that is no command, which the chip refuses so by itself.
    fn refusal(&self) -> Vec<u8> {
        match self {
            Kind::Acknowledgement | Kind::Answer => frame::SYNTAX_ERROR.to_vec(),
            Kind::Command | Kind::Control => vec![0xFF, 0x01, 0xFF, 0x7F, 0x81],
        }
    }

    fn with_other_uid(&self, frame: &[u8]) -> Option<Vec<u8>> {
        with_other_uid(frame)
    }

    /// By the seed: a frame that claims and has more bytes than any may have, or garbage behind a sound one.
    fn oversize(&self, frame: &[u8], seed: u64) -> Vec<u8> {
        if seed.is_multiple_of(2) {
            return [frame, &noise(TRAILING, seed).collect::<Vec<_>>()].concat();
        }
        let direction = match self {
            Kind::Acknowledgement | Kind::Answer => frame::FROM_CHIP,
            Kind::Command | Kind::Control => frame::FROM_HOST,
        };
        let [high, low] = TOO_LONG.to_be_bytes();
        let check = high.wrapping_add(low).wrapping_neg();
        let mut long = vec![0x00, 0x00, 0xFF, 0xFF, 0xFF, high, low, check, direction];
        let data: Vec<u8> = noise(usize::from(TOO_LONG) - 1, seed).collect();
        let sum = data
            .iter()
            .fold(direction, |sum, &byte| sum.wrapping_add(byte));
        long.extend(data);
        long.extend([sum.wrapping_neg(), 0x00]);
        long
    }
}

/// The answer of InListPassiveTarget or InAutoPoll with the last byte of its first UID changed; `None` if this is no
/// such answer or holds no UID.
fn with_other_uid(outgoing: &[u8]) -> Option<Vec<u8>> {
    // Such answers are short: 00 00 FF LEN LCS D5, the code and the number of targets (§7.3.5, §7.3.13).
    let data = outgoing.get(6..outgoing.len().checked_sub(2)?)?;
    let target = match *data {
        [0x4B, count, ..] if count > 0 => 2,
        // Type and length come before each target.
        [0x61, count, ..] if count > 0 => 4,
        _ => return None,
    };
    // Tg, SENS_RES, SEL_RES, the UID's length, the UID.
    let length = usize::from(*data.get(target + 4)?);
    let last = target + 4 + length;
    let mut data = data.to_vec();
    *data.get_mut(last)? ^= 0x01;
    Some(frame::response(&data))
}

#[cfg(test)]
mod tests {
    use super::{Kind, with_other_uid};
    use crate::faults::Wire;
    use crate::pn532::frame::{self, Decoder};

    #[test]
    fn another_uid_stands_in_a_sound_frame() {
        let told = |hex: &str| frame::response(&hex::decode(hex).unwrap());
        for (said, other) in [
            ("4b0101000408 04 04a1b2c3", "4b0101000408 04 04a1b2c2"),
            (
                "61 01 10 0c 01 0044 00 07 04a1b2c3d4e5f6",
                "61 01 10 0c 01 0044 00 07 04a1b2c3d4e5f7",
            ),
        ] {
            let (said, other) = (said.replace(' ', ""), other.replace(' ', ""));
            assert_eq!(with_other_uid(&told(&said)), Some(told(&other)));
        }
        for without in ["4b00", "6100", "4100", "15", "4b01", "4b0101000408"] {
            assert_eq!(with_other_uid(&told(without)), None, "{without}");
        }
        assert_eq!(with_other_uid(&frame::ACK), None);
    }

    #[test]
    fn the_chip_takes_no_frame_that_is_too_long_for_it() {
        let version = [0xFF, 0x02, 0xFE, 0xD4, 0x02, 0x2A];
        let heard = |seed| {
            let mut decoder = Decoder::default();
            let oversize = Kind::Command.oversize(&version, seed);
            let padded = [0x00, 0x00].into_iter().chain(oversize);
            padded.filter_map(|byte| decoder.push(byte)).count()
        };
        assert_eq!((heard(0), heard(1)), (1, 0));
    }
}
