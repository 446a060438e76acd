//! What survives a lost link or a restarted hub, and what ends with it.

use std::time::Duration;

use protocol::link::JobStage;
use serde_json::json;

use crate::support::bridge::{Bridge, CARD, IDENTITY, Luggage, SECOND_IDENTITY, job, written};
use crate::support::{GENEROUS, World, id, world_with_token};

#[tokio::test]
async fn work_and_outcomes_survive_a_reconnect() {
    let world = World::start_with(|settings| settings.bridge_grace = GENEROUS).await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    let mut bridge = Bridge::connect(&world, &token).await;
    let desk = bridge.encoder_id(IDENTITY);
    let one = world.create_credential(&world.rooms[..1], None).await;
    let other = world.create_credential(&world.rooms[1..2], None).await;
    let first = world.encode(&desk, &one).await;
    let first_offer = bridge.hear_offer().await;
    let grant = bridge.ask_granted(&first_offer, CARD).await;
    bridge.close().await;

    // While the bridge is waited for the queue still grows.
    let second = world.encode(&desk, &other).await;
    assert_eq!(second["status"], "pending");

    let mut luggage = Luggage::default();
    luggage.snapshot.jobs = vec![job(&first_offer, JobStage::Intent)];
    let mut bridge = Bridge::connect_with(&world, &token, luggage).await;
    assert_eq!(bridge.welcome.as_ref().unwrap().generation, 2);
    let snapshot = bridge.snapshot.clone().unwrap();
    let offered: Vec<_> = snapshot
        .offers
        .iter()
        .map(|offer| offer.attempt_id.to_string())
        .collect();
    assert_eq!(
        offered,
        [
            id(&first["action_attempt_id"]),
            id(&second["action_attempt_id"])
        ]
    );
    assert!(snapshot.cancelled.is_empty());
    assert_eq!(bridge.ask_granted(&first_offer, CARD).await, grant);
    bridge.report(&first_offer, written(CARD, None)).await;
    assert_eq!(world.attempt(&first).await["status"], "success");

    let third = world.scan(&desk).await;
    let offer = bridge.hear_offer().await;
    assert_eq!(
        offer.attempt_id.to_string(),
        id(&third["action_attempt_id"])
    );
    assert_eq!(offer.fence, 3);
    world.end().await;
}

#[tokio::test]
async fn a_lost_bridge_ends_what_it_had_no_leave_for_and_hears_of_it_when_it_returns() {
    let world = World::start_with(|settings| {
        settings.bridge_grace = Duration::from_millis(100);
    })
    .await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    let mut bridge = Bridge::connect(&world, &token).await;
    let one = world.create_credential(&world.rooms[..1], None).await;
    let granted = world.encode(&bridge.encoder_id(IDENTITY), &one).await;
    let granted_offer = bridge.hear_offer().await;
    bridge.ask_granted(&granted_offer, CARD).await;
    let desk = bridge.encoder_id(SECOND_IDENTITY);
    let ungranted = world.scan(&desk).await;
    let ungranted_offer = bridge.hear_offer().await;
    bridge.close().await;

    assert_eq!(
        world.ended(&ungranted).await["error"]["type"],
        "bridge_disconnected"
    );
    assert_eq!(world.attempt(&granted).await["status"], "pending");
    assert_eq!(
        world.scan(&desk).await["error"]["type"],
        "bridge_disconnected"
    );

    let mut luggage = Luggage::default();
    luggage.snapshot.jobs = vec![
        job(&granted_offer, JobStage::Intent),
        job(&ungranted_offer, JobStage::Accepted),
    ];
    let mut bridge = Bridge::connect_with(&world, &token, luggage).await;
    let snapshot = bridge.snapshot.clone().unwrap();
    assert_eq!(snapshot.cancelled, [ungranted_offer.attempt_id]);
    assert_eq!(snapshot.offers.len(), 1);
    bridge.report(&granted_offer, written(CARD, None)).await;
    assert_eq!(world.attempt(&granted).await["status"], "success");
    world.end().await;
}

#[tokio::test]
async fn a_restarted_hub_waits_for_its_bridges_and_then_gives_them_up() {
    let mut world = World::start_with(|settings| {
        settings.bridge_grace = GENEROUS;
    })
    .await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    let mut bridge = Bridge::connect(&world, &token).await;
    let hub_id = bridge.welcome.as_ref().unwrap().hub_id;
    let attempt = world.scan(&bridge.encoder_id(IDENTITY)).await;
    bridge.hear_offer().await;
    world.restart().await;
    assert!(bridge.try_hear().await.is_none());
    assert_eq!(world.attempt(&attempt).await["status"], "pending");

    let mut bridge = Bridge::connect(&world, &token).await;
    assert_eq!(bridge.welcome.as_ref().unwrap().hub_id, hub_id);
    assert_eq!(bridge.snapshot.as_ref().unwrap().offers.len(), 1);
    world.settings.bridge_grace = Duration::from_millis(100);
    world.restart().await;
    assert!(bridge.try_hear().await.is_none());
    assert_eq!(
        world.ended(&attempt).await["error"]["type"],
        "bridge_disconnected"
    );
    world.end().await;
}

#[tokio::test]
async fn right_after_a_restart_an_encode_waits_for_the_bridge() {
    let mut world = World::start_with(|settings| settings.bridge_grace = GENEROUS).await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    let bridge = Bridge::connect(&world, &token).await;
    let desk = bridge.encoder_id(IDENTITY);
    world.restart().await;
    world.call("/workspaces/get", json!({})).await;
    let attempt = world.scan(&desk).await;
    assert_eq!(attempt["status"], "pending");
    let bridge = Bridge::connect(&world, &token).await;
    assert_eq!(bridge.snapshot.as_ref().unwrap().offers.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_newer_connection_of_a_bridge_closes_the_older_one() {
    let (world, token) = world_with_token().await;
    let mut older = Bridge::connect(&world, &token).await;
    let mut newer = Bridge::connect(&world, &token).await;
    assert!(older.try_hear().await.is_none());
    world.scan(&newer.encoder_id(IDENTITY)).await;
    newer.hear_offer().await;
    world.end().await;
}
