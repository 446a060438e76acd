//! Credentials that are changed, deleted or lose their card.

use protocol::link::{CardCondition, FromHub};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bridge::{
    Bridge, CARD, IDENTITY, OTHER_CARD, credential_of, scanned, scanned_as, unknown, written,
};
use crate::support::{World, assert_error, connected, id};

pub(crate) async fn update(world: &World, credential: &Value, change: Value) -> Value {
    let mut body = change;
    body["acs_credential_id"] = credential["acs_credential_id"].clone();
    world.call("/acs/credentials/update", body).await["acs_credential"].clone()
}

async fn delete(world: &World, credential: &Value) {
    let body = json!({ "acs_credential_id": credential["acs_credential_id"] });
    world.call("/acs/credentials/delete", body).await;
}

/// What a scan of the card that holds this finds.
pub(crate) async fn scan(
    world: &World,
    bridge: &mut Bridge,
    card: &str,
    on_card: &protocol::link::Credential,
) -> Value {
    let attempt = world.scan(&bridge.encoder_id(IDENTITY)).await;
    let offer = bridge.hear_offer().await;
    bridge.report(&offer, scanned(card, on_card)).await;
    world.attempt(&attempt).await["result"].clone()
}

/// Encodes a credential and returns what the card holds then.
pub(crate) async fn encode(
    world: &World,
    bridge: &mut Bridge,
    credential: &Value,
    card: &str,
) -> protocol::link::Credential {
    world.encode(&bridge.encoder_id(IDENTITY), credential).await;
    let offer = bridge.hear_offer().await;
    bridge.encode_card(&offer, card, None).await;
    credential_of(&offer)
}

fn warning_codes(credential: &Value) -> Vec<String> {
    let warnings = credential["warnings"].as_array().unwrap();
    warnings
        .iter()
        .map(|warning| id(&warning["warning_code"]))
        .collect()
}

#[tokio::test]
async fn an_extended_credential_keeps_its_number_and_its_card_is_pending_until_it_is_encoded_again()
{
    let (world, mut bridge, _) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let before = encode(&world, &mut bridge, &credential, CARD).await;
    let changed = update(
        &world,
        &credential,
        json!({ "ends_at": "2045-12-01T10:00:00Z" }),
    )
    .await;
    assert_eq!(changed["ends_at"], "2045-12-01T10:00:00.000Z");
    assert_eq!(warning_codes(&changed), ["needs_to_be_reissued"]);
    assert_eq!(changed["visionline_metadata"]["is_valid"], true);
    let result = scan(&world, &mut bridge, CARD, &before).await;
    let on_encoder = &result["acs_credential_on_encoder"]["visionline_metadata"];
    assert_eq!(on_encoder["pending_auto_update"], true);
    assert!(id(&result["warnings"][0]["warning_message"]).ends_with(": ends_at"));

    let after = encode(&world, &mut bridge, &credential, CARD).await;
    assert_eq!(after.issue_number, before.issue_number);
    assert_ne!(after.ends_at, before.ends_at);
    assert_eq!(warning_codes(&world.credential(&credential).await), [""; 0]);
    let result = scan(&world, &mut bridge, CARD, &after).await;
    let on_encoder = &result["acs_credential_on_encoder"]["visionline_metadata"];
    assert_eq!(on_encoder["pending_auto_update"], false);
    assert_eq!(result["warnings"], json!([]));
    world.end().await;
}

#[tokio::test]
async fn a_change_that_cannot_be_is_refused_and_changes_nothing() {
    let (world, _, _) = connected().await;
    let format = json!({ "card_format": "rfid48" });
    let credential = world
        .create_credential(&world.rooms[..1], Some(format))
        .await;
    let mut many = Vec::new();
    for number in 0..9 {
        for name in [format!("A{number}"), format!("B{number}")] {
            let door = world
                .admin
                .add_entrance(world.site, &name, hub::DoorCategory::Guest);
            many.push(door.await.unwrap());
        }
    }
    let scattered: Vec<_> = many.iter().step_by(2).collect();
    let before = world.everything().await;
    for (change, says) in [
        (json!({ "ends_at": "2020-01-02T00:00:00Z" }), "delete it"),
        (
            json!({ "ends_at": "2060-01-02T00:00:00Z" }),
            "ends_at: a card holds",
        ),
        (
            json!({ "starts_at": "2019-12-31T23:59:59Z" }),
            "starts_at: a card holds",
        ),
        (
            json!({ "starts_at": "2045-11-25T10:00:00Z" }),
            "a minute after starts_at",
        ),
        (json!({ "code": "1234" }), "leave it out"),
        (json!({ "ends_at": null }), "Expected string, received null"),
        (
            json!({ "allowed_acs_entrance_ids": scattered }),
            "it would hold 8 (A0, A1",
        ),
    ] {
        let mut body = change;
        body["acs_credential_id"] = credential["acs_credential_id"].clone();
        let answer = world.post("/acs/credentials/update", body).await;
        assert_error(&answer, 400, "invalid_input");
        assert!(
            id(&answer.body["error"]["message"]).contains(says),
            "{}",
            answer.body
        );
    }
    let nobody = json!({ "acs_credential_id": crate::support::NOBODY });
    for path in ["/acs/credentials/update", "/acs/credentials/delete"] {
        let answer = world.post(path, nobody.clone()).await;
        assert_error(&answer, 404, "acs_credential_not_found");
    }
    assert_eq!(world.everything().await, before);
    world.end().await;
}

#[tokio::test]
async fn updates_and_deletions_are_taken_by_both_of_their_methods() {
    let (world, _, _) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let id_of = id(&credential["acs_credential_id"]);
    let body = json!({ "acs_credential_id": id_of, "ends_at": "2045-12-01T10:00:00Z" });
    let key = Some(world.api_key.as_str());
    let patch = world
        .send(
            Method::PATCH,
            "/acs/credentials/update",
            key,
            body.to_string().into_bytes(),
        )
        .await;
    assert_eq!(
        patch.body["acs_credential"]["ends_at"],
        "2045-12-01T10:00:00.000Z"
    );
    let put = world
        .send(Method::PUT, "/acs/credentials/update", key, Vec::new())
        .await;
    assert_error(&put, 405, "method_not_allowed");
    let path = format!("/acs/credentials/delete?_strict=true&acs_credential_id={id_of}");
    let deleted = world.send(Method::DELETE, &path, key, Vec::new()).await;
    assert_eq!(deleted.body, json!({ "ok": true }));
    let other = world.create_credential(&world.rooms[..1], None).await;
    let body = json!({ "acs_credential_id": other["acs_credential_id"] });
    let deleted = world
        .send(
            Method::DELETE,
            "/acs/credentials/delete",
            key,
            body.to_string().into_bytes(),
        )
        .await;
    assert_eq!(deleted.status, 200);
    world.end().await;
}

#[tokio::test]
async fn a_deleted_credential_is_gone_for_the_api_and_its_card_reads_as_cancelled() {
    let (world, mut bridge, _) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let on_card = encode(&world, &mut bridge, &credential, CARD).await;
    delete(&world, &credential).await;
    assert_eq!(
        world.events_of(&credential).await,
        [
            "acs_credential.issued",
            "acs_credential.invalidated",
            "acs_credential.deleted"
        ]
    );
    let body = json!({ "acs_credential_id": credential["acs_credential_id"] });
    for path in ["get", "update", "delete"] {
        let path = format!("/acs/credentials/{path}");
        let answer = world.post(&path, body.clone()).await;
        assert_error(&answer, 404, "acs_credential_not_found");
    }
    let all = world.call("/acs/credentials/list", json!({})).await;
    assert_eq!(all["acs_credentials"], json!([]));
    let attempt = world
        .encode(&bridge.encoder_id(IDENTITY), &credential)
        .await;
    assert_eq!(attempt["error"]["type"], "credential_deleted");

    let result = scan(&world, &mut bridge, CARD, &on_card).await;
    let metadata = &result["acs_credential_on_encoder"]["visionline_metadata"];
    assert_eq!(metadata["cancelled"], true);
    assert_eq!(metadata["pending_auto_update"], false);
    assert_eq!(metadata["card_holder"], "Ada Guest");
    assert_eq!(result["acs_credential_on_seam"], Value::Null);
    let code = &result["warnings"][0]["warning_code"];
    assert_eq!(code, "acs_credential_on_seam_not_found");

    let next = world.create_credential(&world.rooms[..1], None).await;
    let next = encode(&world, &mut bridge, &next, OTHER_CARD).await;
    assert_eq!(
        next.issue_number,
        on_card.issue_number + 1,
        "locks may know it"
    );
    world.end().await;
}

#[tokio::test]
async fn deleting_ends_an_encode_that_has_no_leave_to_write_and_lets_one_run_that_has() {
    let (world, mut bridge, _) = connected().await;
    let desk = bridge.encoder_id(IDENTITY);
    let waiting = world.create_credential(&world.rooms[..1], None).await;
    let attempt = world.encode(&desk, &waiting).await;
    let offer = bridge.hear_offer().await;
    delete(&world, &waiting).await;
    let attempt_id = offer.attempt_id;
    assert_eq!(bridge.hear().await, FromHub::Cancel { attempt_id });
    let ended = world.attempt(&attempt).await;
    assert_eq!(ended["error"]["type"], "credential_deleted");
    bridge.ask_denied(&offer, CARD).await;

    let writing = world.create_credential(&world.rooms[..1], None).await;
    let attempt = world.encode(&desk, &writing).await;
    let offer = bridge.hear_offer().await;
    bridge.ask_granted(&offer, CARD).await;
    delete(&world, &writing).await;
    bridge.report(&offer, written(CARD, None)).await;
    assert_eq!(world.attempt(&attempt).await["status"], "success");
    assert_eq!(
        world.events_of(&writing).await,
        [
            "acs_credential.deleted",
            "acs_credential.issued",
            "acs_credential.invalidated"
        ]
    );
    world.end().await;
}

#[tokio::test]
async fn a_card_that_is_found_wiped_discards_its_credential_until_it_is_encoded_again() {
    let (world, mut bridge, _) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let on_card = encode(&world, &mut bridge, &credential, CARD).await;
    for _ in 0..2 {
        let attempt = world.scan(&bridge.encoder_id(IDENTITY)).await;
        let offer = bridge.hear_offer().await;
        bridge
            .report(&offer, scanned_as(CardCondition::Blank))
            .await;
        assert_eq!(world.attempt(&attempt).await["status"], "success");
    }
    let events = ["acs_credential.issued", "acs_credential.invalidated"];
    assert_eq!(world.events_of(&credential).await, events);
    let is_valid = |credential: Value| credential["visionline_metadata"]["is_valid"].clone();
    assert_eq!(is_valid(world.credential(&credential).await), false);
    let result = scan(&world, &mut bridge, CARD, &on_card).await;
    let metadata = &result["acs_credential_on_encoder"]["visionline_metadata"];
    assert_eq!(metadata["discarded"], true);
    encode(&world, &mut bridge, &credential, CARD).await;
    assert_eq!(is_valid(world.credential(&credential).await), true);
    world.end().await;
}

#[tokio::test]
async fn a_torn_card_is_told_with_the_credential_that_it_should_hold() {
    let (world, mut bridge, _) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let desk = bridge.encoder_id(IDENTITY);
    world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    bridge.ask_granted(&offer, CARD).await;
    bridge.report(&offer, unknown(CARD)).await;
    let attempt = world.scan(&desk).await;
    let offer = bridge.hear_offer().await;
    bridge.report(&offer, scanned_as(CardCondition::Torn)).await;
    let result = world.attempt(&attempt).await["result"].clone();
    assert_eq!(result["acs_credential_on_encoder"], Value::Null);
    assert_eq!(
        result["acs_credential_on_seam"]["acs_credential_id"],
        credential["acs_credential_id"]
    );
    let message = id(&result["warnings"][0]["warning_message"]);
    assert!(message.contains("encode"), "{message}");
    world.end().await;
}

/// The card gets what the encode began with; that the credential has changed since shows afterwards.
#[tokio::test]
async fn a_change_while_the_card_is_written_leaves_it_to_be_encoded_again() {
    let (world, mut bridge, _) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    world
        .encode(&bridge.encoder_id(IDENTITY), &credential)
        .await;
    let offer = bridge.hear_offer().await;
    bridge.ask_granted(&offer, CARD).await;
    update(
        &world,
        &credential,
        json!({ "ends_at": "2045-12-01T10:00:00Z" }),
    )
    .await;
    bridge.report(&offer, written(CARD, None)).await;
    let issued = world.credential(&credential).await;
    assert_eq!(warning_codes(&issued), ["needs_to_be_reissued"]);
    world.end().await;
}

/// Between the admission of an attempt and an offer of it, or two offers, may lie a change.
#[tokio::test]
async fn an_encode_is_offered_as_it_began_however_often() {
    let (world, mut bridge, token) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let attempt = world
        .encode(&bridge.encoder_id(IDENTITY), &credential)
        .await;
    let first = bridge.hear_offer().await;
    bridge.close().await;
    let longer = json!({ "ends_at": "2045-12-01T10:00:00Z" });
    update(&world, &credential, longer).await;

    let mut bridge = Bridge::connect(&world, &token).await;
    let snapshot = bridge.snapshot.clone().unwrap();
    let again = snapshot.offers.first().unwrap().clone();
    assert_eq!(credential_of(&again), credential_of(&first));
    bridge.encode_card(&again, CARD, None).await;
    assert_eq!(world.attempt(&attempt).await["status"], "success");
    let after = world.credential(&credential).await;
    assert_eq!(warning_codes(&after), ["needs_to_be_reissued"]);
    encode(&world, &mut bridge, &credential, CARD).await;
    assert_eq!(warning_codes(&world.credential(&credential).await), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn a_change_within_the_minute_asks_for_no_new_card() {
    let (world, mut bridge, _) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let end = |seconds: &str| json!({ "ends_at": format!("2045-12-01T10:00:{seconds}Z") });
    update(&world, &credential, end("10")).await;
    let on_card = encode(&world, &mut bridge, &credential, CARD).await;
    let changed = update(&world, &credential, end("50")).await;
    assert_eq!(changed["ends_at"], "2045-12-01T10:00:50.000Z");
    assert_eq!(warning_codes(&changed), [""; 0]);
    let result = scan(&world, &mut bridge, CARD, &on_card).await;
    assert_eq!(result["warnings"], json!([]));
    world.end().await;
}
