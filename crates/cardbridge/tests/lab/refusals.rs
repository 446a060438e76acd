//! Every way to ask wrongly, and that nothing changes by it.

use std::path::Path;

use cardbridge::lab::{Lab, LabSettings, http};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::bench::{Answer, Bench, UID};

#[tokio::test]
async fn a_card_that_cannot_be_placed_is_refused_and_nothing_changes() {
    let bench = Bench::start().await;
    let technology = "mifare_classic_1k";
    bench
        .place(json!({"technology": technology, "uid": UID}))
        .await
        .json();
    for (card, status, kind) in [
        (
            json!({"technology": "desfire_ev9", "uid": "04D4E5F6"}),
            400,
            "unsupported_technology",
        ),
        (
            json!({"technology": technology, "uid": "04A1"}),
            400,
            "invalid_uid",
        ),
        (
            json!({"technology": technology, "uid": "hello"}),
            400,
            "invalid_uid",
        ),
        (
            json!({"technology": technology, "uid": ""}),
            400,
            "invalid_uid",
        ),
        (
            json!({"technology": technology, "uid": "88A1B2C3"}),
            400,
            "invalid_uid",
        ),
        (
            json!({"technology": technology, "uid": "04A1B2C3D4E5F6071829"}),
            400,
            "invalid_uid",
        ),
        (
            json!({"technology": "mifare_classic_4k", "uid": UID}),
            409,
            "uid_taken",
        ),
        (json!({"uid": "04D4E5F6"}), 400, "technology_missing"),
        (json!({}), 400, "technology_missing"),
        (json!({"technology": 1}), 400, "invalid_request"),
        (
            json!({"technology": technology, "uid": 4}),
            400,
            "invalid_request",
        ),
        (
            json!({"technology": technology, "foreign": "yes"}),
            400,
            "invalid_request",
        ),
        (
            json!({"technology": technology, "colour": "red"}),
            400,
            "invalid_request",
        ),
        (json!([technology]), 400, "invalid_request"),
        (json!("card"), 400, "invalid_request"),
        (json!(null), 400, "invalid_request"),
    ] {
        assert_eq!(
            bench.place(card.clone()).await.refused(status),
            kind,
            "{card}"
        );
        assert_eq!(bench.card().await["uid"], UID, "{card}");
    }
    let message = bench.place(json!({"technology": "felica"})).await.body;
    assert!(
        String::from_utf8(message)
            .unwrap()
            .contains("mifare_classic_1k")
    );
    bench.stop().await;
}

#[tokio::test]
async fn bodies_that_are_not_json_or_too_big_are_refused() {
    let bench = Bench::start().await;
    let path = "/encoders/front-desk/card";
    for body in [
        "",
        "{",
        "{\"technology\":",
        "technology=mifare_classic_1k",
        "\u{0}",
    ] {
        let answer = bench.send(Method::PUT, path, body).await;
        assert_eq!(answer.refused(400), "invalid_json", "{body:?}");
    }
    bench
        .place(json!({"technology": "mifare_classic_1k", "uid": UID}))
        .await
        .json();
    let huge = vec![b' '; 10 * 1024 * 1024];
    for (path, body) in [
        (path.to_owned(), huge.clone()),
        (format!("/cards/{UID}/memory"), huge),
    ] {
        let request = bench.client.put(format!("{}{path}", bench.url)).body(body);
        match request.send().await {
            Ok(response) => assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE),
            // The lab may close the connection while the rest is still being sent.
            Err(error) => assert!(error.is_request() || error.is_body(), "{error:?}"),
        }
    }
    assert_eq!(bench.card().await["uid"], UID);
    bench.stop().await;
}

#[tokio::test]
async fn an_image_of_another_length_is_refused_and_changes_nothing() {
    let bench = Bench::start().await;
    bench
        .place(json!({"technology": "mifare_classic_1k", "uid": UID}))
        .await
        .json();
    let path = format!("/cards/{UID}/memory");
    let before = bench.get(&path).await.body;
    assert_eq!(before.len(), 1024);
    for length in [0, 1023, 1025, 4096] {
        let answer = bench.send(Method::PUT, &path, vec![0; length]).await;
        assert_eq!(answer.refused(400), "invalid_image", "{length}");
    }
    assert_eq!(bench.get(&path).await.body, before);
    bench.stop().await;
}

#[tokio::test]
async fn names_and_paths_that_are_not_there_are_refused() {
    let bench = Bench::start().await;
    let card = json!({"technology": "mifare_classic_1k", "uid": UID}).to_string();
    for (method, path, body, status, kind) in [
        (
            Method::PUT,
            "/encoders/kitchen/card",
            card.as_str(),
            404,
            "encoder_not_found",
        ),
        (
            Method::PUT,
            "/encoders/..%2Ffront-desk/card",
            card.as_str(),
            404,
            "encoder_not_found",
        ),
        (
            Method::PUT,
            "/encoders/%FF/card",
            card.as_str(),
            400,
            "invalid_request",
        ),
        (
            Method::DELETE,
            "/encoders/kitchen/card",
            "",
            404,
            "encoder_not_found",
        ),
        (
            Method::DELETE,
            "/encoders/kitchen/card?after_exchanges=1",
            "",
            404,
            "encoder_not_found",
        ),
        (
            Method::POST,
            "/encoders/kitchen/unplug",
            "",
            404,
            "encoder_not_found",
        ),
        (
            Method::POST,
            "/encoders/kitchen/plug",
            "",
            404,
            "encoder_not_found",
        ),
        (
            Method::GET,
            "/encoders/kitchen/log",
            "",
            404,
            "encoder_not_found",
        ),
        (
            Method::GET,
            "/cards/04D4E5F6/memory",
            "",
            404,
            "card_not_found",
        ),
        (
            Method::PUT,
            "/cards/04D4E5F6/memory",
            "",
            404,
            "card_not_found",
        ),
        (
            Method::GET,
            "/cards/front-desk/memory",
            "",
            400,
            "invalid_uid",
        ),
        (
            Method::GET,
            "/locks/1/decision?uid=04A1B2C3",
            "",
            404,
            "lock_not_found",
        ),
        (Method::GET, "/", "", 404, "not_found"),
        (Method::GET, "/encoders/front-desk", "", 404, "not_found"),
        (
            Method::PUT,
            "/encoders/kitchen/faults",
            "[]",
            404,
            "encoder_not_found",
        ),
        (
            Method::PUT,
            "/encoders/kitchen/timing",
            "{\"mode\":\"instant\"}",
            404,
            "encoder_not_found",
        ),
        (
            Method::GET,
            "/encoders/front-desk/faults",
            "",
            405,
            "method_not_allowed",
        ),
        (
            Method::GET,
            "/encoders/front-desk/card",
            "",
            405,
            "method_not_allowed",
        ),
        (Method::POST, "/encoders", "", 405, "method_not_allowed"),
        (
            Method::GET,
            "/encoders/front-desk/unplug",
            "",
            405,
            "method_not_allowed",
        ),
        (
            Method::DELETE,
            "/encoders/front-desk/card?after_exchanges=soon",
            "",
            400,
            "invalid_request",
        ),
        (
            Method::DELETE,
            "/encoders/front-desk/card?after_exchanges=-1",
            "",
            400,
            "invalid_request",
        ),
        (
            Method::DELETE,
            "/encoders/front-desk/card?after_exchanges=3",
            "",
            409,
            "no_card",
        ),
        (
            Method::DELETE,
            "/encoders/front-desk/card?after=1",
            "",
            400,
            "invalid_request",
        ),
    ] {
        let answer = bench.send(method.clone(), path, body.to_owned()).await;
        assert_eq!(answer.refused(status), kind, "{method} {path}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn what_was_not_meant_for_this_machine_is_refused_and_changes_nothing() {
    let bench = Bench::start().await;
    let card = json!({"technology": "mifare_classic_1k"}).to_string();
    let place = || {
        let path = format!("{}/encoders/front-desk/card", bench.url);
        bench.client.put(path).body(card.clone())
    };
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
        "10.0.0.1",
    ] {
        let answer = Answer::to(place().header("host", host)).await;
        assert_eq!(answer.refused(403), "foreign_host", "{host}");
    }
    for origin in [
        "http://evil.example",
        "null",
        "http://localhost:1",
        "https://127.0.0.1",
    ] {
        let answer = Answer::to(place().header("origin", origin)).await;
        assert_eq!(answer.refused(403), "foreign_origin", "{origin}");
    }
    assert_eq!(bench.card().await, Value::Null);
    Answer::to(place().header("origin", &bench.url))
        .await
        .json();
    Answer::to(place().header("host", "localhost")).await.json();
    bench.stop().await;
}

#[tokio::test]
async fn a_lab_is_not_served_beyond_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let lab = lab_in(folder.path());
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = http::serve(listener, lab, None, std::future::pending()).await;
    assert_eq!(
        refused.unwrap_err().kind(),
        std::io::ErrorKind::InvalidInput
    );
}

#[test]
fn a_lab_needs_an_encoder_and_no_two_of_one_name() {
    let folder = tempfile::tempdir().unwrap();
    let start = |serial: &[&str]| {
        Lab::start(&LabSettings {
            serial: serial.iter().map(|name| name.parse().unwrap()).collect(),
            readers: Vec::new(),
            lock_servers: Vec::new(),
            directory: folder.path().to_owned(),
        })
    };
    assert_eq!(start(&[]).unwrap_err().kind(), "no_encoders");
    assert_eq!(
        start(&["a", "b", "a"]).unwrap_err().kind(),
        "two_of_one_name"
    );
}

fn lab_in(folder: &Path) -> Lab {
    Lab::start(&LabSettings {
        serial: vec!["front-desk".parse().unwrap()],
        readers: Vec::new(),
        lock_servers: Vec::new(),
        directory: folder.to_owned(),
    })
    .unwrap()
}
