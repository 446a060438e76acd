//! Cards that speak ISO/IEC 14443-4, which the chip activates and talks to in blocks by itself.

use super::Bench;
use crate::{Card, Cards, Moment, Origin, Technology};

const UID: &str = "04A1B2C3D4E5F6";
const FOUND: &str = "4b01010344200704a1b2c3d4e5f6067577810280";

fn card(technology: Technology, uid: &str) -> Card {
    Cards::new()
        .card(technology, uid.parse().unwrap(), Origin::Factory)
        .unwrap()
}

fn bench(technology: Technology) -> Bench {
    let bench = Bench::ready();
    bench.slot.place(&card(technology, UID));
    bench
}

#[test]
fn a_card_is_found_with_its_ats_and_takes_commands_native_and_wrapped() {
    let mut bench = bench(Technology::DesfireEv1);
    assert_eq!(bench.ask("4a 01 00"), FOUND);
    assert_eq!(bench.ask("40 01 60"), "4100af04010101001a05");
    assert_eq!(bench.ask("40 01 af"), "4100af04010101041a05");
    assert_eq!(bench.ask("40 01 906a000000"), "410091ca");
    assert_eq!(bench.slot.log().exchanges(), 3);
}

#[test]
fn a_host_that_wants_no_activation_gets_none() {
    let mut bench = bench(Technology::DesfireEv1);
    assert_eq!(bench.ask("12 04"), "13");
    assert_eq!(bench.ask("4a 01 00"), &FOUND[..FOUND.len() - 12]);
    // It activates the card and talks in blocks by itself.
    assert_eq!(bench.ask("40 01 e050"), "4100067577810280");
    assert_eq!(bench.ask("40 01 026e"), "41000200001f00");
}

#[test]
fn a_search_finds_an_activated_card_again_and_so_does_its_number() {
    let mut bench = bench(Technology::DesfireEv2);
    for _ in 0..3 {
        assert_eq!(bench.ask("4a 01 00"), FOUND);
    }
    assert_eq!(bench.ask("44 01"), "4500");
    assert_eq!(bench.ask("40 01 6e"), "410000001f00");
    assert_eq!(bench.ask("52 01"), "5300");
    assert_eq!(bench.ask("40 01 6e"), "4127");
}

#[test]
fn the_presence_check_tells_whether_the_card_is_there_and_is_no_exchange() {
    let mut bench = bench(Technology::DesfireEv1);
    bench.ask("4a 01 00");
    for _ in 0..3 {
        assert_eq!(bench.ask("00 06"), "0100");
        assert_eq!(bench.ask("40 01 6e"), "410000001f00");
    }
    assert_eq!(bench.slot.log().exchanges(), 3);
    bench.slot.remove();
    assert_eq!(bench.ask("00 06"), "0101");
    assert_eq!(bench.ask("40 01 6e"), "4101");
}

#[test]
fn a_card_that_leaves_in_an_exchange_is_silent() {
    for moment in [Moment::Before, Moment::Torn { seed: 1 }, Moment::Unanswered] {
        let mut bench = bench(Technology::DesfireEv1);
        bench.ask("4a 01 00");
        bench.slot.remove_at(1, moment);
        assert_eq!(bench.ask("40 01 6e"), "4101", "{moment:?}");
    }
}

#[test]
fn a_command_in_parts_is_one_and_long_ones_are_cut_into_blocks() {
    let mut bench = bench(Technology::Ntag424Dna);
    assert!(bench.ask("4a 01 00").ends_with("067777710280"));
    bench.ask("40 01 00a4040c07d2760000850101");
    assert_eq!(bench.ask("40 41 00a4000c"), "4100");
    assert_eq!(bench.ask("40 01 02e104"), "41009000");
    let long = format!("40 01 00d60000f0 {}", "5a".repeat(240));
    assert_eq!(bench.ask(&long), "41009000");
    let read = bench.ask("40 01 00b0000064");
    assert_eq!(read, format!("4100{}9000", "5a".repeat(100)));
    // An extended frame: LEN and LCS of the normal form are FF.
    let frames = bench.send("40 01 00b0000000");
    assert!(frames[1].starts_with("0000ffffff"), "{}", frames[1]);
    assert_eq!(bench.slot.log().exchanges(), 5);
}

#[test]
fn of_two_cards_one_is_activated_and_the_other_waits() {
    let mut bench = bench(Technology::DesfireEv1);
    bench
        .slot
        .add(&card(Technology::Ntag424Dna, "04112233445566"));
    assert!(bench.ask("4a 02 00").starts_with("4b02"));
    for _ in 0..2 {
        assert!(bench.ask("40 01 9060000000").ends_with("91af"));
        assert!(bench.ask("40 02 9060000000").ends_with("91af"));
    }
}
