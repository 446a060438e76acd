//! Two encoder PCs of one site that reach the same encoder of a lock server: one of them has it, the other takes over.

use e2e::{EncoderPc, Hub, Output, Process, until};
use emulator::{Dialect, LockServer, LockServerSettings, LockServerWire, Slot};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

const NAME: &str = "Reception";

/// A PC with an entry for the encoder.
fn pc(hub_section: &str, port: u16) -> EncoderPc {
    EncoderPc::new(&format!(
        // The driver takes 127.0.0.1 for another server on each PC, and this way to write it for one of the site's.
        "discover = false\n{hub_section}[[encoder]]\ndriver = \"lock-server\"\nname = \"{NAME}\"\n\
         address = \"tcp://127.1:{port}\"\ndialect = \"salto\"\nencoder = \"1\"\nread_back = false\n"
    ))
}

/// What a PC tells of its one encoder, once that is so.
async fn told(pc: &EncoderPc, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    until(what, async || {
        let mut encoders = pc.command("encoders");
        encoders.args(["--verbose", "--json"]);
        let found = Output::of(encoders).done();
        let encoder = found["encoders"][0].clone();
        (found["served_by_daemon"] == true && is_so(&encoder)).then_some(encoder)
    })
    .await
}

#[tokio::test]
async fn the_pc_that_was_there_first_has_the_encoder_and_the_other_says_so_until_it_takes_over() {
    let settings = LockServerSettings::new(Dialect::Salto)
        .with_encoder("1", Slot::new())
        .with_rooms(["101"]);
    let server = LockServer::start(&settings, LockServerWire::Loopback(0)).unwrap();
    let port = server.address().unwrap().port();
    let hub = Hub::start("15s");
    let (first, second) = (
        pc(&hub.section(), port),
        pc(&hub.section_of("Back Office PC"), port),
    );

    let mut bridge = Process::start(first.command("run"));
    let encoder = hub.encoder(NAME).await;
    let has_it = |told: &Value| told["state"] == "online" && told["reason"].is_null();
    told(&first, "an encoder in service", has_it).await;

    let _other = Process::start(second.command("run"));
    let held = |told: &Value| told["details"]["held_elsewhere"].is_string();
    let shown = told(&second, "the reason at the other PC", held).await;
    assert_eq!(shown["details"]["identity_scope"], "site");
    let reason = shown["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("The encoder PC Test PC has an encoder of the same identity"),
        "{reason}"
    );
    let mut encode = second.command("encode");
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    encode.args([
        "--json",
        "--door",
        "101",
        "--ends-at",
        &tomorrow.to_string(),
    ]);
    let refused = Output::of(encode);
    assert_eq!(refused.failed(), "encoder_not_online");
    assert_eq!(
        refused.json["error"]["message"], *reason,
        "a whole sentence"
    );
    assert!(told(&first, "its encoder", has_it).await["details"]["held_elsewhere"].is_null());

    assert!(bridge.terminate().success());
    told(&second, "the encoder", has_it).await;
    assert_eq!(hub.encoder(NAME).await, encoder);
}
