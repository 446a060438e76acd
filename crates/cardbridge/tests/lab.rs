//! The lab over HTTP, verb by verb, as somebody with curl would use it, and every way to ask wrongly.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use cardbridge::lab::{Lab, LabSettings, http};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const UID: &str = "04A1B2C3";

/// A lab with two encoders, answering on a free port.
struct Bench {
    lab: Lab,
    url: String,
    client: Client,
    folder: TempDir,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Bench {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lab = Lab::start(&LabSettings {
            serial: vec![
                "front-desk".parse().unwrap(),
                "back-office".parse().unwrap(),
            ],
            readers: Vec::new(),
            directory: folder.path().to_owned(),
        })
        .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { stopped.await.unwrap_or(()) };
        let served = tokio::spawn(http::serve(listener, lab.clone(), None, shutdown));
        Self {
            lab,
            url,
            client: Client::new(),
            folder,
            stop,
            served,
        }
    }

    async fn send(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .body(body);
        Answer::to(request).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    async fn place(&self, card: Value) -> Answer {
        let path = "/encoders/front-desk/card";
        self.send(Method::PUT, path, card.to_string()).await
    }

    /// The card on the front desk as the list tells it.
    async fn card(&self) -> Value {
        let encoders = self.get("/encoders").await.json();
        let front_desk = encoders
            .as_array()
            .unwrap()
            .iter()
            .find(|encoder| encoder["name"] == "front-desk");
        front_desk.unwrap()["card"].clone()
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.served.await.unwrap().unwrap();
        drop(self.lab);
        let left: Vec<_> = std::fs::read_dir(self.folder.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

struct Answer {
    status: StatusCode,
    content_type: String,
    body: Vec<u8>,
}

impl Answer {
    async fn to(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let content_type = response
            .headers()
            .get("content-type")
            .map(|value| value.to_str().unwrap().to_owned());
        Self {
            status: response.status(),
            content_type: content_type.unwrap_or_default(),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!(
            self.status,
            StatusCode::OK,
            "{:?}",
            String::from_utf8_lossy(&self.body)
        );
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The type of the error, after a look at its form.
    #[track_caller]
    fn refused(&self, status: u16) -> String {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{text}");
        assert_eq!(self.content_type, "application/json");
        let error: Value = serde_json::from_slice(&self.body).unwrap();
        let error = error["error"].as_object().unwrap();
        assert_eq!(error.len(), 2, "{text}");
        assert!(!error["message"].as_str().unwrap().is_empty());
        error["type"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn the_list_names_each_encoder_and_where_to_open_it() {
    let bench = Bench::start().await;
    let encoders = bench.get("/encoders").await.json();
    assert_eq!(
        encoders,
        json!([
            {
                "name": "back-office", "acs_encoder_id": null, "is_plugged": true, "card": null,
                "port": bench.folder.path().join("back-office"), "vpcd_port": null,
            },
            {
                "name": "front-desk", "acs_encoder_id": null, "is_plugged": true, "card": null,
                "port": bench.folder.path().join("front-desk"), "vpcd_port": null,
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
        json!({"exchanges": 0, "imposed_ms": 0.0, "recent_exchanges": [], "writes": [], "forgotten_writes": 0})
    );
    bench.stop().await;
}

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
            "/encoders/front-desk/faults",
            "[]",
            404,
            "not_found",
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
        directory: folder.to_owned(),
    })
    .unwrap()
}
