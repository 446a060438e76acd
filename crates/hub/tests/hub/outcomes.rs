//! Reports of a bridge: twice, late, of strangers, and of attempts that are not known.

use protocol::link::FromHub;
use uuid::Uuid;

use crate::support::bridge::{
    Bridge, CARD, IDENTITY, OTHER_CARD, report_of, unknown, unwritten, written,
};
use crate::support::{World, connected};

#[tokio::test]
async fn a_report_that_comes_twice_changes_nothing_and_is_committed_again() {
    let (world, mut bridge, _) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    world
        .encode(&bridge.encoder_id(IDENTITY), &credential)
        .await;
    let offer = bridge.hear_offer().await;
    bridge.encode_card(&offer, CARD, None).await;
    let before = world.everything().await;
    bridge.report(&offer, written(CARD, None)).await;
    bridge.report(&offer, unwritten("no_card_on_encoder")).await;
    bridge.report(&offer, unknown(CARD)).await;
    assert_eq!(world.everything().await, before);
    world.end().await;
}

/// Neither report is answered: the next frame is the answer to the ask that follows them.
#[tokio::test]
async fn the_outcome_of_an_attempt_that_is_not_known_changes_nothing_and_stays_with_the_bridge() {
    let (world, mut bridge, token) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    world
        .encode(&bridge.encoder_id(IDENTITY), &credential)
        .await;
    let offer = bridge.hear_offer().await;
    let before = world.everything().await;
    let mut other_fence = offer.clone();
    other_fence.fence += 1;
    let mut forgotten = offer.clone();
    forgotten.attempt_id = Uuid::nil();
    for unknown_offer in [&other_fence, &forgotten] {
        bridge
            .say(report_of(unknown_offer, written(CARD, None)))
            .await;
    }
    bridge.ask_denied(&forgotten, CARD).await;
    assert_eq!(world.everything().await, before);
    bridge.close().await;

    let mut bridge = Bridge::connect(&world, &token).await;
    bridge.say(report_of(&forgotten, written(CARD, None))).await;
    bridge.ask_denied(&forgotten, CARD).await;
    bridge.encode_card(&offer, CARD, None).await;
    assert_eq!(world.credential(&credential).await["is_issued"], true);
    world.end().await;
}

#[tokio::test]
async fn a_card_that_was_written_without_leave_issues_nothing() {
    let (world, mut bridge, _) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let attempt = world
        .encode(&bridge.encoder_id(IDENTITY), &credential)
        .await;
    let offer = bridge.hear_offer().await;
    bridge.report(&offer, written(CARD, None)).await;
    assert_eq!(world.attempt(&attempt).await["status"], "error");
    assert_eq!(world.credential(&credential).await["is_issued"], false);
    world.end().await;
}

#[tokio::test]
async fn an_attempt_past_its_deadline_ends_and_a_late_report_updates_the_credential_only() {
    let world = World::start_with(|settings| {
        settings.card_wait = std::time::Duration::from_millis(50);
        settings.write_bound = std::time::Duration::from_millis(50);
        settings.deadline_margin = std::time::Duration::from_secs(2);
    })
    .await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    let mut bridge = Bridge::connect(&world, &token).await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let attempt = world
        .encode(&bridge.encoder_id(IDENTITY), &credential)
        .await;
    let offer = bridge.hear_offer().await;
    bridge.ask_granted(&offer, CARD).await;

    let attempt_id = offer.attempt_id;
    assert_eq!(bridge.hear().await, FromHub::Cancel { attempt_id });
    let expired = world.attempt(&attempt).await;
    assert_eq!(expired["error"]["type"], "action_attempt_expired");
    assert_eq!(
        bridge.ask_denied(&offer, CARD).await.kind,
        "action_attempt_expired"
    );

    bridge.report(&offer, written(CARD, None)).await;
    assert_eq!(world.attempt(&attempt).await, expired);
    assert_eq!(world.credential(&credential).await["is_issued"], true);
    assert_eq!(
        world.events_of(&credential).await,
        ["acs_credential.issued"]
    );
    world.end().await;
}

#[tokio::test]
async fn a_report_without_an_attempt_of_this_bridge_is_not_believed() {
    let (world, mut bridge, _) = connected().await;
    let token = world
        .admin
        .create_bridge_token(world.site, "back office")
        .await
        .unwrap();
    let mut stranger = Bridge::connect(&world, &token).await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    world
        .encode(&bridge.encoder_id(IDENTITY), &credential)
        .await;
    let offer = bridge.hear_offer().await;
    bridge.ask_granted(&offer, CARD).await;
    let before = world.everything().await;
    stranger.ask_denied(&offer, CARD).await;
    stranger
        .say(report_of(&offer, written(OTHER_CARD, None)))
        .await;
    stranger.ask_denied(&offer, CARD).await;
    assert_eq!(world.everything().await, before);
    world.end().await;
}

#[tokio::test]
async fn a_card_written_after_the_clock_was_set_back_is_issued_all_the_same() {
    let (world, mut bridge, _) = connected().await;
    let desk = bridge.encoder_id(IDENTITY);
    let before = world.create_credential(&world.rooms[..1], None).await;
    world.encode(&desk, &before).await;
    let offer = bridge.hear_offer().await;
    bridge.encode_card(&offer, CARD, None).await;
    world.date_grants_from_the_future().await;

    let fresh = world.create_credential(&world.rooms[1..2], None).await;
    let attempt = world.encode(&desk, &fresh).await;
    let offer = bridge.hear_offer().await;
    bridge.encode_card(&offer, CARD, Some(1)).await;
    assert_eq!(world.attempt(&attempt).await["status"], "success");
    assert_eq!(world.credential(&fresh).await["is_issued"], true);
    assert_eq!(
        world.credential(&before).await["visionline_metadata"]["is_valid"],
        false
    );
    world.end().await;
}
