//! The messages of the link as functions over bytes, for fuzz targets. No part of the public face, and in no product.
//!
//! Each panics when something does not hold, and otherwise returns whether the bytes meant anything.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::link::{Action, Frame, FromBridge, FromHub, Offer};

/// Reads a message from a bridge and one from a hub, and asks whether what it says can be.
#[must_use]
pub fn message(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let from_bridge = written_again::<Frame<FromBridge>>(text);
    if let Some(FromBridge::Hello(hello)) = from_bridge.as_ref().map(|frame| &frame.message) {
        let _ = hello.check_site_keys();
    }
    let from_hub = written_again::<Frame<FromHub>>(text);
    match from_hub.as_ref().map(|frame| &frame.message) {
        Some(FromHub::Offer(offer)) => check(offer),
        Some(FromHub::Snapshot(snapshot)) => snapshot.offers.iter().for_each(check),
        _ => {}
    }
    from_bridge.is_some() || from_hub.is_some()
}

fn check(offer: &Offer) {
    if let Action::Encode(credential) = &offer.action {
        let _ = credential.check();
    }
}

/// Reads a message; what was understood is understood as the same when it is written down again.
fn written_again<M: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) -> Option<M> {
    let message: M = serde_json::from_str(text).ok()?;
    let again = serde_json::to_string(&message).expect("a message has a text");
    let again: M = serde_json::from_str(&again).expect("its text is a message");
    assert_eq!(again, message, "one message, two meanings");
    Some(message)
}

#[cfg(test)]
mod tests;
