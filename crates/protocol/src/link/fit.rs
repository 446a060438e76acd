//! Whether a credential is one that a format can express: both sides ask before they hand it on.
//!
//! The limits of a format (CARDS §1), not of a card: how much a card holds is known where the card lies.

use super::{CardFormat, Credential};

/// How many consecutive rooms a credential has at most.
pub const MOST_CONSECUTIVE_ROOMS: u8 = 33;
/// How many common doors are bits of their own, from 0.
pub const COMMON_DOORS_WITH_A_BIT: u8 = 28;
/// The highest number of a door.
pub const HIGHEST_DOOR: u16 = 32_767;

/// The first second of the card's calendar, 2020-01-01 UTC.
const CALENDAR_BEGINS: i64 = 1_577_836_800;
/// The last minute of the calendar; the one above means "no end".
const LAST_MINUTE: i64 = 0xFF_FFFE;
const HIGHEST_ISSUE_NUMBER: u32 = 0xFF_FFFF;

/// A credential that no format can express, with what is wrong and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DoesNotFitFormat {
    /// It has no number.
    #[error("credential numbers begin at 1, and this one is 0; ask for a new credential")]
    Number,
    /// A time outside the calendar, or an end that is not a minute after the start.
    #[error(
        "a card holds times from 2020-01-01 to 2051-11-24 with the end at least a minute after the start; choose others"
    )]
    Times,
    /// An issue number of more than 24 bits.
    #[error("an issue number is at most 16777215, and this is {0}; ask for a new credential")]
    IssueNumber(u32),
    /// A run of rooms that is too long or leaves the numbers.
    #[error(
        "a credential has up to 33 consecutive rooms of 1 to 32767, and this one has {count} from {first}; ask for fewer"
    )]
    Rooms {
        /// The first of the run.
        first: u16,
        /// How many.
        count: u8,
    },
    /// A common door without a bit, or named twice.
    #[error(
        "common doors are named once each by their bits 0 to 27, and {0} is not; name it among the additional doors"
    )]
    CommonDoor(u8),
    /// An additional door that is none.
    #[error("an additional door has a number from 1 to 32767, and this is {0}; leave it out")]
    AdditionalDoor(u16),
    /// More additional doors than the format has.
    #[error("{} holds up to {most} additional doors, and this credential has {given}; ask for fewer", .format.name())]
    TooManyAdditional {
        /// The format.
        format: CardFormat,
        /// How many it holds.
        most: usize,
        /// How many there are.
        given: usize,
    },
}

impl CardFormat {
    /// As the API writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rfid48 => "rfid48",
            Self::TLCode => "TLCode",
        }
    }

    /// How many doors a credential has beside its run of rooms and its bits: the fields of `rfid48`; for `TLCode`, which
    /// counts none, a bound of our own. A card may hold fewer.
    #[must_use]
    pub fn most_additional_doors(self) -> usize {
        match self {
            Self::Rfid48 => 7,
            Self::TLCode => 255,
        }
    }
}

impl Credential {
    /// Whether its format can express it.
    ///
    /// # Errors
    /// With the first thing that it cannot.
    pub fn check(&self) -> Result<(), DoesNotFitFormat> {
        if self.number == 0 {
            return Err(DoesNotFitFormat::Number);
        }
        if self.issue_number > HIGHEST_ISSUE_NUMBER {
            return Err(DoesNotFitFormat::IssueNumber(self.issue_number));
        }
        self.check_times()?;
        self.check_doors()
    }

    fn check_times(&self) -> Result<(), DoesNotFitFormat> {
        let minute = |time: jiff::Timestamp| (time.as_second() - CALENDAR_BEGINS).div_euclid(60);
        let start = minute(self.starts_at);
        let end = self.ends_at.map_or(LAST_MINUTE + 1, minute);
        let is_in_calendar =
            (0..=LAST_MINUTE).contains(&start) && self.ends_at.is_none_or(|_| end <= LAST_MINUTE);
        if is_in_calendar && start < end {
            Ok(())
        } else {
            Err(DoesNotFitFormat::Times)
        }
    }

    fn check_doors(&self) -> Result<(), DoesNotFitFormat> {
        let (first, count) = (self.first_room, self.room_count);
        let is_a_run = match count {
            0 => first == 0,
            1..=MOST_CONSECUTIVE_ROOMS => first > 0 && first <= HIGHEST_DOOR + 1 - u16::from(count),
            _ => false,
        };
        if !is_a_run {
            return Err(DoesNotFitFormat::Rooms { first, count });
        }
        let mut bits = 0_u32;
        for &door in &self.common_doors {
            let bit = 1_u32.checked_shl(door.into()).unwrap_or(0);
            if door >= COMMON_DOORS_WITH_A_BIT || bits & bit != 0 {
                return Err(DoesNotFitFormat::CommonDoor(door));
            }
            bits |= bit;
        }
        let (most, given) = (
            self.format.most_additional_doors(),
            self.additional_doors.len(),
        );
        if given > most {
            return Err(DoesNotFitFormat::TooManyAdditional {
                format: self.format,
                most,
                given,
            });
        }
        let mut numbers = self.additional_doors.iter().map(|door| door.number);
        match numbers.find(|number| !(1..=HIGHEST_DOOR).contains(number)) {
            Some(number) => Err(DoesNotFitFormat::AdditionalDoor(number)),
            None => Ok(()),
        }
    }
}
