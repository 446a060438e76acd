//! The independent reader of the card format, written in Python from `docs/card-format.md`, on every golden vector.

use std::path::Path;
use std::process::Command;

#[test]
fn a_reader_in_python_agrees_with_every_golden_vector() {
    let python = std::env::var_os("CARDBRIDGE_TEST_PYTHON").unwrap_or_else(|| {
        panic!("CARDBRIDGE_TEST_PYTHON is not set; run `cargo xtask test`, or set it to what `cargo xtask setup` prints")
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/card_format.py");
    let output = Command::new(&python)
        .arg(&script)
        .output()
        .unwrap_or_else(|error| panic!("{} could not be run: {error}", python.display()));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("agree"), "the reader checked nothing: {said}");
}
