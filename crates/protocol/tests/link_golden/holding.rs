//! Encoders that carry their identity along, and which bridge of a site has one.

use protocol::link::{EncoderState, FromBridge, FromHub, HeldEncoder, HubSnapshot, IdentityScope};

use super::{IDENTITY, encoder};

pub(super) fn from_bridge() -> Vec<(&'static str, FromBridge)> {
    let state = EncoderState {
        identity_scope: IdentityScope::Site,
        ..encoder(true)
    };
    vec![("encoder_of_the_site", FromBridge::Encoder(state))]
}

pub(super) fn from_hub() -> Vec<(&'static str, FromHub)> {
    let held = HeldEncoder {
        identity: IDENTITY.to_owned(),
        reason: "The PC back-office keeps it while it is plugged in there.".to_owned(),
    };
    let snapshot = HubSnapshot {
        encoders: Vec::new(),
        held: vec![held.clone()],
        offers: Vec::new(),
        cancelled: Vec::new(),
    };
    vec![
        ("hub_snapshot_held", FromHub::Snapshot(snapshot)),
        ("encoder_held", FromHub::EncoderHeld(held)),
    ]
}
