//! What the passing of time does to what is kept: clocks that are set back, and answers that grow old.

use serde_json::json;
use sqlx::Connection;

use crate::support::{World, connected};

/// Whoever asks for the events since the last one that they saw would miss the later one.
#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_event_earlier_than_the_one_before_it() {
    let world = World::start().await;
    let mut database = world.database().await;
    sqlx::query("UPDATE events SET occurred_at = occurred_at + 86400000")
        .execute(&mut database)
        .await
        .unwrap();
    database.close().await.unwrap();
    let before = world
        .call("/events/list", json!({ "since": "2000-01-01T00:00:00Z" }))
        .await;
    let last = before["events"].as_array().unwrap().last().unwrap().clone();
    let user = world.create_user().await;
    let since = world
        .call("/events/list", json!({ "since": last["occurred_at"] }))
        .await;
    let newest = since["events"].as_array().unwrap().last().unwrap();
    assert_eq!(newest["event_type"], "acs_user.created");
    assert_eq!(newest["acs_user_id"], user.as_str());
    world.end().await;
}

#[tokio::test]
async fn answers_to_encoder_pcs_are_forgotten_after_thirty_days() {
    let (mut world, bridge, _) = connected().await;
    let mut database = world.database().await;
    for (request, days) in [("old", 31), ("new", 29)] {
        sqlx::query(
            "INSERT INTO requests (bridge_id, request_id, answer, created_at) \
             SELECT bridge_id, ?, '{}', (unixepoch() - ? * 86400) * 1000 FROM bridges",
        )
        .bind(request)
        .bind(days)
        .execute(&mut database)
        .await
        .unwrap();
    }
    bridge.close().await;
    world.restart().await;
    let kept: Vec<String> = sqlx::query_scalar("SELECT request_id FROM requests")
        .fetch_all(&mut database)
        .await
        .unwrap();
    assert_eq!(kept, ["new"]);
    database.close().await.unwrap();
    world.end().await;
}
