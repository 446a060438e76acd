//! What `visionline_metadata` asks for: override, joiner or neither, formats, and what is refused with which words.

use hub::DoorCategory;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::bridge::{Bridge, CARD, IDENTITY, OTHER_CARD, credential_of};
use crate::support::{Answer, World, assert_error, connected, id};

/// Encodes a credential on a card and returns its number there and its issue number.
async fn encoded(world: &World, bridge: &mut Bridge, credential: &Value, card: &str) -> (u32, u32) {
    world.encode(&bridge.encoder_id(IDENTITY), credential).await;
    let offer = bridge.hear_offer().await;
    bridge.encode_card(&offer, card, None).await;
    let on_card = credential_of(&offer);
    (on_card.number, on_card.issue_number)
}

async fn is_valid(world: &World, credential: &Value) -> Value {
    world.credential(credential).await["visionline_metadata"]["is_valid"].clone()
}

/// Asks for a credential of these doors.
async fn ask(world: &World, doors: &[Uuid], metadata: Value) -> Answer {
    let body = json!({
        "acs_user_id": world.create_user().await,
        "access_method": "card",
        "allowed_acs_entrance_ids": doors,
        "starts_at": "2026-11-22T14:00:30Z",
        "ends_at": "2045-11-25T10:00:00Z",
        "visionline_metadata": metadata,
    });
    world.post("/acs/credentials/create", body).await
}

fn joiner(of: &[&Value]) -> Value {
    let ids: Vec<&Value> = of.iter().map(|of| &of["acs_credential_id"]).collect();
    json!({ "joiner_acs_credential_ids": ids })
}

/// Must be refused for this field, with a message that names it and says this.
fn refused_for(answer: &Answer, field: &str, says: &str) {
    assert_error(answer, 400, "invalid_input");
    let error = &answer.body["error"];
    let message = id(&error["message"]);
    assert!(message.contains(says), "{message}");
    let last = field.rsplit('.').next().unwrap();
    assert!(message.contains(last), "{message} does not name {field}");
    let mut place = &error["validation_errors"];
    for part in field.split('.') {
        place = &place[part];
    }
    assert!(place["_errors"][0].is_string(), "{}", answer.body);
}

#[tokio::test]
async fn joiners_and_their_joiners_share_the_stay_until_an_override_ends_it_for_all() {
    let (world, mut bridge, _) = connected().await;
    let rooms = &world.rooms[..2];
    let stay = world
        .create_credential(rooms, Some(json!({ "override": true })))
        .await;
    let (_, number) = encoded(&world, &mut bridge, &stay, "04000001").await;
    let child = world
        .create_credential(&rooms[..1], Some(joiner(&[&stay])))
        .await;
    let (_, childs) = encoded(&world, &mut bridge, &child, "04000002").await;
    let grandchild = world
        .create_credential(rooms, Some(joiner(&[&child])))
        .await;
    let (_, grandchilds) = encoded(&world, &mut bridge, &grandchild, "04000003").await;
    let auto = world.create_credential(&rooms[1..], None).await;
    let (_, autos) = encoded(&world, &mut bridge, &auto, "04000004").await;
    assert_eq!([childs, grandchilds, autos], [number; 3]);

    let next = world
        .create_credential(&rooms[..1], Some(json!({ "is_override_key": true })))
        .await;
    for card in [&stay, &child, &grandchild] {
        assert_eq!(is_valid(&world, card).await, true);
    }
    let (_, nexts) = encoded(&world, &mut bridge, &next, "04000005").await;
    assert_eq!(nexts, number + 1);
    for card in [&stay, &child, &grandchild] {
        assert_eq!(is_valid(&world, card).await, false);
        assert_eq!(
            world.events_of(card).await,
            ["acs_credential.issued", "acs_credential.invalidated"]
        );
    }
    assert_eq!(is_valid(&world, &auto).await, true, "it shares no door");
    world.end().await;
}

#[tokio::test]
async fn what_cannot_be_joined_is_refused_with_the_field_and_a_remedy() {
    let (world, mut bridge, _) = connected().await;
    let field = "visionline_metadata.joiner_acs_credential_ids";
    let [first, second, third] = [world.rooms[0], world.rooms[1], world.rooms[2]];
    let stay = world
        .create_credential(&[first], Some(json!({ "override": true })))
        .await;

    let both = ask(
        &world,
        &[first],
        json!({ "override": true, "joiner_acs_credential_ids": [stay["acs_credential_id"]] }),
    )
    .await;
    refused_for(&both, "visionline_metadata.override", "only one");

    let beyond = ask(&world, &[first, second, third], joiner(&[&stay])).await;
    refused_for(
        &beyond,
        "allowed_acs_entrance_ids",
        "it would take in 102, 103",
    );

    let staff = world
        .create_credential(&[first], Some(json!({ "card_function_type": "staff" })))
        .await;
    let answer = ask(&world, &[first], joiner(&[&staff])).await;
    refused_for(&answer, field, "staff");
    let mut staff_joiner = joiner(&[&stay]);
    staff_joiner["card_function_type"] = json!("staff");
    refused_for(&ask(&world, &[first], staff_joiner).await, field, "staff");

    let other = world
        .create_credential(&[second], Some(json!({ "override": true })))
        .await;
    let answer = ask(&world, &[first, second], joiner(&[&stay, &other])).await;
    refused_for(&answer, field, "different stays");

    let site = world.admin.create_site(world.workspace, "Annexe", "UTC");
    let site = site.await.unwrap();
    let room = world.admin.add_entrance(site, "1", DoorCategory::Guest);
    let room = room.await.unwrap();
    let body = json!({ "acs_system_id": site, "full_name": "Eve Elsewhere" });
    let user = world.call("/acs/users/create", body).await["acs_user"]["acs_user_id"].clone();
    let body = json!({
        "acs_user_id": user,
        "access_method": "card",
        "allowed_acs_entrance_ids": [room],
        "visionline_metadata": { "override": true },
    });
    let elsewhere = world.call("/acs/credentials/create", body).await["acs_credential"].clone();
    let answer = ask(&world, &[first], joiner(&[&elsewhere])).await;
    refused_for(&answer, field, "another acs_system");

    let nobody = json!({ "acs_credential_id": crate::support::NOBODY });
    let answer = ask(&world, &[first], joiner(&[&nobody])).await;
    assert_error(&answer, 404, "acs_credential_not_found");

    encoded(&world, &mut bridge, &stay, CARD).await;
    let next = world
        .create_credential(&[first], Some(json!({ "override": true })))
        .await;
    encoded(&world, &mut bridge, &next, OTHER_CARD).await;
    let answer = ask(&world, &[first], joiner(&[&stay])).await;
    refused_for(&answer, field, "void");
    let deleted = json!({ "acs_credential_id": next["acs_credential_id"] });
    world.call("/acs/credentials/delete", deleted).await;
    let answer = ask(&world, &[first], joiner(&[&next])).await;
    refused_for(&answer, field, "deleted");
    world.end().await;
}

#[tokio::test]
async fn auto_join_says_which_doors_the_valid_stay_does_not_have() {
    let (world, mut bridge, _) = connected().await;
    let stay = world
        .create_credential(&world.rooms[..1], Some(json!({ "auto_join": true })))
        .await;
    encoded(&world, &mut bridge, &stay, CARD).await;
    for metadata in [json!({ "auto_join": true }), json!({})] {
        let answer = ask(&world, &world.rooms[..3], metadata).await;
        refused_for(&answer, "visionline_metadata.auto_join", "102, 103");
    }
    world.end().await;
}

#[tokio::test]
async fn a_joiner_begins_with_its_stay_and_never_before_it() {
    let (world, _, _) = connected().await;
    let stay = json!({
        "acs_user_id": world.create_user().await,
        "access_method": "card",
        "allowed_acs_entrance_ids": &world.rooms[..1],
        "starts_at": "2044-01-01T15:00:00Z",
        "ends_at": "2044-01-03T10:00:00Z",
        "visionline_metadata": { "override": true },
    });
    let answer = world.call("/acs/credentials/create", stay.clone()).await;
    let mut joining = stay.clone();
    joining["visionline_metadata"] = joiner(&[&answer["acs_credential"]]);
    joining.as_object_mut().unwrap().remove("starts_at");
    let joined = world.call("/acs/credentials/create", joining.clone()).await;
    assert_eq!(
        joined["acs_credential"]["starts_at"],
        "2044-01-01T15:00:00.000Z"
    );
    joining["starts_at"] = json!("2044-01-01T14:59:00Z");
    let answer = world.post("/acs/credentials/create", joining.clone()).await;
    refused_for(&answer, "starts_at", "2044-01-01T15:00:00.000Z");
    joining["starts_at"] = json!("2044-01-03T10:00:00Z");
    joining["ends_at"] = json!("2044-01-04T10:00:00Z");
    let answer = world.post("/acs/credentials/create", joining).await;
    refused_for(
        &answer,
        "visionline_metadata.joiner_acs_credential_ids",
        "is over",
    );
    world.end().await;
}

#[tokio::test]
async fn staff_cards_neither_override_nor_are_overridden() {
    let (world, mut bridge, _) = connected().await;
    let rooms = &world.rooms[..1];
    let guest = world
        .create_credential(rooms, Some(json!({ "override": true })))
        .await;
    encoded(&world, &mut bridge, &guest, "04000001").await;
    let staff = world
        .create_credential(
            rooms,
            Some(json!({ "card_function_type": "staff", "override": true })),
        )
        .await;
    encoded(&world, &mut bridge, &staff, "04000002").await;
    assert_eq!(is_valid(&world, &guest).await, true);
    let next = world
        .create_credential(rooms, Some(json!({ "override": true })))
        .await;
    encoded(&world, &mut bridge, &next, "04000003").await;
    assert_eq!(is_valid(&world, &guest).await, false);
    assert_eq!(is_valid(&world, &staff).await, true);
    world.end().await;
}

#[tokio::test]
async fn doors_go_on_the_card_in_the_format_that_holds_them() {
    let (world, mut bridge, _) = connected().await;
    let mut doors = Vec::new();
    for number in 1..=50 {
        let name = format!("Suite {number}");
        let door = world
            .admin
            .add_entrance(world.site, &name, DoorCategory::Guest);
        doors.push(door.await.unwrap());
    }
    let mut commons = Vec::new();
    for number in 1..=34 {
        let name = format!("Common {number}");
        let door = world
            .admin
            .add_entrance(world.site, &name, DoorCategory::Common);
        commons.push(door.await.unwrap());
    }
    let desk = bridge.encoder_id(IDENTITY);
    let full: Vec<Uuid> = doors[..33].iter().chain(&commons).copied().collect();
    let credential = world.create_credential(&full, None).await;
    world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    let on_card = credential_of(&offer);
    assert_eq!(serde_json::to_value(on_card.format).unwrap(), "rfid48");
    assert_eq!((on_card.room_count, on_card.common_doors.len()), (33, 27));
    assert_eq!(on_card.additional_doors.len(), 7);
    bridge.encode_card(&offer, CARD, None).await;

    let one_more: Vec<Uuid> = full.iter().chain([&doors[40]]).copied().collect();
    let answer = ask(
        &world,
        &one_more,
        json!({ "card_format": "rfid48", "override": true }),
    )
    .await;
    refused_for(
        &answer,
        "allowed_acs_entrance_ids",
        "68 doors it would hold 67",
    );
    let metadata = json!({ "override": true });
    let credential = world.create_credential(&one_more, Some(metadata)).await;
    world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    let on_card = credential_of(&offer);
    assert_eq!(serde_json::to_value(on_card.format).unwrap(), "TLCode");
    assert_eq!(on_card.additional_doors.len(), 8);

    let small = json!({ "card_format": "TLCode", "override": true });
    let small = world.create_credential(&doors[45..46], Some(small)).await;
    assert!(small["visionline_metadata"]["card_format"].is_null());
    world.end().await;
}
