//! The reference lock: what a door decides from what it has read, its own clock and the highest issue number it knows.
//!
//! It is the rule that lock makers implement and that the lab's doors run. It decides only; whoever owns the door
//! stores what [`Decision::Open`] says to remember, durably and *before* the door opens.

use std::fmt;

use crate::copies::{Counts, which_counts};
use crate::format::{self, Opened};
use crate::placing::{CopyIndex, Place};
use crate::read_copies::CopiesRead;
use crate::{
    CardFunction, CommonDoorNumber, Credential, DoorNumber, IssueNumber, LockKeys, Minute,
};

/// How far the clocks of a lock and of the office may lie apart, in minutes.
const CLOCK_TOLERANCE: u32 = 15;

/// Which door a lock is mounted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// A room: a later stay overrides an earlier one.
    Guest(DoorNumber),
    /// A door for many: it neither compares nor remembers issue numbers.
    Common(CommonDoorNumber),
}

/// A lock: its keys, its door, and what it remembers.
#[derive(Debug, Clone)]
pub struct Lock {
    keys: LockKeys,
    door: Door,
    highest_issue: IssueNumber,
}

/// What the lock does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The door opens.
    Open {
        /// The issue number to store durably before it does.
        remember: Option<IssueNumber>,
    },
    /// The door stays shut, and nothing is remembered.
    Denied(Denial),
}

impl Decision {
    /// Whether the door opens.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open { .. })
    }
}

/// Why a door stays shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Denial {
    /// Neither copy is valid on this card in this place.
    NoCredential,
    /// Two valid copies with equal sequences contradict each other.
    Ambiguous,
    /// The lock does not know the time.
    ClockUnset,
    /// It is too early.
    NotYetValid,
    /// It is too late.
    Expired,
    /// The credential does not open this door.
    WrongDoor,
    /// A later stay has opened this room.
    Overridden,
}

impl Denial {
    /// Its name in interfaces, `not_yet_valid`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::NoCredential => "no_credential",
            Self::Ambiguous => "ambiguous",
            Self::ClockUnset => "clock_unset",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::WrongDoor => "wrong_door",
            Self::Overridden => "overridden",
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

impl Lock {
    /// A lock on `door` that remembers `highest_issue` ([`IssueNumber::MIN`] when it is new).
    #[must_use]
    pub fn new(keys: LockKeys, door: Door, highest_issue: IssueNumber) -> Self {
        Self {
            keys,
            door,
            highest_issue,
        }
    }

    /// The keys it reads cards with.
    #[must_use]
    pub fn keys(&self) -> &LockKeys {
        &self.keys
    }

    /// The highest issue number it remembers.
    #[must_use]
    pub fn highest_issue(&self) -> IssueNumber {
        self.highest_issue
    }

    /// Takes what [`Decision::Open`] said to remember, after it was stored.
    pub fn remember(&mut self, issue: IssueNumber) {
        self.highest_issue = self.highest_issue.max(issue);
    }

    /// Decides, in this order: tag, time, door, issue number. `now` is `None` while the clock is not set.
    #[must_use]
    pub fn decide(&self, card: &CopiesRead, now: Option<Minute>) -> Decision {
        match self.weigh(card, now) {
            Ok(remember) => Decision::Open { remember },
            Err(denial) => Decision::Denied(denial),
        }
    }

    fn weigh(&self, card: &CopiesRead, now: Option<Minute>) -> Result<Option<IssueNumber>, Denial> {
        let credential = self.credential(card)?;
        check_time(&credential, now.ok_or(Denial::ClockUnset)?)?;
        if !self.is_named_by(&credential) {
            return Err(Denial::WrongDoor);
        }
        let compares =
            matches!(self.door, Door::Guest(_)) && credential.function == CardFunction::Guest;
        if !compares || credential.issue == self.highest_issue {
            return Ok(None);
        }
        if credential.issue < self.highest_issue {
            return Err(Denial::Overridden);
        }
        Ok(Some(credential.issue))
    }

    /// The credential that counts.
    fn credential(&self, card: &CopiesRead) -> Result<Credential, Denial> {
        let mut copies = CopyIndex::BOTH.map(|copy| self.open_copy(card, copy));
        let pair = copies.each_ref().map(|copy| {
            copy.as_ref()
                .map(|opened| (opened.sequence, &opened.credential))
        });
        match which_counts(pair) {
            Counts::Neither => Err(Denial::NoCredential),
            Counts::Ambiguous => Err(Denial::Ambiguous),
            Counts::This(copy) => copies[copy.index()]
                .take()
                .map(|opened| opened.credential)
                .ok_or(Denial::NoCredential),
        }
    }

    fn open_copy(&self, card: &CopiesRead, copy: CopyIndex) -> Option<Opened> {
        let place = Place {
            technology: card.technology,
            uid: card.uid,
            copy,
        };
        let bytes = card.copies[copy.index()].as_ref()?;
        format::open(bytes, &self.keys, &place).ok()
    }

    fn is_named_by(&self, credential: &Credential) -> bool {
        match self.door {
            Door::Guest(door) => credential.doors.guest_doors().any(|named| named == door),
            Door::Common(door) => credential.doors.common_doors().any(|named| named == door),
        }
    }
}

fn check_time(credential: &Credential, now: Minute) -> Result<(), Denial> {
    let validity = credential.validity;
    if now.get() + CLOCK_TOLERANCE < validity.start().get() {
        return Err(Denial::NotYetValid);
    }
    match validity.end() {
        Some(end) if now.get() > end.get() + CLOCK_TOLERANCE => Err(Denial::Expired),
        _ => Ok(()),
    }
}
