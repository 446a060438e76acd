//! Cards found, listed, waited for.

use std::time::Duration;

use super::{ACK, Bench, card};

#[test]
fn a_card_is_listed_with_its_answers() {
    let mut bench = Bench::with_card("04A1B2C3");
    assert_eq!(
        bench.ask("4a 01 00"),
        "4b010100040804 04a1b2c3".replace(' ', "")
    );
    let mut bench = Bench::with_card("04A1B2C3D4E5F6");
    assert_eq!(
        bench.ask("4a 01 00"),
        "4b010100440807 04a1b2c3d4e5f6".replace(' ', "")
    );
}

#[test]
fn a_listed_card_is_found_again_and_by_its_uid() {
    let mut bench = Bench::with_target("04A1B2C3D4E5F6");
    assert!(bench.ask("4a 01 00").starts_with("4b01"));
    assert!(bench.ask("4a 01 00 8804a1b2c3d4e5f6").starts_with("4b01"));
    assert_eq!(bench.send("4a 01 00 04a1b2c3"), [ACK]);
}

#[test]
fn two_cards_are_listed_together_and_selected_in_turn() {
    let mut bench = Bench::with_card("04A1B2C3");
    bench.slot.add(&card("02A1B2C3"));
    let listed = bench.ask("4a 02 00");
    assert_eq!(
        listed,
        "4b02 01 0004 08 04 04a1b2c3 02 0004 08 04 02a1b2c3".replace(' ', "")
    );
    assert_eq!(bench.ask("40 01 60 00 ffffffffffff 04a1b2c3"), "4100");
    assert_eq!(bench.ask("40 02 60 00 ffffffffffff 02a1b2c3"), "4100");
    assert_eq!(
        bench.ask("40 01 30 00"),
        "4113",
        "selecting the other one ended the authentication"
    );
}

#[test]
fn a_search_without_limit_lasts_until_a_card_comes() {
    let mut bench = Bench::ready();
    assert_eq!(bench.send("4a 01 00"), [ACK]);
    assert_eq!(bench.chip.deadline(), None);
    assert_eq!(bench.pass(Duration::from_hours(1)), None);
    bench.slot.place(&card("04A1B2C3"));
    assert_eq!(
        bench.pass(Duration::ZERO).as_deref(),
        Some("4b01010004080404a1b2c3")
    );
    assert_eq!(bench.pass(Duration::ZERO), None);
}

#[test]
fn a_search_with_limit_ends_at_its_deadline() {
    for kind in ["00", "01 00ffff0100", "03 00", "04"] {
        let mut bench = Bench::ready();
        assert_eq!(bench.ask("32 05 ff 01 02"), "33");
        assert_eq!(bench.send(&format!("4a 01 {kind}")), [ACK]);
        let deadline = bench.chip.deadline().unwrap();
        assert!(deadline > bench.now && deadline < bench.now + Duration::from_millis(100));
        assert_eq!(bench.pass(Duration::from_millis(1)), None);
        assert_eq!(
            bench.pass(Duration::from_millis(99)).as_deref(),
            Some("4b00")
        );
    }
}

#[test]
fn polling_by_itself_finds_a_card_in_its_own_form() {
    let mut bench = Bench::ready();
    assert_eq!(bench.send("60 01 01 00 11"), [ACK]);
    bench.slot.place(&card("04A1B2C3"));
    assert_eq!(
        bench.pass(Duration::ZERO).as_deref(),
        Some(
            "6101 10 09 01 0004 08 04 04a1b2c3"
                .replace(' ', "")
                .as_str()
        )
    );
}

#[test]
fn a_search_is_ended_by_ack_and_by_the_next_command() {
    let mut bench = Bench::ready();
    bench.send("4a 01 00");
    bench.raw(&hex::decode(ACK).unwrap());
    bench.slot.place(&card("04A1B2C3"));
    assert_eq!(bench.pass(Duration::ZERO), None);

    bench.slot.remove();
    bench.send("4a 01 00");
    assert_eq!(bench.ask("02"), "0332010607");
    bench.slot.place(&card("04A1B2C3"));
    assert_eq!(bench.pass(Duration::ZERO), None);
}
