//! Cards that are asked for at the encoder PC.

use protocol::link::{
    CardFormat, CardFunction, FromBridge, FromHub, JobStage, RequestEncode, RequestResult,
};
use serde_json::json;
use uuid::Uuid;

use crate::support::bridge::{
    Bridge, CARD, IDENTITY, Luggage, OTHER_CARD, credential_of, job, unwritten,
};
use crate::support::{GENEROUS, World, world_with_token};

#[tokio::test]
async fn a_card_asked_for_at_the_encoder_pc_is_made_and_offered_once() {
    let (world, token) = world_with_token().await;
    let mut bridge = Bridge::connect(&world, &token).await;
    let mut request = RequestEncode {
        request_id: Uuid::from_u128(1),
        identity: IDENTITY.to_owned(),
        doors: vec!["101".to_owned(), "Garage".to_owned()],
        common_doors: Vec::new(),
        format: None,
        function: None,
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
async fn a_stay_that_is_shorter_than_a_cards_minute_is_refused_at_the_pc_as_in_the_api() {
    let (world, token) = world_with_token().await;
    let mut bridge = Bridge::connect(&world, &token).await;
    let before = world.everything().await;
    let request = RequestEncode {
        request_id: Uuid::from_u128(1),
        identity: IDENTITY.to_owned(),
        doors: vec!["101".to_owned()],
        common_doors: Vec::new(),
        format: None,
        function: None,
        starts_at: Some("2045-01-01T10:00:10Z".parse().unwrap()),
        ends_at: Some("2045-01-01T10:00:50Z".parse().unwrap()),
        overrides: None,
    };
    let RequestResult::Refused { error } = answer_to(&mut bridge, &request).await else {
        panic!("a card that begins and ends in one minute is refused");
    };
    assert!(
        error.message.contains("a minute after the start"),
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
        common_doors: Vec::new(),
        format: None,
        function: None,
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

/// A request for room 101.
fn room_101() -> RequestEncode {
    RequestEncode {
        request_id: Uuid::new_v4(),
        identity: IDENTITY.to_owned(),
        doors: vec!["101".to_owned()],
        common_doors: Vec::new(),
        format: None,
        function: None,
        starts_at: None,
        ends_at: Some("2045-01-01T10:00:00Z".parse().unwrap()),
        overrides: Some(true),
    }
}

#[tokio::test]
async fn a_preview_tells_what_the_card_would_carry_and_leaves_nothing_behind() {
    let (world, token) = world_with_token().await;
    let mut bridge = Bridge::connect(&world, &token).await;
    let mut request = room_101();
    request.format = Some(CardFormat::TLCode);
    request.function = Some(CardFunction::Staff);
    request.common_doors = vec!["Garage".to_owned()];
    request.overrides = None;
    let before = world.everything().await;
    let RequestResult::Previewed { credential } = preview(&mut bridge, &request).await else {
        panic!("expected a preview");
    };
    assert_eq!(world.everything().await, before);
    assert_eq!(credential.format, CardFormat::TLCode);
    assert_eq!(credential.function, CardFunction::Staff);
    let places = (credential.room_count, &credential.common_doors[..]);
    assert_eq!(places, (1, &[0][..]));

    taken(answer_to(&mut bridge, &request).await);
    let made = credential_of(&bridge.hear_offer().await);
    let foretold = protocol::link::Credential {
        acs_credential_id: made.acs_credential_id,
        starts_at: made.starts_at,
        issue_number: made.issue_number,
        ..credential
    };
    assert_eq!(made, foretold, "the next card gets what was foretold");
    world.end().await;
}

#[tokio::test]
async fn a_room_is_no_common_door_and_no_door_at_all_is_no_card() {
    let (world, token) = world_with_token().await;
    let mut bridge = Bridge::connect(&world, &token).await;
    let mut request = room_101();
    request.common_doors = std::mem::take(&mut request.doors);
    let RequestResult::Refused { error } = preview(&mut bridge, &request).await else {
        panic!("a room as a common door is refused");
    };
    assert!(error.message.contains("101 is a room"), "{}", error.message);
    request.common_doors.clear();
    let RequestResult::Refused { error } = answer_to(&mut bridge, &request).await else {
        panic!("a card without doors is refused");
    };
    assert!(
        error.message.contains("at least one door"),
        "{}",
        error.message
    );
    world.end().await;
}

#[tokio::test]
async fn what_a_pc_asked_for_and_then_forgot_is_never_written_on_another_card() {
    let mut world = World::start_with(|settings| settings.bridge_grace = GENEROUS).await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    for is_restarted in [false, true] {
        let mut bridge = Bridge::connect(&world, &token).await;
        let forgotten = taken(answer_to(&mut bridge, &room_101()).await);
        assert_eq!(bridge.hear_offer().await.attempt_id, forgotten);
        let kept = taken(answer_to(&mut bridge, &room_101()).await);
        let kept_offer = bridge.hear_offer().await;
        assert_eq!(kept_offer.attempt_id, kept);
        let scan = world.scan(&bridge.encoder_id(IDENTITY)).await;
        let scan_offer = bridge.hear_offer().await;
        if is_restarted {
            world.restart().await;
        } else {
            bridge.close().await;
        }

        // The journal has the second job only; the scan is an API client's, who still waits.
        let mut luggage = Luggage::default();
        luggage.snapshot.jobs = vec![job(&kept_offer, JobStage::Accepted)];
        let mut bridge = Bridge::connect_with(&world, &token, luggage).await;
        let snapshot = bridge.snapshot.clone().unwrap();
        let offered: Vec<_> = snapshot.offers.iter().map(|o| o.attempt_id).collect();
        assert_eq!(offered, [kept, scan_offer.attempt_id]);
        let ended = world
            .attempt(&json!({ "action_attempt_id": forgotten }))
            .await;
        assert_eq!(ended["error"]["type"], "bridge_disconnected");
        bridge.encode_card(&kept_offer, OTHER_CARD, None).await;
        bridge
            .report(&scan_offer, unwritten("no_card_on_encoder"))
            .await;
        assert_eq!(world.attempt(&scan).await["status"], "error");
        bridge.close().await;
    }
    world.end().await;
}

#[tokio::test]
async fn a_lost_job_with_leave_to_write_stays_bound_to_its_card() {
    let world = World::start_with(|settings| settings.bridge_grace = GENEROUS).await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    let mut bridge = Bridge::connect(&world, &token).await;
    let granted = taken(answer_to(&mut bridge, &room_101()).await);
    let offer = bridge.hear_offer().await;
    bridge.ask_granted(&offer, CARD).await;
    bridge.close().await;
    let mut bridge = Bridge::connect(&world, &token).await;
    let attempt = world
        .attempt(&json!({ "action_attempt_id": granted }))
        .await;
    assert_eq!(attempt["status"], "pending");
    bridge.ask_denied(&offer, OTHER_CARD).await;
    world.end().await;
}

fn taken(answer: RequestResult) -> Uuid {
    match answer {
        RequestResult::Taken { attempt_id, .. } => attempt_id,
        other => panic!("not taken: {other:?}"),
    }
}

async fn answer_to(bridge: &mut Bridge, request: &RequestEncode) -> RequestResult {
    let message = FromBridge::RequestEncode(request.clone());
    answer_of(bridge, request, message).await
}

async fn preview(bridge: &mut Bridge, request: &RequestEncode) -> RequestResult {
    let message = FromBridge::PreviewEncode(request.clone());
    answer_of(bridge, request, message).await
}

async fn answer_of(
    bridge: &mut Bridge,
    request: &RequestEncode,
    message: FromBridge,
) -> RequestResult {
    bridge.say(message).await;
    match bridge.hear().await {
        FromHub::RequestAnswer(answer) => {
            assert_eq!(answer.request_id, request.request_id);
            answer.result
        }
        other => panic!("expected an answer, got {other:?}"),
    }
}
