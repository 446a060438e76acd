//! The procedures on Ultralight, Ultralight EV1, Ultralight C and NTAG21x in memory: what they cost, what they refuse, and
//! what is left on the card when it is taken away in the middle.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its card has to stop"
)]
mod costs;
mod encode;
mod field;
mod keys;
mod model;
mod noise;
mod refusals;
mod site;
mod tear;
