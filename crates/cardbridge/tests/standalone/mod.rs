//! A PC without a hub: where its state is kept, how a wrong wish ends, and being told to stop in the midst of a card.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::process::{Running, cardbridge};
use crate::{SITE, configuration, stderr};

const WISH: [&str; 5] = ["encode", "--door", "101", "--ends-at", "2040-01-01T00:00Z"];

/// A configuration whose state directory is not there yet.
const FRESH: &str = "[bridge]\nstate_dir = \"new/state\"\ndiscover = false\n";

fn with_config(verb: &[&str], config: &str) -> Command {
    let mut command = cardbridge();
    command.args(verb).args(["--config", config]);
    command
}

#[test]
fn a_missing_state_directory_is_made_for_this_user_alone_by_every_verb() {
    for verb in [&WISH[..], &["scan"], &["run"]] {
        let (folder, path) = configuration(&format!("{SITE}{FRESH}"));
        let mut command = with_config(verb, &path);
        if verb == ["run"] {
            let mut daemon = Running::start(command.args(["--log", "info"]));
            daemon.says("ready");
            assert!(daemon.terminate().status.success());
        } else {
            let told = stderr(&command.output().unwrap());
            assert!(told.contains("no such encoder"), "{verb:?}: {told}");
        }
        let made = std::fs::metadata(folder.path().join("new/state")).unwrap();
        assert_eq!(made.permissions().mode() & 0o777, 0o700, "{verb:?}");
    }
}

#[test]
fn a_state_directory_that_cannot_be_made_is_named() {
    let bridge = "[bridge]\nstate_dir = \"/proc/cardbridge/state\"\ndiscover = false\n";
    let (_folder, path) = configuration(&format!("{SITE}{bridge}"));
    for verb in [&WISH[..], &["scan"], &["run"]] {
        let output = with_config(verb, &path).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{verb:?}");
        let told = stderr(&output);
        assert!(
            told.contains("the state_dir /proc/cardbridge/state"),
            "{verb:?}: {told}"
        );
    }
}

#[test]
fn a_wrong_name_ends_with_2_also_when_the_bridge_found_it() {
    let (_folder, path) = configuration(&format!("{SITE}{FRESH}"));
    let ask = |verb: &[&str]| {
        let mut command = with_config(verb, &path);
        let output = command
            .args(["--encoder", "Attic", "--json"])
            .output()
            .unwrap();
        let failure: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(failure["error"]["type"], "acs_encoder_not_found");
        assert_eq!(output.status.code(), Some(2), "{verb:?}");
    };
    ask(&["scan"]);
    ask(&WISH);
    let mut daemon = Running::start(with_config(&["run"], &path).args(["--log", "info"]));
    daemon.says("ready");
    ask(&["scan"]);
    ask(&WISH);
    assert!(daemon.terminate().status.success());
}

/// A lab with one encoder, and the configuration of a PC that has it.
struct Desk {
    lab: Running,
    url: String,
    config: String,
    _folder: tempfile::TempDir,
}

impl Desk {
    fn start() -> Self {
        let mut lab = Running::start(cardbridge().args(["lab", "--json"]));
        let ready: Value = serde_json::from_str(&lab.first_line()).unwrap();
        let port = Path::new(ready["encoders"][0]["port"].as_str().unwrap());
        let (folder, config) = configuration(&format!(
            "{SITE}{FRESH}[[encoder]]\ndriver = \"pn532\"\nport = {port:?}\nname = \"Desk\"\n"
        ));
        let url = ready["lab"].as_str().unwrap().to_owned();
        Self {
            lab,
            url,
            config,
            _folder: folder,
        }
    }

    fn place_a_card(&self) {
        let address = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let card = r#"{"technology":"mifare_classic_1k","uid":"04A1B2C3"}"#;
        write!(
            stream,
            "PUT /encoders/front-desk/card HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{card}",
            card.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[test]
fn a_signal_while_a_card_is_waited_for_stops_the_bridge_and_is_said_in_one_sentence() {
    let desk = Desk::start();
    for (verb, told) in [
        (&WISH[..], "a signal stopped the encode"),
        (&["scan"], "a signal stopped the scan"),
    ] {
        let mut waiting = Running::start(&mut with_config(verb, &desk.config));
        waiting.says("Put a card on");
        let ended = waiting.terminate();
        assert_eq!(ended.status.code(), Some(1), "{verb:?} {ended:?}");
        assert!(ended.stderr.contains(told), "{ended:?}");
    }
    assert!(desk.lab.terminate().status.success());
}

#[test]
fn a_card_that_is_being_written_when_the_signal_comes_is_finished() {
    let desk = Desk::start();
    desk.place_a_card();
    let mut writing = Running::start(&mut with_config(&WISH, &desk.config));
    writing.says("Writing");
    let ended = writing.terminate();
    assert!(
        ended.status.code().is_some(),
        "no signal ended it: {ended:?}"
    );
    let scan = with_config(&["scan", "--json"], &desk.config)
        .output()
        .unwrap();
    let scanned: Value = serde_json::from_slice(&scan.stdout).unwrap();
    assert_eq!(scanned["condition"], "ours", "{scanned}");
    assert!(scanned["credential"].is_object(), "{scanned}");
    assert!(desk.lab.terminate().status.success());
}
