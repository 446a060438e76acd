//! Orders to lock servers and what these read on cards: instants become minutes of the clock on the site's wall.
//!
//! An instant has one time on that clock, also in the night when it is set back; which of the two equal times a lock
//! server means then, only the server knows.

use encoder::{LocalTime, Order, OrderKind, ServerCard, ServerCardContent, ServerGuestCard};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use protocol::link;

/// How many rooms one card of a lock server opens: the fields of a request (Industry Standard protocol, CN).
const MOST_ROOMS: usize = 4;

/// An order on the link that no lock server understands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidOrder {
    /// No room, too many, or one without a name.
    #[error("a lock server makes cards for 1 to 4 rooms with names, and this order has {0:?}")]
    Rooms(Vec<String>),
    /// A zone that this PC does not know.
    #[error("the time zone {0:?} of the site is not known here; give the site an IANA name")]
    TimeZone(String),
    /// Lock servers write two digits for a year.
    #[error("a lock server knows the years 2000 to 2099, and {0} is not in them")]
    Year(DateTime),
    /// Over before it began, by the clock at the site.
    #[error("by the clock at the site the card would end at {ends}, before it opens at {starts}")]
    Ends {
        /// From when it opens.
        starts: DateTime,
        /// Until when.
        ends: DateTime,
    },
}

/// The order that an offer asks to place.
pub(crate) fn order(wire: &link::Order) -> Result<Order, InvalidOrder> {
    let names_all = wire.rooms.iter().all(|room| !room.is_empty());
    if wire.rooms.is_empty() || wire.rooms.len() > MOST_ROOMS || !names_all {
        return Err(InvalidOrder::Rooms(wire.rooms.clone()));
    }
    let zone = TimeZone::get(&wire.time_zone)
        .map_err(|_| InvalidOrder::TimeZone(wire.time_zone.clone()))?;
    let (starts, ends) = (
        on_the_wall(wire.starts_at, &zone),
        on_the_wall(wire.ends_at, &zone),
    );
    if ends <= starts {
        return Err(InvalidOrder::Ends { starts, ends });
    }
    Ok(Order {
        kind: match wire.kind {
            link::OrderKind::New => OrderKind::New,
            link::OrderKind::Copy => OrderKind::Copy,
        },
        rooms: wire.rooms.clone(),
        granted: Vec::new(),
        denied: Vec::new(),
        starts_at: Some(minute(starts)?),
        ends_at: minute(ends)?,
        operator: wire.operator.clone(),
    })
}

/// What the clock at the site shows at an instant.
fn on_the_wall(instant: Timestamp, zone: &TimeZone) -> DateTime {
    zone.to_datetime(instant)
}

fn minute(time: DateTime) -> Result<LocalTime, InvalidOrder> {
    let year = u16::try_from(time.year())
        .ok()
        .filter(|year| (2000..=2099).contains(year));
    Ok(LocalTime {
        year: year.ok_or(InvalidOrder::Year(time))?,
        month: time.month().unsigned_abs(),
        day: time.day().unsigned_abs(),
        hour: time.hour().unsigned_abs(),
        minute: time.minute().unsigned_abs(),
    })
}

/// What a lock server read on a card.
pub(crate) fn server_card(card: &ServerCard) -> link::ServerCard {
    link::ServerCard {
        uid: card.uid.map(|uid| uid.to_string()),
        content: match &card.content {
            ServerCardContent::Guest(guest) => link::ServerCardContent::Guest(guest_card(guest)),
            ServerCardContent::Staff => link::ServerCardContent::Staff,
            ServerCardContent::Spare => link::ServerCardContent::Spare,
            ServerCardContent::Invalid => link::ServerCardContent::Invalid,
            ServerCardContent::Unidentified => link::ServerCardContent::Unidentified,
            ServerCardContent::Diagnostic => link::ServerCardContent::Diagnostic,
        },
    }
}

fn guest_card(guest: &ServerGuestCard) -> link::ServerGuestCard {
    link::ServerGuestCard {
        rooms: guest.rooms.clone(),
        is_checked_in: guest.is_checked_in,
        copy: guest.copy,
        is_one_shot: guest.is_one_shot,
        granted: guest.granted.clone(),
        starts_at: guest.starts_at.and_then(shown),
        ends_at: guest.ends_at.and_then(shown),
        operator: guest.operator.clone(),
    }
}

/// `None` for what is on no calendar, such as a 31st of February.
fn shown(time: LocalTime) -> Option<DateTime> {
    let small = |number: u8| i8::try_from(number).ok();
    DateTime::new(
        i16::try_from(time.year).ok()?,
        small(time.month)?,
        small(time.day)?,
        small(time.hour)?,
        small(time.minute)?,
        0,
        0,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn wire(starts_at: &str, ends_at: &str) -> link::Order {
        link::Order {
            acs_credential_id: Uuid::nil(),
            kind: link::OrderKind::New,
            rooms: vec!["101".to_owned()],
            starts_at: starts_at.parse().unwrap(),
            ends_at: ends_at.parse().unwrap(),
            time_zone: "Europe/Berlin".to_owned(),
            operator: None,
        }
    }

    fn times(starts_at: &str, ends_at: &str) -> (String, String) {
        let order = order(&wire(starts_at, ends_at)).unwrap();
        let text = |time| shown(time).unwrap().to_string();
        (text(order.starts_at.unwrap()), text(order.ends_at))
    }

    #[test]
    fn a_stay_is_ordered_by_the_clock_at_the_site_on_both_sides_of_a_change() {
        // Clocks in Berlin go from 02:00 to 03:00 on 2026-03-29 and from 03:00 to 02:00 on 2026-10-25, at 01:00 UTC.
        for (starts_at, ends_at, local_start, local_end) in [
            (
                "2026-11-22T14:00:00Z",
                "2026-11-25T10:00:00Z",
                "2026-11-22T15:00:00",
                "2026-11-25T11:00:00",
            ),
            (
                "2026-03-28T14:00:00Z",
                "2026-03-29T09:00:00Z",
                "2026-03-28T15:00:00",
                "2026-03-29T11:00:00",
            ),
            (
                "2026-03-29T00:59:00Z",
                "2026-03-29T01:00:00Z",
                "2026-03-29T01:59:00",
                "2026-03-29T03:00:00",
            ),
            (
                "2026-10-24T13:00:00Z",
                "2026-10-25T10:00:00Z",
                "2026-10-24T15:00:00",
                "2026-10-25T11:00:00",
            ),
            (
                "2026-10-24T23:30:00Z",
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:30:00",
                "2026-10-25T02:30:00",
            ),
            (
                "2026-10-24T23:30:00Z",
                "2026-10-25T01:30:00Z",
                "2026-10-25T01:30:00",
                "2026-10-25T02:30:00",
            ),
        ] {
            let expected = (local_start.to_owned(), local_end.to_owned());
            assert_eq!(
                times(starts_at, ends_at),
                expected,
                "{starts_at} to {ends_at}"
            );
        }
    }

    #[test]
    fn a_stay_that_a_clock_set_back_leaves_no_time_for_is_refused() {
        let refused = order(&wire("2026-10-25T00:30:00Z", "2026-10-25T01:15:00Z"));
        assert!(
            matches!(refused, Err(InvalidOrder::Ends { .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn what_no_lock_server_understands_is_refused() {
        let good = wire("2026-11-22T14:00:00Z", "2026-11-25T10:00:00Z");
        let refused = |change: fn(&mut link::Order)| {
            let mut changed = good.clone();
            change(&mut changed);
            order(&changed).unwrap_err()
        };
        for change in [
            (|order: &mut link::Order| order.rooms.clear()) as fn(&mut link::Order),
            |order| order.rooms = vec![String::new()],
            |order| order.rooms = (1..=5).map(|room| room.to_string()).collect(),
        ] {
            assert!(matches!(refused(change), InvalidOrder::Rooms(_)));
        }
        assert_eq!(
            refused(|order| order.time_zone = "Europe/Atlantis".to_owned()),
            InvalidOrder::TimeZone("Europe/Atlantis".to_owned())
        );
        assert!(matches!(
            refused(|order| order.ends_at = "2100-01-01T00:00:00Z".parse().unwrap()),
            InvalidOrder::Year(_)
        ));
    }

    #[test]
    fn a_day_that_is_on_no_calendar_is_left_out_of_a_scan() {
        let time = LocalTime {
            year: 2026,
            month: 2,
            day: 31,
            hour: 11,
            minute: 0,
        };
        assert_eq!(shown(time), None);
    }
}
