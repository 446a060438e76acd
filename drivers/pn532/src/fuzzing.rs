//! What decodes the bytes of a PN532, as functions for fuzz targets. No part of the public face, and in no product.
//!
//! Each panics when something does not hold, and otherwise returns whether the bytes meant anything.

use crate::chip::{self, Found};
use crate::frame::{Frame, Parser, encode};

/// Finds the frames in what came over the line: the same ones however it was cut into reads, and again when each is
/// sent once more behind noise that cannot begin one.
#[must_use]
pub fn frames(bytes: &[u8]) -> bool {
    let found = parse(bytes.chunks(64));
    assert_eq!(parse(bytes.chunks(1)), found, "it matters how it was cut");
    for frame in &found {
        if let Frame::Answer(code, data) = frame {
            let again = from_chip(*code, data);
            let noisy = parse([&[0x55, 0x55][..], &again].into_iter());
            assert_eq!(noisy, std::slice::from_ref(frame));
        }
    }
    !found.is_empty()
}

fn parse<'a>(reads: impl Iterator<Item = &'a [u8]>) -> Vec<Frame> {
    let mut parser = Parser::new();
    let mut frames = Vec::new();
    for read in reads {
        // A read is never longer than what is free once the whole frames are taken out, unless noise looks like the
        // beginning of the longest frame; then it comes in parts.
        let mut rest = read;
        while !rest.is_empty() {
            let taken = parser.push(rest);
            assert!(taken > 0, "the parser is full and finds nothing");
            rest = &rest[taken..];
            while let Some(frame) = parser.next() {
                frames.push(frame);
            }
        }
    }
    frames
}

/// A command frame with the identifier of an answer, and the checksum for it.
fn from_chip(code: u8, data: &[u8]) -> Vec<u8> {
    let mut frame = encode(&[&[code], data].concat()).to_vec();
    let extended = frame[3..5] == [0xFF, 0xFF];
    let checksum = frame.len() - 2;
    frame[if extended { 8 } else { 5 }] += 1;
    frame[checksum] = frame[checksum].wrapping_sub(1);
    frame
}

/// Reads the answers to a look for cards and to a question for the firmware. Returns whether a card was found.
#[must_use]
pub fn answers(bytes: &[u8]) -> bool {
    let is_chip = chip::check_firmware(bytes).is_ok();
    assert!(!is_chip || bytes.len() == 4);
    match chip::found(bytes) {
        Ok(Found::One(_, card)) => {
            let uid = card.uid.as_bytes();
            assert!(matches!(uid.len(), 4 | 7 | 10));
            assert_eq!(uid, &bytes[6..6 + uid.len()]);
            true
        }
        Ok(Found::None | Found::Several) | Err(_) => false,
    }
}

#[cfg(test)]
mod tests;
