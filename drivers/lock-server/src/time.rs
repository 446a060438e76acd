//! Times in fields: minutes on the clock at the site, without a time zone.
//!
//! Hours count to 23. Clients that write them with a 12-hour pattern send two in the morning for two in the afternoon.

use encoder::LocalTime;

/// How a server writes times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// `hhmmDDMMYY`.
    Minutes,
    /// `HHDDMMYY`: whole hours.
    Hours,
}

/// Where a time goes that a server has no words for. A guest must not stand before a closed door within the time that
/// was ordered, so a beginning goes back and an end goes on, by less than an hour each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// To the hour that has begun.
    Back,
    /// To the next full hour, unless it is one.
    On,
}

/// The time is none that can be written in such a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoSuchTime;

impl Pattern {
    /// The field for a time.
    pub(crate) fn write(self, time: LocalTime, rounding: Rounding) -> Result<Vec<u8>, NoSuchTime> {
        if !exists(time) {
            return Err(NoSuchTime);
        }
        let LocalTime {
            year,
            month,
            day,
            hour,
            minute,
        } = self.rounded(time, rounding)?;
        let year = year % 100;
        let text = match self {
            Self::Minutes => format!("{hour:02}{minute:02}{day:02}{month:02}{year:02}"),
            Self::Hours => format!("{hour:02}{day:02}{month:02}{year:02}"),
        };
        Ok(text.into_bytes())
    }

    /// The time in a field; `None` when there is none in it.
    pub(crate) fn read(self, field: &[u8]) -> Option<LocalTime> {
        let has_minutes = self == Self::Minutes;
        let length = if has_minutes { 10 } else { 8 };
        if field.len() != length || !field.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut pairs = field
            .chunks(2)
            .map(|pair| (pair[0] - b'0') * 10 + (pair[1] - b'0'));
        let hour = pairs.next()?;
        let minute = if has_minutes { pairs.next()? } else { 0 };
        let (day, month) = (pairs.next()?, pairs.next()?);
        let year = 2000 + u16::from(pairs.next()?);
        let time = LocalTime {
            year,
            month,
            day,
            hour,
            minute,
        };
        exists(time).then_some(time)
    }

    fn rounded(self, time: LocalTime, rounding: Rounding) -> Result<LocalTime, NoSuchTime> {
        if self == Self::Minutes || time.minute == 0 {
            return Ok(time);
        }
        let begun = LocalTime { minute: 0, ..time };
        match rounding {
            Rounding::Back => Ok(begun),
            Rounding::On => next_hour(begun).ok_or(NoSuchTime),
        }
    }
}

fn next_hour(time: LocalTime) -> Option<LocalTime> {
    let LocalTime {
        year,
        month,
        day,
        hour,
        ..
    } = time;
    let next = if hour < 23 {
        LocalTime {
            hour: hour + 1,
            ..time
        }
    } else if day < days_in(year, month) {
        LocalTime {
            day: day + 1,
            hour: 0,
            ..time
        }
    } else if month < 12 {
        LocalTime {
            month: month + 1,
            day: 1,
            hour: 0,
            ..time
        }
    } else {
        LocalTime {
            year: year + 1,
            month: 1,
            day: 1,
            hour: 0,
            ..time
        }
    };
    exists(next).then_some(next)
}

fn exists(time: LocalTime) -> bool {
    (2000..2100).contains(&time.year)
        && (1..=12).contains(&time.month)
        && (1..=days_in(time.year, time.month)).contains(&time.day)
        && time.hour < 24
        && time.minute < 60
}

/// Every fourth year from 2000 to 2099 is a leap year.
fn days_in(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(year: u16, month: u8, day: u8, hour: u8, minute: u8) -> LocalTime {
        LocalTime {
            year,
            month,
            day,
            hour,
            minute,
        }
    }

    fn written(pattern: Pattern, time: LocalTime, rounding: Rounding) -> String {
        String::from_utf8(pattern.write(time, rounding).unwrap()).unwrap()
    }

    #[test]
    fn two_in_the_afternoon_is_fourteen() {
        let time = at(2026, 11, 21, 14, 0);
        assert_eq!(
            written(Pattern::Minutes, time, Rounding::Back),
            "1400211126"
        );
        assert_eq!(written(Pattern::Hours, time, Rounding::Back), "14211126");
        let midnight = at(2026, 1, 2, 0, 5);
        assert_eq!(
            written(Pattern::Minutes, midnight, Rounding::On),
            "0005020126"
        );
    }

    #[test]
    fn where_there_are_only_hours_a_stay_is_never_shorter_than_ordered() {
        for (time, back, on) in [
            (at(2026, 11, 21, 14, 0), "14211126", "14211126"),
            (at(2026, 11, 21, 14, 1), "14211126", "15211126"),
            (at(2026, 11, 21, 23, 59), "23211126", "00221126"),
            (at(2026, 11, 30, 23, 30), "23301126", "00011226"),
            (at(2026, 12, 31, 23, 30), "23311226", "00010127"),
            (at(2028, 2, 28, 23, 30), "23280228", "00290228"),
            (at(2027, 2, 28, 23, 30), "23280227", "00010327"),
        ] {
            assert_eq!(written(Pattern::Hours, time, Rounding::Back), back);
            assert_eq!(written(Pattern::Hours, time, Rounding::On), on);
        }
    }

    #[test]
    fn a_time_that_is_none_is_not_written() {
        for time in [
            at(1999, 12, 31, 0, 0),
            at(2100, 1, 1, 0, 0),
            at(2027, 2, 29, 0, 0),
            at(2026, 4, 31, 0, 0),
            at(2026, 0, 1, 0, 0),
            at(2026, 13, 1, 0, 0),
            at(2026, 1, 0, 0, 0),
            at(2026, 1, 1, 24, 0),
            at(2026, 1, 1, 0, 60),
        ] {
            assert_eq!(
                Pattern::Minutes.write(time, Rounding::On),
                Err(NoSuchTime),
                "{time:?}"
            );
        }
        let last = at(2099, 12, 31, 23, 30);
        assert_eq!(Pattern::Hours.write(last, Rounding::On), Err(NoSuchTime));
    }

    #[test]
    fn a_field_that_is_no_time_is_not_read_as_one() {
        for field in [
            "",
            "1400211126 ",
            "14002111",
            "2400211126",
            "1460211126",
            "1400310226",
            "14:0211126",
        ] {
            assert_eq!(Pattern::Minutes.read(field.as_bytes()), None, "{field}");
        }
        for field in ["1400211126", "24211126", "1421112"] {
            assert_eq!(Pattern::Hours.read(field.as_bytes()), None, "{field}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_rounded_outwards(
            year in 2000u16..2099, month in 1u8..=12, day in 1u8..=28, hour in 0u8..24, minute in 0u8..60,
        ) {
            let time = at(year, month, day, hour, minute);
            let read = |pattern: Pattern, rounding| pattern.read(&pattern.write(time, rounding).unwrap()).unwrap();
            prop_assert_eq!(read(Pattern::Minutes, Rounding::On), time);
            prop_assert!(read(Pattern::Hours, Rounding::Back) <= time);
            prop_assert!(read(Pattern::Hours, Rounding::On) >= time);
        }
    }
}
