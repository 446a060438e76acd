//! The card pulled at every exchange of an encode, through the whole bridge: the daemon as a process, its drivers on the
//! real wire, a hub that follows a script.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its bench too"
)]

use crash::pcsc::with_pcscd;
use crash::plastic::{Start, blank, check_finished, check_nothing_written, has_torn_trailer, ours};
use crash::report;
use crash::scene::{Running, Scene, kind};
use crash::site::NEW;
use emulator::{ExchangeKind, Moment};
use protocol::link::{Offer, Outcome, OutcomeReport};

/// Blocks of a sector trailer.
const TRAILERS: [u16; 2] = [7, 11];

/// Runs one attempt during which the card leaves, and returns its end.
fn pulled(
    scene: &mut Scene,
    running: &mut Running,
    at: u64,
    moment: Moment,
    case: &str,
) -> (Offer, OutcomeReport) {
    let offer = scene.offer(running);
    scene.slot.remove_at(at, moment);
    running.link.offer(&offer);
    let report = running.link.outcome_granted(&offer);
    scene.wait_until_pulled(case);
    (offer, report)
}

/// What the bridge must say of an attempt, by the commands that the card was sent from exchange `begin` on and the one
/// that never reached it: unknown from the first byte of a credential on, surely unwritten before.
fn expected(scene: &Scene, begin: u64, at: u64, first_commit: u64) -> &'static str {
    let log = scene.slot.log();
    let committed = log.recent().iter().any(|exchange| {
        exchange.number > begin
            && matches!(exchange.kind, ExchangeKind::Write { block } if !TRAILERS.contains(&block))
    });
    if committed || at >= first_commit {
        "unknown"
    } else {
        "unwritten"
    }
}

/// The exchange of a whole encode, counted from 1, that first carries a byte of the credential.
fn first_commit(start: &Start) -> u64 {
    let mut scene = Scene::serial(start);
    let mut running = scene.start();
    scene.encode_again(&mut running, start.name);
    let log = scene.slot.log();
    let first = log.recent().iter().find(
        |exchange| matches!(exchange.kind, ExchangeKind::Write { block } if !TRAILERS.contains(&block)),
    );
    first.unwrap().number
}

/// The card comes back, and the same credential is encoded on it. Only a torn trailer may cost a blank card.
fn present_again(scene: &mut Scene, running: &mut Running, start: &Start, case: &str) {
    scene.present();
    let offer = scene.offer(running);
    running.link.offer(&offer);
    let report = running.link.outcome_granted(&offer);
    running.link.commit(&offer);
    match &report.outcome {
        Outcome::Written { .. } => check_finished(&scene.card, NEW, case),
        Outcome::Unwritten { error } => {
            assert_eq!(error.kind, "incompatible_card_format", "{case}");
            assert!(
                has_torn_trailer(start, &scene.card),
                "{case}: {}",
                error.message
            );
            check_nothing_written(&scene.card, case);
        }
        other => panic!("{case}: {other:?}"),
    }
    start.check_rest(&scene.card, case);
}

fn pulled_at_every_exchange(mut scene: Scene, start: &Start, moments: &[Moment]) {
    let first_commit = first_commit(start);
    let (exchanges, _) = start.exchanges();
    let mut running = scene.start();
    let mut cases = 0;
    for at in 1..=exchanges {
        for moment in moments {
            let case = format!("{}, exchange {at} of {exchanges}, {moment:?}", start.name);
            let begin = scene.slot.log().exchanges();
            let (offer, report) = pulled(&mut scene, &mut running, at, *moment, &case);
            let expected = expected(&scene, begin, at, first_commit);
            assert_eq!(kind(&report), expected, "{case}: {report:?}");
            running.link.commit(&offer);
            start.check_lock(&scene.card, &case);
            start.check_rest(&scene.card, &case);

            present_again(&mut scene, &mut running, start, &case);
            scene.card.set_memory(&start.memory).unwrap();
            cases += 1;
        }
    }
    report(
        cases,
        &format!("{}, pulled, through the whole bridge", start.name),
    );
}

const SERIAL: [Moment; 3] = [Moment::Before, Moment::Torn { seed: 5 }, Moment::Unanswered];

#[test]
fn a_blank_card_pulled_from_a_pn532_at_any_exchange_is_told_truly_and_finished_later() {
    let start = blank();
    pulled_at_every_exchange(Scene::serial(&start), &start, &SERIAL);
}

#[test]
fn a_card_of_ours_pulled_from_a_pn532_at_any_exchange_is_told_truly_and_finished_later() {
    let start = ours("ours", &[]);
    pulled_at_every_exchange(Scene::serial(&start), &start, &SERIAL);
}

#[test]
fn a_blank_card_pulled_from_a_reader_under_pcscd_at_any_exchange_is_told_truly_and_finished_later()
{
    with_pcscd(
        "a_blank_card_pulled_from_a_reader_under_pcscd_at_any_exchange_is_told_truly_and_finished_later",
        || {
            let start = blank();
            pulled_at_every_exchange(Scene::pcsc(&start), &start, &[Moment::Unanswered]);
        },
    );
}

#[test]
fn a_card_of_ours_pulled_from_a_reader_under_pcscd_at_any_exchange_is_told_truly_and_finished_later()
 {
    with_pcscd(
        "a_card_of_ours_pulled_from_a_reader_under_pcscd_at_any_exchange_is_told_truly_and_finished_later",
        || {
            let start = ours("ours", &[]);
            pulled_at_every_exchange(Scene::pcsc(&start), &start, &[Moment::Unanswered]);
        },
    );
}
