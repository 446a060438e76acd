//! Cards of every family, pulled at a sample of the exchanges of an encode through the whole bridge. Every exchange is
//! tried without a wire, in the tear table.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its bench too"
)]

use card::Suspects;
use crash::encode::Ended;
use crash::pcsc::with_pcscd;
use crash::plastic::pulled;
use crash::report;
use crash::scene::{Running, Scene, kind};
use crash::site::{NEW, OLD, opened_rooms};
use emulator::{Card, Cards, Moment, Origin, Technology};
use protocol::link::{Outcome, OutcomeReport};

/// How many exchanges of an encode are tried, spread over all of it.
const SAMPLE: u64 = 9;
const SERIAL: [Moment; 3] = [Moment::Before, Moment::Torn { seed: 5 }, Moment::Unanswered];
/// pcscd asks for a card's state by itself, so what it interrupts cannot be told to the exchange.
const PCSC: [Moment; 1] = [Moment::Unanswered];

/// A technology, and what a lock may see of a card whose encode was broken off.
#[derive(Debug, Clone, Copy)]
struct Kind {
    technology: Technology,
    /// One copy that is written over: none may be left of it.
    has_one_copy: bool,
}

const fn two_copies(technology: Technology) -> Kind {
    Kind {
        technology,
        has_one_copy: false,
    }
}

/// A card as delivered, or one that is `OLD`'s.
fn new_card(kind: Kind, is_blank: bool) -> Card {
    let uid = "04A1B2C3D4E5F6".parse().unwrap();
    let card = Cards::new()
        .card(kind.technology, uid, Origin::Factory)
        .unwrap();
    if !is_blank {
        let encode = pulled(&card, OLD, Suspects::NONE, None);
        assert!(
            matches!(encode.ended, Ended::Written(_)),
            "{:?}",
            encode.ended
        );
    }
    card
}

fn encode(scene: &mut Scene, running: &mut Running) -> OutcomeReport {
    let offer = scene.offer(running);
    running.link.offer(&offer);
    let report = running.link.outcome_granted(&offer);
    running.link.commit(&offer);
    report
}

/// Another card in the same state takes the place of the one before.
fn lay(scene: &mut Scene, card: &Card) {
    scene.slot.remove();
    scene.card = card.twin();
    scene.present();
}

/// One card, pulled once, judged, and presented again.
fn pull(
    (scene, running): (&mut Scene, &mut Running),
    kind_of_card: Kind,
    (at, moment): (u64, Moment),
    case: &str,
) {
    let before = opened_rooms(&scene.card);
    scene.slot.remove_at(at, moment);
    let told = encode(scene, running);
    scene.wait_until_pulled(case);
    let seen = opened_rooms(&scene.card);
    let is_old = seen == before;
    let is_none_of_one_copy = seen.is_empty() && kind_of_card.has_one_copy;
    assert!(
        is_old || seen == [NEW.room] || is_none_of_one_copy,
        "{case}: it opened {before:?} before and opens {seen:?} now"
    );
    match kind(&told) {
        "unknown" => {}
        "unwritten" => assert!(is_old, "{case}: not unwritten, it opens {seen:?}"),
        other => panic!("{case}: {other}, {told:?}"),
    }

    scene.present();
    let again = encode(scene, running);
    let seen = opened_rooms(&scene.card);
    match &again.outcome {
        Outcome::Written { .. } => assert_eq!(seen, [NEW.room], "{case}"),
        // A torn preparation may cost a blank card, and the credential is free for another one.
        Outcome::Unwritten { error } if before.is_empty() => {
            assert_eq!(error.kind, "incompatible_card_format", "{case}: {error:?}");
            assert!(kind(&told) == "unwritten" && seen.is_empty(), "{case}");
        }
        other => panic!("{case}: presented again, {other:?}"),
    }
}

/// The exchanges of an encode of `NEW` on that card through this bridge.
fn exchanges(scene: &mut Scene, running: &mut Running, card: &Card) -> u64 {
    lay(scene, card);
    let begin = scene.slot.log().exchanges();
    let report = encode(scene, running);
    assert_eq!(kind(&report), "written", "{report:?}");
    scene.slot.log().exchanges() - begin
}

fn pulled_here_and_there(kind: Kind, moments: &[Moment], desk: impl Fn(&Card) -> Scene) {
    let starts = [
        ("blank", new_card(kind, true)),
        ("ours", new_card(kind, false)),
    ];
    let mut scene = desk(&starts[0].1);
    let mut running = scene.start();
    // Once for the reader, which is asked on the first card how it sends raw frames.
    exchanges(&mut scene, &mut running, &starts[0].1);
    let mut cases = 0;
    for (name, card) in starts {
        let exchanges = exchanges(&mut scene, &mut running, &card);
        let sample = (0..SAMPLE).map(|at| 1 + at * (exchanges - 1) / (SAMPLE - 1));
        for (at, moment) in sample.zip(moments.iter().cycle()) {
            let technology = kind.technology.name();
            let case = format!("{technology}, {name}, exchange {at} of {exchanges}, {moment:?}");
            lay(&mut scene, &card);
            pull((&mut scene, &mut running), kind, (at, *moment), &case);
            cases += 1;
        }
    }
    report(
        cases,
        &format!("{}, pulled on the wire", kind.technology.name()),
    );
}

fn on_a_pn532(kind: Kind) {
    pulled_here_and_there(kind, &SERIAL, Scene::serial_with);
}

#[test]
fn an_ntag213_pulled_from_a_pn532_is_as_before_or_new_and_is_finished_later() {
    on_a_pn532(two_copies(Technology::Ntag213));
}

#[test]
fn an_ultralight_c_pulled_from_a_pn532_is_as_before_or_new_and_is_finished_later() {
    on_a_pn532(two_copies(Technology::MifareUltralightC));
}

#[test]
fn a_plain_ultralight_pulled_from_a_pn532_is_as_before_new_or_void_and_is_finished_later() {
    on_a_pn532(Kind {
        technology: Technology::MifareUltralight,
        has_one_copy: true,
    });
}

#[test]
fn a_desfire_ev1_pulled_from_a_pn532_is_as_before_or_new_and_is_finished_later() {
    on_a_pn532(two_copies(Technology::DesfireEv1));
}

#[test]
fn a_desfire_ev2_pulled_from_a_pn532_is_as_before_or_new_and_is_finished_later() {
    on_a_pn532(two_copies(Technology::DesfireEv2));
}

#[test]
fn an_ntag424_dna_pulled_from_a_pn532_is_as_before_or_new_and_is_finished_later() {
    on_a_pn532(two_copies(Technology::Ntag424Dna));
}

#[test]
fn an_ntag213_pulled_from_a_reader_under_pcscd_is_as_before_or_new_and_is_finished_later() {
    with_pcscd(
        "an_ntag213_pulled_from_a_reader_under_pcscd_is_as_before_or_new_and_is_finished_later",
        || {
            let kind = two_copies(Technology::Ntag213);
            pulled_here_and_there(kind, &PCSC, Scene::pcsc_with);
        },
    );
}
