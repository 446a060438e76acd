//! The demo in this process: it is ready when it says so, its parts know each other, and it leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Duration, Instant};

use cardbridge::demo::{Demo, DemoSettings};
use jiff::{SignedDuration, Timestamp};
use reqwest::Client;
use serde_json::{Value, json};

const UID: &str = "04A1B2C3";
/// Longer than any attempt here; against hanging.
const LIMIT: Duration = Duration::from_secs(60);

fn settings() -> DemoSettings {
    DemoSettings {
        card_wait: Duration::from_secs(10),
        state_directory: None,
    }
}

async fn post(demo: &Demo, path: &str, body: Value) -> Value {
    let at = demo.whereabouts();
    let request = Client::new()
        .post(format!("{}{path}", at.endpoint))
        .bearer_auth(&at.api_key)
        .json(&body);
    request.send().await.unwrap().json().await.unwrap()
}

/// Asks for an attempt until it has ended, as the API wants it.
async fn ended(demo: &Demo, mut answer: Value) -> Value {
    let deadline = Instant::now() + LIMIT;
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    while answer["action_attempt"]["status"] == "pending" {
        pace.tick().await;
        assert!(Instant::now() < deadline, "the attempt never ended");
        let id = json!({"action_attempt_id": answer["action_attempt"]["action_attempt_id"]});
        answer = post(demo, "/action_attempts/get", id).await;
    }
    answer["action_attempt"].clone()
}

/// Makes a credential for the first room and encodes it on the front desk; the attempt, and the entrance's id.
async fn encode(demo: &Demo) -> (Value, String) {
    let at = demo.whereabouts();
    let site = json!({"acs_system_id": at.acs_system_id});
    let rooms = post(demo, "/acs/entrances/list", site).await;
    let room = rooms["acs_entrances"][0]["acs_entrance_id"]
        .as_str()
        .unwrap();
    let user = json!({"acs_system_id": at.acs_system_id, "full_name": "Ada Lovelace"});
    let user = post(demo, "/acs/users/create", user).await;
    let credential = json!({
        "acs_user_id": user["acs_user"]["acs_user_id"], "access_method": "card",
        "allowed_acs_entrance_ids": [room],
        "ends_at": (Timestamp::now() + SignedDuration::from_hours(24)).to_string(),
    });
    let credential = post(demo, "/acs/credentials/create", credential).await;
    let encode = json!({
        "acs_encoder_id": at.acs_encoder_ids[0],
        "acs_credential_id": credential["acs_credential"]["acs_credential_id"],
    });
    let answer = post(demo, "/acs/encoders/encode_credential", encode).await;
    (ended(demo, answer).await, room.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_encoded_over_the_api_opens_its_room_and_the_lab_knows_who_wrote_it() {
    let demo = Demo::start(settings(), driver_all::registry())
        .await
        .unwrap();
    let uid = UID.parse().unwrap();
    let technology = Some("mifare_classic_1k".parse().unwrap());
    let card = demo
        .lab()
        .place("front-desk", technology, Some(uid), false)
        .unwrap();

    let (attempt, room) = encode(&demo).await;
    assert_eq!(attempt["status"], "success", "{attempt}");
    assert_eq!(attempt["result"]["card_number"], UID);

    let room = room.parse().unwrap();
    let decision = demo.locks().decide(room, &card, Timestamp::now(), true);
    assert_eq!(decision.unwrap().reason, None);
    let on = demo.lab().encoder("front-desk").unwrap().cards;
    assert_eq!(on.len(), 1, "showing a card to a lock does not move it");

    let log = demo.lab().log("front-desk").unwrap();
    assert!(!log.writes().is_empty());
    for write in log.writes() {
        let behind = write.attempt.as_deref();
        assert_eq!(behind, attempt["action_attempt_id"].as_str(), "{write:?}");
    }
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_with_a_folder_is_the_same_site_the_next_time_and_has_the_folder_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    let settings = || DemoSettings {
        state_directory: Some(folder.path().join("state")),
        ..settings()
    };
    let demo = Demo::start(settings(), driver_all::registry())
        .await
        .unwrap();
    let before = demo.whereabouts().clone();
    let second = Demo::start(settings(), driver_all::registry()).await;
    let refused = second.err().unwrap().to_string();
    assert!(refused.contains("another demo runs on"), "{refused}");
    demo.stop().await;

    let demo = Demo::start(settings(), driver_all::registry())
        .await
        .unwrap();
    let after = demo.whereabouts();
    assert_eq!(after.api_key, before.api_key);
    assert_eq!(after.acs_system_id, before.acs_system_id);
    assert_eq!(after.acs_encoder_ids, before.acs_encoder_ids);
    demo.stop().await;
}
