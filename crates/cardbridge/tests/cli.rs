//! The program as a process: what it prints where, how it ends, what it says when it was asked wrongly.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod encoders;
mod keys;
mod process;
mod secrets;
mod standalone;

use std::process::Output;

use process::{Running, cardbridge};
use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    cardbridge().args(arguments).output().unwrap()
}

#[track_caller]
fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_lab_prints_one_line_of_json_and_ends_when_it_is_told_to() {
    let mut lab =
        Running::start(cardbridge().args(["lab", "--json", "--encoder", "a", "--encoder", "b"]));
    let ready: Value = serde_json::from_str(&lab.first_line()).unwrap();
    assert!(
        ready["lab"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    let ports: Vec<_> = ready["encoders"].as_array().unwrap().to_vec();
    assert_eq!(ports.len(), 2);
    for (encoder, name) in ports.iter().zip(["a", "b"]) {
        assert_eq!(encoder["name"], name);
        let port = std::path::Path::new(encoder["port"].as_str().unwrap());
        assert!(port.exists(), "{port:?}");
    }
    let ended = lab.terminate();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.rest_of_stdout, "", "quiet after the first line");
    let port = std::path::Path::new(ports[0]["port"].as_str().unwrap());
    assert!(!port.parent().unwrap().exists(), "its folder goes with it");
}

#[test]
fn a_lab_puts_its_ports_where_it_is_told_and_leaves_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Running::start(cardbridge().args(["lab", "--directory"]).arg(folder.path()));
    assert!(lab.first_line().contains("http://127.0.0.1:"));
    assert!(folder.path().join("front-desk").exists());
    assert!(lab.terminate().status.success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_done_ends_with_1_and_what_was_asked_wrongly_with_2() {
    for (arguments, code, told) in [
        (
            &["lab", "--directory", "/proc/no/such"][..],
            1,
            "--directory",
        ),
        (
            &["lab", "--encoder", "a", "--encoder", "a"],
            1,
            "two encoders are called a",
        ),
        (&["lab", "--encoder", "Front Desk"], 2, "lower-case"),
        (&["lab", "--listen", "0.0.0.0:0"], 2, "loopback"),
        (&["lab", "--listen", "80"], 2, "127.0.0.1:0"),
        (&["lab", "--pcsc", "front-desk"], 2, "NAME=PORT"),
        (&["lab", "--log", "=;=", "--json"], 2, "--log info"),
        (&["brew"], 2, "brew"),
        (&[], 2, "Usage"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?} {output:?}");
        assert!(
            stderr(&output).contains(told),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn with_json_a_failure_is_one_object_on_stdout_and_the_sentence_still_on_stderr() {
    let output = run(&["lab", "--json", "--encoder", "a", "--encoder", "a"]);
    assert_eq!(output.status.code(), Some(1));
    let failure: Value = serde_json::from_slice(&output.stdout).unwrap();
    let error = failure["error"].as_object().unwrap();
    assert_eq!(error.len(), 2);
    assert_eq!(error["type"], "two_of_one_name");
    assert!(stderr(&output).contains(error["message"].as_str().unwrap()));
}

#[test]
fn with_json_a_command_line_that_cannot_be_read_is_one_object_on_stdout_too() {
    let encode = ["encode", "--json", "--door", "1"];
    for (arguments, told) in [
        (&["scan", "--json", "--no-such"][..], "--no-such"),
        (&["brew", "--json"], "brew"),
        (&["scan", "--card-deadline", "soon", "--json"], "soon"),
        (&encode, "not provided: --ends-at <TIME>"),
        (&["--json"], "--json"),
        (&["admin", "init", "--json"], "--database"),
        (&["run", "--json"], "--json"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains("error: "), "{}", stderr(&output));
        let failure: Value = serde_json::from_slice(&output.stdout).unwrap();
        let error = failure["error"].as_object().unwrap();
        assert_eq!(error.len(), 2);
        assert_eq!(error["type"], "invalid_input", "{arguments:?}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(told), "{message}");
        for noise in ["Usage", "error:", "\n", "For more"] {
            assert!(!message.contains(noise), "{message}");
        }
    }
    let helped = run(&["scan", "--json", "--help"]);
    assert!(helped.status.success());
    assert!(String::from_utf8(helped.stdout).unwrap().contains("Usage"));
    assert!(run(&["brew"]).stdout.is_empty(), "nobody asked for JSON");
}

#[test]
fn a_log_of_json_is_json_on_stderr() {
    let mut lab = Running::start(cardbridge().args([
        "lab",
        "--json",
        "--log",
        "info",
        "--log-format",
        "json",
    ]));
    lab.first_line();
    let ended = lab.terminate();
    for line in ended.stderr.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        assert!(entry["level"].is_string(), "{line}");
    }
    assert!(ended.stderr.contains("stopping"));
}

/// A bridge's configuration in a folder of its own.
fn configuration(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bridge.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path.to_str().unwrap().to_owned())
}

const SITE: &str =
    "[site]\nkey = \"5f0e6d1c2b3a49788796a5b4c3d2e1f00112233445566778899aabbccddeeff0\"\n";

#[test]
fn a_wrong_configuration_is_refused_with_line_key_and_remedy_by_every_verb() {
    let (_folder, path) = configuration(&format!("{SITE}[bridge]\nstate_dri = \"state\"\n"));
    let encode = [
        "encode",
        "--door",
        "101",
        "--ends-at",
        "2040-01-01T00:00Z",
        "--config",
    ];
    for verb in [
        &["run", "--config"][..],
        &["encoders", "--config"],
        &["scan", "--config"],
        &encode,
    ] {
        let output = cardbridge().args(verb).arg(&path).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{verb:?}");
        let told = stderr(&output);
        for part in ["bridge.toml, line 4", "`state_dri`", "state_dir"] {
            assert!(told.contains(part), "{verb:?}: {told}");
        }
    }
    let output = run(&["scan", "--config", "/no/such/file", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let failure: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(failure["error"]["type"], "configuration_unreadable");
}

#[test]
fn with_a_hub_and_no_daemon_no_card_is_encoded() {
    let hub = "[hub]\nurl = \"http://127.0.0.1:1\"\ntoken = \"t\"\n[bridge]\nstate_dir = \"state\"\ndiscover = false\n";
    let (_folder, path) = configuration(&format!("{SITE}{hub}"));
    let output = run(&[
        "encode",
        "--door",
        "101",
        "--ends-at",
        "2040-01-01T00:00Z",
        "--config",
        &path,
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("start `cardbridge run`"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_card_for_no_time_at_all_is_refused_before_anything_is_asked() {
    let bridge = "[bridge]\nstate_dir = \"state\"\ndiscover = false\n";
    let (_folder, path) = configuration(&format!("{SITE}{bridge}"));
    for (ends_at, told) in [
        ("2020-01-01T00:00Z", "later --ends-at"),
        ("2040-01-01", "zone"),
    ] {
        let output = run(&[
            "encode",
            "--door",
            "101",
            "--ends-at",
            ends_at,
            "--config",
            &path,
        ]);
        assert_eq!(output.status.code(), Some(2), "{ends_at}");
        assert!(stderr(&output).contains(told), "{}", stderr(&output));
    }
}

#[test]
fn admin_init_prints_the_key_once_and_the_hub_serves_it() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("hub.sqlite");
    let init = |arguments: &[&str]| {
        let mut init = cardbridge();
        init.args(["admin", "init", "--json", "--database"])
            .arg(&database);
        init.args(arguments).output().unwrap()
    };
    let output = init(&[
        "--rooms",
        "101-103",
        "--room",
        "Suite",
        "--common-door",
        "Pool",
    ]);
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<_> = made["entrances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|door| door["name"].clone())
        .collect();
    assert_eq!(names, ["Suite", "101", "102", "103", "Pool"]);
    assert!(made["api_key"].as_str().unwrap().starts_with("seam_"));
    assert!(!made["bridge_token"].as_str().unwrap().is_empty());
    assert_eq!(
        init(&["--time-zone", "Nowhere/Land"]).status.code(),
        Some(2)
    );
    assert_eq!(init(&["--room", "1", "--room", "1"]).status.code(), Some(2));

    let serve = |listen: &str| {
        let mut hub = cardbridge();
        hub.args(["hub", "--json", "--listen", listen, "--database"])
            .arg(&database);
        hub
    };
    let mut hub = Running::start(&mut serve("127.0.0.1:0"));
    let ready: Value = serde_json::from_str(&hub.first_line()).unwrap();
    let endpoint = ready["endpoint"].as_str().unwrap();
    assert!(endpoint.starts_with("http://127.0.0.1:"), "{endpoint}");
    let taken = serve(endpoint.trim_start_matches("http://"))
        .output()
        .unwrap();
    assert_eq!(taken.status.code(), Some(1));
    assert!(
        stderr(&taken).contains("another port"),
        "{}",
        stderr(&taken)
    );
    assert!(hub.terminate().status.success());
}
