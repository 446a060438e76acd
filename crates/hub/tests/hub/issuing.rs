//! An encoder whose lock server makes the cards: orders instead of images, leave without a UID, and its word for the rest.

use protocol::link::{
    Action, AskGrant, GrantDecision, Offer, Order, OrderKind, Outcome, ServerCard,
    ServerCardContent, ServerGuestCard,
};
use serde_json::{Value, json};

use crate::support::bridge::{
    Bridge, CARD, IDENTITY, Luggage, OTHER_CARD, SECOND_IDENTITY, error, unwritten,
};
use crate::support::{World, id};

/// A bridge whose first encoder belongs to a lock server; the second is one of our own.
async fn connected() -> (World, Bridge, String) {
    let world = World::start().await;
    let token = world.admin.create_bridge_token(world.site, "front desk");
    let token = token.await.unwrap();
    let mut luggage = Luggage::default();
    luggage.snapshot.encoders[0].is_issuing = true;
    let bridge = Bridge::connect_with(&world, &token, luggage).await;
    let desk = bridge.encoder_id(IDENTITY);
    (world, bridge, desk)
}

fn order_of(offer: &Offer) -> Order {
    match &offer.action {
        Action::Issue(order) => order.clone(),
        other => panic!("expected an order, got {other:?}"),
    }
}

impl Bridge {
    async fn ask_to_issue(&mut self, offer: &Offer) -> GrantDecision {
        let answer = self.ask_with(AskGrant {
            attempt_id: offer.attempt_id,
            fence: offer.fence,
            uid: None,
            digest: "ab".repeat(32),
        });
        answer.await.decision
    }

    async fn ask_to_issue_granted(&mut self, offer: &Offer) {
        let decision = self.ask_to_issue(offer).await;
        assert!(
            matches!(decision, GrantDecision::Granted { .. }),
            "{decision:?}"
        );
    }

    async fn ask_to_issue_denied(&mut self, offer: &Offer) -> String {
        match self.ask_to_issue(offer).await {
            GrantDecision::Denied { error } => error.kind,
            GrantDecision::Granted { .. } => panic!("granted"),
        }
    }

    async fn issue(&mut self, offer: &Offer, uid: Option<&str>) {
        self.ask_to_issue_granted(offer).await;
        self.report(offer, issued(uid)).await;
    }
}

fn issued(uid: Option<&str>) -> Outcome {
    Outcome::Issued {
        uid: uid.map(str::to_owned),
    }
}

fn in_doubt() -> Outcome {
    Outcome::Unknown {
        uid: None,
        error: error("encoder_not_online"),
    }
}

/// As the lock server reads the card of a stay in room 101; times are Berlin's.
fn guest_card(uid: Option<&str>, room: &str) -> Outcome {
    Outcome::Read(ServerCard {
        uid: uid.map(str::to_owned),
        content: ServerCardContent::Guest(ServerGuestCard {
            rooms: vec![room.to_owned()],
            is_checked_in: true,
            copy: Some(0),
            is_one_shot: false,
            granted: vec![3],
            starts_at: Some("2026-11-22T15:00:00".parse().unwrap()),
            ends_at: Some("2045-11-25T11:00:00".parse().unwrap()),
            operator: Some("front desk".to_owned()),
        }),
    })
}

#[tokio::test]
async fn an_order_names_rooms_times_and_zone_and_its_card_issues_the_credential() {
    let (world, mut bridge, desk) = connected().await;
    let credential = world.create_credential(&world.rooms[..2], None).await;
    let attempt = world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    let order = order_of(&offer);
    assert_eq!(order.rooms, ["101", "102"]);
    assert_eq!(order.kind, OrderKind::New);
    assert_eq!(order.starts_at.to_string(), "2026-11-22T14:00:00Z");
    assert_eq!(order.time_zone, "Europe/Berlin");
    // A lock server waits for the card itself: it must have the order a card wait earlier than a card is begun.
    assert!(offer.expires_in_ms <= 10_000, "{}", offer.expires_in_ms);

    bridge.issue(&offer, Some(CARD)).await;
    let done = world.attempt(&attempt).await;
    assert_eq!(done["status"], "success");
    assert_eq!(done["result"]["card_number"], CARD);
    assert_eq!(done["result"]["is_issued"], true);
    assert_eq!(
        world.events_of(&credential).await,
        ["acs_credential.issued"]
    );
    world.end().await;
}

#[tokio::test]
async fn a_card_without_a_uid_is_issued_all_the_same() {
    let (world, mut bridge, desk) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let attempt = world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    bridge.issue(&offer, None).await;
    let result = world.attempt(&attempt).await["result"].clone();
    assert_eq!(result["is_issued"], true);
    assert_eq!(result["card_number"], Value::Null);
    world.end().await;
}

#[tokio::test]
async fn a_joiner_is_ordered_as_a_copy() {
    let (world, mut bridge, desk) = connected().await;
    let first = world.create_credential(&world.rooms[..1], None).await;
    world.encode(&desk, &first).await;
    let offer = bridge.hear_offer().await;
    bridge.issue(&offer, None).await;
    let joined = json!({ "joiner_acs_credential_ids": [first["acs_credential_id"]] });
    let joiner = world
        .create_credential(&world.rooms[..1], Some(joined))
        .await;
    world.encode(&desk, &joiner).await;
    assert_eq!(order_of(&bridge.hear_offer().await).kind, OrderKind::Copy);
    world.end().await;
}

#[tokio::test]
async fn a_credential_that_has_or_may_have_a_card_gets_no_second_one() {
    for (outcome, may_again) in [
        (issued(None), false),
        (issued(Some(CARD)), false),
        (in_doubt(), false),
        (unwritten("no_card_on_encoder"), true),
    ] {
        let (world, mut bridge, desk) = connected().await;
        let credential = world.create_credential(&world.rooms[..1], None).await;
        world.encode(&desk, &credential).await;
        let offer = bridge.hear_offer().await;
        bridge.ask_to_issue_granted(&offer).await;
        bridge.report(&offer, outcome.clone()).await;

        world.encode(&desk, &credential).await;
        let offer = bridge.hear_offer().await;
        if may_again {
            bridge.issue(&offer, None).await;
        } else {
            let denied = bridge.ask_to_issue_denied(&offer).await;
            assert_eq!(denied, "credential_cannot_be_reissued", "{outcome:?}");
        }
        world.end().await;
    }
}

#[tokio::test]
async fn a_credential_of_the_lock_server_goes_on_no_card_of_ours_and_the_other_way_round() {
    let (world, mut bridge, desk) = connected().await;
    let own = bridge.encoder_id(SECOND_IDENTITY);
    let servers = world.create_credential(&world.rooms[..1], None).await;
    world.encode(&desk, &servers).await;
    let offer = bridge.hear_offer().await;
    bridge.issue(&offer, None).await;
    world.encode(&own, &servers).await;
    let offer = bridge.hear_offer().await;
    let denied = bridge.ask_denied(&offer, CARD).await;
    assert_eq!(denied.kind, "credential_cannot_be_reissued");
    bridge.report(&offer, unwritten(&denied.kind)).await;

    let ours = world.create_credential(&world.rooms[1..2], None).await;
    world.encode(&own, &ours).await;
    let offer = bridge.hear_offer().await;
    bridge.encode_card(&offer, OTHER_CARD, None).await;
    world.encode(&desk, &ours).await;
    let offer = bridge.hear_offer().await;
    let denied = bridge.ask_to_issue_denied(&offer).await;
    assert_eq!(denied, "credential_cannot_be_reissued");
    world.end().await;
}

#[tokio::test]
async fn leave_is_asked_as_the_attempt_began() {
    let (world, mut bridge, desk) = connected().await;
    let own = bridge.encoder_id(SECOND_IDENTITY);
    let one = world.create_credential(&world.rooms[..1], None).await;
    let other = world.create_credential(&world.rooms[1..2], None).await;
    world.encode(&desk, &one).await;
    let order = bridge.hear_offer().await;
    assert_eq!(
        bridge.ask_denied(&order, CARD).await.kind,
        "uncategorized_error"
    );
    world.encode(&own, &other).await;
    let image = bridge.hear_offer().await;
    assert_eq!(
        bridge.ask_to_issue_denied(&image).await,
        "uncategorized_error"
    );

    // Equal asks get the same leave, and a report of the other kind is not believed.
    bridge.ask_to_issue_granted(&order).await;
    bridge.ask_to_issue_granted(&order).await;
    bridge.ask_granted(&image, CARD).await;
    bridge.report(&image, issued(Some(CARD))).await;
    assert_eq!(world.credential(&other).await["is_issued"], false);
    world.end().await;
}

#[tokio::test]
async fn a_doubt_is_told_with_what_to_do() {
    let (world, mut bridge, desk) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let attempt = world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    bridge.ask_to_issue_granted(&offer).await;
    bridge.report(&offer, in_doubt()).await;
    assert_eq!(world.attempt(&attempt).await["status"], "error");
    let doubtful = world.credential(&credential).await;
    assert_eq!(doubtful["is_issued"], false);
    let warning = &doubtful["warnings"][0];
    assert_eq!(warning["warning_code"], "unknown_issue_with_acs_credential");
    assert!(id(&warning["message"]).contains("delete the credential"));
    world.end().await;
}

#[tokio::test]
async fn what_a_lock_server_cannot_make_ends_at_once() {
    let (world, bridge, desk) = connected().await;
    for rooms in [&world.rooms[..5], &[world.rooms[0], world.garage]] {
        let credential = world.create_credential(rooms, None).await;
        let attempt = world.encode(&desk, &credential).await;
        assert_eq!(attempt["status"], "error", "{attempt}");
        assert_eq!(attempt["error"]["type"], "uncategorized_error");
    }
    bridge.close().await;
    world.end().await;
}

#[tokio::test]
async fn a_scan_tells_what_the_server_says_and_the_credential_on_a_card_that_it_names() {
    let (world, mut bridge, desk) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    bridge.issue(&offer, Some(CARD)).await;

    let attempt = world.scan(&desk).await;
    let offer = bridge.hear_offer().await;
    bridge.report(&offer, guest_card(Some(CARD), "101")).await;
    let result = world.attempt(&attempt).await["result"].clone();
    assert_eq!(result["warnings"], json!([]));
    assert_eq!(
        result["acs_credential_on_seam"],
        world.credential(&credential).await
    );
    let on_encoder = &result["acs_credential_on_encoder"];
    assert_eq!(on_encoder["card_number"], CARD);
    assert_eq!(on_encoder["starts_at"], "2026-11-22T14:00:00.000Z");
    assert_eq!(on_encoder["ends_at"], "2045-11-25T10:00:00.000Z");
    assert_eq!(on_encoder["visionline_metadata"], Value::Null);
    let metadata = &on_encoder["lock_server_metadata"];
    assert_eq!(metadata["card_type"], "guest");
    assert_eq!(metadata["guest_acs_entrance_ids"], json!([world.rooms[0]]));
    assert_eq!(metadata["is_checked_in"], true);
    assert_eq!(metadata["copy_number"], 0);
    assert_eq!(metadata["authorisations"], json!([3]));

    for (read, warning) in [
        (
            guest_card(Some(CARD), "102"),
            "acs_credential_on_encoder_out_of_sync",
        ),
        (guest_card(None, "101"), "acs_credential_on_seam_not_found"),
        (
            guest_card(Some(OTHER_CARD), "101"),
            "acs_credential_on_seam_not_found",
        ),
    ] {
        let attempt = world.scan(&desk).await;
        let offer = bridge.hear_offer().await;
        bridge.report(&offer, read).await;
        let result = world.attempt(&attempt).await["result"].clone();
        assert_eq!(result["warnings"][0]["warning_code"], warning);
    }
    world.end().await;
}

#[tokio::test]
async fn a_card_that_the_server_does_not_know_is_no_scan_result() {
    let (world, mut bridge, desk) = connected().await;
    let attempt = world.scan(&desk).await;
    let offer = bridge.hear_offer().await;
    let unidentified = Outcome::Read(ServerCard {
        uid: None,
        content: ServerCardContent::Unidentified,
    });
    bridge.report(&offer, unidentified).await;
    assert_eq!(
        world.attempt(&attempt).await["error"]["type"],
        "uncategorized_error"
    );
    world.end().await;
}
