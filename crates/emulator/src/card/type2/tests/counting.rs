//! One-way counters.

use super::{Ack, Bench, C, Came, EV1, Nak, data};
use crate::card::{Eeprom, Technology};

#[test]
fn the_three_counters_of_an_ev1_count_up_and_never_beyond_their_end() {
    let mut bench = Bench::new(EV1);
    for number in 0..3 {
        assert_eq!(bench.send(&[0x39, number]), data("000000"));
        assert_eq!(bench.send(&[0xA5, number, 0xFE, 0xFF, 0, 0x99]), Ack);
        assert_eq!(bench.send(&[0xA5, number, 3, 0, 0, 0]), Ack);
        assert_eq!(bench.send(&[0x39, number]), data("010001"));
        assert_eq!(bench.send(&[0xA5, number, 0xFF, 0xFF, 0xFF, 0]), Nak(4));
        assert_eq!(bench.send(&[0x39, number]), data("010001"));
        assert_eq!(bench.send(&[0xA5, number, 0, 0, 0, 0]), Ack);
    }
    assert_eq!(bench.send(&[0x39, 3]), Nak(0));
    assert_eq!(bench.send(&[0xA5, 3, 0, 0, 0, 0]), Nak(0));
}

#[test]
fn a_torn_counter_keeps_its_count_and_says_that_it_was_torn() {
    let mut bench = Bench::new(EV1);
    assert_eq!(bench.send(&[0xA5, 1, 5, 0, 0, 0]), Ack);
    assert_eq!(bench.send(&[0x3E, 1]), data("bd"));
    bench.send_with(&[0xA5, 1, 5, 0, 0, 0], &mut Eeprom::tearing(1));
    assert_eq!(bench.send(&[0x39, 1]), data("050000"));
    assert_eq!(bench.send(&[0x3E, 1]), data("00"));
    assert_eq!(bench.send(&[0x3E, 0]), data("bd"));
    assert_eq!(bench.send(&[0xA5, 1, 1, 0, 0, 0]), Ack);
    assert_eq!(bench.send(&[0x3E, 1]), data("bd"));
}

#[test]
fn an_ntag_counts_the_first_reading_after_power_on_when_told_to() {
    let mut bench = Bench::new(Technology::Ntag215);
    assert_eq!(bench.send(&[0x39, 2]), Nak(0), "not switched on");
    assert_eq!(bench.write(0x84, [0x10, 0x05, 0, 0]), Ack);
    assert_eq!(bench.send(&[0x39, 2]), data("000000"));
    bench.read(4);
    bench.read(4);
    assert_eq!(bench.send(&[0x39, 2]), data("010000"));
    bench.card.deselected();
    bench.read(4);
    assert_eq!(bench.send(&[0x39, 2]), data("010000"));
    bench.card.power_off();
    bench.send(&[0x3A, 4, 5]);
    assert_eq!(bench.send(&[0x39, 2]), data("020000"));
    for body in ["3900", "3901", "a50201000000", "3e02"] {
        assert_eq!(bench.hex(body), Nak(0), "{body}");
    }
}

#[test]
fn the_count_of_readings_can_be_behind_the_password() {
    let mut bench = Bench::new(Technology::Ntag213);
    assert_eq!(bench.write(0x2A, [0x18, 0x05, 0, 0]), Ack);
    bench.read(4);
    assert_eq!(bench.send(&[0x39, 2]), Nak(0));
    assert_eq!(bench.hex("1bffffffff"), data("0000"));
    assert_eq!(bench.send(&[0x39, 2]), data("010000"));
}

#[test]
fn the_counter_of_an_ultralight_c_is_a_page() {
    let mut bench = Bench::new(C);
    assert_eq!(bench.write(0x29, [0xF0, 0xFF, 0, 0]), Ack);
    assert_eq!(bench.write(0x29, [0x0F, 0, 0, 0]), Ack);
    let Came::Data(read) = bench.read(0x29) else {
        panic!("a page")
    };
    assert_eq!(read[..4], [0xFF, 0xFF, 0, 0]);
    assert_eq!(bench.write(0x29, [1, 0, 0, 0]), Nak(0));
    assert_eq!(bench.stored(0x29), [0xFF, 0xFF, 0, 0]);
}
