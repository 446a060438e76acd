//! The driver against a real `pcscd` of its own, with an emulated reader behind it.
#![expect(clippy::unwrap_used, reason = "a test's own fixtures may fail it")]

mod conformance;
mod models;
mod pages;
mod restart;
mod rig;
mod session;
mod sharing;
mod smart;
mod waiting;
