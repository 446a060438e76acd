//! Every verb of the lab, as somebody with curl would use it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::bench::{Bench, UID};

#[tokio::test]
async fn the_list_names_each_encoder_and_where_to_open_it() {
    let bench = Bench::start().await;
    let encoders = bench.get("/encoders").await.json();
    assert_eq!(
        encoders,
        json!([
            {
                "name": "back-office", "acs_encoder_id": null, "is_plugged": true, "card": null,
                "port": bench.folder.path().join("back-office"), "vpcd_port": null, "lock_server": null,
                "other_cards": [],
            },
            {
                "name": "front-desk", "acs_encoder_id": null, "is_plugged": true, "card": null,
                "port": bench.folder.path().join("front-desk"), "vpcd_port": null, "lock_server": null,
                "other_cards": [],
            },
        ])
    );
    let id = uuid::Uuid::new_v4();
    bench.lab.set_acs_encoder_id("back-office", id).unwrap();
    let encoders = bench.get("/encoders").await.json();
    assert_eq!(encoders[0]["acs_encoder_id"], id.to_string());
    bench.stop().await;
}

#[tokio::test]
async fn a_card_lies_where_it_was_put_last_and_keeps_its_memory() {
    let bench = Bench::start().await;
    let card = json!({"technology": "mifare_classic_1k", "uid": UID});
    let placed = bench.place(card.clone()).await.json();
    assert_eq!(placed["card"], card);
    assert_eq!(bench.card().await, card);

    let memory = format!("/cards/{UID}/memory");
    let mut image = bench.get(&memory).await.body;
    image[16] = 0x5A;
    bench.send(Method::PUT, &memory, image.clone()).await;

    let path = "/encoders/back-office/card";
    let moved = bench.send(Method::PUT, path, card.to_string()).await.json();
    assert_eq!(moved["name"], "back-office");
    assert_eq!(
        bench.card().await,
        Value::Null,
        "a card is in one place only"
    );
    assert_eq!(bench.get(&memory).await.body, image);

    let gone = bench.send(Method::DELETE, path, "").await.json();
    assert_eq!(gone["card"], Value::Null);
    let again = bench.send(Method::DELETE, path, "").await.json();
    assert_eq!(again["card"], Value::Null, "taking nothing off is no error");
    assert_eq!(bench.get(&memory).await.body, image);
    bench.stop().await;
}

#[tokio::test]
async fn a_second_card_lies_beside_the_first_until_one_is_put_there_alone() {
    let bench = Bench::start().await;
    let first = json!({"technology": "mifare_classic_1k", "uid": UID});
    bench.place(first.clone()).await.json();
    let beside = json!({"technology": "ntag213", "uid": "04A1B2C3D4E5F6", "beside": true});
    let both = bench.place(beside).await.json();
    assert_eq!(both["card"], first);
    assert_eq!(both["other_cards"][0]["technology"], "ntag213");
    let alone = bench.place(first.clone()).await.json();
    assert_eq!(alone["card"], first);
    assert_eq!(alone["other_cards"], json!([]));
    bench.stop().await;
}

#[tokio::test]
async fn a_card_without_a_uid_is_a_new_one_and_a_known_uid_needs_no_technology() {
    let bench = Bench::start().await;
    let new = json!({"technology": "mifare_classic_1k"});
    let first = bench.place(new.clone()).await.json()["card"].clone();
    let second = bench.place(new).await.json()["card"].clone();
    assert_ne!(first["uid"], second["uid"]);
    let known = bench.place(json!({"uid": first["uid"]})).await.json();
    assert_eq!(known["card"], first);
    bench.stop().await;
}

#[tokio::test]
async fn a_foreign_card_holds_what_nobody_here_knows_even_if_it_was_blank_before() {
    let bench = Bench::start().await;
    let memory = format!("/cards/{UID}/memory");
    bench
        .place(json!({"technology": "mifare_classic_1k", "uid": UID}))
        .await
        .json();
    let blank = bench.get(&memory).await.body;
    assert_eq!(
        blank[48..54],
        [0xFF; 6],
        "the transport key, as NXP delivers it"
    );
    bench
        .place(json!({"uid": UID, "foreign": true}))
        .await
        .json();
    let foreign = bench.get(&memory).await.body;
    assert_ne!(foreign, blank);
    assert_eq!(foreign[..16], blank[..16], "it is still the same card");
    bench.stop().await;
}

#[tokio::test]
async fn an_image_goes_onto_another_card_but_for_what_makes_it_that_card() {
    let bench = Bench::start().await;
    for uid in ["04A1B2C3", "04D4E5F6"] {
        bench
            .place(json!({"technology": "mifare_classic_1k", "uid": uid}))
            .await
            .json();
    }
    let answer = bench.get("/cards/04A1B2C3/memory").await;
    assert_eq!(answer.content_type, "application/octet-stream");
    let mut image = answer.body;
    image[100] = 0xA5;
    let other = bench.get("/cards/04D4E5F6/memory").await.body;
    let put = bench
        .send(Method::PUT, "/cards/04d4e5f6/memory", image.clone())
        .await;
    assert_eq!(put.status, StatusCode::OK);
    let now = bench.get("/cards/04D4E5F6/memory").await.body;
    assert_eq!(now, put.body);
    assert_eq!(now[..16], other[..16]);
    assert_eq!(now[16..], image[16..]);
    bench.stop().await;
}

#[tokio::test]
async fn a_card_with_files_has_no_image_and_may_make_up_its_uid() {
    let bench = Bench::start().await;
    for technology in ["desfire_ev1", "desfire_ev2", "desfire_ev3", "ntag424_dna"] {
        bench
            .place(json!({"technology": technology, "random_uid": true}))
            .await
            .json();
        let uid = bench.card().await["uid"].as_str().unwrap().to_owned();
        assert_eq!(uid.len(), 14, "{technology} {uid}");
        let memory = format!("/cards/{uid}/memory");
        assert_eq!(bench.get(&memory).await.refused(409), "no_image");
        let image = bench.send(Method::PUT, &memory, vec![0; 16]).await;
        assert_eq!(image.refused(409), "no_image");
        bench
            .place(json!({"uid": uid, "foreign": true}))
            .await
            .json();
        assert_eq!(bench.card().await["uid"], uid);
    }
    let refused = bench
        .place(json!({"technology": "ntag213", "random_uid": true}))
        .await;
    assert_eq!(refused.refused(400), "unsupported_option");
    bench.stop().await;
}

#[tokio::test]
async fn the_cable_is_pulled_and_plugged_in_again_as_often_as_one_likes() {
    let bench = Bench::start().await;
    let port = bench.folder.path().join("front-desk");
    for _ in 0..2 {
        for _ in 0..2 {
            let path = "/encoders/front-desk/unplug";
            let encoder = bench.send(Method::POST, path, "").await.json();
            assert_eq!(encoder["is_plugged"], false);
            assert!(!port.exists());
        }
        for _ in 0..2 {
            let path = "/encoders/front-desk/plug";
            let encoder = bench.send(Method::POST, path, "").await.json();
            assert_eq!(encoder["is_plugged"], true);
            assert!(port.exists());
        }
    }
    bench.stop().await;
}

#[tokio::test]
async fn the_log_begins_empty() {
    let bench = Bench::start().await;
    let log = bench.get("/encoders/front-desk/log").await.json();
    assert_eq!(
        log,
        json!({"exchanges": 0, "frames": 0, "faults_happened": 0, "imposed_ms": {"line": 0.0, "card": 0.0}, "recent_exchanges": [], "writes": [], "forgotten_writes": 0})
    );
    bench.stop().await;
}
