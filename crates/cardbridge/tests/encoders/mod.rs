//! `cardbridge encoders` at an emulated PN532: what it tells of an encoder, whom it asks, and what it leaves alone.

use std::time::{Duration, Instant};

use emulator::{Pn532Encoder, Slot};
use serde_json::Value;

use crate::process::{Running, cardbridge};
use crate::{SITE, configuration, stderr};

/// Generous: it only keeps a broken test from going on for ever.
const LIMIT: Duration = Duration::from_secs(20);

/// A PC with an encoder that has an entry.
struct Desk {
    encoder: Pn532Encoder,
    config: String,
    _folders: [tempfile::TempDir; 2],
}

impl Desk {
    fn start() -> Self {
        let ports = tempfile::tempdir().unwrap();
        let encoder = Pn532Encoder::start(Slot::new(), ports.path().join("desk")).unwrap();
        let (folder, config) = configuration(&format!(
            "{SITE}[bridge]\nstate_dir = \"state\"\ndiscover = false\n\
             [[encoder]]\ndriver = \"pn532\"\nport = {:?}\nspeed = 460800\nname = \"Front Desk\"\n",
            encoder.path()
        ));
        Self {
            encoder,
            config,
            _folders: [ports, folder],
        }
    }

    fn port(&self) -> String {
        self.encoder.path().display().to_string()
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = cardbridge();
        command.args(arguments).args(["--config", &self.config]);
        command
    }

    fn in_words(&self, arguments: &[&str]) -> String {
        let output = self
            .command(&[&["encoders"], arguments].concat())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What is told of its one encoder.
    fn told(&self, arguments: &[&str]) -> Value {
        let text = self.in_words(&[&["--json"], arguments].concat());
        // The site key of the configuration is nowhere in it.
        assert!(!text.contains("5f0e6d1c"), "{text}");
        let found: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(found["encoders"].as_array().unwrap().len(), 1, "{text}");
        found["encoders"][0].clone()
    }

    fn frames(&self) -> u64 {
        self.encoder.faults().frames()
    }

    /// A daemon that has its encoder open.
    fn daemon(&self) -> Running {
        let daemon = Running::start(&mut self.command(&["run"]));
        self.until(|told| told["state"] == "online");
        daemon
    }

    #[track_caller]
    fn until(&self, is_it: impl Fn(&Value) -> bool) -> Value {
        let limit = Instant::now() + LIMIT;
        loop {
            let told = self.told(&["--verbose"]);
            if is_it(&told) {
                return told;
            }
            assert!(Instant::now() < limit, "{told}");
        }
    }
}

/// Facts by their names.
#[track_caller]
fn has_facts(facts: &Value, expected: &[(&str, &str)]) {
    let all = facts.as_array().unwrap();
    for (name, value) in expected {
        let fact = all.iter().find(|fact| fact["name"] == *name);
        assert_eq!(
            fact.map(|fact| &fact["value"]),
            Some(&Value::from(*value)),
            "{facts}"
        );
    }
}

#[test]
fn a_daemon_tells_what_its_open_encoder_said_of_itself() {
    let desk = Desk::start();
    let daemon = desk.daemon();
    let frames = desk.frames();
    let told = desk.told(&["Front Desk", "--verbose"]);
    let about = &told["details"]["about"];
    let device = [
        ("chip", "PN532"),
        ("firmware", "1.6"),
        ("speed", "460800 baud"),
    ];
    has_facts(&about["device"], &device);
    has_facts(
        &about["settings"],
        &[("port", &desk.port()), ("speed", "460800")],
    );
    assert_eq!(about["cards_made_by"], "bridge");
    assert_eq!(told["details"]["identity_scope"], "computer");
    assert_eq!(told["details"]["job"], Value::Null);
    assert_eq!(desk.frames(), frames, "the daemon knew");
    let words = desk.in_words(&["--verbose"]);
    for line in [
        "Front Desk: online (pn532 at ",
        "firmware       1.6",
        "cards made by  this PC",
    ] {
        assert!(words.contains(line), "{line} in\n{words}");
    }
    assert!(
        desk.told(&[]).get("details").is_none(),
        "nobody asked for it"
    );
    assert!(daemon.terminate().status.success());
}

#[test]
fn the_job_of_an_encoder_is_told_in_words() {
    let desk = Desk::start();
    let daemon = desk.daemon();
    let mut scan = Running::start(&mut desk.command(&["scan"]));
    scan.says("Put a card on");
    let told = desk.until(|told| !told["details"]["job"].is_null());
    let job = &told["details"]["job"];
    assert_eq!(job["phase"]["phase"], "waiting_for_card", "{job}");
    let id = job["id"].as_str().unwrap();
    let words = desk.in_words(&["--verbose"]);
    let line = format!("job            waits for a card ({id})");
    assert!(words.contains(&line), "{line} in\n{words}");
    scan.terminate();
    desk.until(|told| told["details"]["job"].is_null());
    assert!(daemon.terminate().status.success());
}

#[test]
fn without_a_daemon_only_an_encoder_that_is_named_is_opened_and_not_even_that_with_no_open() {
    let desk = Desk::start();
    let port = desk.port();
    for arguments in [
        &[][..],
        &["--verbose"],
        &["Front Desk"],
        &["Front Desk", "--verbose", "--no-open"],
    ] {
        let told = desk.told(arguments);
        assert_eq!(told["state"], "accessible", "{arguments:?} {told}");
        assert_eq!(desk.frames(), 0, "{arguments:?}");
        if arguments.contains(&"--verbose") {
            let about = &told["details"]["about"];
            has_facts(&about["settings"], &[("port", &port)]);
            assert_eq!(about["device"], Value::Array(vec![]));
        }
    }
    for name in ["Front Desk", &port] {
        let frames = desk.frames();
        let about = desk.told(&[name, "--verbose"])["details"]["about"].clone();
        has_facts(
            &about["device"],
            &[("firmware", "1.6"), ("speed", "460800 baud")],
        );
        assert_eq!(about["cards_made_by"], "bridge");
        assert!(desk.frames() > frames, "{name}");
    }
    // It was closed again, and put back to the speed at which everybody looks for it.
    desk.told(&["Front Desk", "--verbose"]);
}

#[test]
fn an_encoder_that_does_not_open_is_told_with_the_reason() {
    let desk = Desk::start();
    let everything_is_lost = emulator::Fault {
        kind: emulator::FaultKind::Stall,
        when: emulator::When::AtFrame(1),
        way: emulator::Way::ToHost,
    };
    desk.encoder.faults().set(vec![everything_is_lost]);
    let told = desk.told(&["Front Desk", "--verbose"]);
    assert_eq!(told["state"], "inaccessible", "{told}");
    let reason = told["reason"].as_str().unwrap();
    assert!(
        reason.contains("the chip does not answer any more"),
        "{reason}"
    );
}

#[test]
fn an_unknown_name_is_refused_with_the_known_ones() {
    let desk = Desk::start();
    let output = desk
        .command(&["encoders", "Attic", "--json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let failure: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(failure["error"]["type"], "acs_encoder_not_found");
    let message = failure["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("Attic") && message.ends_with("known are: Front Desk"),
        "{message}"
    );
    assert_eq!(desk.frames(), 0);
}
