//! The lab over HTTP.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bench;
mod disturbing;
mod lock_server;
mod refusals;
mod verbs;
