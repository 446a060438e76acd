//! The driver against emulated lock servers, which were written from the same documents by somebody else.
#![expect(clippy::unwrap_used, reason = "a test's own fixtures may fail it")]

mod hotel;
mod making;
mod replayed;
mod troubles;
