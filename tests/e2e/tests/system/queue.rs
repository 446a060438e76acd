//! One card at a time: what waits, and whose card it gets.

use e2e::Demo;
use serde_json::Value;

const ADA: &str = "04A1B2C3";
const GRACE: &str = "04A1B2C4";

#[tokio::test]
async fn a_card_that_lies_on_an_idle_encoder_serves() {
    let demo = Demo::start("30s");
    let encoder = demo.encoder("front-desk").await;
    let credential = demo.credential().await;
    demo.lab.place("front-desk", ADA).await;
    let attempt = demo.api.encode(&credential, &encoder).await;
    assert_eq!(demo.api.result(&attempt).await["card_number"], ADA);
}

#[tokio::test]
async fn an_encode_that_waited_behind_another_needs_a_fresh_card() {
    let demo = Demo::start("30s");
    let encoder = demo.encoder("front-desk").await;
    let first = demo.api.encode(&demo.credential().await, &encoder).await;
    let second = demo.api.encode(&demo.credential().await, &encoder).await;

    demo.lab.place("front-desk", ADA).await;
    assert_eq!(demo.api.result(&first).await["card_number"], ADA);
    // Ada's card still lies there, and is not taken for the second guest's.
    let memory = demo.lab.memory(ADA).await;
    demo.lab.remove("front-desk").await;
    assert_eq!(demo.api.attempt(&second).await["status"], "pending");
    assert_eq!(demo.lab.memory(ADA).await, memory);

    demo.lab.place("front-desk", GRACE).await;
    assert_eq!(demo.api.result(&second).await["card_number"], GRACE);
    assert_eq!(demo.lab.memory(ADA).await, memory);
}

#[tokio::test]
async fn a_card_left_lying_by_the_guest_before_ends_in_no_card() {
    let demo = Demo::start("2s");
    let encoder = demo.encoder("front-desk").await;
    let first = demo.api.encode(&demo.credential().await, &encoder).await;
    let second = demo.api.encode(&demo.credential().await, &encoder).await;
    demo.lab.place("front-desk", ADA).await;
    assert_eq!(demo.api.result(&first).await["card_number"], ADA);
    let memory = demo.lab.memory(ADA).await;
    assert_eq!(demo.api.error(&second).await, "no_card_on_encoder");
    assert_eq!(demo.lab.memory(ADA).await, memory);
}

#[tokio::test]
async fn the_same_encode_asked_twice_is_one_attempt() {
    let demo = Demo::start("30s");
    let encoder = demo.encoder("front-desk").await;
    let credential = demo.credential().await;
    let first = demo.api.encode(&credential, &encoder).await;
    let again = demo.api.encode(&credential, &encoder).await;
    assert_eq!(first, again);
    let elsewhere = demo.encoder("back-office").await;
    let parameters =
        serde_json::json!({"acs_credential_id": credential, "acs_encoder_id": elsewhere});
    let path = "/acs/encoders/encode_credential";
    let refused = demo.api.post(path, parameters).await;
    assert_eq!(refused.refused(), (409, "credential_encoding_in_progress"));
    demo.lab.place("front-desk", ADA).await;
    demo.api.result(&first).await;
    let writes = demo.lab.log("front-desk").await["writes"].clone();
    assert!(writes.as_array().is_some_and(|writes| !writes.is_empty()));
    assert_eq!(demo.lab.log("back-office").await["exchanges"], 0);
}

#[tokio::test]
async fn two_encoders_work_side_by_side() {
    let demo = Demo::start("30s");
    let mut attempts = Vec::new();
    for (name, uid) in [("front-desk", ADA), ("back-office", GRACE)] {
        let encoder = demo.encoder(name).await;
        let credential = demo.credential().await;
        attempts.push((demo.api.encode(&credential, &encoder).await, name, uid));
    }
    // The other way round than they were asked for: neither waits for the other.
    for (attempt, name, uid) in attempts.iter().rev() {
        demo.lab.place(name, uid).await;
        assert_eq!(demo.api.result(attempt).await["card_number"], *uid);
    }
}

#[tokio::test]
async fn an_attempt_that_has_ended_stays_as_it_is() {
    let demo = Demo::start("500ms");
    let encoder = demo.encoder("front-desk").await;
    let credential = demo.credential().await;
    let attempt = demo.api.encode(&credential, &encoder).await;
    let ended: Value = demo.api.ended(&attempt).await;
    assert_eq!(ended["error"]["type"], "no_card_on_encoder");
    demo.lab.place("front-desk", ADA).await;
    let next = demo.api.encode(&credential, &encoder).await;
    assert_ne!(next, attempt);
    demo.api.result(&next).await;
    assert_eq!(demo.api.attempt(&attempt).await, ended);
}
