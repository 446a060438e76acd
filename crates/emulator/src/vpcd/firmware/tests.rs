//! The reader as a host meets it, APDU by APDU.

mod paged;

use super::Firmware;
use crate::slot::{Moment, Slot};
use crate::{Card, Cards, KeyStructures, Origin, ReaderSettings, Technology};

struct Bench {
    firmware: Firmware,
    slot: Slot,
    card: Card,
}

impl Bench {
    fn with(uid: &str, key_structures: KeyStructures) -> Bench {
        let settings = ReaderSettings::default().with_key_structures(key_structures);
        Bench::over(Technology::MifareClassic1k, uid, settings)
    }

    fn over(technology: Technology, uid: &str, settings: ReaderSettings) -> Bench {
        let card = Cards::new()
            .card(technology, uid.parse().unwrap(), Origin::Factory)
            .unwrap();
        let slot = Slot::new();
        slot.place(&card);
        let mut firmware = Firmware::new(slot.clone(), settings);
        firmware.power_on();
        Bench {
            firmware,
            slot,
            card,
        }
    }

    fn new() -> Bench {
        Bench::with("04A1B2C3", KeyStructures::Volatile)
    }

    /// With sector 1 open by key A.
    fn opened() -> Bench {
        let mut bench = Bench::new();
        assert_eq!(bench.send("FF 82 00 00 06 FFFFFFFFFFFF"), "9000");
        assert_eq!(bench.send("FF 86 00 00 05 01 00 04 60 00"), "9000");
        bench
    }

    fn send(&mut self, apdu: &str) -> String {
        hex::encode(
            self.firmware
                .run(&hex::decode(apdu.replace(' ', "")).unwrap())
                .expect("an answer"),
        )
    }
}

#[test]
fn the_uid_is_told_at_the_length_asked_for() {
    let mut bench = Bench::with("04A1B2C3D4E5F6", KeyStructures::Volatile);
    assert_eq!(bench.send("FF CA 00 00 00"), "04a1b2c3d4e5f69000");
    assert_eq!(bench.send("FF CA 00 00 07"), "04a1b2c3d4e5f69000");
    assert_eq!(bench.send("FF CA 00 00 04"), "6c07");
    assert_eq!(bench.send("FF CA 00 00 08"), "6282");
    assert_eq!(bench.send("FF CA 01 00 00"), "6a81");
}

#[test]
fn keys_are_taken_in_the_structures_that_the_reader_has() {
    let key = "06 A0A1A2A3A4A5";
    for (structures, volatile, persistent) in [
        (KeyStructures::Volatile, "9000", "6988"),
        (KeyStructures::Persistent, "6986", "9000"),
        (KeyStructures::Both, "9000", "9000"),
    ] {
        let mut bench = Bench::with("04A1B2C3", structures);
        assert_eq!(bench.send(&format!("FF 82 00 01 {key}")), volatile);
        assert_eq!(bench.send(&format!("FF 82 20 01 {key}")), persistent);
    }
    let mut bench = Bench::new();
    assert_eq!(bench.send(&format!("FF 82 80 00 {key}")), "6983");
    assert_eq!(bench.send(&format!("FF 82 40 00 {key}")), "6985");
    assert_eq!(bench.send(&format!("FF 82 00 02 {key}")), "6988");
    assert_eq!(bench.send("FF 82 00 00 05 A0A1A2A3A4"), "6989");
}

#[test]
fn a_reader_may_keep_keys_by_their_type() {
    let mut bench = Bench::with("04A1B2C3", KeyStructures::ByKeyType);
    let key = "06 FFFFFFFFFFFF";
    assert_eq!(bench.send("FF 86 00 00 05 01 00 04 60 01"), "6984");
    assert_eq!(bench.send(&format!("FF 82 00 00 {key}")), "6988");
    assert_eq!(bench.send(&format!("FF 82 20 60 {key}")), "6988");
    assert_eq!(bench.send(&format!("FF 82 00 60 {key}")), "9000");
    assert_eq!(bench.send("FF 86 00 00 05 01 00 04 60 00"), "6988");
    assert_eq!(bench.send("FF 86 00 00 05 01 00 04 60 01"), "9000");
    // A key of the other type is another key.
    assert_eq!(bench.send("FF 86 00 00 05 01 00 04 61 01"), "6984");
    assert_eq!(bench.send("FF 82 00 61 06 A0A1A2A3A4A5"), "9000");
    assert_eq!(bench.send("FF 86 00 00 05 01 00 04 61 01"), "6300");
}

#[test]
fn a_block_is_written_and_read_back() {
    for uid in ["04A1B2C3", "04A1B2C3D4E5F6"] {
        let mut bench = Bench::with(uid, KeyStructures::Persistent);
        assert_eq!(bench.send("FF 82 20 00 06 FFFFFFFFFFFF"), "9000");
        assert_eq!(bench.send("FF 86 00 00 05 01 00 04 60 00"), "9000");
        assert_eq!(
            bench.send("FF D6 00 04 10 00112233445566778899AABBCCDDEEFF"),
            "9000"
        );
        assert_eq!(
            bench.send("FF B0 00 04 10"),
            "00112233445566778899aabbccddeeff9000"
        );
        assert_eq!(bench.slot.log().exchanges(), 3);
    }
}

#[test]
fn the_obsolete_authentication_works_too() {
    let mut bench = Bench::new();
    bench.send("FF 82 00 01 06 FFFFFFFFFFFF");
    assert_eq!(bench.send("FF 88 00 04 60 01"), "9000");
    assert_eq!(
        bench.send("FF B0 00 04 20"),
        format!("{}9000", "00".repeat(32)),
        "two blocks at once"
    );
}

#[test]
fn after_a_failed_authentication_only_power_brings_the_card_back() {
    let mut bench = Bench::opened();
    bench.send("FF 82 00 01 06 A0A1A2A3A4A5");
    assert_eq!(bench.send("FF 86 00 00 05 01 00 04 60 01"), "6300");
    assert_eq!(bench.send("FF 86 00 00 05 01 00 04 60 00"), "6300");
    assert_eq!(bench.send("FF B0 00 04 10"), "6300");
    assert_eq!(
        bench.send("FF CA 00 00 00"),
        "04a1b2c39000",
        "the reader remembers what it selected"
    );
    bench.firmware.power_on();
    assert_eq!(bench.send("FF 86 00 00 05 01 00 04 60 00"), "9000");
}

#[test]
fn what_the_card_refuses_is_a_matter_of_security() {
    let mut bench = Bench::new();
    assert_eq!(bench.send("FF B0 00 04 10"), "6982");
    let mut bench = Bench::opened();
    assert_eq!(
        bench.send("FF D6 00 08 10 00112233445566778899AABBCCDDEEFF"),
        "6982"
    );
}

#[test]
fn commands_that_make_no_sense_are_told_why() {
    let mut bench = Bench::opened();
    for (apdu, status) in [
        ("", "6700"),
        ("FF CA 00", "6700"),
        ("FF CA 00 00", "6700"),
        ("FF CA 00 05 00", "6b00"),
        ("00 A4 04 00 00", "6e00"),
        ("FF 12 00 00 00", "6d00"),
        ("FF 82 00 00 06 FFFF", "6700"),
        ("FF 86 00 00 05 01 00 04 62 00", "6986"),
        ("FF 86 00 00 05 01 00 04 60 05", "6988"),
        ("FF 86 00 00 05 01 00 04 60 01", "6984"),
        ("FF 86 00 00 05 02 00 04 60 00", "6a80"),
        ("FF 86 00 00 04 01 00 04 60", "6700"),
        ("FF 86 00 00 05 01 00 40 60 00", "6a82"),
        ("FF 86 00 00 05 01 01 04 60 00", "6a82"),
        ("FF B0 00 40 10", "6a82"),
        ("FF B0 00 04 05", "6c10"),
        ("FF D6 00 04 04 00112233", "6700"),
        ("FF D7 00 04 01 09", "6a80"),
    ] {
        assert_eq!(bench.send(apdu), status, "{apdu}");
    }
    assert_eq!(
        bench.slot.log().exchanges(),
        1,
        "none of them reached the card"
    );
}

#[test]
fn a_card_that_is_gone_is_a_failure_like_any_other() {
    for moment in [Moment::Before, Moment::Torn { seed: 1 }, Moment::Unanswered] {
        let mut bench = Bench::opened();
        bench.slot.remove_at(1, moment);
        assert_eq!(
            bench.send("FF D6 00 04 10 00112233445566778899AABBCCDDEEFF"),
            "6300",
            "{moment:?}"
        );
        assert_eq!(bench.send("FF B0 00 04 10"), "6300");
    }
    let mut bench = Bench::opened();
    bench.slot.remove_after_exchanges(1);
    assert_eq!(
        bench.send("FF D6 00 04 10 00112233445566778899AABBCCDDEEFF"),
        "9000"
    );
    assert!(bench.slot.cards().is_empty());
    assert_eq!(
        hex::encode(&bench.card.memory()[64..80]),
        "00112233445566778899aabbccddeeff"
    );
}

#[test]
fn values_are_stored_changed_copied_and_read() {
    let mut bench = Bench::opened();
    assert_eq!(bench.send("FF D7 00 05 05 00 00000064"), "9000");
    assert_eq!(bench.send("FF D7 00 05 05 01 00000005"), "9000");
    assert_eq!(bench.send("FF B1 00 05 04"), "000000699000");
    assert_eq!(bench.send("FF D7 00 05 05 02 00000070"), "9000");
    assert_eq!(bench.send("FF D7 00 05 02 03 06"), "9000");
    assert_eq!(bench.send("FF B1 00 06 04"), "fffffff99000");
    assert_eq!(bench.send("FF B1 00 04 04"), "6300", "no value block");
}

#[test]
fn one_key_number_means_the_key_loaded_last() {
    let mut bench = Bench::with("04A1B2C3", KeyStructures::Both);
    bench.send("FF 82 00 00 06 A0A1A2A3A4A5");
    bench.send("FF 82 20 00 06 FFFFFFFFFFFF");
    assert_eq!(bench.send("FF 86 00 00 05 01 00 04 60 00"), "9000");
}
