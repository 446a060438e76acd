//! The driver against an emulated PN532 on a pseudo-terminal: the real serial port code and the real wire.
#![expect(clippy::unwrap_used, reason = "a test's own fixtures may fail it")]

mod discovery;
mod encoding;
mod pages;
mod port;
mod procedures;
mod recording;
mod rig;
mod session;
mod smart;
mod speed;
mod tree;
mod waiting;
