//! `kill -9` of the daemon after every commit of its journal and at every exchange of an encode, then a restart.
//!
//! Each time: the attempt ends at the hub, once, with what the journal can vouch for; nothing reaches the card until
//! somebody asks for a new encode; a lock sees the old credential, the new one or none; and the same credential on the
//! same card then ends well.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its bench too"
)]

use crash::bridge::Rights;
use crash::journal::{Entry, entry};
use crash::pcsc::with_pcscd;
use crash::plastic::{Start, blank, check_finished, ours};
use crash::report;
use crash::scene::{Running, Scene, kind};
use protocol::link::{Offer, OutcomeReport};

fn journalled(stage: &str) -> impl Fn(&Entry) -> bool {
    move |entry| entry.stage == stage && entry.outcome.is_none()
}

/// What the journal of the killed bridge says of the attempt.
fn left_behind(scene: &Scene, offer: &Offer) -> Entry {
    entry(scene.disk.state(), offer.attempt_id)
}

/// The attempt's only end: sent again by itself after the restart, and once more to a hub that offers it again. Neither
/// lets anything happen on the card.
fn replayed(scene: &Scene, running: &mut Running, offer: &Offer) -> OutcomeReport {
    let exchanges = scene.slot.log().exchanges();
    let [report] = &running.link.replayed[..] else {
        panic!("one report is due, not {:?}", running.link.replayed);
    };
    let report = report.clone();
    assert_eq!(report.attempt_id, offer.attempt_id);
    assert_eq!(running.link.offer_again(offer), report);
    assert_eq!(
        scene.slot.log().exchanges(),
        exchanges,
        "the card was left alone"
    );
    report
}

/// Kills the bridge once more: what it said last time it says again, until the hub has committed it, and then no more.
fn said_until_committed(
    scene: &mut Scene,
    running: Running,
    offer: &Offer,
    report: &OutcomeReport,
) {
    running.bridge.kill();
    let mut running = scene.start();
    assert_eq!(running.link.replayed, std::slice::from_ref(report));
    running.link.commit(offer);
    running.bridge.kill();
    let left = left_behind(scene, offer);
    assert_eq!(left.stage, "acknowledged");
    assert_eq!(left.outcome.as_deref(), Some(kind(report)));
    let mut running = scene.start();
    assert_eq!(running.link.replayed, []);
    assert!(running.link.snapshot.jobs.is_empty());
    assert_eq!(running.link.offer_again(offer), *report);
}

#[test]
fn a_bridge_killed_after_it_accepted_a_job_ends_it_unwritten() {
    let mut scene = Scene::serial(&blank());
    scene.slot.remove();
    let mut running = scene.start();
    let offer = scene.offer(&running);
    running.link.offer(&offer);
    running.bridge.kill();
    assert!(journalled("accepted")(&left_behind(&scene, &offer)));

    // The card that it waited for comes while it is dead.
    scene.present();
    let mut running = scene.start();
    let report = replayed(&scene, &mut running, &offer);
    assert_eq!(kind(&report), "unwritten", "{report:?}");
    assert_eq!(scene.slot.log().exchanges(), 0);
    said_until_committed(&mut scene, running, &offer, &report);
}

#[test]
fn a_bridge_killed_while_it_asked_for_leave_ends_the_job_unwritten() {
    let mut scene = Scene::serial(&ours("ours", &[]));
    let mut running = scene.start();
    let offer = scene.offer(&running);
    running.link.offer(&offer);
    running.link.asked(&offer);
    running.bridge.kill();
    assert!(journalled("accepted")(&left_behind(&scene, &offer)));

    let mut running = scene.start();
    let report = replayed(&scene, &mut running, &offer);
    assert_eq!(kind(&report), "unwritten", "{report:?}");
    // The grant may have been given and lost on the way: it is never used.
    running.link.grant(&offer);
    running.link.commit(&offer);
    assert!(scene.slot.log().writes().is_empty());
    scene.encode_again(&mut running, "after the lost grant");
}

#[test]
fn a_bridge_killed_after_its_intent_leaves_the_outcome_unknown_and_the_card_alone() {
    let start = ours("ours", &[]);
    let (_, inspected_with) = start.exchanges();
    let mut scene = Scene::serial(&start);
    let mut running = scene.start();
    let offer = scene.offer(&running);
    scene.slot.hold_at(inspected_with + 1);
    running.link.offer(&offer);
    let ask = running.link.asked(&offer);
    let grant_id = running.link.grant(&offer);
    scene.wait_until_held("the first exchange of the write");
    running.bridge.kill();
    scene.slot.remove();
    scene.slot.let_go();
    let left = left_behind(&scene, &offer);
    assert!(journalled("intent")(&left));
    assert_eq!(left.grant_id, Some(grant_id.to_string()));
    assert_eq!(left.uid, ask.uid);
    assert_eq!(scene.card.memory(), start.memory);

    scene.present();
    let mut running = scene.start();
    let report = replayed(&scene, &mut running, &offer);
    assert_eq!(kind(&report), "unknown", "{report:?}");
    said_until_committed(&mut scene, running, &offer, &report);
    assert_eq!(scene.card.memory(), start.memory);
}

#[test]
fn a_bridge_killed_after_its_outcome_says_it_again_until_the_hub_has_it() {
    let mut scene = Scene::serial(&blank());
    let mut running = scene.start();
    let offer = scene.offer(&running);
    running.link.offer(&offer);
    let first = running.link.outcome_granted(&offer);
    assert_eq!(kind(&first), "written", "{first:?}");
    let written = scene.slot.log().writes().len();
    running.bridge.kill();
    let left = left_behind(&scene, &offer);
    assert_eq!(
        (&*left.stage, left.outcome.as_deref()),
        ("outcome", Some("written"))
    );

    let mut running = scene.start();
    let report = replayed(&scene, &mut running, &offer);
    assert_eq!(report, first);
    said_until_committed(&mut scene, running, &offer, &report);
    assert_eq!(
        scene.slot.log().writes().len(),
        written,
        "nothing was written twice"
    );
    check_finished(&scene.card, crash::site::NEW, "at the end");
}

#[test]
fn a_bridge_killed_after_the_acknowledgement_keeps_quiet_and_still_knows_the_outcome() {
    let mut scene = Scene::serial(&blank());
    let mut running = scene.start();
    let offer = scene.encode_again(&mut running, "the first time");
    let written = scene.slot.log().writes().len();
    running.bridge.kill();
    assert_eq!(left_behind(&scene, &offer).stage, "acknowledged");

    let mut running = scene.start();
    assert_eq!(running.link.replayed, []);
    assert_eq!(kind(&running.link.offer_again(&offer)), "written");
    assert_eq!(
        scene.slot.log().writes().len(),
        written,
        "nothing was written twice"
    );
}

/// A killed program's claim to a serial port (TIOCEXCL) stays with the port. Programs without rights over the machine
/// heed it, so this bridge runs without.
#[test]
fn a_bridge_killed_in_the_midst_of_writing_is_not_kept_out_of_its_own_port() {
    let start = blank();
    let (_, inspected_with) = start.exchanges();
    let mut scene = Scene::serial(&start);
    for round in 1..=3 {
        let mut running = scene.start_with(Rights::Ordinary);
        let offer = scene.offer(&running);
        scene.slot.hold_at(inspected_with + 1 + round);
        running.link.offer(&offer);
        running.link.asked(&offer);
        running.link.grant(&offer);
        scene.wait_until_held("a write");
        running.bridge.kill();
        scene.slot.let_go();
        scene.card.set_memory(&start.memory).unwrap();
    }
    let mut running = scene.start_with(Rights::Ordinary);
    scene.encode_again(&mut running, "after three kills");
}

/// Whether the card still gets the command that was on its way when the bridge died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastCommand {
    Arrives,
    IsLost,
}

/// Kills the bridge while the exchange `at` is on its way, and returns with the next one running.
fn killed_at(
    scene: &mut Scene,
    mut running: Running,
    at: u64,
    inspected_with: u64,
    last: LastCommand,
    case: &str,
) -> (Running, Offer, &'static str) {
    let begin = scene.slot.log().exchanges();
    let offer = scene.offer(&running);
    scene.slot.hold_at(at);
    running.link.offer(&offer);
    let writes = at > inspected_with;
    if writes {
        running.link.asked(&offer);
        running.link.grant(&offer);
    }
    scene.wait_until_held(case);
    running.bridge.kill();
    if last == LastCommand::IsLost {
        scene.slot.remove();
    }
    scene.slot.let_go();
    let (stage, expected) = if writes {
        ("intent", "unknown")
    } else {
        ("accepted", "unwritten")
    };
    assert!(journalled(stage)(&left_behind(scene, &offer)), "{case}");

    let running = scene.start();
    let arrived = u64::from(last == LastCommand::Arrives);
    assert_eq!(
        scene.slot.log().exchanges(),
        begin + at - 1 + arrived,
        "{case}: nothing else reached the card"
    );
    (running, offer, expected)
}

fn killed_at_every_exchange(mut scene: Scene, start: &Start, last: LastCommand) {
    let (exchanges, inspected_with) = start.exchanges();
    let mut running = scene.start();
    for at in 1..=exchanges {
        let case = format!(
            "{}, killed at exchange {at} of {exchanges}, which {last:?}",
            start.name
        );
        let (restarted, offer, expected) =
            killed_at(&mut scene, running, at, inspected_with, last, &case);
        running = restarted;
        let report = replayed(&scene, &mut running, &offer);
        assert_eq!(kind(&report), expected, "{case}: {report:?}");
        running.link.commit(&offer);
        start.check_lock(&scene.card, &case);
        start.check_rest(&scene.card, &case);

        if last == LastCommand::IsLost {
            scene.present();
        }
        scene.encode_again(&mut running, &case);
        start.check_rest(&scene.card, &case);
        scene.card.set_memory(&start.memory).unwrap();
    }
    report(
        exchanges as usize,
        &format!(
            "{}, the bridge killed, the last command {last:?}",
            start.name
        ),
    );
}

fn killed_with_a_pn532(start: &Start, last: LastCommand) {
    killed_at_every_exchange(Scene::serial(start), start, last);
}

#[test]
fn a_bridge_killed_at_any_exchange_with_a_blank_card_ends_the_job_and_leaves_the_card_to_the_next()
{
    killed_with_a_pn532(&blank(), LastCommand::Arrives);
}

#[test]
fn a_bridge_killed_at_any_exchange_with_a_blank_card_ends_the_job_when_its_last_command_is_lost() {
    killed_with_a_pn532(&blank(), LastCommand::IsLost);
}

#[test]
fn a_bridge_killed_at_any_exchange_with_a_card_of_ours_ends_the_job_and_leaves_the_card_to_the_next()
 {
    killed_with_a_pn532(&ours("ours", &[]), LastCommand::Arrives);
}

#[test]
fn a_bridge_killed_at_any_exchange_with_a_card_of_ours_ends_the_job_when_its_last_command_is_lost()
{
    killed_with_a_pn532(&ours("ours", &[]), LastCommand::IsLost);
}

#[test]
fn a_bridge_killed_at_any_exchange_under_pcscd_ends_the_job_and_leaves_the_card_to_the_next() {
    with_pcscd(
        "a_bridge_killed_at_any_exchange_under_pcscd_ends_the_job_and_leaves_the_card_to_the_next",
        || {
            let start = ours("ours", &[]);
            killed_at_every_exchange(Scene::pcsc(&start), &start, LastCommand::Arrives);
        },
    );
}
