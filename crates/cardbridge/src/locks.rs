//! The virtual locks of a site, one at each entrance: the only place where emulated cards and the reference lock meet.
//! A lock here knows what a real one knows: its door, its keys, a clock, and the issue number it saw last.

use emulator::Card;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

/// The locks of a site. Clones are the same locks.
#[derive(Debug, Clone)]
pub struct Locks;

/// What a lock makes of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// It opens.
    pub granted: bool,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

/// Why a lock was not asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// No such entrance.
    #[error("this site has no entrance with that id; /acs/entrances/list has those there are")]
    UnknownEntrance,
}

impl Locks {
    /// Shows a card to the lock of an entrance at a moment. With `commit` the lock remembers what it saw.
    ///
    /// # Errors
    /// There is no such entrance.
    pub fn decide(
        &self,
        entrance: Uuid,
        card: &Card,
        at: Timestamp,
        commit: bool,
    ) -> Result<Decision, LockError> {
        let _ = (entrance, card, at, commit);
        Err(LockError::UnknownEntrance)
    }
}
