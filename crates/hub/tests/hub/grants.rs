//! The hub's leave to write: who gets it, and what binds a credential to a card.

use protocol::link::{AskGrant, GrantDecision};
use serde_json::json;

use crate::support::bridge::{
    CARD, IDENTITY, OTHER_CARD, SECOND_IDENTITY, unknown, unwritten, written,
};
use crate::support::connected;

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
        uid: Some(CARD.to_owned()),
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
