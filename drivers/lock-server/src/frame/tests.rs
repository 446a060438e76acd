//! Vectors, noise, and frames cut into every shape.

use proptest::prelude::*;

use super::*;

fn frame(text: &str) -> Frame {
    Frame::new(text.split('|').map(|it| it.as_bytes().to_vec()).collect()).unwrap()
}

fn parse(pieces: &[&[u8]]) -> Vec<Said> {
    let mut parser = Parser::default();
    let mut said = Vec::new();
    for piece in pieces {
        parser.take(piece, &mut said);
    }
    said
}

/// Checked against the three public clients by hand.
const VECTORS: &[(&str, &[u8])] = &[
    ("CO|0|101", b"\x02\xb3CO\xb30\xb3101\xb3\x03\x0f"),
    (
        "LT|Online Encoder 1|R",
        b"\x02\xb3LT\xb3Online Encoder 1\xb3R\xb3\x03\x03",
    ),
    (
        "CN|1|R|101||||||1400211126|1200221126",
        b"\x02\xb3CN\xb31\xb3R\xb3101\xb3\xb3\xb3\xb3\xb3\xb31400211126\xb31200221126\xb3\x03\x58",
    ),
    ("OV|1", b"\x02\xb3OV\xb31\xb3\x03\x98"),
];

#[test]
fn the_vectors_are_sent_as_they_stand_and_read_back() {
    for (text, bytes) in VECTORS {
        assert_eq!(frame(text).encode(), *bytes, "{text}");
        assert_eq!(parse(&[bytes]), [Said::Frame(frame(text))], "{text}");
    }
}

#[test]
fn an_lrc_may_look_like_the_beginning_or_the_end_of_a_frame() {
    for wanted in [STX, ETX, ACK, NAK, NO_LRC, SEPARATOR] {
        // The LRC runs through every value as one byte of a field does, and a second one makes up for control bytes.
        let found = (0x20..0x80)
            .flat_map(|a| (0x20..=0xFF).map(move |b| vec![a, b]))
            .filter_map(|field| Frame::new(vec![b"CN".to_vec(), field]))
            .find(|it| it.encode().last() == Some(&wanted))
            .unwrap();
        let bytes = found.encode();
        let twice = [bytes.clone(), bytes].concat();
        let said = [Said::Frame(found.clone()), Said::Frame(found)];
        assert_eq!(parse(&[&twice]), said, "LRC {wanted:02X}");
    }
}

#[test]
fn a_frame_without_an_lrc_is_taken_and_one_with_a_wrong_lrc_is_not() {
    let mut bytes = frame("OV|1").encode();
    *bytes.last_mut().unwrap() = NO_LRC;
    assert_eq!(parse(&[&bytes]), [Said::Frame(frame("OV|1"))]);
    *bytes.last_mut().unwrap() = 0x99;
    assert_eq!(parse(&[&bytes]), [Said::Rubbish]);
}

#[test]
fn yes_no_and_frames_are_told_apart_in_one_piece_and_in_many() {
    let bytes = [&b"\x15noise\x06"[..], &frame("CN|1").encode()].concat();
    let said = [Said::No, Said::Yes, Said::Frame(frame("CN|1"))];
    assert_eq!(parse(&[&bytes]), said);
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(parse(&single), said);
}

#[test]
fn what_was_cut_off_hides_nothing_that_follows() {
    let whole = frame("CN|1|0411223344").encode();
    // Cut anywhere before its ETX, which the LRC follows whatever it is.
    for cut in 1..whole.len() - 1 {
        let bytes = [&whole[..cut], &[ACK], &whole].concat();
        let said = [
            Said::Rubbish,
            Said::Yes,
            Said::Frame(frame("CN|1|0411223344")),
        ];
        assert_eq!(parse(&[&bytes]), said, "cut at {cut}");
        let bytes = [&whole[..cut], &whole[..]].concat();
        let said = [Said::Rubbish, Said::Frame(frame("CN|1|0411223344"))];
        assert_eq!(parse(&[&bytes]), said, "cut at {cut}");
    }
}

#[test]
fn what_is_too_long_is_told_once_and_keeps_no_memory() {
    let mut bytes = vec![STX];
    bytes.extend(std::iter::repeat_n(b'x', 100 * LONGEST));
    bytes.extend([ETX, 0x42]);
    bytes.extend(frame("CN|1").encode());
    let mut parser = Parser::default();
    let mut said = Vec::new();
    for piece in bytes.chunks(1000) {
        parser.take(piece, &mut said);
        assert!(parser.body.len() <= LONGEST);
    }
    assert_eq!(said, [Said::Rubbish, Said::Frame(frame("CN|1"))]);
    assert!(!parser.is_inside());
}

#[test]
fn the_longest_frame_is_read_and_none_longer_is_made() {
    let longest = Frame::new(vec![vec![b'x'; LONGEST - 2]]).unwrap();
    assert_eq!(parse(&[&longest.encode()]), [Said::Frame(longest)]);
    assert_eq!(Frame::new(vec![vec![b'x'; LONGEST - 1]]), None);
}

#[test]
fn no_field_holds_what_would_end_it() {
    for byte in [STX, ETX, ENQ, ACK, NAK, SEPARATOR, b'\r', b'\n', 0] {
        assert_eq!(Frame::new(vec![vec![b'1', byte]]), None, "{byte:02X}");
    }
    assert_eq!(Frame::new(Vec::new()), None);
}

#[test]
fn a_frame_without_its_outer_separators_is_rubbish() {
    for body in [&b"CN"[..], b"\xb3CN", b"CN\xb3", b"", b"\xb3"] {
        let mut bytes = vec![STX];
        bytes.extend_from_slice(body);
        bytes.extend([ETX, NO_LRC]);
        assert_eq!(parse(&[&bytes]), [Said::Rubbish], "{body:?}");
    }
}

fn field() -> impl Strategy<Value = Vec<u8>> {
    let byte = any::<u8>().prop_filter("of a field", |&byte| may_be_sent(byte));
    proptest::collection::vec(byte, 0..30)
}

proptest! {
    #[test]
    fn whatever_is_sent_is_read_back(
        frames in proptest::collection::vec(proptest::collection::vec(field(), 1..18), 1..4),
        piece in 1usize..40,
    ) {
        let frames: Vec<_> = frames.into_iter().map(|it| Frame::new(it).unwrap()).collect();
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
        let pieces: Vec<_> = bytes.chunks(piece).collect();
        let said: Vec<_> = frames.into_iter().map(Said::Frame).collect();
        prop_assert_eq!(parse(&pieces), said);
    }

    #[test]
    fn noise_is_survived_however_it_is_cut(
        // Often a byte that means something.
        noise in proptest::collection::vec(
            prop_oneof![any::<u8>(), proptest::sample::select(&[STX, ETX, ACK, NAK, SEPARATOR][..])],
            0..300,
        ),
        piece in 1usize..40,
    ) {
        let pieces: Vec<_> = noise.chunks(piece).collect();
        prop_assert_eq!(parse(&pieces), parse(&[&noise]));
    }
}
