//! A stay is an override with its joiners: what a change of the one does to the others, and to the stay after it.

use serde_json::{Value, json};

use crate::changes::{encode, scan, update};
use crate::support::bridge::{IDENTITY, credential_of};
use crate::support::{assert_error, connected, id};

#[tokio::test]
async fn a_new_guest_door_gives_the_whole_stay_a_new_number() {
    let (world, mut bridge, _) = connected().await;
    let overriding = || Some(json!({ "override": true }));
    let mut neighbour = json!(null);
    for _ in 0..3 {
        neighbour = world
            .create_credential(&world.rooms[1..2], overriding())
            .await;
    }
    let highest = encode(&world, &mut bridge, &neighbour, "04000001").await;
    let stay = world
        .create_credential(&world.rooms[..1], overriding())
        .await;
    let before = encode(&world, &mut bridge, &stay, "04000002").await;
    let joiner = json!({ "joiner_acs_credential_ids": [stay["acs_credential_id"]] });
    let joiner = world
        .create_credential(&world.rooms[..1], Some(joiner))
        .await;
    let joiners = encode(&world, &mut bridge, &joiner, "04000003").await;
    let never_encoded = json!({ "joiner_acs_credential_ids": [stay["acs_credential_id"]] });
    world
        .create_credential(&world.rooms[..1], Some(never_encoded))
        .await;
    assert!(before.issue_number < highest.issue_number);

    let doors = json!({ "allowed_acs_entrance_ids": &world.rooms[..2] });
    let changed = update(&world, &stay, doors).await;
    assert_eq!(changed["display_name"], "101, 102");
    let result = scan(&world, &mut bridge, "04000003", &joiners).await;
    let metadata = &result["acs_credential_on_encoder"]["visionline_metadata"];
    assert_eq!(metadata["pending_auto_update"], true);
    assert_eq!(metadata["number_of_issued_cards"], 2);
    let after = encode(&world, &mut bridge, &stay, "04000002").await;
    let joiners = encode(&world, &mut bridge, &joiner, "04000003").await;
    assert_eq!(after.issue_number, highest.issue_number + 1);
    assert_eq!(joiners.issue_number, after.issue_number);
    let is_valid = |credential: Value| credential["visionline_metadata"]["is_valid"].clone();
    assert_eq!(is_valid(world.credential(&neighbour).await), false);
    assert_eq!(is_valid(world.credential(&joiner).await), true);

    let beyond = json!({
        "acs_credential_id": joiner["acs_credential_id"],
        "allowed_acs_entrance_ids": &world.rooms[..3],
    });
    let answer = world.post("/acs/credentials/update", beyond).await;
    assert_error(&answer, 400, "invalid_input");
    assert!(id(&answer.body["error"]["message"]).contains("it would take in 103"));
    world.end().await;
}

fn stay(user: &str, rooms: &[uuid::Uuid], from: &str, to: &str, metadata: Value) -> Value {
    json!({
        "acs_user_id": user,
        "access_method": "card",
        "allowed_acs_entrance_ids": rooms,
        "starts_at": from,
        "ends_at": to,
        "visionline_metadata": metadata,
    })
}

/// The next guest's card was encoded when this one ended before it; now it reaches into that stay.
#[tokio::test]
async fn a_card_that_is_encoded_into_the_time_of_an_encoded_override_is_overridden() {
    let (world, mut bridge, _) = connected().await;
    let user = world.create_user().await;
    let room = &world.rooms[..1];
    let create = async |from: &str, to: &str, metadata: Value| {
        let body = stay(&user, room, from, to, metadata);
        world.call("/acs/credentials/create", body).await["acs_credential"].clone()
    };
    let overriding = || json!({ "override": true });
    let (monday, tuesday, friday) = (
        "2044-01-04T10:00:00Z",
        "2044-01-05T10:00:00Z",
        "2044-01-08T10:00:00Z",
    );
    let first = create(monday, tuesday, overriding()).await;
    encode(&world, &mut bridge, &first, "04000001").await;
    let next = create(tuesday, friday, overriding()).await;
    encode(&world, &mut bridge, &next, "04000002").await;
    let is_valid = |credential: Value| credential["visionline_metadata"]["is_valid"].clone();
    assert_eq!(is_valid(world.credential(&first).await), true);

    let joiner = json!({ "joiner_acs_credential_ids": [first["acs_credential_id"]] });
    let joiner = create(monday, friday, joiner).await;
    encode(&world, &mut bridge, &joiner, "04000003").await;
    assert_eq!(is_valid(world.credential(&joiner).await), false);
    let events = ["acs_credential.issued", "acs_credential.invalidated"];
    assert_eq!(world.events_of(&joiner).await, events);

    update(&world, &first, json!({ "ends_at": friday })).await;
    assert_eq!(
        is_valid(world.credential(&first).await),
        true,
        "its card still ends on Tuesday"
    );
    for _ in 0..2 {
        world.encode(&bridge.encoder_id(IDENTITY), &first).await;
        let offer = bridge.hear_offer().await;
        let number = credential_of(&offer).number;
        bridge.encode_card(&offer, "04000001", Some(number)).await;
        assert_eq!(is_valid(world.credential(&first).await), false);
    }
    let invalidated = world.events_of(&first).await;
    let invalidated = invalidated
        .iter()
        .filter(|kind| kind.ends_with("invalidated"));
    assert_eq!(invalidated.count(), 1);
    assert_eq!(is_valid(world.credential(&next).await), true);
    world.end().await;
}

/// A joiner begins no earlier than its stay, also when that is put off.
#[tokio::test]
async fn a_stay_that_is_put_off_takes_its_joiners_with_it() {
    let (world, mut bridge, _) = connected().await;
    let user = world.create_user().await;
    let create = async |metadata: Value| {
        let (from, to) = ("2044-01-04T10:00:00Z", "2044-01-08T10:00:00Z");
        let body = stay(&user, &world.rooms[..1], from, to, metadata);
        world.call("/acs/credentials/create", body).await["acs_credential"].clone()
    };
    let first = create(json!({ "override": true })).await;
    let joining = json!({ "joiner_acs_credential_ids": [first["acs_credential_id"]] });
    let joiner = create(joining).await;
    let later = json!({ "starts_at": "2044-01-06T10:00:00Z" });
    update(&world, &first, later).await;
    let moved = world.credential(&joiner).await;
    assert_eq!(moved["starts_at"], "2044-01-06T10:00:00.000Z");
    let one = encode(&world, &mut bridge, &first, "04000001").await;
    let two = encode(&world, &mut bridge, &joiner, "04000002").await;
    assert_eq!(one.issue_number, two.issue_number);

    let after_the_joiner = json!({
        "acs_credential_id": first["acs_credential_id"],
        "starts_at": "2044-01-08T10:00:00Z",
        "ends_at": "2044-01-09T10:00:00Z",
    });
    let before = world.everything().await;
    let answer = world
        .post("/acs/credentials/update", after_the_joiner)
        .await;
    assert_error(&answer, 400, "invalid_input");
    let message = id(&answer.body["error"]["message"]);
    assert!(message.contains("give it a later end first"), "{message}");
    assert_eq!(world.everything().await, before);
    world.end().await;
}

/// Its room went to the next guest; the rest of its stay may have a new number, and it must not take the room back.
#[tokio::test]
async fn a_joiner_that_was_overridden_does_not_follow_its_stay_to_a_new_number() {
    let (world, mut bridge, _) = connected().await;
    let overriding = || Some(json!({ "override": true }));
    let both = world
        .create_credential(&world.rooms[..2], overriding())
        .await;
    let joining = json!({ "joiner_acs_credential_ids": [both["acs_credential_id"]] });
    let joiner = world
        .create_credential(&world.rooms[1..2], Some(joining))
        .await;
    let before = encode(&world, &mut bridge, &joiner, "04000001").await;
    let fewer = json!({ "allowed_acs_entrance_ids": &world.rooms[..1] });
    update(&world, &both, fewer).await;
    let next = world
        .create_credential(&world.rooms[1..2], overriding())
        .await;
    let next_on_card = encode(&world, &mut bridge, &next, "04000002").await;
    let more = json!({ "allowed_acs_entrance_ids": [world.rooms[0], world.rooms[2]] });
    update(&world, &both, more).await;
    encode(&world, &mut bridge, &both, "04000003").await;
    let after = encode(&world, &mut bridge, &joiner, "04000001").await;
    assert_eq!(after.issue_number, before.issue_number);
    assert!(after.issue_number < next_on_card.issue_number);
    world.end().await;
}

/// Locks may know the number that was on the card; a lower one would shut the guest out.
#[tokio::test]
async fn an_encoded_stay_that_is_moved_to_an_earlier_day_keeps_its_number() {
    let (world, mut bridge, _) = connected().await;
    let user = world.create_user().await;
    let (from, to) = ("2044-01-06T10:00:00Z", "2044-01-08T10:00:00Z");
    let body = stay(
        &user,
        &world.rooms[..1],
        from,
        to,
        json!({ "override": true }),
    );
    let created = world.call("/acs/credentials/create", body).await["acs_credential"].clone();
    let before = encode(&world, &mut bridge, &created, "04000001").await;
    let earlier = json!({ "starts_at": "2044-01-04T10:00:00Z" });
    update(&world, &created, earlier).await;
    let after = encode(&world, &mut bridge, &created, "04000001").await;
    assert_eq!(after.issue_number, before.issue_number);
    world.end().await;
}
