//! READ, FAST_READ, and where reading starts again from page 0.

use super::{Ack, Bench, C, Came, EV1, KINDS, Nak, data};
use crate::card::Technology;

#[test]
fn reading_gives_four_pages() {
    let mut bench = Bench::new(Technology::Ntag213);
    assert_eq!(bench.read(0), data("04a1b29f c3d4e5f6 04480000 e1101200"));
    assert_eq!(bench.read(3), data("e1101200 0103a00c 340300fe 00000000"));
}

#[test]
fn reading_goes_on_from_page_0_after_the_last_one() {
    for (technology, last) in KINDS {
        let mut bench = Bench::new(technology);
        // The key of an Ultralight C is behind all that can be read.
        let end = if technology == C { 0x2B } else { last };
        let Came::Data(read) = bench.read(end - 1) else {
            panic!("{technology} refuses")
        };
        assert_eq!(read[8..], bench.card.memory()[..8], "{technology}");
        for page in (end + 1)..=u8::MAX {
            assert_eq!(bench.read(page), Nak(0), "{technology} page {page:02X}");
        }
    }
}

#[test]
fn an_ultralight_c_reads_from_29_as_its_data_sheet_says_and_never_gives_its_key() {
    let mut bench = Bench::new(C);
    assert_eq!(
        bench.read(0x29),
        data("00000000 30000000 00000000 04a1b29f")
    );
    for page in 0..=u8::MAX {
        if let Came::Data(read) = bench.read(page) {
            let key = bench.stored(0x2C);
            assert!(read.chunks(4).all(|page| page != key));
        }
    }
}

#[test]
fn password_and_pack_read_as_zeros() {
    for (technology, last) in KINDS.into_iter().filter(|(of, _)| *of != C).skip(1) {
        let mut bench = Bench::new(technology);
        assert_eq!(bench.write(last - 1, [1, 2, 3, 4]), Ack);
        assert_eq!(bench.write(last, [5, 6, 0, 0]), Ack);
        assert_eq!(bench.stored(last - 1), [1, 2, 3, 4]);
        let Came::Data(read) = bench.read(last - 1) else {
            panic!("{technology} refuses")
        };
        assert_eq!(read[..8], [0; 8], "{technology}");
        let expected = Came::Data(vec![0; 8]);
        assert_eq!(bench.send(&[0x3A, last - 1, last]), expected);
    }
}

#[test]
fn a_range_is_read_whole_or_not_at_all() {
    let mut bench = Bench::new(Technology::Ntag216);
    assert_eq!(
        bench.send(&[0x3A, 3, 5]),
        data("e1106d00 0300fe00 00000000")
    );
    let Came::Data(all) = bench.send(&[0x3A, 0, 0xE6]) else {
        panic!("the whole card")
    };
    assert_eq!(all.len(), 231 * 4);
    assert_eq!(bench.send(&[0x3A, 0xE6, 0xE7]), Nak(0));
    assert_eq!(bench.send(&[0x3A, 5, 4]), Nak(0));
    assert_eq!(bench.send(&[0x3A, 5, 5]), data("00000000"));
}

#[test]
fn what_is_protected_from_reading_is_refused_and_reading_starts_again_before_it() {
    let mut bench = Bench::new(EV1);
    assert_eq!(bench.write(0x26, [0x80, 0x05, 0, 0]), Ack);
    assert_eq!(bench.write(0x25, [0, 0, 0, 8]), Ack);
    assert_eq!(bench.read(8), Nak(0));
    assert_eq!(bench.read(0x25), Nak(0));
    assert_eq!(bench.read(6), data("00000000 00000000 04a1b29f c3d4e5f6"));
    assert_eq!(bench.send(&[0x3A, 6, 8]), Nak(0));
    assert_eq!(bench.send(&[0x3A, 6, 7]), data("00000000 00000000"));

    assert_eq!(bench.hex("1bffffffff"), data("0000"));
    assert_eq!(bench.read(8), Came::Data(vec![0; 16]));
    assert_eq!(bench.send(&[0x3A, 6, 8]), Came::Data(vec![0; 12]));
}

#[test]
fn with_writing_alone_protected_all_is_read() {
    let mut bench = Bench::new(EV1);
    assert_eq!(bench.write(0x25, [0, 0, 0, 4]), Ack);
    assert_eq!(bench.read(8), Came::Data(vec![0; 16]));
    assert_eq!(bench.write(8, [1; 4]), Nak(0));
    assert_eq!(bench.read(8), Came::Data(vec![0; 16]));
}

#[test]
fn nothing_behind_page_3_of_a_foreign_card_can_be_read_where_it_can_be_protected() {
    for (technology, last) in KINDS.into_iter().skip(1) {
        let mut bench = Bench::foreign(technology);
        for page in 4..=last {
            assert_eq!(bench.read(page), Nak(0), "{technology} page {page}");
            assert_eq!(
                bench.write(page, [0; 4]),
                Nak(0),
                "{technology} page {page}"
            );
        }
        assert_eq!(bench.hex("1bffffffff"), Nak(0), "{technology}");
    }
}
