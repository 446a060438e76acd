//! The independent reader of the card format, written in Python from `docs/card-format.md`, on every golden vector.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its bench too"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What the reader compares: more when files are added, never fewer.
const COMPARED: &str = "15 files, 5763 values agree";

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn golden_files() -> PathBuf {
    here().join("../../crates/card/tests/data")
}

fn read(folder: &Path) -> Output {
    let python = std::env::var_os("CARDBRIDGE_TEST_PYTHON").unwrap_or_else(|| {
        panic!("CARDBRIDGE_TEST_PYTHON is not set; run `cargo xtask test`, or set it to what `cargo xtask setup` prints")
    });
    Command::new(&python)
        .arg("-B")
        .arg(here().join("python/card_format"))
        .arg(folder)
        .output()
        .unwrap_or_else(|error| panic!("{} could not be run: {error}", python.display()))
}

#[test]
fn a_reader_in_python_agrees_with_every_golden_vector() {
    let output = read(&golden_files());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains(COMPARED), "it said {said}");
    println!("{said}");
}

/// The files with one of them changed, or gone.
fn with(name: &str, change: impl FnOnce(&Path)) -> Output {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(golden_files()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    change(&folder.path().join(name));
    read(folder.path())
}

#[test]
fn a_golden_file_that_was_changed_is_named() {
    let output = with("ntag213.json", |path| {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replacen("expired", "open", 1)).unwrap();
    });
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("ntag213.json is not what"));
}

#[test]
fn a_value_of_the_first_file_that_was_changed_is_named() {
    let output = with("rfid48-mifare-classic-1k.json", |path| {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replacen("overridden", "open", 1)).unwrap();
    });
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("the page gives overridden"));
}

#[test]
fn a_golden_file_that_is_gone_is_missed() {
    let output = with("desfire.json", |path| fs::remove_file(path).unwrap());
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("desfire.json is not there"));
}
