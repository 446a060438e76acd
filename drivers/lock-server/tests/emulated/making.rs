//! Cards that are made and read, in both dialects.

use emulator::{Dialect, SpecialCard};
use encoder::{Certainty, ErrorKind, OrderKind, ServerCardContent};

use crate::hotel::{BOTH, Hotel, at, order};

const UID: &str = "04A1B2C3";

#[test]
fn what_was_ordered_is_on_the_card() {
    for dialect in BOTH {
        let hotel = Hotel::new(dialect);
        hotel.place(1, UID);
        let mut desk = hotel.open("1");
        let issued = desk.issue(&order(OrderKind::New, &["101", "103"])).unwrap();
        assert_eq!(issued.uid, UID.parse().ok(), "{dialect:?}");
        let card = desk.reads_a_guests_card();
        assert_eq!(card.rooms, ["101", "103"]);
        assert_eq!((card.copy, card.granted), (Some(0), vec![3, 6]));
        assert!(card.is_checked_in && !card.is_one_shot);
        assert_eq!(card.operator.as_deref(), Some("night desk"));
        // Onity knows hours only, and shortens no stay.
        let times = match dialect {
            Dialect::Salto => (at(21, 14, 20), at(22, 11, 30)),
            Dialect::Onity => (at(21, 14, 0), at(22, 12, 0)),
        };
        assert_eq!(
            (card.starts_at, card.ends_at),
            (Some(times.0), Some(times.1))
        );
        // The order, its reading back, and the reading.
        let served: Vec<_> = hotel
            .server
            .served()
            .iter()
            .map(|it| it.asked[0].clone())
            .collect();
        assert_eq!(served, ["CN", "LT", "LT"], "{dialect:?}");
    }
}

#[test]
fn a_copy_opens_beside_the_first_card_and_needs_one() {
    let hotel = Hotel::new(Dialect::Salto);
    hotel.place(1, UID);
    let mut desk = hotel.open("1");
    let refused = desk.issue(&order(OrderKind::Copy, &["101"])).unwrap_err();
    assert_eq!(
        (refused.certainty, refused.error.kind()),
        (Certainty::Unwritten, ErrorKind::Refused)
    );
    desk.issue(&order(OrderKind::New, &["101"])).unwrap();
    hotel.place(1, "04A1B2C4");
    desk.issue(&order(OrderKind::Copy, &["101"])).unwrap();
    assert_eq!(desk.reads_a_guests_card().copy, Some(1));
    hotel.place(1, UID);
    assert!(desk.reads_a_guests_card().is_checked_in);
}

#[test]
fn an_unknown_room_is_refused_by_name_and_makes_no_card() {
    for dialect in BOTH {
        let hotel = Hotel::new(dialect);
        hotel.place(1, UID);
        let refused = hotel
            .open("1")
            .issue(&order(OrderKind::New, &["999"]))
            .unwrap_err();
        assert_eq!(
            (refused.certainty, refused.error.kind()),
            (Certainty::Unwritten, ErrorKind::Refused)
        );
        let cause = std::error::Error::source(&refused.error)
            .unwrap()
            .to_string();
        assert!(cause.contains("999 (TD)"), "{cause}");
    }
}

#[test]
fn cards_that_are_no_guests_are_told() {
    for (dialect, special, content) in [
        (Dialect::Salto, SpecialCard::Staff, ServerCardContent::Staff),
        (Dialect::Salto, SpecialCard::Spare, ServerCardContent::Spare),
        (
            Dialect::Onity,
            SpecialCard::Diagnostic,
            ServerCardContent::Diagnostic,
        ),
    ] {
        let hotel = Hotel::new(dialect);
        hotel.place(1, UID);
        hotel.server.make_special("1", special).unwrap();
        assert_eq!(hotel.open("1").read().unwrap().content, content);
    }
}
