//! The official guide for card encoders, and what hotels do with cards of every kind, followed with the official SDKs,
//! unmodified, against a `cardbridge demo`.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its bench too"
)]

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use e2e::Demo;

/// Longer than all the waits in a script together; for one that hangs.
const LIMIT_S: &str = "120";

/// Where `cargo xtask test` has put something that these tests use.
fn installed(variable: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| {
        panic!("{variable} is not set; run `cargo xtask test`, or set it to what `cargo xtask setup` prints")
    })
}

fn script(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Follows the steps of a script, with a demo of its own.
fn follow(interpreter: OsString, script: &Path) {
    let demo = Demo::start("2s");
    let mut following = Command::new("timeout")
        .args(["--signal=KILL", LIMIT_S])
        .arg(&interpreter)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("coreutils' timeout could not be run: {error}"));
    let mut stdin = following.stdin.take().unwrap();
    stdin.write_all(demo.line.as_bytes()).unwrap();
    drop(stdin);
    let output = following.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{} {}: {}\n{}{}",
        interpreter.display(),
        script.display(),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_guide_works_with_the_official_python_sdk() {
    let python = installed("CARDBRIDGE_TEST_PYTHON");
    follow(python, &script("python/guide.py"));
}

#[test]
fn every_card_is_encoded_in_both_formats_for_stay_after_stay_or_refused_with_the_reason() {
    follow(
        installed("CARDBRIDGE_TEST_PYTHON"),
        &script("python/cards.py"),
    );
}

#[test]
fn overrides_joiners_staff_and_scans_are_what_hotels_know_them_to_be() {
    follow(
        installed("CARDBRIDGE_TEST_PYTHON"),
        &script("python/visionline.py"),
    );
}

#[test]
fn the_guide_works_with_the_official_javascript_sdk() {
    let node = installed("CARDBRIDGE_TEST_NODE");
    // Node.js looks for modules beside the script only, and its own folder stays as it is.
    let folder = tempfile::tempdir().unwrap();
    let modules = installed("CARDBRIDGE_TEST_NODE_MODULES");
    std::os::unix::fs::symlink(modules, folder.path().join("node_modules")).unwrap();
    let guide = folder.path().join("guide.mjs");
    std::fs::copy(script("javascript/guide.mjs"), &guide).unwrap();
    follow(node, &guide);
}
