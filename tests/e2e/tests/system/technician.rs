//! The technician's commands at the encoder PC: straight on an encoder, and through the daemon that holds it.

use std::path::PathBuf;

use e2e::{EncoderPc, Hub, Lab, Output, Process, cardbridge, until};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub(crate) const UID: &str = "04A1B2C3";

/// Every technology that holds a credential.
const TECHNOLOGIES: [&str; 14] = [
    "mifare_classic_mini",
    "mifare_classic_1k",
    "mifare_classic_4k",
    "mifare_ultralight",
    "mifare_ultralight_ev1_48",
    "mifare_ultralight_ev1_128",
    "mifare_ultralight_c",
    "ntag213",
    "ntag215",
    "ntag216",
    "desfire_ev1",
    "desfire_ev2",
    "desfire_ev3",
    "ntag424_dna",
];

/// Emulators alone, with one encoder.
pub(crate) struct Desk {
    pub(crate) lab: Lab,
    port: PathBuf,
    _process: Process,
}

impl Desk {
    pub(crate) fn start() -> Self {
        let mut process = Process::start(cardbridge(["lab", "--json"]));
        let ready = process.json_line();
        let port = ready["encoders"][0]["port"].as_str().unwrap();
        Self {
            lab: Lab::new(ready["lab"].as_str().unwrap()),
            port: PathBuf::from(port),
            _process: process,
        }
    }

    pub(crate) fn pc(&self, sections: &str) -> EncoderPc {
        EncoderPc::with_pn532(sections, "Front Desk", &self.port)
    }
}

pub(crate) fn scan(pc: &EncoderPc, arguments: &[&str]) -> Output {
    let mut scan = pc.command("scan");
    scan.arg("--json").args(arguments);
    Output::of(scan)
}

pub(crate) fn encode(pc: &EncoderPc, doors: &[&str], arguments: &[&str]) -> Output {
    let mut encode = pc.command("encode");
    encode.arg("--json").args(arguments);
    for door in doors {
        encode.args(["--door", door]);
    }
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    encode.args(["--ends-at", &tomorrow.to_string()]);
    Output::of(encode)
}

fn encoders(pc: &EncoderPc) -> Value {
    let mut encoders = pc.command("encoders");
    encoders.arg("--json");
    Output::of(encoders).done()
}

/// Starts the daemon and returns when it serves its encoder, as `cardbridge encoders` tells.
pub(crate) async fn daemon(pc: &EncoderPc) -> Process {
    let process = Process::start(pc.command("run"));
    until("a daemon that serves its encoder", async || {
        let found = encoders(pc);
        let is_online = found["encoders"][0]["state"] == "online";
        (found["served_by_daemon"] == true && is_online).then_some(())
    })
    .await;
    process
}

#[tokio::test]
async fn a_card_is_encoded_and_scanned_without_any_hub() {
    let desk = Desk::start();
    let pc = desk.pc("");
    desk.lab.place("front-desk", UID).await;

    let blank = scan(&pc, &[]).done();
    assert_eq!(blank["uid"], UID);
    assert_eq!(blank["technology"], "mifare_classic_1k");
    assert_eq!(blank["condition"], "blank");
    assert_eq!(blank["credential"], Value::Null);

    let encoded = encode(&pc, &["101", "102"], &[]).done();
    assert_eq!(encoded["uid"], UID);
    let scanned = scan(&pc, &["--encoder", "Front Desk"]).done();
    assert_eq!(scanned["condition"], "ours");
    assert_eq!(scanned["credential"], encoded["credential"]);
    assert_eq!(scanned["credential"]["room_count"], 2);
    // Numbers that never meet a hub's.
    let number = scanned["credential"]["number"].as_u64().unwrap();
    assert!(number >= 0x8000_0000, "{number:#x}");
}

#[tokio::test]
async fn a_second_encode_without_a_hub_remembers_the_first() {
    let desk = Desk::start();
    let pc = desk.pc("");
    desk.lab.place("front-desk", UID).await;
    let first = encode(&pc, &["101"], &[]).done();
    desk.lab.place("front-desk", "04A1B2C4").await;
    let joining = encode(&pc, &["101"], &[]).done();
    desk.lab.place("front-desk", "04A1B2C5").await;
    let overriding = encode(&pc, &["101"], &["--override"]).done();

    let field = |encoded: &Value, name: &str| encoded["credential"][name].as_u64().unwrap();
    let each = |name: &str| [&first, &joining, &overriding].map(|encoded| field(encoded, name));
    let [room, same, still] = each("first_room");
    assert!(room == same && same == still);
    let [first, joined, overrode] = each("issue_number");
    assert!(first == joined && joined < overrode);
    let [first, second, third] = each("number");
    assert!(first < second && second < third);
}

#[tokio::test]
async fn without_a_card_the_technician_is_told_so() {
    let desk = Desk::start();
    let pc = desk.pc("");
    let waited = scan(&pc, &["--card-deadline", "200ms"]);
    assert_eq!(waited.failed(), "no_card_on_encoder");
}

#[tokio::test]
async fn an_encoder_that_is_unplugged_is_listed_with_the_reason() {
    let desk = Desk::start();
    let pc = desk.pc("");
    let listed = |state: &str| {
        let found = encoders(&pc);
        assert_eq!(found["served_by_daemon"], false);
        let encoder = &found["encoders"][0];
        assert_eq!(encoder["name"], "Front Desk");
        assert_eq!(encoder["driver"], "pn532");
        assert_eq!(encoder["state"], state, "{encoder}");
        encoder["reason"].clone()
    };
    assert_eq!(listed("accessible"), Value::Null);
    desk.lab.unplug("front-desk").await;
    let reason = listed("absent");
    assert!(!reason.as_str().unwrap().is_empty());
    let refused = scan(&pc, &["--card-deadline", "200ms"]);
    assert_eq!(refused.failed(), "encoder_not_online");
}

#[tokio::test]
async fn while_the_daemon_holds_the_encoder_its_socket_serves_the_technician() {
    let desk = Desk::start();
    let hub = Hub::start("30s");
    let pc = desk.pc(&hub.section());
    let mut running = daemon(&pc).await;
    hub.encoder("Front Desk").await;
    desk.lab.place("front-desk", UID).await;

    assert_eq!(scan(&pc, &[]).done()["condition"], "blank");
    let encoded = encode(&pc, &["101"], &[]).done();
    assert_eq!(encoded["uid"], UID);
    assert_eq!(scan(&pc, &[]).done()["credential"], encoded["credential"]);

    // The hub decided, so it knows.
    let attempt = encoded["action_attempt_id"].as_str().unwrap();
    let result = hub.api.result(attempt).await;
    assert_eq!(result["acs_credential_id"], encoded["acs_credential_id"]);
    assert_eq!(result["card_number"], UID);

    assert!(running.terminate().success());
    assert_eq!(encoders(&pc)["served_by_daemon"], false);
}

#[tokio::test]
async fn with_a_hub_and_without_the_daemon_an_encode_is_refused_with_the_reason() {
    let desk = Desk::start();
    let hub = Hub::start("30s");
    let pc = desk.pc(&hub.section());
    desk.lab.place("front-desk", UID).await;
    let before = desk.lab.memory(UID).await;
    let refused = encode(&pc, &["101"], &[]);
    let message = refused.json["error"]["message"].to_string();
    assert!(!refused.failed().is_empty());
    assert!(message.contains("cardbridge run"), "{message}");
    assert_eq!(desk.lab.memory(UID).await, before);
    // A scan decides nothing, so it needs nobody's leave.
    assert_eq!(scan(&pc, &[]).done()["condition"], "blank");
}

#[tokio::test]
async fn every_option_of_a_card_is_on_the_card_afterwards() {
    let desk = Desk::start();
    let pc = desk.pc("");
    desk.lab.place("front-desk", UID).await;
    let rooms = [
        "--rooms",
        "101-133",
        "--door",
        "200",
        "--common-door",
        "Pool",
    ];
    let guest = encode(&pc, &[], &rooms).done();
    let on_card = &guest["credential"];
    assert_eq!(on_card["format"], "rfid48");
    assert_eq!(on_card["function"], "guest");
    // Rooms that are made one after the other have consecutive numbers.
    let doors = on_card["room_count"].as_u64().unwrap()
        + on_card["additional_doors"].as_array().unwrap().len() as u64;
    assert_eq!(doors, 34, "{on_card}");
    assert_eq!(on_card["common_doors"].as_array().unwrap().len(), 1);

    let staff = ["--staff", "--format", "TLCode", "--common-door", "Pool"];
    desk.lab.place("front-desk", "04A1B2C4").await;
    let staff = encode(&pc, &[], &staff).done();
    assert_eq!(staff["credential"]["function"], "staff");
    assert_eq!(staff["credential"]["format"], "TLCode");
    assert_eq!(scan(&pc, &[]).done()["credential"], staff["credential"]);
}

#[tokio::test]
async fn a_card_of_each_technology_is_encoded_and_scanned_under_its_name() {
    let desk = Desk::start();
    let pc = desk.pc("");
    let serving = daemon(&pc).await;
    for (at, technology) in TECHNOLOGIES.into_iter().enumerate() {
        let uid = format!("04A1B2C3D4E5{at:02X}");
        desk.lab.place_a("front-desk", technology, &uid).await;
        let blank = scan(&pc, &[]).done();
        assert_eq!(
            (&blank["technology"], &blank["condition"]),
            (&technology.into(), &"blank".into())
        );
        let preview = encode(&pc, &["101"], &["--dry-run"]).done();
        assert_ne!(preview["changes"], Value::Array(Vec::new()), "{technology}");
        let encoded = encode(&pc, &["101"], &[]).done();
        let scanned = scan(&pc, &[]).done();
        assert_eq!(scanned["credential"], encoded["credential"], "{technology}");
        assert_eq!(scanned["key_version"], 1);
    }
    drop(serving);
}

#[tokio::test]
async fn a_rolled_key_is_taken_up_with_a_restart_and_older_cards_stay_good() {
    let desk = Desk::start();
    let hub = Hub::start("30s");
    let pc = desk.pc(&hub.section());
    let before = std::fs::read_to_string(pc.key_file()).unwrap();
    let mut running = daemon(&pc).await;
    hub.encoder("Front Desk").await;
    desk.lab.place("front-desk", UID).await;
    let first = encode(&pc, &["101"], &[]).done();

    let mut roll = pc.command("keys roll");
    roll.arg("--json");
    assert_eq!(Output::of(roll).done()["newest"], 2);
    assert_eq!(scan(&pc, &[]).done()["key_version"], 1);
    assert!(running.terminate().success());
    let mut running = daemon(&pc).await;
    hub.encoder("Front Desk").await;
    let scanned = scan(&pc, &[]).done();
    assert_eq!(scanned["credential"], first["credential"]);
    assert_eq!(scanned["key_version"], 1);
    let _ = encode(&pc, &["101"], &[]).done();
    assert_eq!(scan(&pc, &[]).done()["key_version"], 2);
    assert!(running.terminate().success());

    // A PC whose key file was not rolled with the others may not encode, and says so.
    std::fs::write(pc.key_file(), before).unwrap();
    let _running = daemon(&pc).await;
    let told = until("a link that lets nothing be encoded", async || {
        let found = encoders(&pc);
        found["hub"]["problem"].as_str().map(str::to_owned)
    })
    .await;
    assert!(told.contains("version 2"), "{told}");
    let refused = encode(&pc, &["101"], &[]);
    let message = refused.json["error"]["message"].to_string();
    assert!(
        !refused.failed().is_empty() && message.contains("version 2"),
        "{message}"
    );
}
