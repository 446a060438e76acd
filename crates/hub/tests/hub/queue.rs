//! What waits for an encoder, and what is refused at once.

use protocol::link::{FromBridge, FromHub, OfferRefusal};
use serde_json::json;

use crate::support::bridge::{IDENTITY, SECOND_IDENTITY, encoder};
use crate::support::{assert_error, connected, id};

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
