//! Encodes from the API to a bridge and back, and what they make of the cards before.

use protocol::link::CardFormat;
use serde_json::{Value, json};

use crate::support::bridge::{CARD, IDENTITY, OTHER_CARD, credential_of, unwritten};
use crate::support::{connected, id};

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
