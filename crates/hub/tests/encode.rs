//! Encodes from the API to a bridge and back, with a bridge that says what the test tells it to.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use protocol::link::{AskGrant, CardFormat, FromBridge, FromHub, GrantDecision, OfferRefusal};
use serde_json::{Value, json};
use support::bridge::{
    Bridge, CARD, IDENTITY, OTHER_CARD, SECOND_IDENTITY, credential_of, encoder, report_of,
    unknown, unwritten, written,
};
use support::{World, assert_error, id};

async fn connected() -> (World, Bridge, String) {
    let world = World::start().await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    let bridge = Bridge::connect(&world, &token).await;
    (world, bridge, token)
}

#[tokio::test]
async fn a_credential_is_encoded_and_the_api_tells_everything_about_it() {
    let (world, mut bridge, _) = connected().await;
    let desk = bridge.encoder_id(IDENTITY);
    let doors = [world.rooms[0], world.rooms[1], world.garage];
    let credential = world.create_credential(&doors, None).await;
    assert_eq!(credential["is_issued"], false);
    assert_eq!(credential["issued_at"], Value::Null);
    assert_eq!(credential["display_name"], "101, 102, Garage");
    assert_eq!(credential["external_type"], "visionline_card");

    let attempt = world.encode(&desk, &credential).await;
    assert_eq!(attempt["status"], "pending");
    assert_eq!(attempt["action_type"], "ENCODE_CREDENTIAL");
    assert_eq!(attempt["result"], Value::Null);

    let offer = bridge.hear_offer().await;
    assert_eq!(
        offer.attempt_id.to_string(),
        id(&attempt["action_attempt_id"])
    );
    assert_eq!((offer.identity.as_str(), offer.fence), (IDENTITY, 1));
    assert_eq!(offer.card_wait_ms, 30_000);
    let on_card = credential_of(&offer);
    assert_eq!(on_card.number, 1);
    assert_eq!(on_card.format, CardFormat::Rfid48);
    assert_eq!(on_card.starts_at.to_string(), "2026-11-22T14:00:00Z");
    assert_eq!((on_card.first_room, on_card.room_count), (1, 2));
    assert_eq!(on_card.common_doors, [0]);

    bridge.encode_card(&offer, CARD, None).await;
    let ended = world.ended(&attempt).await;
    assert_eq!(ended["status"], "success");
    assert_eq!(ended["error"], Value::Null);
    let issued = world.credential(&credential).await;
    assert_eq!(ended["result"], issued);
    assert_eq!(issued["is_issued"], true);
    assert!(issued["issued_at"].is_string());
    assert_eq!(issued["card_number"], CARD);
    let metadata = &issued["visionline_metadata"];
    assert_eq!(metadata["card_id"], CARD);
    assert_eq!(metadata["credential_id"], "1");
    assert_eq!(metadata["is_valid"], true);
    assert_eq!(
        metadata["guest_acs_entrance_ids"],
        json!([world.rooms[0], world.rooms[1]])
    );
    assert_eq!(metadata["common_acs_entrance_ids"], json!([world.garage]));
    assert_eq!(
        world.events_of(&credential).await,
        ["acs_credential.issued"]
    );
    world.end().await;
}

#[tokio::test]
async fn an_attempt_without_a_card_ends_with_what_the_bridge_says() {
    let (world, mut bridge, _) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let attempt = world
        .encode(&bridge.encoder_id(IDENTITY), &credential)
        .await;
    let offer = bridge.hear_offer().await;
    bridge.report(&offer, unwritten("no_card_on_encoder")).await;
    let ended = world.attempt(&attempt).await;
    assert_eq!(ended["status"], "error");
    assert_eq!(ended["error"]["type"], "no_card_on_encoder");
    assert_eq!(world.credential(&credential).await["is_issued"], false);
    assert!(world.events_of(&credential).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_credential_goes_onto_one_card_only() {
    let (world, mut bridge, _) = connected().await;
    let desk = bridge.encoder_id(IDENTITY);
    let credential = world.create_credential(&world.rooms[..1], None).await;
    world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    bridge.encode_card(&offer, CARD, None).await;

    let attempt = world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    let denial = bridge.ask_denied(&offer, OTHER_CARD).await;
    assert_eq!(denial.kind, "credential_cannot_be_reissued");
    bridge.report(&offer, unwritten(&denial.kind)).await;
    assert_eq!(
        world.attempt(&attempt).await["error"]["type"],
        "credential_cannot_be_reissued"
    );

    let attempt = world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    bridge.encode_card(&offer, CARD, Some(1)).await;
    assert_eq!(world.attempt(&attempt).await["status"], "success");
    assert_eq!(
        world.events_of(&credential).await,
        ["acs_credential.issued", "acs_credential.reissued"]
    );
    world.end().await;
}

#[tokio::test]
async fn a_second_credential_on_a_card_is_told_as_reissued_and_the_first_becomes_invalid() {
    let (world, mut bridge, _) = connected().await;
    let desk = bridge.encoder_id(IDENTITY);
    let first = world.create_credential(&world.rooms[..1], None).await;
    world.encode(&desk, &first).await;
    let offer = bridge.hear_offer().await;
    bridge.encode_card(&offer, CARD, None).await;

    let second = world.create_credential(&world.rooms[1..2], None).await;
    world.encode(&desk, &second).await;
    let offer = bridge.hear_offer().await;
    bridge.encode_card(&offer, CARD, Some(1)).await;

    assert_eq!(world.events_of(&second).await, ["acs_credential.reissued"]);
    assert_eq!(
        world.events_of(&first).await,
        ["acs_credential.issued", "acs_credential.invalidated"]
    );
    let first = world.credential(&first).await;
    assert_eq!(first["is_issued"], true);
    assert_eq!(first["visionline_metadata"]["is_valid"], false);
    world.end().await;
}

#[tokio::test]
async fn an_encoded_override_invalidates_the_cards_before_it_and_not_before() {
    let (world, mut bridge, _) = connected().await;
    let desk = bridge.encoder_id(IDENTITY);
    let before = world.create_credential(&world.rooms[..2], None).await;
    world.encode(&desk, &before).await;
    let offer = bridge.hear_offer().await;
    let first_number = credential_of(&offer).issue_number;
    bridge.encode_card(&offer, CARD, None).await;

    let metadata = json!({ "override": true, "card_format": "rfid48" });
    let newer = world
        .create_credential(&world.rooms[..1], Some(metadata))
        .await;
    assert_eq!(
        world.credential(&before).await["visionline_metadata"]["is_valid"],
        true
    );
    world.encode(&desk, &newer).await;
    let offer = bridge.hear_offer().await;
    assert_eq!(credential_of(&offer).issue_number, first_number + 1);
    bridge.encode_card(&offer, OTHER_CARD, None).await;

    assert_eq!(
        world.credential(&before).await["visionline_metadata"]["is_valid"],
        false
    );
    assert_eq!(
        world.credential(&newer).await["visionline_metadata"]["is_valid"],
        true
    );
    assert_eq!(
        world.events_of(&before).await,
        ["acs_credential.issued", "acs_credential.invalidated"]
    );
    world.end().await;
}

#[tokio::test]
async fn a_credential_that_says_nothing_joins_the_valid_card_on_its_doors() {
    let (world, mut bridge, _) = connected().await;
    let desk = bridge.encoder_id(IDENTITY);
    let first = world.create_credential(&world.rooms[..1], None).await;
    world.encode(&desk, &first).await;
    let offer = bridge.hear_offer().await;
    let stay = credential_of(&offer).issue_number;
    bridge.encode_card(&offer, CARD, None).await;

    let joiner = world
        .create_credential(&world.rooms[..1], Some(json!({ "auto_join": true })))
        .await;
    assert_eq!(joiner["visionline_metadata"]["auto_join"], true);
    world.encode(&desk, &joiner).await;
    let offer = bridge.hear_offer().await;
    assert_eq!(credential_of(&offer).issue_number, stay);
    bridge.encode_card(&offer, OTHER_CARD, None).await;
    assert_eq!(
        world.credential(&first).await["visionline_metadata"]["is_valid"],
        true
    );
    world.end().await;
}

#[tokio::test]
async fn equal_asks_get_one_grant_and_changed_ones_none() {
    let (world, mut bridge, _) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    world
        .encode(&bridge.encoder_id(IDENTITY), &credential)
        .await;
    let offer = bridge.hear_offer().await;
    let grant = bridge.ask_granted(&offer, CARD).await;
    assert_eq!(bridge.ask_granted(&offer, CARD).await, grant);
    bridge.ask_denied(&offer, OTHER_CARD).await;
    let other_digest = AskGrant {
        attempt_id: offer.attempt_id,
        fence: offer.fence,
        uid: CARD.to_owned(),
        digest: "cd".repeat(32),
    };
    let stale_fence = AskGrant {
        fence: offer.fence + 1,
        digest: "ab".repeat(32),
        ..other_digest.clone()
    };
    for ask in [other_digest, stale_fence] {
        let answer = bridge.ask_with(ask).await;
        assert!(matches!(answer.decision, GrantDecision::Denied { .. }));
    }
    world.end().await;
}

#[tokio::test]
async fn a_card_that_another_encoder_may_be_writing_is_denied() {
    let (world, mut bridge, _) = connected().await;
    let one = world.create_credential(&world.rooms[..1], None).await;
    let other = world.create_credential(&world.rooms[1..2], None).await;
    world.encode(&bridge.encoder_id(IDENTITY), &one).await;
    let first = bridge.hear_offer().await;
    world
        .encode(&bridge.encoder_id(SECOND_IDENTITY), &other)
        .await;
    let second = bridge.hear_offer().await;
    bridge.ask_granted(&first, CARD).await;
    assert_eq!(
        bridge.ask_denied(&second, CARD).await.kind,
        "uncategorized_error"
    );
    bridge.report(&first, written(CARD, None)).await;
    bridge.ask_granted(&second, CARD).await;
    world.end().await;
}

#[tokio::test]
async fn an_untouched_card_frees_the_credential_for_another_card() {
    let (world, mut bridge, _) = connected().await;
    let desk = bridge.encoder_id(IDENTITY);
    let credential = world.create_credential(&world.rooms[..1], None).await;
    world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    bridge.ask_granted(&offer, CARD).await;
    bridge
        .report(&offer, unwritten("encoding_interrupted"))
        .await;

    world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    bridge.encode_card(&offer, OTHER_CARD, None).await;
    assert_eq!(
        world.credential(&credential).await["card_number"],
        OTHER_CARD
    );
    world.end().await;
}

#[tokio::test]
async fn a_doubtful_card_binds_the_credential_until_the_same_card_is_written() {
    let (world, mut bridge, _) = connected().await;
    let desk = bridge.encoder_id(IDENTITY);
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let attempt = world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    bridge.ask_granted(&offer, CARD).await;
    bridge.report(&offer, unknown(CARD)).await;
    assert_eq!(
        world.attempt(&attempt).await["error"]["type"],
        "encoding_interrupted"
    );
    let doubtful = world.credential(&credential).await;
    assert_eq!(doubtful["is_issued"], false);
    assert_eq!(
        doubtful["warnings"][0]["warning_code"],
        "unknown_issue_with_acs_credential"
    );

    world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    let denial = bridge.ask_denied(&offer, OTHER_CARD).await;
    assert_eq!(denial.kind, "credential_cannot_be_reissued");
    bridge.report(&offer, unwritten(&denial.kind)).await;

    world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    bridge.encode_card(&offer, CARD, None).await;
    let settled = world.credential(&credential).await;
    assert_eq!(settled["is_issued"], true);
    assert_eq!(settled["warnings"], json!([]));
    world.end().await;
}

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

#[tokio::test]
async fn a_report_of_an_attempt_that_is_not_known_is_taken_and_changes_nothing() {
    let (world, mut bridge, _) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    world
        .encode(&bridge.encoder_id(IDENTITY), &credential)
        .await;
    let mut offer = bridge.hear_offer().await;
    let before = world.everything().await;
    offer.fence += 1;
    bridge.report(&offer, written(CARD, None)).await;
    offer.attempt_id = uuid::Uuid::nil();
    bridge.report(&offer, written(CARD, None)).await;
    assert_eq!(
        bridge.ask_denied(&offer, CARD).await.kind,
        "uncategorized_error"
    );
    assert_eq!(world.everything().await, before);
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
async fn the_same_encode_while_pending_is_the_same_attempt_and_elsewhere_a_conflict() {
    let (world, mut bridge, _) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let attempt = world
        .encode(&bridge.encoder_id(IDENTITY), &credential)
        .await;
    bridge.hear_offer().await;
    assert_eq!(
        world
            .encode(&bridge.encoder_id(IDENTITY), &credential)
            .await,
        attempt
    );
    let elsewhere = json!({
        "acs_encoder_id": bridge.encoder_id(SECOND_IDENTITY),
        "acs_credential_id": credential["acs_credential_id"],
    });
    let answer = world
        .post("/acs/encoders/encode_credential", elsewhere)
        .await;
    assert_error(&answer, 409, "credential_encoding_in_progress");
    world.end().await;
}

#[tokio::test]
async fn a_full_queue_is_busy_and_offers_come_in_fence_order() {
    let (world, mut bridge, _) = connected().await;
    let desk = bridge.encoder_id(IDENTITY);
    for place in 1..=8 {
        world.scan(&desk).await;
        assert_eq!(bridge.hear_offer().await.fence, place);
    }
    let body = json!({ "acs_encoder_id": desk });
    let answer = world.post("/acs/encoders/scan_credential", body).await;
    assert_error(&answer, 409, "encoder_busy");
    let other_desk = bridge.encoder_id(SECOND_IDENTITY);
    world.scan(&other_desk).await;
    assert_eq!(bridge.hear_offer().await.fence, 1);
    world.end().await;
}

#[tokio::test]
async fn an_absent_encoder_ends_the_attempt_at_once_with_the_reason() {
    let (world, mut bridge, _) = connected().await;
    let desk = bridge.encoder_id(IDENTITY);
    bridge
        .say(FromBridge::Encoder(encoder(IDENTITY, "Reception", false)))
        .await;
    assert!(matches!(bridge.hear().await, FromHub::EncoderRegistered(_)));
    let attempt = world.scan(&desk).await;
    assert_eq!(attempt["status"], "error");
    assert_eq!(attempt["error"]["type"], "encoder_not_online");
    assert!(id(&attempt["error"]["message"]).contains("The cable is out."));
    let listed = world
        .call("/acs/encoders/get", json!({ "acs_encoder_id": desk }))
        .await;
    assert_eq!(listed["acs_encoder"]["display_name"], "Reception");
    world.end().await;
}

#[tokio::test]
async fn a_refused_offer_ends_the_attempt() {
    let (world, mut bridge, _) = connected().await;
    let attempt = world.scan(&bridge.encoder_id(IDENTITY)).await;
    let offer = bridge.hear_offer().await;
    bridge
        .say(FromBridge::Refused {
            attempt_id: offer.attempt_id,
            reason: OfferRefusal::EncoderAbsent,
        })
        .await;
    assert_eq!(
        world.ended(&attempt).await["error"]["type"],
        "encoder_not_online"
    );
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
    stranger.hear().await;
    assert_eq!(world.everything().await, before);
    world.end().await;
}
