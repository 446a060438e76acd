//! Where the host's frames begin and end, so that a fault can meet one as a whole. Changes no byte.

use crate::pn532::frame::{Decoder, Incoming};

/// A part of what the host sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A sound frame, from the second byte of its start code on, without the padding behind it.
    Frame(Vec<u8>, Incoming),
    /// Whatever else: padding, wake-ups, garbage.
    Between(Vec<u8>),
}

/// Cuts a stream of bytes into parts. Holds back what may be a frame until it is clear.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    decoder: Decoder,
    held: Vec<u8>,
}

impl Splitter {
    /// Takes one byte; a part if it was the last of one.
    pub(super) fn push(&mut self, byte: u8) -> Option<Part> {
        let frame = self.decoder.push(byte);
        self.held.push(byte);
        match frame {
            Some(frame) => Some(Part::Frame(std::mem::take(&mut self.held), frame)),
            None if self.decoder.is_hunting() => {
                Some(Part::Between(std::mem::take(&mut self.held)))
            }
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, Splitter};
    use crate::pn532::frame::Incoming;

    const VERSION: &str = "ff02fed4022a";

    fn split(hex: &str) -> Vec<Part> {
        let mut splitter = Splitter::default();
        let bytes = hex::decode(hex).unwrap();
        bytes
            .into_iter()
            .filter_map(|byte| splitter.push(byte))
            .collect()
    }

    #[test]
    fn frames_are_cut_out_whole_and_no_byte_is_lost() {
        let stream = format!("55550000{VERSION}00ffff00ff000000ff02fdd4020000{VERSION}00");
        let parts = split(&stream);
        let frames: Vec<_> = parts
            .iter()
            .filter_map(|part| match part {
                Part::Frame(bytes, frame) => Some((hex::encode(bytes), frame.clone())),
                Part::Between(_) => None,
            })
            .collect();
        let version = (VERSION.to_owned(), Incoming::Command(vec![2]));
        let nack = ("ffff00".to_owned(), Incoming::Nack);
        assert_eq!(frames, [version.clone(), nack, version]);
        let all: Vec<u8> = parts
            .into_iter()
            .flat_map(|part| match part {
                Part::Frame(bytes, _) | Part::Between(bytes) => bytes,
            })
            .collect();
        assert_eq!(hex::encode(all), stream);
    }

    #[test]
    fn an_acknowledgement_is_a_frame_too() {
        let acknowledgement = Part::Frame(vec![0xFF, 0x00, 0xFF], Incoming::Ack);
        assert!(split("0000ff00ff00").contains(&acknowledgement));
    }
}
