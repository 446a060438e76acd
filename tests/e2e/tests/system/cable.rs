//! Cables that are pulled and put back: the attempt ends and says why, and the encoder comes back by itself.

use e2e::Demo;

const UID: &str = "04A1B2C3";
#[tokio::test]
async fn an_encoder_that_was_unplugged_while_idle_comes_back_by_itself() {
    let demo = Demo::start("10s");
    let encoder = demo.encoder("front-desk").await;
    let credential = demo.credential().await;
    demo.lab.place("front-desk", UID).await;

    demo.lab.unplug("front-desk").await;
    let attempt = demo.api.encode(&credential, &encoder).await;
    assert_eq!(demo.api.error(&attempt).await, "encoder_not_online");

    demo.lab.plug("front-desk").await;
    let encoded = demo.api.encode_once_online(&credential, &encoder).await;
    assert_eq!(encoded["card_number"], UID);
}

#[tokio::test]
async fn an_encoder_that_is_unplugged_while_it_waits_for_a_card_ends_the_attempt_and_comes_back() {
    let demo = Demo::start("30s");
    let encoder = demo.encoder("front-desk").await;
    let credential = demo.credential().await;
    let attempt = demo.api.encode(&credential, &encoder).await;
    demo.lab.unplug("front-desk").await;
    assert_eq!(demo.api.error(&attempt).await, "encoder_not_online");

    demo.lab.plug("front-desk").await;
    demo.lab.place("front-desk", UID).await;
    let encoded = demo.api.encode_once_online(&credential, &encoder).await;
    assert_eq!(encoded["card_number"], UID);
}

#[tokio::test]
async fn the_other_encoder_does_not_notice() {
    let demo = Demo::start("30s");
    let back_office = demo.encoder("back-office").await;
    let attempt = demo
        .api
        .encode(&demo.credential().await, &back_office)
        .await;
    demo.lab.unplug("front-desk").await;
    demo.lab.place("back-office", UID).await;
    demo.api.result(&attempt).await;
}

#[tokio::test]
async fn a_card_pulled_while_it_is_written_is_finished_when_it_comes_back() {
    let demo = Demo::start("30s");
    let encoder = demo.encoder("front-desk").await;
    let credential = demo.credential().await;
    let room = demo.door("guest").await;
    demo.lab.place("front-desk", UID).await;
    // Far enough in that something has been written, and not yet read back.
    demo.lab.remove_after_exchanges("front-desk", 8).await;
    let attempt = demo.api.encode(&credential, &encoder).await;
    let ended = demo.api.ended(&attempt).await;
    assert_eq!(ended["error"]["type"], "encoding_interrupted", "{ended}");
    assert_eq!(demo.lab.decision(&room, UID).await["granted"], false);

    demo.lab.place("front-desk", UID).await;
    let attempt = demo.api.encode(&credential, &encoder).await;
    assert_eq!(demo.api.result(&attempt).await["card_number"], UID);
    assert_eq!(demo.lab.decision(&room, UID).await["granted"], true);
}
