//! The link itself: who may connect, encoders, fences, and what ends it.

use std::time::Duration;

use protocol::link::{EncoderFence, FromBridge, FromHub, Outcome, SUBPROTOCOL};
use serde_json::json;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use uuid::Uuid;

use crate::support::bridge::{Bridge, CARD, IDENTITY, Luggage, SECOND_IDENTITY, encoder, site_key};
use crate::support::{World, assert_error, id, world_with_token};

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
async fn a_bridge_with_another_site_key_scans_but_does_not_encode() {
    let (world, token) = world_with_token().await;
    let bridge = Bridge::connect(&world, &token).await;
    let other_token = world
        .admin
        .create_bridge_token(world.site, "back office")
        .await
        .unwrap();
    let mut luggage = Luggage::default();
    luggage.hello.site_keys = vec![site_key(1, "fedcba9876543210")];
    let mut stranger = Bridge::connect_with(&world, &other_token, luggage).await;
    let told = stranger.welcome.as_ref().unwrap().site_key_problem.clone();
    assert!(told.unwrap().contains("another site key"));
    assert!(bridge.welcome.as_ref().unwrap().site_key_problem.is_none());
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

/// A key is rolled PC by PC: the first one with the new version ends encodes on those without it, in the midst of an
/// attempt too.
#[tokio::test]
async fn a_pc_with_a_newer_site_key_ends_encodes_where_it_is_missing_until_it_is_there() {
    let (world, token) = world_with_token().await;
    let mut behind = Bridge::connect(&world, &token).await;
    let desk = behind.encoder_id(IDENTITY);
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let pending = world.encode(&desk, &credential).await;
    let offer = behind.hear_offer().await;

    let other_token = world
        .admin
        .create_bridge_token(world.site, "back office")
        .await
        .unwrap();
    let mut rolled = Luggage::default();
    rolled.hello.site_keys.push(site_key(2, "fedcba9876543210"));
    let ahead = Bridge::connect_with(&world, &other_token, rolled.clone()).await;
    let denied = behind.ask_denied(&offer, CARD).await;
    assert!(denied.message.contains("version 2"), "{}", denied.message);
    behind
        .report(&offer, Outcome::Unwritten { error: denied })
        .await;
    assert_eq!(world.attempt(&pending).await["status"], "error");
    let refused = world.encode(&desk, &credential).await;
    assert!(id(&refused["error"]["message"]).contains("cardbridge keys roll"));
    world.scan(&desk).await;
    behind.hear_offer().await;
    let elsewhere = ahead.encoder_id(IDENTITY);
    let encode = world.encode(&elsewhere, &credential).await;
    assert_eq!(encode["status"], "pending");
    behind.close().await;

    let caught_up = Bridge::connect_with(&world, &token, rolled).await;
    let other = world.create_credential(&world.rooms[..1], None).await;
    let encode = world.encode(&caught_up.encoder_id(IDENTITY), &other).await;
    assert_eq!(encode["status"], "pending");
    world.end().await;
}

#[tokio::test]
async fn a_site_whose_key_was_told_wrongly_first_is_put_right_by_forgetting_it() {
    let (world, token) = world_with_token().await;
    let wrong_token = world
        .admin
        .create_bridge_token(world.site, "back office")
        .await
        .unwrap();
    let mut luggage = Luggage::default();
    luggage.hello.site_keys = vec![site_key(1, "fedcba9876543210")];
    let wrong = Bridge::connect_with(&world, &wrong_token, luggage).await;
    wrong.close().await;
    let turned_away = Bridge::connect(&world, &token).await;
    let desk = turned_away.encoder_id(IDENTITY);
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let attempt = world.encode(&desk, &credential).await;
    assert!(id(&attempt["error"]["message"]).contains("another site key"));
    turned_away.close().await;

    let refused = world
        .admin
        .forget_site_key(world.site, 2)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("told [1]"), "{refused}");
    world.admin.forget_site_key(world.site, 1).await.unwrap();
    Bridge::connect(&world, &token).await;
    assert_eq!(world.encode(&desk, &credential).await["status"], "pending");
    world.end().await;
}

#[tokio::test]
async fn a_hello_without_a_site_key_ends_the_link() {
    let (world, token) = world_with_token().await;
    let mut bridge = Bridge::dial(&world, &token).await;
    let mut hello = Luggage::default().hello;
    hello.site_keys.clear();
    bridge.say(FromBridge::Hello(hello)).await;
    assert_eq!(bridge.try_hear().await, None);
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
