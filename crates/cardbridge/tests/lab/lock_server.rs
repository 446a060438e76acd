//! Lock servers in the lab, and the verbs at their encoders.

use cardbridge::lab::{LabLockServer, LockServerLine};
use emulator::Dialect;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::bench::{Bench, UID};

/// `LT|bar|R` to a server of SALTO's, with the byte that says that there is no checksum.
const READ_BAR: &[u8] = b"\x02\xB3LT\xB3bar\xB3R\xB3\x03\x0D";
const NEW_GUEST_AT_1: &[u8] =
    b"\x02\xB3CN\xB31\xB3R\xB3101\xB3\xB3\xB3\xB3\xB3\xB3\xB312221126\xB3\x03\x0D";

async fn bench(dialect: Dialect, line: LockServerLine) -> Bench {
    let encoders = ["bar", "spa"].map(|name| name.parse().unwrap()).to_vec();
    let server = LabLockServer {
        dialect,
        line,
        encoders,
    };
    Bench::with(vec![server]).await
}

async fn encoder(bench: &Bench, name: &str) -> Value {
    let encoders = bench.get("/encoders").await.json();
    let all = encoders.as_array().unwrap();
    all.iter().find(|it| it["name"] == name).unwrap().clone()
}

async fn connect(bench: &Bench) -> TcpStream {
    let address = encoder(bench, "bar").await["lock_server"]["address"].clone();
    TcpStream::connect(address.as_str().unwrap()).await.unwrap()
}

/// Sends, and returns what comes up to the end of a frame.
async fn ask(stream: &mut TcpStream, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    let mut heard = Vec::new();
    while !heard.ends_with(&[0x03]) {
        heard.push(stream.read_u8().await.unwrap());
    }
    stream.read_u8().await.unwrap();
    heard.iter().map(|byte| char::from(*byte)).collect()
}

#[tokio::test]
async fn the_list_tells_where_a_lock_server_is_and_what_its_clients_call_the_encoder() {
    let salto = bench(Dialect::Salto, LockServerLine::Loopback(0)).await;
    let (bar, spa) = (encoder(&salto, "bar").await, encoder(&salto, "spa").await);
    assert_eq!(bar["lock_server"]["dialect"], "salto");
    assert_eq!(spa["lock_server"]["encoder"], "spa");
    assert_eq!(bar["lock_server"]["address"], spa["lock_server"]["address"]);
    assert_eq!(bar["port"], Value::Null);
    let serial = encoder(&salto, "front-desk").await;
    assert_eq!(serial["lock_server"], Value::Null);

    let onity = bench(Dialect::Onity, LockServerLine::Serial).await;
    let spa = encoder(&onity, "spa").await;
    let port = onity.folder.path().join("bar-lock-server");
    assert_eq!(
        spa["lock_server"],
        json!({"dialect": "onity", "encoder": "2", "address": null, "port": port})
    );
    assert!(port.exists());
}

#[tokio::test]
async fn a_card_that_is_placed_there_is_made_by_the_server_and_its_writes_are_logged() {
    let bench = bench(Dialect::Onity, LockServerLine::Loopback(0)).await;
    let mut stream = connect(&bench).await;
    stream.write_all(&[0x05]).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 0x06);
    stream.write_all(NEW_GUEST_AT_1).await.unwrap();
    let card = json!({"technology": "ntag213", "uid": "04A1B2C3D4E5F6"}).to_string();
    bench.send(Method::PUT, "/encoders/bar/card", card).await;
    let answer = ask(&mut stream, &[]).await;
    assert!(answer.contains("CN³1³04A1B2C3D4E5F6³"), "{answer}");
    let log = bench.get("/encoders/bar/log").await.json();
    assert!(!log["writes"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn the_cable_of_one_encoder_is_pulled_and_the_server_goes_on() {
    let bench = bench(Dialect::Salto, LockServerLine::Loopback(0)).await;
    let card = json!({"technology": "mifare_classic_1k", "uid": UID}).to_string();
    bench.send(Method::PUT, "/encoders/bar/card", card).await;
    let mut stream = connect(&bench).await;
    bench.send(Method::POST, "/encoders/bar/unplug", "").await;
    assert_eq!(encoder(&bench, "bar").await["is_plugged"], false);
    assert_eq!(encoder(&bench, "spa").await["is_plugged"], true);
    let answer = ask(&mut stream, READ_BAR).await;
    assert!(answer.contains("NC³bar"), "{answer}");
    bench.send(Method::POST, "/encoders/bar/plug", "").await;
    let answer = ask(&mut stream, READ_BAR).await;
    assert!(answer.contains("EF³bar"), "a blank card: {answer}");
}
