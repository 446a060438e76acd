//! Scans from the API to a bridge and back.

use protocol::link::CardCondition;
use serde_json::{Value, json};

use crate::support::bridge::{
    Bridge, CARD, IDENTITY, credential_of, scanned, scanned_as, unwritten, written,
};
use crate::support::{World, id};

async fn connected() -> (World, Bridge, String) {
    let world = World::start().await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    let bridge = Bridge::connect(&world, &token).await;
    let desk = bridge.encoder_id(IDENTITY);
    (world, bridge, desk)
}

#[tokio::test]
async fn a_card_of_ours_is_told_from_both_sides_without_a_warning() {
    let (world, mut bridge, desk) = connected().await;
    let doors = [world.rooms[0], world.rooms[2], world.garage];
    let credential = world.create_credential(&doors, None).await;
    world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    let on_card = credential_of(&offer);
    bridge.encode_card(&offer, CARD, None).await;

    let attempt = world.scan(&desk).await;
    assert_eq!(attempt["action_type"], "SCAN_CREDENTIAL");
    let offer = bridge.hear_offer().await;
    bridge.report(&offer, scanned(CARD, &on_card)).await;
    let result = world.attempt(&attempt).await["result"].clone();
    assert_eq!(result["warnings"], json!([]));
    assert_eq!(
        result["acs_credential_on_seam"],
        world.credential(&credential).await
    );
    let on_encoder = &result["acs_credential_on_encoder"];
    assert_eq!(on_encoder["card_number"], CARD);
    assert_eq!(on_encoder["is_issued"], true);
    assert_eq!(on_encoder["starts_at"], "2026-11-22T14:00:00.000Z");
    let metadata = &on_encoder["visionline_metadata"];
    assert_eq!(metadata["card_format"], "rfid48");
    assert_eq!(
        metadata["guest_acs_entrance_ids"],
        json!([world.rooms[0], world.rooms[2]])
    );
    assert_eq!(metadata["common_acs_entrance_ids"], json!([world.garage]));
    for flag in [
        "expired",
        "overridden",
        "overwritten",
        "cancelled",
        "discarded",
    ] {
        assert_eq!(metadata[flag], false, "{flag}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_card_that_differs_from_the_hub_is_told_by_property() {
    let (world, mut bridge, desk) = connected().await;
    let credential = world.create_credential(&world.rooms[..1], None).await;
    world.encode(&desk, &credential).await;
    let offer = bridge.hear_offer().await;
    let mut on_card = credential_of(&offer);
    bridge.encode_card(&offer, CARD, None).await;

    on_card.ends_at = None;
    let attempt = world.scan(&desk).await;
    let offer = bridge.hear_offer().await;
    bridge.report(&offer, scanned(CARD, &on_card)).await;
    let warnings = world.attempt(&attempt).await["result"]["warnings"].clone();
    assert_eq!(
        warnings,
        json!([{
            "warning_code": "acs_credential_on_encoder_out_of_sync",
            "warning_message": "The following properties are out of sync between \
                                acs_credential_on_encoder and acs_credential_on_seam: ends_at",
        }])
    );

    on_card.number = 77;
    let attempt = world.scan(&desk).await;
    let offer = bridge.hear_offer().await;
    bridge.report(&offer, scanned(CARD, &on_card)).await;
    let result = world.attempt(&attempt).await["result"].clone();
    assert_eq!(result["acs_credential_on_seam"], Value::Null);
    assert_eq!(
        result["warnings"][0]["warning_code"],
        "acs_credential_on_seam_not_found"
    );
    world.end().await;
}

#[tokio::test]
async fn a_blank_card_is_null_and_an_unreadable_one_an_error() {
    let (world, mut bridge, desk) = connected().await;
    for condition in [CardCondition::Blank, CardCondition::Torn] {
        let attempt = world.scan(&desk).await;
        let offer = bridge.hear_offer().await;
        bridge.report(&offer, scanned_as(condition)).await;
        let ended = world.attempt(&attempt).await;
        assert_eq!(ended["status"], "success");
        assert_eq!(ended["result"]["acs_credential_on_encoder"], Value::Null);
    }
    for condition in [CardCondition::Foreign, CardCondition::Unsupported] {
        let attempt = world.scan(&desk).await;
        let offer = bridge.hear_offer().await;
        bridge.report(&offer, scanned_as(condition)).await;
        let ended = world.attempt(&attempt).await;
        assert_eq!(ended["error"]["type"], "uncategorized_error");
        assert!(id(&ended["error"]["message"]).contains(CARD));
    }
    world.end().await;
}

#[tokio::test]
async fn a_scan_without_a_card_or_with_a_wrong_report_is_an_error() {
    let (world, mut bridge, desk) = connected().await;
    for (outcome, kind) in [
        (unwritten("no_card_on_encoder"), "no_card_on_encoder"),
        (written(CARD, None), "uncategorized_error"),
    ] {
        let attempt = world.scan(&desk).await;
        let offer = bridge.hear_offer().await;
        bridge.report(&offer, outcome).await;
        assert_eq!(world.attempt(&attempt).await["error"]["type"], kind);
    }
    world.end().await;
}
