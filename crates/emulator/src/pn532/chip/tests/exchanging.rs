//! Commands that reach a card.

use super::{Bench, card};
use crate::slot::Moment;

#[test]
fn an_exchange_without_target_is_out_of_context() {
    let mut bench = Bench::with_card("04A1B2C3");
    assert_eq!(bench.ask("40 01 30 00"), "4127");
    assert_eq!(bench.ask("54 01"), "5527");
    assert_eq!(bench.ask("00 06"), "0127");
    let mut bench = Bench::with_target("04A1B2C3");
    assert_eq!(bench.ask("52 00"), "5300");
    assert_eq!(bench.ask("40 01 30 00"), "4127");
}

#[test]
fn a_block_is_written_and_read_back() {
    let mut bench = Bench::opened();
    assert_eq!(
        bench.ask("40 01 a0 04 00112233445566778899aabbccddeeff"),
        "4100"
    );
    assert_eq!(
        bench.ask("40 01 30 04"),
        "410000112233445566778899aabbccddeeff"
    );
    let log = bench.slot.log();
    assert_eq!(
        (log.exchanges(), log.writes().len()),
        (3, 1),
        "both halves of a write are one exchange"
    );
}

#[test]
fn a_write_given_up_for_an_authentication_is_still_the_exchange_at_which_the_card_leaves() {
    let mut bench = Bench::opened();
    bench.slot.remove_after_exchanges(1);
    assert_eq!(bench.ask("08 630300"), "09");
    assert_eq!(bench.ask("42 a004"), "43000a");
    assert_eq!(bench.ask("40 01 60 04 ffffffffffff 04a1b2c3"), "4101");
    assert!(bench.slot.cards().is_empty());
}

#[test]
fn a_value_is_incremented_in_one_command() {
    let mut bench = Bench::opened();
    assert_eq!(
        bench.ask("40 01 a0 04 64000000 9bffffff 64000000 04fb04fb"),
        "4100"
    );
    assert_eq!(bench.ask("40 01 c1 04 05000000"), "4100");
    assert_eq!(bench.ask("40 01 b0 04"), "4100");
    assert_eq!(
        bench.ask("40 01 30 04"),
        "4100 69000000 96ffffff 69000000 04fb04fb".replace(' ', "")
    );
}

#[test]
fn after_a_failed_authentication_the_card_is_mute_until_it_is_listed_again() {
    let mut bench = Bench::opened();
    assert_eq!(bench.ask("40 01 60 04 a0a1a2a3a4a5 04a1b2c3"), "4114");
    assert_eq!(bench.ask("40 01 60 04 ffffffffffff 04a1b2c3"), "4101");
    assert_eq!(bench.ask("40 01 30 04"), "4101");
    assert!(bench.ask("4a 01 00").starts_with("4b01"));
    assert_eq!(bench.ask("40 01 60 04 ffffffffffff 04a1b2c3"), "4100");
}

#[test]
fn after_a_refused_command_the_card_is_mute_too() {
    let mut bench = Bench::opened();
    assert_eq!(bench.ask("40 01 30 08"), "4113");
    assert_eq!(bench.ask("40 01 30 04"), "4101");
}

#[test]
fn a_card_that_is_gone_times_out() {
    let mut bench = Bench::opened();
    assert_eq!(bench.ask("00 06"), "0100");
    bench.slot.remove();
    assert_eq!(bench.ask("40 01 30 04"), "4101");
    assert_eq!(bench.ask("00 06"), "0101");
}

#[test]
fn a_card_torn_away_in_a_write_times_out() {
    for moment in [Moment::Before, Moment::Torn { seed: 1 }, Moment::Unanswered] {
        let mut bench = Bench::opened();
        bench.slot.remove_at(1, moment);
        assert_eq!(
            bench.ask("40 01 a0 04 00112233445566778899aabbccddeeff"),
            "4101",
            "{moment:?}"
        );
        assert!(bench.slot.cards().is_empty());
    }
}

#[test]
fn a_deselected_target_is_selected_again_and_a_released_one_is_not() {
    let mut bench = Bench::opened();
    assert_eq!(bench.ask("44 01"), "4500");
    assert_eq!(bench.ask("54 01"), "5500");
    assert_eq!(bench.ask("40 01 60 04 ffffffffffff 04a1b2c3"), "4100");
    assert_eq!(bench.ask("44 02"), "4527");
    assert_eq!(bench.ask("52 01"), "5300");
    assert_eq!(bench.ask("54 01"), "5527");
}

#[test]
fn a_card_that_lost_its_field_is_mute_until_it_is_selected_again() {
    let mut bench = Bench::opened();
    assert_eq!(bench.ask("32 01 00"), "33");
    assert!(!bench.slot.is_field_on());
    assert_eq!(bench.ask("32 01 01"), "33");
    assert_eq!(bench.ask("40 01 30 04"), "4101");
    assert!(bench.ask("4a 01 00").starts_with("4b01"));
    assert_eq!(bench.ask("40 01 30 04"), "4113", "not authenticated");
}

#[test]
fn raw_frames_pass_as_the_registers_say() {
    let mut bench = Bench::ready();
    bench.slot.place(&card("04A1B2C3"));
    bench.ask("32 01 01");
    // REQA: seven bits, no checksum in either direction.
    assert_eq!(bench.ask("08 630200 630300 633d07"), "09");
    assert_eq!(bench.ask("42 26"), "43000400");
    assert_eq!(bench.ask("08 633d00"), "09");
    assert_eq!(bench.ask("42 9320"), "430004a1b2c3d4");
    // The chip makes and checks the checksum from here on.
    assert_eq!(bench.ask("08 630280 630380"), "09");
    assert_eq!(bench.ask("42 937004a1b2c3d4"), "430008");
    assert_eq!(bench.ask("42 5000"), "4301", "a halt is not answered");
    assert_eq!(bench.ask("08 630200 630300 633d07"), "09");
    assert_eq!(bench.ask("42 26"), "4301", "a halted card hears no REQA");
    assert_eq!(bench.ask("42 52"), "43000400");
}

#[test]
fn a_raw_nak_tells_its_four_bits() {
    let mut bench = Bench::with_target("04A1B2C3");
    assert_eq!(bench.ask("08 630300"), "09");
    assert_eq!(bench.ask("42 3004"), "430004");
    assert_eq!(bench.ask("06 633c"), "0714");
}
