//! Cards that are made and read.

use super::{Bench, LIMIT, STAY};
use crate::lock_server::frame::ACK;
use crate::lock_server::{
    Dialect, ErrorCode, LockServer, LockServerSettings, LockServerWire, SpecialCard,
};
use crate::{Moment, Origin};

fn short_wait(bench: &Bench) {
    let wait = std::time::Duration::from_millis(20);
    bench.server.adjust(|knobs| knobs.card_wait = wait);
}

#[test]
fn a_guest_card_is_made_when_it_is_laid_down_and_read_again() {
    let bench = Bench::start(Dialect::Salto);
    let mut client = bench.client();
    client.begin(&format!("CN|1|R|101|Suite|||19z|3|{STAY}|Ada||||1"));
    bench.await_task();
    assert!(!bench.server.is_occupied("101"));
    let card = bench.place("04A1B2C3");
    assert_eq!(client.answer(), "CN|1|04A1B2C3");
    assert!(bench.server.is_occupied("101"));
    let log = bench.encoders[0].log();
    assert!(!log.writes().is_empty());
    assert!(log.writes().iter().all(|write| write.uid == card.uid()));
    assert_eq!(
        client.ask("LT|1|R"),
        format!("LT|1|101|Suite|||CI|0|19z|{STAY}|Ada")
    );
}

#[test]
fn copies_are_counted_and_one_too_many_is_undefined() {
    let bench = Bench::start(Dialect::Salto);
    bench.place("04A1B2C3");
    let mut client = bench.client();
    client.ask(&format!("CN|1|R|101||||||{STAY}"));
    let copies: Vec<_> = (0..3)
        .map(|_| {
            assert_eq!(client.ask(&format!("CC|1|R|101||||||{STAY}")), "CC|1");
            client.ask("LT|1|R").split('|').nth(7).unwrap().to_owned()
        })
        .collect();
    assert_eq!(copies, ["1", "2", "I"]);
}

#[test]
fn several_cards_are_made_one_after_the_other_and_all_their_numbers_told() {
    let bench = Bench::start(Dialect::Salto);
    bench.place("04A1B2C3");
    let mut client = bench.client();
    client.begin(&format!("CN2|1|R|101||||||{STAY}|||||2"));
    // The first one lies there still, and is not taken for the second.
    let is_written = |now: &crate::Situation<'_>| now.exchanges > 4;
    assert!(bench.encoders[0].wait_for(LIMIT, is_written));
    assert_eq!(bench.server.served()[0].answer_line(), "");
    bench.place("04A1B2C4");
    assert_eq!(client.answer(), "CN2|1|04A1B2C3|04A1B2C4");
    assert_eq!(client.ask("LT|1|R").split('|').nth(7), Some("1"));
}

#[test]
fn a_check_out_a_new_guest_and_a_move_make_a_card_one_of_the_past() {
    let bench = Bench::start(Dialect::Salto);
    bench.place("04A1B2C3");
    let mut client = bench.client();
    let new_guest = format!("CN|1|R|101||||||{STAY}");
    let state =
        |client: &mut super::Client| client.ask("LT|1|R").split('|').nth(6).map(str::to_owned);
    client.ask(&new_guest);
    assert_eq!(state(&mut client).as_deref(), Some("CI"));
    assert_eq!(client.ask("CO|0|101"), "CO|0");
    assert_eq!(state(&mut client).as_deref(), Some("CO"));

    client.ask(&new_guest);
    bench.place("04A1B2C4");
    client.ask(&new_guest);
    assert_eq!(state(&mut client).as_deref(), Some("CI"));
    bench.place("04A1B2C3");
    assert_eq!(state(&mut client).as_deref(), Some("CO"));

    bench.place("04A1B2C4");
    assert_eq!(client.ask("MC|101|102|1200221126"), "MC|101|102");
    assert_eq!(state(&mut client).as_deref(), Some("CO"));
    assert!(bench.server.is_occupied("102") && !bench.server.is_occupied("101"));
}

#[test]
fn without_a_card_the_encoder_gives_up_and_nobody_is_thrown_out() {
    let bench = Bench::start(Dialect::Salto);
    bench.place("04A1B2C3");
    let mut client = bench.client();
    client.ask(&format!("CN|1|R|101||||||{STAY}"));
    bench.encoders[0].remove();
    short_wait(&bench);
    assert_eq!(client.ask(&format!("CN|1|R|101||||||{STAY}")), "ED|1");
    bench.place("04A1B2C3");
    assert_eq!(client.ask("LT|1|R").split('|').nth(6), Some("CI"));
}

#[test]
fn cards_that_are_not_ours_are_told_apart() {
    let bench = Bench::start(Dialect::Salto);
    let mut client = bench.client();
    let new_guest = format!("CN|1|R|101||||||{STAY}");
    bench.place("04A1B2C3");
    assert_eq!(client.ask("LT|1|R"), "EF|1", "a blank card");
    bench.encoders[0].place(&bench.made("04A1B2C4", Origin::Foreign));
    assert_eq!(client.ask("LT|1|R"), "EF|1");
    assert_eq!(client.ask(&new_guest), "EF|1");
    bench.encoders[0].add(&bench.card("04A1B2C3"));
    assert_eq!(client.ask(&new_guest), "EP|1");

    for (special, letters) in [
        (SpecialCard::Staff, "LM"),
        (SpecialCard::Spare, "LR"),
        (SpecialCard::Diagnostic, "LS"),
    ] {
        bench.place("04A1B2C3");
        bench.server.make_special("1", special).unwrap();
        assert_eq!(client.ask("LT|1|R"), format!("LT|1|{letters}"));
    }
    let nowhere = bench.server.make_special("3", SpecialCard::Staff);
    assert_eq!(nowhere, Err(ErrorCode::Nc));

    // The same bytes on another card.
    assert_eq!(client.ask(&new_guest), "CN|1");
    let image = bench.card("04A1B2C3").memory();
    let copy = bench.place("04A1B2C5");
    copy.set_memory(&image).unwrap();
    assert_eq!(client.ask("LT|1|R"), "LT|1|LC");

    // And before the server of another hotel.
    let settings = LockServerSettings::new(Dialect::Salto)
        .with_site(2)
        .with_encoder("1", bench.encoders[0].clone());
    let elsewhere = Bench {
        server: LockServer::start(&settings, LockServerWire::Loopback(0)).unwrap(),
        encoders: bench.encoders.clone(),
        cards: bench.cards.clone(),
    };
    bench.place("04A1B2C3");
    assert_eq!(elsewhere.ask("LT|1|R"), "LT|1|LD");
}

#[test]
fn a_card_pulled_while_it_is_written_cannot_be_read_and_can_be_made_again() {
    let bench = Bench::start(Dialect::Salto);
    let mut client = bench.client();
    bench.place("04A1B2C3");
    client.ask(&format!("CN|1|R|101||||||{STAY}"));
    // An authentication, then the second of three blocks.
    bench.encoders[0].remove_at(3, Moment::Torn { seed: 1 });
    assert_eq!(client.ask(&format!("CN|1|R|102||||||{STAY}")), "EP|1");
    assert!(!bench.server.is_occupied("102"));
    bench.place("04A1B2C3");
    assert_eq!(client.ask("LT|1|R"), "EF|1");
    assert_eq!(client.ask(&format!("CN|1|R|102||||||{STAY}")), "CN|1");
}

#[test]
fn a_busy_encoder_and_a_room_that_another_one_is_at_are_errors() {
    let bench = Bench::start(Dialect::Salto);
    let mut client = bench.client();
    client.begin(&format!("CN|1|R|101||||||{STAY}"));
    client.begin("LT|1|R");
    assert_eq!(client.answer(), "OV|1");
    client.begin(&format!("CN|2|R|101||||||{STAY}"));
    assert_eq!(client.answer(), "EO|2");
    // Another room may be made there meanwhile.
    client.begin(&format!("CN|2|R|102||||||{STAY}"));
    bench.encoders[1].place(&bench.card("04A1B2C4"));
    assert_eq!(client.answer(), "CN|2");
    bench.place("04A1B2C3");
    assert_eq!(client.answer(), "CN|1");
}

#[test]
fn an_ejected_card_keeps_the_encoder_busy_until_it_is_taken() {
    let bench = Bench::start(Dialect::Salto);
    bench.place("04A1B2C3");
    let mut client = bench.client();
    assert_eq!(client.ask(&format!("CN|1|E|101||||||{STAY}")), "CN|1");
    assert_eq!(client.ask("LT|1|R"), "OV|1");
    bench.encoders[0].remove();
    bench.await_idle();
    bench.place("04A1B2C3");
    assert!(client.ask("LT|1|R").starts_with("LT|1|101"));

    bench.server.adjust(|knobs| knobs.awaits_removal = false);
    assert!(client.ask("LT|1|E").starts_with("LT|1|101"));
    assert!(client.ask("LT|1|E").starts_with("LT|1|101"));
}

#[test]
fn an_unplugged_encoder_does_not_answer_for_the_server() {
    let bench = Bench::start(Dialect::Salto);
    let mut client = bench.client();
    client.begin("LT|1|R");
    bench.await_task();
    bench.server.set_encoder_plugged("1", false);
    assert_eq!(client.answer(), "NC|1");
    assert_eq!(client.ask("LT|1|R"), "NC|1");
    assert!(!bench.server.is_encoder_plugged("1") && bench.server.is_encoder_plugged("2"));
    bench.server.set_encoder_plugged("1", true);
    bench.place("04A1B2C3");
    assert_eq!(client.ask("LT|1|R"), "EF|1");
}

#[test]
fn onity_counts_to_four_tells_the_serial_number_and_makes_four_one_shot_cards() {
    let bench = Bench::start(Dialect::Onity);
    bench.place("04A1B2C3");
    let mut client = bench.client();
    let order = |name: &str| format!("{name}|1|R|101||||36|||12221126|Ada");
    assert_eq!(client.ask(&order("CA")), "EA|1", "nobody stays there");
    assert_eq!(client.ask(&order("CN")), "CN|1|04A1B2C3");
    assert_eq!(
        client.ask("LT|1|R"),
        "LT|1|101||||CI|0|36||12221126|Ada|04A1B2C3"
    );
    for expected in ["1", "2", "3", "4", "I"] {
        client.ask(&order("CC"));
        assert_eq!(client.ask("LT|1|R").split('|').nth(7), Some(expected));
    }
    for _ in 0..4 {
        assert_eq!(client.ask(&order("CA")), "CA|1|04A1B2C3");
    }
    assert_eq!(client.ask("LT|1|R").split('|').nth(7), Some("A"));
    assert_eq!(client.ask(&order("CA")), "EA|1");
}

#[test]
fn onitys_eject_ends_what_the_encoder_is_at() {
    let bench = Bench::start(Dialect::Onity);
    let mut client = bench.client();
    assert_eq!(client.enquire(), ACK);
    client.begin("LT|1|R");
    bench.await_task();
    assert_eq!(client.enquire(), ACK);
    client.begin("EX|1");
    assert_eq!(client.answer(), "ED|1");
    assert_eq!(client.answer(), "EX|1");
    bench.await_idle();
}

#[test]
fn a_track_is_remembered_with_the_card() {
    let bench = Bench::start(Dialect::Salto);
    bench.place("04A1B2C3");
    let mut client = bench.client();
    assert_eq!(client.ask("L2|1|R"), "EF|1");
    assert_eq!(client.ask("P2|1|R|Ada Lovelace"), "P2|1");
    assert_eq!(client.ask("L2|1|R"), "L2|1|Ada Lovelace");
    bench.place("04A1B2C4");
    assert_eq!(client.ask("L2|1|R"), "EF|1");
}
