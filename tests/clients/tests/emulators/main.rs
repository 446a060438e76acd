//! The emulators before programs that know nothing of them: libnfc and libfreefare on the serial
//! line, OpenSC and pyscard behind a real `pcscd`.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its bench too"
)]

mod application_directory;
mod desfire;
mod libnfc;
mod pcsc;
mod type2;

use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Every program here is done within a second; this is for one that hangs.
const LIMIT: Duration = Duration::from_secs(30);

const UID: &str = "04A1B2C3";
const LONG_UID: &str = "04A1B2C3D4E5F6";

/// Runs a program to its end and returns what it printed.
fn run(program: &str, package: &str, prepare: impl FnOnce(&mut Command)) -> Output {
    let mut command = Command::new("timeout");
    command
        .args(["--signal=KILL", &LIMIT.as_secs().to_string(), program])
        .stdin(Stdio::null());
    prepare(&mut command);
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("coreutils' timeout could not be run: {error}"));
    assert_ne!(
        output.status.code(),
        Some(127),
        "{program} is missing; install the Debian package {package}"
    );
    output
}

/// What a program printed on both streams, for messages and for finding words in it.
fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
