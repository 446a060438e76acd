//! WRITE in both forms, lock bits and one-way bits.

use super::{Ack, Bench, C, EV1, KINDS, Nak};
use crate::card::{Eeprom, Technology};

#[test]
fn a_page_is_written_and_the_serial_number_never() {
    for (technology, _) in KINDS {
        let mut bench = Bench::new(technology);
        assert_eq!(bench.write(4, [1, 2, 3, 4]), Ack);
        assert_eq!(bench.stored(4), [1, 2, 3, 4]);
        for page in [0, 1] {
            let before = bench.stored(page);
            assert_eq!(bench.write(page, [0; 4]), Nak(0), "{technology}");
            assert_eq!(bench.stored(page), before);
        }
        let before = bench.stored(2);
        assert_eq!(bench.write(2, [0xFF, 0xFF, 0, 0]), Ack);
        assert_eq!(bench.stored(2), before);
    }
}

#[test]
fn pages_beyond_the_card_are_not_written() {
    for (technology, last) in KINDS {
        let mut bench = Bench::new(technology);
        for page in (last + 1)..=u8::MAX {
            assert_eq!(bench.write(page, [0; 4]), Nak(0), "{technology}");
            assert_eq!(bench.send(&[0xA0, page]), Nak(0), "{technology}");
        }
    }
}

#[test]
fn the_compatible_write_takes_sixteen_bytes_and_writes_the_first_four() {
    for (technology, _) in KINDS {
        let mut bench = Bench::new(technology);
        let before = bench.stored(6);
        assert_eq!(bench.send(&[0xA0, 5]), Ack);
        assert!(bench.card.goes_on());
        assert_eq!(bench.send(&[7; 16]), Ack);
        assert!(!bench.card.goes_on());
        assert_eq!(bench.stored(5), [7; 4]);
        assert_eq!(bench.stored(6), before);

        assert_eq!(bench.send(&[0xA0, 5]), Ack);
        assert_eq!(bench.send(&[8; 15]), Nak(0));
        assert_eq!(bench.stored(5), [7; 4]);
        assert_eq!(bench.send(&[0xA0, 1]), Nak(0));
    }
}

#[test]
fn a_compatible_write_that_is_torn_is_torn_in_its_second_part() {
    let mut bench = Bench::new(Technology::Ntag213);
    let mut eeprom = Eeprom::tearing(5);
    assert_eq!(bench.send_with(&[0xA0, 8], &mut eeprom), Ack);
    assert_eq!(bench.stored(8), [0; 4]);
    bench.send_with(&[0xFF; 16], &mut eeprom);
    let torn = bench.stored(8);
    assert!(torn != [0; 4] && torn != [0xFF; 4]);
}

#[test]
fn one_way_bits_are_only_ever_set_as_in_the_example_of_the_data_sheet() {
    // MF0ICU2 figure 8.
    for technology in [Technology::MifareUltralight, C, EV1] {
        let mut bench = Bench::new(technology);
        assert_eq!(bench.write(3, [0xFF, 0xFC, 0x05, 0x07]), Ack);
        assert_eq!(bench.stored(3), [0xFF, 0xFC, 0x05, 0x07]);
        assert_eq!(bench.write(3, [0xFF, 0x00, 0x39, 0x80]), Ack);
        assert_eq!(bench.stored(3), [0xFF, 0xFC, 0x3D, 0x87]);
    }
    let mut ntag = Bench::new(Technology::Ntag213);
    assert_eq!(ntag.write(3, [0, 0, 0, 0x0F]), Ack);
    assert_eq!(ntag.stored(3), [0xE1, 0x10, 0x12, 0x0F]);
}

#[test]
fn a_locked_page_is_read_only_from_the_moment_that_its_data_sheet_names() {
    for (technology, _) in KINDS {
        let mut bench = Bench::new(technology);
        assert_eq!(bench.write(2, [0, 0, 0x18, 0x80]), Ack);
        if matches!(technology, Technology::MifareUltralight | C) {
            assert_eq!(bench.write(4, [1; 4]), Ack, "{technology}");
            bench.card.deselected();
        }
        for page in [3, 4, 15] {
            assert_eq!(
                bench.write(page, [2; 4]),
                Nak(0),
                "{technology} page {page}"
            );
            assert_eq!(
                bench.send(&[0xA0, page]),
                Nak(0),
                "{technology} page {page}"
            );
        }
        assert_eq!(bench.write(5, [2; 4]), Ack, "{technology}");
    }
}

#[test]
fn dynamic_locks_hold_and_their_page_ends_as_it_does() {
    for (technology, locks, locked, free) in [
        (EV1, 0x24, 16, 18),
        (Technology::Ntag213, 0x28, 17, 18),
        (Technology::Ntag215, 0x82, 31, 32),
        (Technology::Ntag216, 0xE2, 31, 32),
    ] {
        let mut bench = Bench::new(technology);
        assert_eq!(bench.write(locks, [0x01, 0, 0, 0]), Ack);
        assert_eq!(bench.stored(locks), [0x01, 0, 0, 0xBD]);
        assert_eq!(bench.write(locked, [1; 4]), Nak(0), "{technology}");
        assert_eq!(bench.write(free, [1; 4]), Ack, "{technology}");
        assert_eq!(bench.write(locks, [0, 0, 0, 0]), Ack);
        assert_eq!(bench.stored(locks), [0x01, 0, 0, 0xBD], "{technology}");
    }
}

#[test]
fn an_ultralight_c_locks_configuration_and_key_too_from_the_next_activation_on() {
    for (bit, pages) in [
        (0x20, 0x2A..=0x2A),
        (0x40, 0x2B..=0x2B),
        (0x80, 0x2C..=0x2F),
    ] {
        let mut bench = Bench::new(C);
        assert_eq!(bench.write(0x28, [0, bit, 0, 0]), Ack);
        for page in pages.clone() {
            let content = bench.stored(page);
            assert_eq!(bench.write(page, content), Ack);
        }
        bench.card.deselected();
        for page in pages {
            assert_eq!(bench.write(page, [0; 4]), Nak(0), "page {page:02X}");
        }
    }
}

#[test]
fn a_locked_configuration_is_locked_from_the_next_power_on_and_the_password_never() {
    let mut bench = Bench::new(Technology::Ntag213);
    assert_eq!(bench.write(0x2A, [0x40, 0x05, 0, 0]), Ack);
    bench.card.deselected();
    assert_eq!(bench.write(0x29, [0x04, 0, 0, 0x20]), Ack);
    bench.card.power_off();
    assert_eq!(bench.write(0x29, [0x04, 0, 0, 0xFF]), Nak(0));
    assert_eq!(bench.write(0x2A, [0x00, 0x05, 0, 0]), Nak(0));
    assert_eq!(bench.hex("1bffffffff"), super::data("0000"));
    assert_eq!(bench.write(0x2B, [1, 2, 3, 4]), Ack);
    assert_eq!(bench.write(0x2C, [5, 6, 0, 0]), Ack);
}
