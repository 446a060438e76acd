//! What an encode would change on a card, for people to look at before anything is written.

use card::{Change, Inspected, Plan};
use protocol::link::{CardCondition, ScannedCredential};
use serde::{Deserialize, Serialize};

use crate::convert;

/// What an encode would do to one card. Nothing of it was done, and no secret is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// The card.
    pub uid: String,
    /// Its technology.
    pub technology: String,
    /// In what state it is.
    pub condition: CardCondition,
    /// The credential of this site that it holds.
    pub held: Option<ScannedCredential>,
    /// What it would hold.
    pub credential: ScannedCredential,
    /// The version of the site key that this would be sealed under.
    pub key_version: u8,
    /// Every place that would be written, in that order.
    pub changes: Vec<PlaceChange>,
}

/// One place on a card before and after, in upper-case hex; `••` stands for a byte that is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceChange {
    /// Where.
    pub location: String,
    /// What it holds; `None` when it was not read.
    pub before: Option<String>,
    /// What it would hold.
    pub after: String,
}

impl Preview {
    pub(crate) fn new(
        inspected: &Inspected,
        plan: &Plan,
        credential: &card::Credential,
        newest: card::KeyVersion,
    ) -> Self {
        Self {
            uid: inspected.uid().to_string(),
            technology: inspected.technology().slug().to_owned(),
            condition: convert::condition(inspected.condition()),
            held: inspected.credential().map(convert::scanned),
            credential: convert::scanned(credential),
            key_version: newest.get(),
            changes: plan
                .changes(inspected)
                .into_iter()
                .map(PlaceChange::from)
                .collect(),
        }
    }
}

impl From<Change> for PlaceChange {
    fn from(change: Change) -> Self {
        Self {
            location: change.location,
            before: change.before.map(|content| content.to_string()),
            after: change.after.to_string(),
        }
    }
}
