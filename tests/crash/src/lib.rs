//! Cards that are pulled and bridges that are killed, at every step of an encode. The tests are in `tests/`; here is
//! what they share: a site with its locks, encoders and cards of the emulator, a hub that follows a script, and the
//! daemon as a process that can be killed.
//!
//! Judged is by what a lock makes of the card, by what the card itself was told (the emulator's log), and by the
//! journal's own file; never by the bridge's word alone.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test fails by panicking, its bench too"
)]

pub mod bridge;
pub mod encode;
pub mod hub;
pub mod journal;
pub mod pcsc;
pub mod plastic;
pub mod scene;
pub mod site;
pub mod table;

use std::time::Duration;

/// How long anything is waited for. Everything here takes milliseconds; this is for what hangs.
pub const LIMIT: Duration = Duration::from_secs(20);

/// Says how many cases a test went through.
#[expect(
    clippy::print_stdout,
    reason = "the count is the proof that none was left out"
)]
pub fn report(cases: usize, what: &str) {
    println!("{cases} cases: {what}");
}
