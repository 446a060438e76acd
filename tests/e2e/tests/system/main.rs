//! The whole system over HTTP and on the command line, where it shows more than the guides of the SDKs do.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its bench too"
)]

mod bad_input;
mod cable;
mod dry_run;
mod lock_server;
mod pcscd;
mod queue;
mod rolled;
mod site_wide;
mod technician;
