//! The program as a process: what it prints where, how it ends, what it says when it was asked wrongly.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod process;

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
