//! Type 2 cards before the chip, alone and beside another card.

use super::{Bench, card, card_of};
use crate::Technology;

const UID: &str = "04A1B2C3D4E5F6";

fn ntag() -> Bench {
    let mut bench = Bench::ready();
    bench.slot.place(&card_of(Technology::Ntag213, UID));
    assert_eq!(
        bench.ask("4a 01 00"),
        "4b010100440007 04a1b2c3d4e5f6".replace(' ', "")
    );
    bench
}

#[test]
fn pages_are_read_and_written_in_both_ways() {
    let mut bench = ntag();
    assert_eq!(
        bench.ask("40 01 30 03"),
        "4100 e1101200 0103a00c 340300fe 00000000".replace(' ', "")
    );
    assert_eq!(bench.ask("40 01 a2 08 01020304"), "4100");
    assert_eq!(
        bench.ask("40 01 a0 09 05060708 000000000000000000000000"),
        "4100"
    );
    assert_eq!(
        bench.ask("40 01 30 08"),
        "4100 01020304 05060708 00000000 00000000".replace(' ', "")
    );
    assert_eq!(bench.slot.log().exchanges(), 4);
}

#[test]
fn commands_that_the_chip_takes_for_authentications_go_through_it_raw() {
    let mut bench = ntag();
    assert_eq!(bench.ask("40 01 60"), "4110");
    assert_eq!(bench.ask("42 60"), "43000004040201000f03");
    assert_eq!(bench.ask("42 1b ffffffff"), "43000000");
    assert_eq!(bench.ask("42 3a 03 04"), "4300e11012000103a00c");
}

#[test]
fn a_refusal_is_a_wrong_format_to_one_command_and_a_wrong_checksum_to_the_other() {
    let mut bench = ntag();
    assert_eq!(bench.ask("40 01 30 2d"), "4113");
    assert_eq!(bench.ask("40 01 30 04"), "4101", "it dropped out");
    let mut bench = ntag();
    assert_eq!(bench.ask("42 1b 00000000"), "4302");
    assert_eq!(bench.ask("42 60"), "4301");
}

#[test]
fn frames_that_are_modulated_for_other_cards_are_heard_by_none_here() {
    let mut bench = ntag();
    assert_eq!(bench.ask("08 630283"), "09");
    assert_eq!(bench.ask("42 60"), "4301");
    assert_eq!(bench.slot.log().exchanges(), 0);
    assert_eq!(bench.ask("08 630280"), "09");
    assert_eq!(bench.ask("42 60"), "43000004040201000f03");
}

#[test]
fn of_two_cards_one_is_listed_if_one_is_asked_for_and_the_other_is_not_in_its_way() {
    let mut bench = Bench::ready();
    bench.slot.place(&card_of(Technology::Ntag213, UID));
    bench.slot.add(&card("02A1B2C3"));
    let listed = bench.ask("4a 01 00");
    assert!(listed.starts_with("4b0101"), "{listed}");
    let is_classic = listed.ends_with("02a1b2c3");
    let command = if is_classic {
        "40 01 60 00 ffffffffffff 02a1b2c3"
    } else {
        "40 01 30 03"
    };
    for _ in 0..3 {
        assert!(bench.ask(command).starts_with("4100"));
    }
    let uids: Vec<_> = bench
        .slot
        .log()
        .recent()
        .iter()
        .map(|seen| seen.uid.as_bytes().len())
        .collect();
    assert_eq!(uids, [if is_classic { 4 } else { 7 }; 3]);
}

#[test]
fn of_two_cards_both_are_listed_if_two_are_asked_for_and_each_answers_in_its_own_way() {
    let mut bench = Bench::ready();
    bench.slot.place(&card_of(Technology::Ntag213, UID));
    bench.slot.add(&card("02A1B2C3"));
    let listed = bench.ask("4a 02 00");
    assert!(listed.starts_with("4b02"), "{listed}");
    assert!(
        listed.contains("04a1b2c3d4e5f6") && listed.contains("02a1b2c3"),
        "{listed}"
    );
    let (ntag, classic) = if listed.ends_with("02a1b2c3") {
        ("01", "02")
    } else {
        ("02", "01")
    };
    for _ in 0..2 {
        let opened = bench.ask(&format!("40 {classic} 60 00 ffffffffffff 02a1b2c3"));
        assert_eq!(opened, "4100");
        assert!(
            bench
                .ask(&format!("40 {ntag} 30 03"))
                .starts_with("4100e1101200")
        );
    }
}
