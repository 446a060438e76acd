//! The link itself: who may connect, what survives a reconnect, and what ends when a bridge is lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::time::Duration;

use protocol::link::{
    EncoderFence, FromBridge, FromHub, JobStage, RequestEncode, RequestResult, SUBPROTOCOL,
};
use serde_json::json;
use support::bridge::{
    Bridge, CARD, IDENTITY, Luggage, OTHER_CARD, SECOND_IDENTITY, credential_of, encoder, job,
    written,
};
use support::{GENEROUS, World, assert_error, id};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use uuid::Uuid;

async fn world_with_token() -> (World, String) {
    let world = World::start().await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    (world, token)
}

/// Tries to open a link; returns the status of the refusal.
async fn refused(world: &World, token: Option<&str>, subprotocol: Option<&str>) -> u16 {
    let url = format!("{}{}", world.endpoint, protocol::link::PATH).replace("http://", "ws://");
    let mut request = url.into_client_request().unwrap();
    if let Some(token) = token {
        request
            .headers_mut()
            .insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    if let Some(subprotocol) = subprotocol {
        request
            .headers_mut()
            .insert("sec-websocket-protocol", subprotocol.parse().unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn only_a_bridge_with_its_token_and_this_version_may_connect() {
    let (world, token) = world_with_token().await;
    assert_eq!(refused(&world, None, Some(SUBPROTOCOL)).await, 401);
    assert_eq!(
        refused(&world, Some(&world.api_key), Some(SUBPROTOCOL)).await,
        401
    );
    assert_eq!(
        refused(&world, Some("bridge_00_00"), Some(SUBPROTOCOL)).await,
        401
    );
    assert_eq!(
        refused(&world, Some(&token), Some("cardbridge.link.9")).await,
        400
    );
    assert_eq!(refused(&world, Some(&token), None).await, 400);
    let newer = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    assert_eq!(refused(&world, Some(&token), Some(SUBPROTOCOL)).await, 401);
    let bridge = Bridge::connect(&world, &newer).await;
    assert_eq!(bridge.welcome.as_ref().unwrap().acs_system_id, world.site);
    assert_eq!(bridge.welcome.as_ref().unwrap().time_zone, "Europe/Berlin");

    let answer = world
        .post("/acs/encoders/list", json!({ "acs_system_id": world.site }))
        .await;
    assert_eq!(answer.body["acs_encoders"].as_array().unwrap().len(), 2);
    let with_bridge_token = world
        .send(
            reqwest::Method::POST,
            "/workspaces/get",
            Some(&newer),
            Vec::new(),
        )
        .await;
    assert_error(&with_bridge_token, 401, "unauthorized");
    world.end().await;
}

#[tokio::test]
async fn encoders_keep_their_ids_and_new_ones_are_told() {
    let (world, token) = world_with_token().await;
    let bridge = Bridge::connect(&world, &token).await;
    let before = bridge.encoder_id(IDENTITY);
    bridge.close().await;
    let mut luggage = Luggage::default();
    luggage.snapshot.encoders = vec![encoder(IDENTITY, "Reception", true)];
    let mut bridge = Bridge::connect_with(&world, &token, luggage).await;
    assert_eq!(bridge.encoder_id(IDENTITY), before);

    bridge
        .say(FromBridge::Encoder(encoder("pcsc/ACR122U", "Bar", true)))
        .await;
    let FromHub::EncoderRegistered(registered) = bridge.hear().await else {
        panic!("an encoder is registered");
    };
    let body = json!({ "acs_encoder_ids": [before, registered.acs_encoder_id] });
    let listed = world.call("/acs/encoders/list", body).await;
    let names: Vec<_> = listed["acs_encoders"].as_array().unwrap().iter().collect();
    assert_eq!(names[0]["display_name"], "Reception");
    assert_eq!(names[1]["display_name"], "Bar");

    let gone = Uuid::parse_str(&bridge.encoder_id(SECOND_IDENTITY)).unwrap();
    let attempt = world.scan(&gone.to_string()).await;
    assert_eq!(attempt["error"]["type"], "encoder_not_online");
    let events = world
        .call("/events/list", json!({ "event_type": "acs_encoder.added" }))
        .await;
    assert_eq!(events["events"].as_array().unwrap().len(), 3);
    world.end().await;
}

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

#[tokio::test]
async fn a_bridge_with_another_site_key_scans_but_does_not_encode() {
    let (world, token) = world_with_token().await;
    let bridge = Bridge::connect(&world, &token).await;
    let other_token = world
        .admin
        .create_bridge_token(world.site, "back office")
        .await
        .unwrap();
    let mut luggage = Luggage::default();
    luggage.hello.site_key_check = "fedcba9876543210".to_owned();
    let mut stranger = Bridge::connect_with(&world, &other_token, luggage).await;
    let desk = stranger.encoder_id(IDENTITY);
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let attempt = world.encode(&desk, &credential).await;
    assert_eq!(attempt["status"], "error");
    assert!(id(&attempt["error"]["message"]).contains("site key"));
    world.scan(&desk).await;
    stranger.hear_offer().await;
    assert_eq!(
        world
            .encode(&bridge.encoder_id(IDENTITY), &credential)
            .await["status"],
        "pending"
    );
    world.end().await;
}

#[tokio::test]
async fn fences_go_on_above_what_the_bridge_has_accepted() {
    let (world, token) = world_with_token().await;
    let bridge = Bridge::connect(&world, &token).await;
    let hub_id = bridge.welcome.as_ref().unwrap().hub_id;
    bridge.close().await;
    let mut luggage = Luggage::default();
    luggage.hello.fences = vec![EncoderFence {
        identity: IDENTITY.to_owned(),
        fence: 41,
    }];
    luggage.hello.hub_id = Some(Uuid::nil());
    let mut bridge = Bridge::connect_with(&world, &token, luggage.clone()).await;
    world.scan(&bridge.encoder_id(IDENTITY)).await;
    assert_eq!(
        bridge.hear_offer().await.fence,
        1,
        "fences of another hub do not count"
    );
    bridge.close().await;
    luggage.hello.hub_id = Some(hub_id);
    let mut bridge = Bridge::connect_with(&world, &token, luggage.clone()).await;
    world.scan(&bridge.encoder_id(IDENTITY)).await;
    assert_eq!(bridge.hear_offer().await.fence, 42);
    bridge.close().await;

    // An encoder that the hub does not know, as after a restore.
    luggage.hello.fences[0].identity = "forgotten".to_owned();
    luggage.snapshot.encoders = vec![encoder("forgotten", "Bar", true)];
    let mut bridge = Bridge::connect_with(&world, &token, luggage).await;
    world.scan(&bridge.encoder_id("forgotten")).await;
    assert_eq!(bridge.hear_offer().await.fence, 42);
    world.end().await;
}

#[tokio::test]
async fn what_breaks_the_protocol_closes_the_link() {
    let (world, token) = world_with_token().await;
    let luggage = Luggage::default();
    let hello = |number: u64, generation: u64| {
        let mut frame = serde_json::to_value(FromBridge::Hello(luggage.hello.clone())).unwrap();
        frame = json!({ "generation": generation, "number": number, "message": frame });
        frame.to_string()
    };
    let broken = [
        "{".to_owned(),
        r#"{"generation":0,"number":1,"message":{"type":"dance"}}"#.to_owned(),
        r#"{"generation":0,"number":1,"message":{"type":"acknowledge","snapshot":1}}"#.to_owned(),
        hello(2, 0),
        hello(1, 7),
        format!("\"{}\"", "x".repeat(protocol::link::MAX_FRAME)),
    ];
    for text in broken {
        let mut bridge = Bridge::dial(&world, &token).await;
        bridge.say_text(text).await;
        assert!(bridge.try_hear().await.is_none());
    }
    let mut bridge = Bridge::connect(&world, &token).await;
    bridge.say(FromBridge::Hello(luggage.hello.clone())).await;
    assert!(bridge.try_hear().await.is_none());
    world.end().await;
}

#[tokio::test]
async fn a_silent_link_is_closed() {
    let world = World::start_with(|settings| {
        settings.silence_limit = Duration::from_millis(300);
        settings.ping_every = Duration::from_secs(600);
    })
    .await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    let mut bridge = Bridge::connect(&world, &token).await;
    assert!(bridge.try_hear().await.is_none());
    world.end().await;
}

#[tokio::test]
async fn a_card_asked_for_at_the_encoder_pc_is_made_and_offered_once() {
    let (world, token) = world_with_token().await;
    let mut bridge = Bridge::connect(&world, &token).await;
    let mut request = RequestEncode {
        request_id: Uuid::from_u128(1),
        identity: IDENTITY.to_owned(),
        doors: vec!["101".to_owned(), "Garage".to_owned()],
        starts_at: None,
        ends_at: Some("2045-01-01T10:00:00Z".parse().unwrap()),
        overrides: Some(true),
    };
    let answer = answer_to(&mut bridge, &request).await;
    let RequestResult::Taken {
        attempt_id,
        acs_credential_id,
    } = answer
    else {
        panic!("expected it to be taken, got {answer:?}");
    };
    let offer = bridge.hear_offer().await;
    assert_eq!(offer.attempt_id, attempt_id);
    assert_eq!(credential_of(&offer).acs_credential_id, acs_credential_id);
    assert_eq!(credential_of(&offer).common_doors, [0]);
    assert_eq!(answer_to(&mut bridge, &request).await, answer);
    bridge.encode_card(&offer, OTHER_CARD, None).await;
    let body = json!({ "acs_credential_id": acs_credential_id });
    let credential = world.call("/acs/credentials/get", body).await;
    assert_eq!(credential["acs_credential"]["card_number"], OTHER_CARD);

    let before = world.everything().await;
    request.request_id = Uuid::from_u128(2);
    request.doors.push("999".to_owned());
    let RequestResult::Refused { error } = answer_to(&mut bridge, &request).await else {
        panic!("a door that does not exist is refused");
    };
    assert!(
        error.message.contains("999") && error.message.contains("102"),
        "{}",
        error.message
    );
    assert_eq!(world.everything().await, before);
    world.end().await;
}

#[tokio::test]
async fn a_pc_without_a_hub_makes_its_rooms_and_its_own_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start_with(|settings| {
        *settings = hub::HubSettings::standalone(folder.path().join("standalone.sqlite"));
    })
    .await;
    let token = world
        .admin
        .create_bridge_token(world.site, "this pc")
        .await
        .unwrap();
    let mut bridge = Bridge::connect(&world, &token).await;
    let request = RequestEncode {
        request_id: Uuid::from_u128(1),
        identity: IDENTITY.to_owned(),
        doors: vec!["7".to_owned()],
        starts_at: None,
        ends_at: None,
        overrides: None,
    };
    let answer = answer_to(&mut bridge, &request).await;
    assert!(matches!(answer, RequestResult::Taken { .. }), "{answer:?}");
    let on_card = credential_of(&bridge.hear_offer().await);
    assert_eq!(on_card.number, 0x8000_0000);
    assert_eq!((on_card.first_room, on_card.room_count), (6, 1));
    assert_eq!(on_card.ends_at, None);
    world.end().await;
}

async fn answer_to(bridge: &mut Bridge, request: &RequestEncode) -> RequestResult {
    bridge.say(FromBridge::RequestEncode(request.clone())).await;
    match bridge.hear().await {
        FromHub::RequestAnswer(answer) => {
            assert_eq!(answer.request_id, request.request_id);
            answer.result
        }
        other => panic!("expected an answer, got {other:?}"),
    }
}
