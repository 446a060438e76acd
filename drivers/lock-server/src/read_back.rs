//! Whether a card that a server says it made is the one that was ordered, as the server itself reads it.

use card::Uid;
use encoder::{Order, ServerCard, ServerCardContent, ServerGuestCard};

use crate::dialect::Dialect;
use crate::request::show;
use crate::time::Rounding;

/// What on the card speaks against it being the one that was made, in words; `None` when nothing does.
///
/// A card with another number than the server told was put on after it, and says nothing of the first one.
pub(crate) fn difference(
    dialect: Dialect,
    order: &Order,
    made: Option<Uid>,
    read: &ServerCard,
) -> Option<String> {
    if made.zip(read.uid).is_some_and(|(made, read)| made != read) {
        return None;
    }
    match &read.content {
        ServerCardContent::Guest(card) => of_guest(dialect, order, card),
        ServerCardContent::Staff => Some("it is a member of staff's".to_owned()),
        ServerCardContent::Spare => Some("it is a spare card".to_owned()),
        ServerCardContent::Invalid => Some("it is not valid".to_owned()),
        ServerCardContent::Unidentified => Some("it is of another site, or unreadable".to_owned()),
        ServerCardContent::Diagnostic => Some("it is a diagnostic card".to_owned()),
    }
}

fn of_guest(dialect: Dialect, order: &Order, card: &ServerGuestCard) -> Option<String> {
    let rules = dialect.rules();
    if comparable(&order.rooms) != comparable(&card.rooms) {
        let (ordered, read) = (order.rooms.join(", "), card.rooms.join(", "));
        return Some(format!("it opens {read}, not {ordered}"));
    }
    if !card.is_checked_in {
        return Some("its guest has checked out".to_owned());
    }
    let ends_at = rules.times.write(order.ends_at, Rounding::On).ok();
    let ends_at = ends_at.and_then(|field| rules.times.read(&field));
    match card.ends_at {
        // To Onity an empty field means a card that never ends; SALTO does not say what it means there.
        None => (dialect == Dialect::Onity).then(|| "it never ends".to_owned()),
        read if read == ends_at => None,
        Some(read) => Some(format!("it ends at {}", show(&read))),
    }
}

/// The main room, then the others in any order; names as a server may write them.
fn comparable(rooms: &[String]) -> Vec<String> {
    let mut names: Vec<_> = rooms
        .iter()
        .map(|room| room.trim().to_lowercase())
        .collect();
    if let Some((_, others)) = names.split_first_mut() {
        others.sort();
    }
    names
}

#[cfg(test)]
mod tests {
    use encoder::{LocalTime, OrderKind};

    use super::*;

    fn at(hour: u8, minute: u8) -> LocalTime {
        LocalTime {
            year: 2026,
            month: 11,
            day: 22,
            hour,
            minute,
        }
    }

    fn order() -> Order {
        Order {
            kind: OrderKind::New,
            rooms: ["101", "Suite 1", "102"].map(str::to_owned).to_vec(),
            granted: vec![],
            denied: vec![],
            starts_at: None,
            ends_at: at(11, 30),
            operator: None,
        }
    }

    fn guest() -> ServerGuestCard {
        ServerGuestCard {
            rooms: ["101", "102", "SUITE 1"].map(str::to_owned).to_vec(),
            is_checked_in: true,
            copy: Some(0),
            is_one_shot: false,
            granted: vec![],
            starts_at: None,
            ends_at: Some(at(11, 30)),
            operator: None,
        }
    }

    fn of(
        dialect: Dialect,
        made: Option<&str>,
        read: Option<&str>,
        card: ServerGuestCard,
    ) -> Option<String> {
        let uid = |text: Option<&str>| text.map(|it| it.parse().unwrap());
        let content = ServerCardContent::Guest(Box::new(card));
        difference(
            dialect,
            &order(),
            uid(made),
            &ServerCard {
                uid: uid(read),
                content,
            },
        )
    }

    #[test]
    fn the_card_that_was_ordered_is_known_again() {
        assert_eq!(of(Dialect::Salto, None, None, guest()), None);
        let rounded = ServerGuestCard {
            ends_at: Some(at(12, 0)),
            ..guest()
        };
        assert_eq!(
            of(Dialect::Onity, Some("04112233"), Some("04112233"), rounded),
            None
        );
        let untold = ServerGuestCard {
            ends_at: None,
            ..guest()
        };
        assert_eq!(of(Dialect::Salto, None, None, untold), None);
    }

    #[test]
    fn another_card_is_told_by_what_it_opens_and_until_when() {
        let rooms = |names: &[&str]| names.iter().map(|&it| it.to_owned()).collect();
        for (card, expected) in [
            (
                ServerGuestCard {
                    rooms: rooms(&["102", "101", "Suite 1"]),
                    ..guest()
                },
                "opens 102",
            ),
            (
                ServerGuestCard {
                    rooms: rooms(&["101"]),
                    ..guest()
                },
                "opens 101, not",
            ),
            (
                ServerGuestCard {
                    is_checked_in: false,
                    ..guest()
                },
                "checked out",
            ),
            (
                ServerGuestCard {
                    ends_at: Some(at(11, 31)),
                    ..guest()
                },
                "ends at 2026-11-22 11:31",
            ),
        ] {
            let found = of(Dialect::Salto, None, None, card).unwrap();
            assert!(found.contains(expected), "{found}");
        }
        let endless = ServerGuestCard {
            ends_at: None,
            ..guest()
        };
        assert_eq!(
            of(Dialect::Onity, None, None, endless).as_deref(),
            Some("it never ends")
        );
        // In Onity's hours it would have been twelve.
        assert!(of(Dialect::Onity, None, None, guest()).is_some());
    }

    #[test]
    fn a_card_that_is_no_guests_is_not_the_one_that_was_made() {
        for content in [
            ServerCardContent::Staff,
            ServerCardContent::Spare,
            ServerCardContent::Invalid,
            ServerCardContent::Unidentified,
            ServerCardContent::Diagnostic,
        ] {
            let card = ServerCard { uid: None, content };
            assert!(difference(Dialect::Salto, &order(), None, &card).is_some());
        }
    }

    #[test]
    fn a_card_that_was_put_on_afterwards_says_nothing() {
        let other = ServerGuestCard {
            rooms: vec!["999".to_owned()],
            ..guest()
        };
        assert_eq!(
            of(
                Dialect::Salto,
                Some("04112233"),
                Some("04AAAAAA"),
                other.clone()
            ),
            None
        );
        assert!(of(Dialect::Salto, None, Some("04AAAAAA"), other).is_some());
    }
}
