//! Moments as the protocol has them: the hotel's own time, two digits for the year, no time zone.

use super::Dialect;

/// A moment in the hotel's own time. Compares as time goes on, within one century.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HotelTime {
    // In this order, for comparing.
    year: u8,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
}

impl HotelTime {
    /// Reads `hhmmDDMMYY` from SALTO's clients and `HHDDMMYY` from Onity's (batiati/Onity `Command.cs`).
    pub(super) fn parse(dialect: Dialect, text: &[u8]) -> Option<HotelTime> {
        let digits: Vec<u8> = text
            .iter()
            .map(|byte| byte.is_ascii_digit().then(|| byte - b'0'))
            .collect::<Option<_>>()?;
        let pairs: Vec<u8> = digits
            .chunks(2)
            .map(|pair| Some(pair[0] * 10 + *pair.get(1)?))
            .collect::<Option<_>>()?;
        let (hour, minute, day, month, year) = match (dialect, &pairs[..]) {
            (Dialect::Salto, &[hour, minute, day, month, year]) => (hour, minute, day, month, year),
            (Dialect::Onity, &[hour, day, month, year]) => (hour, 0, day, month, year),
            _ => return None,
        };
        let is_real = hour < 24 && minute < 60 && day >= 1 && day <= days_of(month, year)?;
        is_real.then_some(HotelTime {
            year,
            month,
            day,
            hour,
            minute,
        })
    }

    /// As it is told to a client.
    pub(super) fn text(self, dialect: Dialect) -> Vec<u8> {
        let HotelTime {
            year,
            month,
            day,
            hour,
            minute,
        } = self;
        let text = match dialect {
            Dialect::Salto => format!("{hour:02}{minute:02}{day:02}{month:02}{year:02}"),
            Dialect::Onity => format!("{hour:02}{day:02}{month:02}{year:02}"),
        };
        text.into_bytes()
    }
}

/// Years are 2000 to 2099, of which every fourth is a leap year.
fn days_of(month: u8, year: u8) -> Option<u8> {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if year.is_multiple_of(4) { 29 } else { 28 }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::HotelTime;
    use crate::lock_server::Dialect;

    #[test]
    fn each_dialect_reads_and_tells_its_own_form_only() {
        for (dialect, text) in [
            (Dialect::Salto, "1405211126"),
            (Dialect::Salto, "2359290228"),
            (Dialect::Onity, "14211126"),
        ] {
            let time = HotelTime::parse(dialect, text.as_bytes()).unwrap();
            assert_eq!(time.text(dialect), text.as_bytes());
        }
        assert_eq!(HotelTime::parse(Dialect::Onity, b"1405211126"), None);
        assert_eq!(HotelTime::parse(Dialect::Salto, b"14211126"), None);
    }

    #[test]
    fn what_no_calendar_and_no_clock_has_is_refused() {
        for text in [
            "2400010126",
            "0060010126",
            "0000000126",
            "0000320126",
            "0000290227",
            "0000011326",
            "000001012",
            "00000101 6",
            "",
        ] {
            assert_eq!(
                HotelTime::parse(Dialect::Salto, text.as_bytes()),
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn later_is_greater() {
        let time = |text: &[u8]| HotelTime::parse(Dialect::Salto, text).unwrap();
        assert!(time(b"0000010127") > time(b"2359311226"));
        assert!(time(b"0000020126") > time(b"2359010126"));
        assert!(time(b"1201010126") > time(b"1200010126"));
    }
}
