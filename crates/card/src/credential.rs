//! A credential as a card carries it: who issued it, when it is good, which doors it opens.
//!
//! Every number is checked once, where it enters; from there on its type says that it fits the card.

use std::fmt;

use crate::CardFormat;
use crate::doors::Doors;

/// A number that does not fit a card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DoesNotFitCard {
    /// Credential numbers start at 1.
    #[error("a credential number is 1 to 4294967295, and this is 0")]
    CredentialNumber,
    /// A time before the card's calendar, or after it.
    #[error(
        "a card can tell times from 2020-01-01T00:00Z until 2051-11-24T20:14Z, and {unix_seconds} (seconds since 1970) is outside"
    )]
    Time {
        /// What was given, in seconds since 1970-01-01 UTC.
        unix_seconds: i64,
    },
    /// A count of minutes that takes more than 24 bits, or the value that stands for "no end".
    #[error("a card counts minutes from 0 to {max}, and this is {minutes}", max = Minute::MAX.get())]
    Minute {
        /// What was given.
        minutes: u32,
    },
    /// A stay that ends before it starts.
    #[error("the credential ends before it starts; its end must be its start or later")]
    EndsBeforeStart,
    /// An issue number of more than 24 bits.
    #[error("an issue number is 0 to {max}, and this is {number}", max = IssueNumber::MAX.get())]
    IssueNumber {
        /// What was given.
        number: u32,
    },
    /// A door number out of range.
    #[error("a door number on a card is 1 to 32767, and this is {number}")]
    DoorNumber {
        /// What was given.
        number: u32,
    },
    /// A common door number out of range.
    #[error("a common door number on a card is 0 to 32767, and this is {number}")]
    CommonDoorNumber {
        /// What was given.
        number: u32,
    },
    /// A range of rooms that is empty, too long, or runs past the last number.
    #[error(
        "a card holds 1 to {max} consecutive rooms up to number 32767, and this is {count} from {first}",
        max = crate::RoomRange::MAX_COUNT
    )]
    Rooms {
        /// The first room.
        first: u16,
        /// How many rooms were asked for.
        count: u8,
    },
}

/// A whole credential, without the place where it lies and the counters of that place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The form in which a card carries it.
    pub format: CardFormat,
    /// The number by which hub and card name it.
    pub number: CredentialNumber,
    /// Guest or staff.
    pub function: CardFunction,
    /// When it opens.
    pub validity: Validity,
    /// What decides at a guest door between two cards that both fit.
    pub issue: IssueNumber,
    /// What it opens.
    pub doors: Doors,
}

/// What a card is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardFunction {
    /// A guest: overrides, and is overridden.
    Guest,
    /// Staff: opens beside the guests and overrides nobody.
    Staff,
}

/// The number of a credential, never 0. Numbers from 0x8000_0000 up are given by a bridge that works without a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialNumber(u32);

impl CredentialNumber {
    /// Takes a number.
    ///
    /// # Errors
    /// [`DoesNotFitCard::CredentialNumber`] for 0.
    pub fn new(number: u32) -> Result<Self, DoesNotFitCard> {
        if number == 0 {
            return Err(DoesNotFitCard::CredentialNumber);
        }
        Ok(Self(number))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// A time as cards tell it: whole minutes since 2020-01-01T00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minute(u32);

impl Minute {
    /// The last minute a card can tell; the value after it stands for "no end".
    pub const MAX: Self = Self(0xFF_FFFE);

    /// 2020-01-01T00:00Z in seconds since 1970-01-01 UTC.
    const EPOCH: i64 = 1_577_836_800;

    /// Takes minutes since 2020-01-01T00:00Z.
    ///
    /// # Errors
    /// [`DoesNotFitCard::Minute`] above [`Minute::MAX`].
    pub fn new(minutes: u32) -> Result<Self, DoesNotFitCard> {
        if minutes > Self::MAX.0 {
            return Err(DoesNotFitCard::Minute { minutes });
        }
        Ok(Self(minutes))
    }

    /// The minute in which a moment lies, the moment given in seconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// [`DoesNotFitCard::Time`] before 2020 and after [`Minute::MAX`].
    pub fn containing(unix_seconds: i64) -> Result<Self, DoesNotFitCard> {
        let outside = DoesNotFitCard::Time { unix_seconds };
        let seconds = unix_seconds
            .checked_sub(Self::EPOCH)
            .ok_or_else(|| outside.clone())?;
        u32::try_from(seconds.div_euclid(60))
            .ok()
            .and_then(|minutes| Self::new(minutes).ok())
            .ok_or(outside)
    }

    /// Minutes since 2020-01-01T00:00Z.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The begin of the minute in seconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        Self::EPOCH + self.0 as i64 * 60
    }
}

/// From when until when a credential opens, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    start: Minute,
    end: Option<Minute>,
}

impl Validity {
    /// From `start` to `end`, or for ever.
    ///
    /// # Errors
    /// [`DoesNotFitCard::EndsBeforeStart`].
    pub fn new(start: Minute, end: Option<Minute>) -> Result<Self, DoesNotFitCard> {
        if end.is_some_and(|end| end < start) {
            return Err(DoesNotFitCard::EndsBeforeStart);
        }
        Ok(Self { start, end })
    }

    /// The first minute.
    #[must_use]
    pub const fn start(self) -> Minute {
        self.start
    }

    /// The last minute, if there is one.
    #[must_use]
    pub const fn end(self) -> Option<Minute> {
        self.end
    }
}

/// The number by which a guest door tells a later stay from an earlier one. Counted in minutes since 2020, so that
/// two offices that cannot ask each other still count upwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssueNumber(u32);

impl IssueNumber {
    /// The lowest: what a door remembers that has never seen a guest card.
    pub const MIN: Self = Self(0);
    /// The highest that a card can hold.
    pub const MAX: Self = Self(0xFF_FFFF);

    /// Takes a number.
    ///
    /// # Errors
    /// [`DoesNotFitCard::IssueNumber`] above [`IssueNumber::MAX`].
    pub fn new(number: u32) -> Result<Self, DoesNotFitCard> {
        if number > Self::MAX.0 {
            return Err(DoesNotFitCard::IssueNumber { number });
        }
        Ok(Self(number))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// Two bytes by which the credentials of a site are known without a key. Derived from the site's first key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SiteMark([u8; 2]);

impl SiteMark {
    /// Takes a mark that was kept when the key it comes from was put away.
    #[must_use]
    pub const fn new(bytes: [u8; 2]) -> Self {
        Self(bytes)
    }

    /// As it lies on the card.
    #[must_use]
    pub const fn bytes(self) -> [u8; 2] {
        self.0
    }
}

impl fmt::Debug for SiteMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SiteMark({:02X}{:02X})", self.0[0], self.0[1])
    }
}

/// How often the credential of a card has been written, 1 to FFFF: of two valid copies the higher one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u16);

impl Sequence {
    /// The first write.
    pub const FIRST: Self = Self(1);
    /// The last that a card can count; a card that has come here is worn out.
    pub const LAST: Self = Self(u16::MAX);

    /// Takes a sequence; 0 is none.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number == 0 {
            None
        } else {
            Some(Self(number))
        }
    }

    /// The one after this, unless the card is worn out.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// 1 to FFFF.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_count_from_the_begin_of_2020_to_november_2051() {
        assert_eq!(Minute::containing(1_577_836_800).unwrap().get(), 0);
        assert_eq!(Minute::containing(1_577_836_859).unwrap().get(), 0);
        assert_eq!(Minute::containing(1_577_836_860).unwrap().get(), 1);
        assert!(Minute::containing(1_577_836_799).is_err());
        assert_eq!(Minute::MAX.unix_seconds(), 2_584_469_640);
        assert_eq!(
            Minute::containing(Minute::MAX.unix_seconds() + 59),
            Ok(Minute::MAX)
        );
        for outside in [Minute::MAX.unix_seconds() + 60, i64::MIN, i64::MAX, 0] {
            let refused = Minute::containing(outside).unwrap_err();
            assert!(refused.to_string().contains(&outside.to_string()));
        }
    }

    #[test]
    fn a_stay_of_one_minute_is_allowed_and_one_that_ends_before_it_starts_is_not() {
        let minute = |minutes| Minute::new(minutes).unwrap();
        assert!(Validity::new(minute(5), Some(minute(5))).is_ok());
        assert!(Validity::new(minute(5), None).is_ok());
        assert_eq!(
            Validity::new(minute(5), Some(minute(4))),
            Err(DoesNotFitCard::EndsBeforeStart)
        );
    }

    #[test]
    fn what_does_not_fit_says_what_would() {
        for (refused, expected) in [
            (
                CredentialNumber::new(0).unwrap_err(),
                "a credential number is 1 to 4294967295, and this is 0",
            ),
            (
                Minute::new(0xFF_FFFF).unwrap_err(),
                "a card counts minutes from 0 to 16777214, and this is 16777215",
            ),
            (
                IssueNumber::new(0x100_0000).unwrap_err(),
                "an issue number is 0 to 16777215, and this is 16777216",
            ),
        ] {
            assert_eq!(refused.to_string(), expected);
        }
    }

    #[test]
    fn a_sequence_ends_at_ffff() {
        assert_eq!(Sequence::new(0), None);
        assert_eq!(Sequence::FIRST.next(), Sequence::new(2));
        assert_eq!(Sequence::LAST.next(), None);
    }
}
