//! The procedures on a DESFire EV1, EV2 and EV3 and on an NTAG 424 DNA in memory: what they cost, what they refuse, and what is left on the card
//! when it is taken away in the middle.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its card has to stop"
)]
mod crypto;
mod encode;
mod field;
mod images;
mod model;
mod noise;
mod ntag424;
mod refuse;
mod site;
mod tear;
