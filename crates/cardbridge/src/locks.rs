//! The virtual locks of a site, one at each entrance. A lock here knows what a real one knows: its door, its keys, a
//! clock, and the highest issue number it saw; it never asks a hub, and it only ever reads a card.

mod reading;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use card::{CopiesRead, Door, IssueNumber, Lock, LockKeys, Minute, Refusal};
use emulator::Card;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

/// The locks of a site. Clones are the same locks, with one memory.
#[derive(Debug, Clone)]
pub struct Locks {
    by_entrance: Arc<Mutex<BTreeMap<Uuid, Lock>>>,
}

/// What a lock makes of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// It opens.
    pub granted: bool,
    /// Why it does not: a denial of [`card::Denial`], or `unreadable` for a card that it can make nothing of.
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
    /// New locks for these entrances. They have seen no card yet.
    #[must_use]
    pub fn new(keys: &LockKeys, entrances: impl IntoIterator<Item = (Uuid, Door)>) -> Self {
        let lock = |door| Lock::new(keys.clone(), door, IssueNumber::MIN);
        let by_entrance = entrances
            .into_iter()
            .map(|(id, door)| (id, lock(door)))
            .collect();
        Self {
            by_entrance: Arc::new(Mutex::new(by_entrance)),
        }
    }

    /// Shows a card to the lock of an entrance at a moment, wherever the card lies just then. With `commit` the lock
    /// remembers the issue number that a real one would store before it opens.
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
        let mut locks = self
            .by_entrance
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let lock = locks.get_mut(&entrance).ok_or(LockError::UnknownEntrance)?;
        Ok(match reading::read(card, lock.keys()) {
            Ok(copies) => weigh(lock, &copies, at, commit),
            Err(refusal) => Decision::unreadable(&refusal),
        })
    }
}

fn weigh(lock: &mut Lock, copies: &CopiesRead, at: Timestamp, commit: bool) -> Decision {
    // A moment that no card can tell is one at which no lock's clock is set.
    let now = Minute::containing(at.as_second()).ok();
    match lock.decide(copies, now) {
        card::Decision::Open { remember } => {
            if let (true, Some(issue)) = (commit, remember) {
                lock.remember(issue);
            }
            Decision {
                granted: true,
                reason: None,
            }
        }
        card::Decision::Denied(denial) => Decision::denied(denial.slug()),
    }
}

impl Decision {
    fn denied(reason: &'static str) -> Self {
        Self {
            granted: false,
            reason: Some(reason),
        }
    }

    fn unreadable(refusal: &Refusal) -> Self {
        tracing::debug!(%refusal, "a lock could make nothing of a card");
        Self::denied("unreadable")
    }
}

#[cfg(test)]
mod tests {
    use card::{DoorNumber, KeyVersion, SiteKey, SiteKeys};
    use emulator::{Cards, Origin, Technology};

    use super::*;

    fn lock_and_its_entrance() -> (Locks, Uuid) {
        let keys = SiteKeys::new(KeyVersion::FIRST, SiteKey::new([7; 32]));
        let entrance = Uuid::new_v4();
        let door = Door::Guest(DoorNumber::new(101).unwrap());
        (Locks::new(&keys.lock_keys(), [(entrance, door)]), entrance)
    }

    fn card(technology: Technology, origin: Origin) -> Card {
        let uid = "04A1B2C3".parse().unwrap();
        Cards::new().card(technology, uid, origin).unwrap()
    }

    #[test]
    fn a_blank_or_foreign_card_opens_nothing_and_is_left_as_it_was() {
        let (locks, entrance) = lock_and_its_entrance();
        for (technology, origin) in [
            (Technology::MifareClassic1k, Origin::Factory),
            (Technology::MifareClassic1k, Origin::Foreign),
            (Technology::MifareClassicMini, Origin::Factory),
            (Technology::MifareClassic4k, Origin::Factory),
        ] {
            let card = card(technology, origin);
            let before = card.memory();
            let decision = locks.decide(entrance, &card, Timestamp::now(), true);
            assert_eq!(decision, Ok(Decision::denied("no_credential")));
            assert_eq!(card.memory(), before);
        }
    }

    #[test]
    fn an_entrance_of_another_site_has_no_lock_here() {
        let (locks, _) = lock_and_its_entrance();
        let card = card(Technology::MifareClassic1k, Origin::Factory);
        let decision = locks.decide(Uuid::new_v4(), &card, Timestamp::now(), false);
        assert_eq!(decision, Err(LockError::UnknownEntrance));
    }
}
