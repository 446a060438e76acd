//! Cards that are asked for at the encoder PC.

use protocol::link::{FromBridge, FromHub, RequestEncode, RequestResult};
use serde_json::json;
use uuid::Uuid;

use crate::support::bridge::{Bridge, IDENTITY, OTHER_CARD, credential_of};
use crate::support::{World, world_with_token};

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
