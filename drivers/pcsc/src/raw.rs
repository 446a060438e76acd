//! What readers offer to send a card any frame, which the commands of PC/SC part 3 for storage cards do not: bytes in,
//! bytes out.
//!
//! Readers of the standard's later half have a transparent session (PC/SC part 3, supplemental document 2.02, 3.2; ACS
//! ACR1252U API 1.09, 5.4). The ACR122U passes commands on to its PN532 (ACS ACR122U API 2.04, 5.5.1). Neither has run
//! on metal here; the bytes are those of the makers' documents.

use zeroize::Zeroizing;

use crate::apdu::Apdu;

/// A way to send a card any frame; checksums are the reader's business in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RawWay {
    /// A transparent session. While it lasts the reader does nothing with the card by itself.
    Transparent,
    /// InCommunicateThru of the PN532 inside.
    DirectTransmit,
}

/// What a card said to a raw frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RawAnswer {
    /// Four bits: yes.
    Acknowledged,
    /// Four bits: no.
    Refused,
    /// Whole bytes, checksum taken off.
    Data(Zeroizing<Vec<u8>>),
    /// Nothing, or nothing that makes sense.
    Disturbed,
}

/// MANAGE SESSION, start.
pub(crate) const START_SESSION: [u8; 8] = [0xFF, 0xC2, 0x00, 0x00, 0x02, 0x81, 0x00, 0x00];
/// MANAGE SESSION, end.
pub(crate) const END_SESSION: [u8; 8] = [0xFF, 0xC2, 0x00, 0x00, 0x02, 0x82, 0x00, 0x00];

/// Reading the first four pages: every card of NFC Forum Type 2 answers it, and none minds (NXP MF0ICU1, 7.6.3).
pub(crate) const HARMLESS: [u8; 2] = [0x30, 0x00];

/// Data objects of a transparent exchange.
const ERROR_STATUS: u8 = 0xC0;
const TRANSCEIVE: u8 = 0x95;
/// How many bits of the last byte count; 0 for all.
const BIT_FRAMING: u8 = 0x92;
/// What went wrong on the air, if anything.
const RECEPTION_STATUS: u8 = 0x96;
const CARD_ANSWER: u8 = 0x97;

/// A card's positive answer of four bits (NXP NTAG213_215_216, 9.3).
const ACK: u8 = 0x0A;

/// In front of a PN532's answer to InCommunicateThru (UM0701-02, 7.3.9).
const THROUGH: [u8; 2] = [0xD5, 0x43];

impl RawWay {
    /// In the order in which an unknown reader is asked.
    pub(crate) const ALL: &[Self] = &[Self::Transparent, Self::DirectTransmit];

    /// Wraps a frame of at most 200 bytes for the card.
    pub(crate) fn wrap(self, frame: &[u8]) -> Apdu {
        let length = |extra: usize| (frame.len() + extra) as u8;
        let mut bytes = Zeroizing::new(Vec::with_capacity(frame.len() + 8));
        match self {
            Self::Transparent => {
                bytes.extend([0xFF, 0xC2, 0x00, 0x01, length(2), TRANSCEIVE, length(0)]);
                bytes.extend(frame);
                bytes.push(0x00);
            }
            Self::DirectTransmit => {
                bytes.extend([0xFF, 0x00, 0x00, 0x00, length(2), 0xD4, 0x42]);
                bytes.extend(frame);
            }
        }
        bytes
    }

    /// Reads what the reader made of the card's answer. `None` when it is none of this way's answers.
    pub(crate) fn unwrap(self, answer: &[u8]) -> Option<RawAnswer> {
        match self {
            Self::Transparent => transparent(answer),
            Self::DirectTransmit => direct(answer),
        }
    }
}

/// Whether a session was begun or ended: no data object, or one that reports no error.
pub(crate) fn is_session_managed(answer: &[u8]) -> bool {
    objects(answer).is_some_and(|mut objects| {
        objects.all(|(tag, value)| tag != ERROR_STATUS || value.ends_with(&[0x90, 0x00]))
    })
}

fn transparent(answer: &[u8]) -> Option<RawAnswer> {
    let (mut bits, mut data, mut failed) = (0, None, false);
    for (tag, value) in objects(answer)? {
        match (tag, value) {
            // 62 82 warns that a requested object is missing, 64 01 that the card was silent, and so on.
            (ERROR_STATUS, [_, status @ ..]) => failed |= *status != [0x90, 0x00],
            (BIT_FRAMING, [valid]) => bits = valid & 0x07,
            (RECEPTION_STATUS, [errors, ..]) => failed |= *errors != 0,
            (CARD_ANSWER, value) => data = Some(value),
            _ => {}
        }
    }
    Some(match data {
        Some([nibble]) if bits == 4 => acknowledgement(*nibble),
        Some(data) if !failed && bits == 0 => whole(data),
        _ => RawAnswer::Disturbed,
    })
}

fn direct(answer: &[u8]) -> Option<RawAnswer> {
    match *answer.strip_prefix(&THROUGH)? {
        [0x00, ref data @ ..] => Some(whole(data)),
        [_, ..] => Some(RawAnswer::Disturbed),
        [] => None,
    }
}

/// A NAK of four bits may come as a byte, when a reader does not say how many bits count.
fn whole(data: &[u8]) -> RawAnswer {
    match *data {
        [] => RawAnswer::Disturbed,
        [nibble] if nibble & 0xF0 == 0 => acknowledgement(nibble),
        _ => RawAnswer::Data(Zeroizing::new(data.to_vec())),
    }
}

fn acknowledgement(nibble: u8) -> RawAnswer {
    if nibble & 0x0F == ACK {
        RawAnswer::Acknowledged
    } else {
        RawAnswer::Refused
    }
}

/// The data objects of an answer (BER-TLV): tag and length of one byte, the length with 81h before it from 80h on.
/// `None` when they do not fit together.
fn objects(answer: &[u8]) -> Option<impl Iterator<Item = (u8, &[u8])>> {
    let mut objects = Vec::new();
    let mut rest = answer;
    while let [tag, after @ ..] = rest {
        let (length, after) = match *after {
            [0x81, length, ref after @ ..] => (length, after),
            // A length from 80h on without the 81h before it can only be that of the last object.
            [length, ref after @ ..] if length < 0x80 || after.len() == usize::from(length) => {
                (length, after)
            }
            _ => return None,
        };
        let (value, after) = after.split_at_checked(length.into())?;
        objects.push((*tag, value));
        rest = after;
    }
    Some(objects.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: [u8; 8] = [0x00, 0x04, 0x04, 0x02, 0x01, 0x00, 0x0F, 0x03];

    fn data(bytes: &[u8]) -> Option<RawAnswer> {
        Some(RawAnswer::Data(Zeroizing::new(bytes.to_vec())))
    }

    #[test]
    fn frames_are_wrapped_as_the_makers_write_them() {
        assert_eq!(
            *RawWay::Transparent.wrap(&[0x60]),
            [0xFF, 0xC2, 0x00, 0x01, 0x03, 0x95, 0x01, 0x60, 0x00]
        );
        assert_eq!(
            *RawWay::DirectTransmit.wrap(&[0x1B, 1, 2, 3, 4]),
            [0xFF, 0, 0, 0, 0x07, 0xD4, 0x42, 0x1B, 1, 2, 3, 4]
        );
    }

    #[test]
    fn an_answer_of_a_transparent_session_is_read() {
        let head = [
            0xC0, 3, 0, 0x90, 0x00, 0x92, 1, 0x00, 0x96, 2, 0x00, 0x00, 0x97, 8,
        ];
        let answer = [&head[..], &VERSION].concat();
        assert_eq!(RawWay::Transparent.unwrap(&answer), data(&VERSION));
        for (nibble, expected) in [(0x0A, RawAnswer::Acknowledged), (0x00, RawAnswer::Refused)] {
            let answer = [
                0xC0, 3, 0, 0x90, 0, 0x92, 1, 4, 0x96, 2, 0, 0, 0x97, 1, nibble,
            ];
            assert_eq!(RawWay::Transparent.unwrap(&answer), Some(expected));
        }
    }

    #[test]
    fn a_long_answer_has_a_length_of_two_bytes_or_is_the_last_object() {
        for length in [&[0x81, 0x90][..], &[0x90]] {
            let head = [0xC0, 3, 0, 0x90, 0x00, 0x97];
            let answer = [&head, length, &[7; 0x90]].concat();
            assert_eq!(RawWay::Transparent.unwrap(&answer), data(&[7; 0x90]));
        }
    }

    #[test]
    fn silence_and_broken_answers_are_disturbances() {
        for answer in [
            &[0xC0, 3, 1, 0x64, 0x01][..],
            &[0xC0, 3, 0, 0x90, 0x00, 0x96, 2, 0x01, 0x00, 0x97, 2, 1, 2],
            &[0xC0, 3, 0, 0x90, 0x00],
            &[],
        ] {
            assert_eq!(
                RawWay::Transparent.unwrap(answer),
                Some(RawAnswer::Disturbed),
                "{answer:02x?}"
            );
        }
        assert_eq!(RawWay::Transparent.unwrap(&[0xC0, 3, 0]), None);
    }

    #[test]
    fn an_answer_of_a_pn532_inside_is_read() {
        let answer = [&[0xD5, 0x43, 0x00][..], &VERSION].concat();
        assert_eq!(RawWay::DirectTransmit.unwrap(&answer), data(&VERSION));
        for (answer, expected) in [
            (&[0xD5, 0x43, 0x02][..], Some(RawAnswer::Disturbed)),
            (&[0xD5, 0x43, 0x00, 0x0A], Some(RawAnswer::Acknowledged)),
            (&[0xD5, 0x43, 0x00, 0x04], Some(RawAnswer::Refused)),
            (&[0xD5, 0x41, 0x00], None),
            (&[], None),
        ] {
            assert_eq!(RawWay::DirectTransmit.unwrap(answer), expected);
        }
    }

    #[test]
    fn a_session_begins_unless_the_reader_reports_an_error() {
        assert!(is_session_managed(&[0xC0, 3, 0, 0x90, 0x00]));
        assert!(is_session_managed(&[]));
        assert!(!is_session_managed(&[0xC0, 3, 1, 0x6A, 0x81]));
        assert!(!is_session_managed(&[0x01, 0x02, 0x03]));
    }
}
