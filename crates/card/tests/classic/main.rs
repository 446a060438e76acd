//! The procedures on MIFARE Classic cards in memory: what they cost, what they refuse, and what is left on the card
//! when it is taken away in the middle.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its card has to stop"
)]
mod changes;
mod costs;
mod encode;
mod field;
mod inspect;
mod lock;
mod model;
mod noise;
mod remains;
mod rolling;
mod sectors;
mod site;
mod tear;
mod weak;
