//! What of the bytes to a PN532 is secret, found by its frames (PN532 User Manual UM0701-02, §6.2.1): keys and passwords of
//! authentications and the data of writes, which may be keys. The frame's checksum goes with them: it would tell their sum.

use std::ops::Range;

/// Without a frame in so many bytes, whatever is sent is no PN532's.
const PATIENCE: usize = 1024;
/// TFI of a frame from the host.
const FROM_HOST: u8 = 0xD4;
const IN_DATA_EXCHANGE: u8 = 0x40;
const IN_COMMUNICATE_THRU: u8 = 0x42;

/// Bytes, and which of them are secret.
pub(super) type Told = (Vec<u8>, Vec<Range<usize>>);

/// Sorts a stream of bytes into frames. What is not complete yet is held back, so that a key that comes in pieces is
/// known for one.
#[derive(Debug, Default)]
pub(super) struct Masker {
    pending: Vec<u8>,
}

/// What begins at a place of a stream.
enum Found {
    /// A frame that ends there, whose body is there.
    Frame {
        end: usize,
        body: Range<usize>,
    },
    /// A frame of which more must come.
    Incomplete,
    Nothing,
}

impl Masker {
    /// Takes bytes of the host; gives what can be told by now.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<Told> {
        self.pending.extend_from_slice(bytes);
        let mut told = Vec::new();
        while let Some((end, body)) = self.next_frame() {
            let frame: Vec<u8> = self.pending.drain(..end).collect();
            let secrets = secrets(&frame, body);
            told.push((frame, secrets));
        }
        if self.pending.len() > PATIENCE {
            told.extend(self.rest());
        }
        told
    }

    /// What was held back, when it is clear that no more comes: all of an incomplete frame is secret, but not the zero
    /// that ended the frame before.
    pub(super) fn rest(&mut self) -> Option<Told> {
        let rest = std::mem::take(&mut self.pending);
        let length = rest.len();
        let is_padding = rest.iter().all(|byte| *byte == 0);
        let start = (0..length)
            .filter(|_| !is_padding)
            .find(|&at| !matches!(found(&rest[at..]), Found::Nothing));
        let secrets = start.map(|start| start..length).into_iter().collect();
        (length > 0).then_some((rest, secrets))
    }

    fn next_frame(&self) -> Option<(usize, Range<usize>)> {
        for at in 0..self.pending.len() {
            match found(&self.pending[at..]) {
                Found::Frame { end, body } => {
                    return Some((at + end, at + body.start..at + body.end));
                }
                Found::Incomplete => return None,
                Found::Nothing => {}
            }
        }
        None
    }
}

/// What begins with these bytes: a start code, a length with its checksum, the body and its checksum.
fn found(bytes: &[u8]) -> Found {
    let (body, length) = match bytes {
        // ACK and NACK.
        [0x00, 0xFF, 0x00, 0xFF, ..] | [0x00, 0xFF, 0xFF, 0x00, ..] => {
            return Found::Frame { end: 4, body: 4..4 };
        }
        [0x00, 0xFF, 0xFF, 0xFF, high, low, check, ..] => {
            if high.wrapping_add(*low).wrapping_add(*check) != 0 {
                return Found::Nothing;
            }
            (7, usize::from(u16::from_be_bytes([*high, *low])))
        }
        [0x00, 0xFF, 0xFF, 0xFF, ..] => return Found::Incomplete,
        [0x00, 0xFF, length, check, ..] if length.wrapping_add(*check) == 0 => {
            (4, usize::from(*length))
        }
        [0x00, 0xFF, _, _, ..] => return Found::Nothing,
        [0x00] | [0x00, 0xFF] | [0x00, 0xFF, _] => return Found::Incomplete,
        _ => return Found::Nothing,
    };
    let end = body + length + 1;
    if bytes.len() < end {
        return Found::Incomplete;
    }
    Found::Frame {
        end,
        body: body..body + length,
    }
}

fn secrets(frame: &[u8], body: Range<usize>) -> Vec<Range<usize>> {
    let checksum = body.end;
    let command = match frame[body.clone()] {
        [FROM_HOST, IN_DATA_EXCHANGE, _, ..] => body.start + 3,
        [FROM_HOST, IN_COMMUNICATE_THRU, ..] => body.start + 2,
        _ => return Vec::new(),
    };
    let secret = match frame[command..body.end] {
        // MIFARE Classic authentication: block, key, UID.
        [0x60 | 0x61, _, _, _, _, _, _, _, ..] => command + 2..command + 8,
        // Writes of MIFARE Classic and of NFC Forum Type 2, and PWD_AUTH of NTAG21x.
        [0xA0 | 0xA2, _, _, ..] => command + 2..body.end,
        [0x1B, _, ..] => command + 1..body.end,
        _ => return Vec::new(),
    };
    vec![secret, checksum..checksum + 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame around a body.
    fn frame(body: &[u8]) -> Vec<u8> {
        let length = u8::try_from(body.len()).unwrap();
        let sum = body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        let head = [0x00, 0x00, 0xFF, length, length.wrapping_neg()];
        [&head, body, &[sum.wrapping_neg(), 0x00]].concat()
    }

    /// What is told of these chunks, with secrets as `??`.
    fn masked(chunks: &[&[u8]]) -> String {
        let mut masker = Masker::default();
        let mut told: Vec<Told> = chunks.iter().flat_map(|chunk| masker.take(chunk)).collect();
        told.extend(masker.rest());
        let shown = |(bytes, secrets): &Told| -> String {
            (0..bytes.len())
                .map(|at| match secrets.iter().any(|range| range.contains(&at)) {
                    true => "??".to_owned(),
                    false => format!("{:02X}", bytes[at]),
                })
                .collect()
        };
        told.iter().map(shown).collect()
    }

    #[test]
    fn keys_passwords_and_what_is_written_are_secret_and_the_rest_is_not() {
        for (body, told) in [
            (
                "D4400160040A0B0C0D0E0F11223344",
                "D440016004????????????11223344",
            ),
            (
                "D4400161040A0B0C0D0E0F11223344",
                "D440016104????????????11223344",
            ),
            ("D440013004", "D440013004"),
            ("D44001A2040A0B0C0D", "D44001A204????????"),
            ("D4421B0A0B0C0D", "D4421B????????"),
            ("D44260", "D44260"),
            ("D44A0100", "D44A0100"),
        ] {
            let bytes = hex::decode(body).unwrap();
            let shown = masked(&[&frame(&bytes)]);
            assert!(shown[10..].starts_with(told), "{body}: {shown}");
            let checksum = &shown[10 + body.len()..12 + body.len()];
            assert_eq!(checksum == "??", told.contains('?'), "{shown}");
        }
    }

    #[test]
    fn a_key_that_comes_in_pieces_is_as_secret() {
        let whole = frame(&hex::decode("D4400160040A0B0C0D0E0F11223344").unwrap());
        let told = masked(&[&whole]);
        for cut in 1..whole.len() {
            assert_eq!(masked(&[&whole[..cut], &whole[cut..]]), told, "{cut}");
        }
        let unfinished = masked(&[&whole[..12]]);
        assert!(!unfinished.contains("0A0B"), "{unfinished}");
    }

    #[test]
    fn wake_ups_and_acknowledgements_pass_as_they_are() {
        assert_eq!(masked(&[&hex::decode("55550000").unwrap()]).len(), 8);
        assert_eq!(
            masked(&[&hex::decode("0000FF00FF00").unwrap()]),
            "0000FF00FF00"
        );
        assert_eq!(
            masked(&[b"no frame at all"]),
            hex::encode_upper("no frame at all")
        );
    }
}
