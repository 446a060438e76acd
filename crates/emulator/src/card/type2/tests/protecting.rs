//! Password and key: what they open, for how long, and what wrong ones cost.

use super::super::triple_des::reader;
use super::{Ack, Bench, C, Came, EV1, KINDS, Nak, data};
use crate::card::{Eeprom, Technology};

const PASSWORD: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

/// An NTAG213 whose pages from 8 on are protected by [`PASSWORD`], with this ACCESS byte.
fn protected(access: u8) -> Bench {
    let mut bench = Bench::new(Technology::Ntag213);
    assert_eq!(bench.write(0x2B, PASSWORD), Ack);
    assert_eq!(bench.write(0x2C, [0x80, 0x90, 0, 0]), Ack);
    assert_eq!(bench.write(0x2A, [access, 0x05, 0, 0]), Ack);
    assert_eq!(bench.write(0x29, [0x04, 0, 0, 8]), Ack);
    bench.card.power_off();
    bench
}

fn give(bench: &mut Bench, [a, b, c, d]: [u8; 4]) -> Came {
    bench.send(&[0x1B, a, b, c, d])
}

#[test]
fn the_password_opens_what_is_protected_and_is_answered_with_pack() {
    for (technology, last) in KINDS {
        if matches!(technology, Technology::MifareUltralight | C) {
            continue;
        }
        let mut bench = Bench::new(technology);
        assert_eq!(bench.write(last - 1, PASSWORD), Ack);
        assert_eq!(bench.write(last, [0x80, 0x90, 0, 0]), Ack);
        assert_eq!(bench.write(last - 3, [0, 0, 0, 4]), Ack);
        assert_eq!(bench.write(4, [1; 4]), Nak(0), "{technology}");
        assert_eq!(give(&mut bench, PASSWORD), data("8090"), "{technology}");
        assert_eq!(bench.write(4, [1; 4]), Ack, "{technology}");
        assert_eq!(bench.write(last - 3, [0, 0, 0, 0xFF]), Ack, "{technology}");
    }
}

#[test]
fn protection_holds_from_the_write_of_auth0_on() {
    let mut bench = Bench::new(EV1);
    assert_eq!(bench.write(0x25, [0, 0, 0, 8]), Ack);
    assert_eq!(bench.write(8, [1; 4]), Nak(0));
    assert_eq!(bench.write(7, [1; 4]), Ack);
    assert_eq!(bench.write(0x25, [0, 0, 0, 0xFF]), Nak(0));
}

#[test]
fn what_was_opened_is_closed_by_whatever_ends_the_selection() {
    let ends: [fn(&mut Bench); 4] = [
        |bench| bench.card.deselected(),
        |bench| bench.card.power_off(),
        |bench| assert_eq!(bench.read(0xFF), Nak(0)),
        |bench| assert_eq!(give(bench, [0; 4]), Nak(0)),
    ];
    for end in ends {
        let mut bench = protected(0x00);
        assert_eq!(give(&mut bench, PASSWORD), data("8090"));
        assert_eq!(bench.write(8, [1; 4]), Ack);
        end(&mut bench);
        assert_eq!(bench.write(8, [2; 4]), Nak(0));
        assert_eq!(bench.stored(8), [1; 4]);
    }
}

#[test]
fn without_a_limit_wrong_passwords_cost_nothing() {
    let mut bench = protected(0x00);
    for _ in 0..20 {
        assert_eq!(give(&mut bench, [0; 4]), Nak(0));
    }
    assert_eq!(give(&mut bench, PASSWORD), data("8090"));
}

#[test]
fn with_a_limit_the_card_is_locked_for_good_and_power_does_not_help() {
    let mut bench = protected(0x03);
    for _ in 0..3 {
        assert_eq!(give(&mut bench, [0; 4]), Nak(0));
        bench.card.power_off();
    }
    for _ in 0..3 {
        assert_eq!(give(&mut bench, PASSWORD), Nak(4));
        bench.card.power_off();
    }
    assert_eq!(bench.write(8, [1; 4]), Nak(0));
}

#[test]
fn the_right_password_before_the_limit_clears_the_count() {
    let mut bench = protected(0x03);
    for _ in 0..5 {
        assert_eq!(give(&mut bench, [0; 4]), Nak(0));
        assert_eq!(give(&mut bench, [0; 4]), Nak(0));
        assert_eq!(give(&mut bench, PASSWORD), data("8090"));
    }
}

#[test]
fn a_card_that_leaves_at_a_wrong_password_has_counted_it() {
    let mut bench = protected(0x01);
    bench.send_with(&[0x1B, 0, 0, 0, 0], &mut Eeprom::weakening(1));
    bench.card.power_off();
    assert_eq!(give(&mut bench, PASSWORD), Nak(4));
}

/// An Ultralight C with the key of delivery whose pages from 8 on are protected.
fn protected_c(auth1: u8) -> Bench {
    let mut bench = Bench::new(C);
    assert_eq!(bench.write(0x2B, [auth1, 0, 0, 0]), Ack);
    assert_eq!(bench.write(0x2A, [8, 0, 0, 0]), Ack);
    bench
}

/// The reader's side of an authentication, and what came of its second message.
fn authenticate(bench: &mut Bench, key: &[u8; 16]) -> Came {
    let Came::Data(challenge) = bench.send(&[0x1A, 0x00]) else {
        panic!("no challenge")
    };
    let (message, expected) = reader::reply(key, &challenge, [9; 8]);
    let came = bench.send(&message);
    if let Came::Data(answer) = &came {
        assert_eq!(*answer, expected, "the card does not know the key");
    }
    came
}

const DELIVERY: &[u8; 16] = b"IEMKAERB!NACUOYF";

#[test]
fn an_ultralight_c_opens_to_its_key_alone() {
    let mut bench = protected_c(0x00);
    assert_eq!(bench.read(8), Nak(0));
    assert_eq!(bench.read(7), data("00000000 04a1b29f c3d4e5f6 04480000"));
    assert_eq!(authenticate(&mut bench, &[0; 16]), Nak(0));
    assert_eq!(bench.read(8), Nak(0));
    assert!(matches!(authenticate(&mut bench, DELIVERY), Came::Data(_)));
    assert_eq!(bench.read(8), Came::Data(vec![0; 16]));
    assert_eq!(bench.write(8, [1; 4]), Ack);
    bench.card.deselected();
    assert_eq!(bench.write(8, [1; 4]), Nak(0));
}

#[test]
fn an_ultralight_c_that_protects_writing_alone_is_read_by_all() {
    let mut bench = protected_c(0x01);
    assert_eq!(bench.read(8), Came::Data(vec![0; 16]));
    assert_eq!(bench.write(8, [1; 4]), Nak(0));
}

#[test]
fn a_new_key_of_an_ultralight_c_counts_from_the_next_activation_on() {
    let mut bench = Bench::new(C);
    for (page, content) in [
        (0x2C, [7, 6, 5, 4]),
        (0x2D, [3, 2, 1, 0]),
        (0x2E, [15, 14, 13, 12]),
        (0x2F, [11, 10, 9, 8]),
    ] {
        assert_eq!(bench.write(page, content), Ack);
    }
    assert!(matches!(authenticate(&mut bench, DELIVERY), Came::Data(_)));
    bench.card.deselected();
    assert_eq!(authenticate(&mut bench, DELIVERY), Nak(0));
    let key = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    assert!(matches!(authenticate(&mut bench, &key), Came::Data(_)));
}

#[test]
fn a_challenge_serves_once_and_only_for_what_comes_next() {
    let mut bench = protected_c(0x00);
    let Came::Data(first) = bench.send(&[0x1A, 0x00]) else {
        panic!("no challenge")
    };
    let (message, _) = reader::reply(DELIVERY, &first, [9; 8]);
    assert!(matches!(bench.read(0), Came::Data(_)));
    assert_eq!(bench.send(&message), Nak(0), "another command came between");
    let Came::Data(second) = bench.send(&[0x1A, 0x00]) else {
        panic!("no challenge")
    };
    assert_ne!(first, second);
    assert_eq!(bench.send(&message), Nak(0));
    assert_eq!(bench.send(&[0x1A, 0x01]), Nak(0));
}
