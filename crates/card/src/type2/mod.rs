//! MIFARE Ultralight, Ultralight EV1, Ultralight C and NTAG21x: pages, lock bits, passwords and keys (NXP MF0ICU1,
//! MF0ULX1, MF0ICU2, NTAG213_215_216), and how a credential is found, planned, written and read on them.
//!
//! Lock bytes, OTP, capability container, counters and CFG1 are never written: they are one-way, or could brick a card.

mod changes;
mod configuration;
mod copies;
mod delivery;
mod inspect;
mod layout;
mod memory;
mod plan;
mod prove;
mod read;
mod triple_des;
mod write;

pub(crate) use changes::changes;
pub(crate) use inspect::Inspect;
pub(crate) use plan::{Work, plan};
pub(crate) use read::Read;
pub(crate) use write::Write;

use crate::KeyVersion;
use crate::card_bytes::CardBytes;
use configuration::Configuration;

/// What an inspection leaves to a plan.
#[derive(Debug, Clone)]
pub(crate) struct Area {
    access: Access,
    /// Lock bits forbid to write the placing for ever.
    locked: bool,
    /// The configuration, where the technology has one and it was looked at.
    configuration: Option<Configuration>,
    /// What the placing's only copy holds.
    only_copy: Option<CardBytes>,
}

/// What it takes to write the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing: the card has no keys, or does not ask for them.
    Open,
    /// The key of this version, with which the inspection has left it authenticated.
    Proven(KeyVersion),
    /// The key of one of these versions, to be tried in this order.
    Unproven(Vec<KeyVersion>),
    /// A password that is not tried: the card counts wrong ones, or nobody looked whether it does.
    Withheld,
}
