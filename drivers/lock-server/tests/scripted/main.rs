//! The driver against servers that follow a script, on loopback and on a pty. The bytes are made here, not by the driver.
#![expect(clippy::unwrap_used, reason = "a test's own fixtures may fail it")]

mod issuing;
mod opening;
mod reading;
mod recording;
mod serial;
mod server;
mod sharing;
