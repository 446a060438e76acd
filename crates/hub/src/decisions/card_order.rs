//! What of a credential a lock server is asked to make a card for. Pure.

use protocol::link::{Order, OrderKind};

use crate::doors::DoorCategory;
use crate::moment::Moment;
use crate::store::credentials::{CardFunction, CredentialWithDoors};

/// How many rooms one card of a lock server opens (Industry Standard protocol, CN: room 1 to room 4).
const MOST_ROOMS: usize = 4;

/// Why a lock server makes no card for a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotForAServer {
    #[error("a lock server makes cards for guests only; encode a staff card on another encoder")]
    Staff,
    #[error(
        "a lock server knows common doors by numbers of its own, which this hub does not have; leave {} out, and let the \
         lock server grant it to all guests",
        .0.join(", ")
    )]
    CommonDoors(Vec<String>),
    #[error(
        "a lock server makes cards for 1 to 4 rooms, and this credential has {0}; create one with fewer"
    )]
    Rooms(usize),
    #[error("a lock server makes only cards that end; create a credential with ends_at")]
    NoEnd,
}

/// The order for a credential. Its doors come in the order in which they were added to the site; the first room is the
/// main one. `time_zone` is the site's IANA name.
pub(crate) fn for_the_server(
    found: &CredentialWithDoors,
    time_zone: &str,
) -> Result<Order, NotForAServer> {
    let credential = &found.credential;
    let names = |category: DoorCategory| -> Vec<String> {
        let doors = found.entrances.iter();
        doors
            .filter(|entrance| entrance.category == category)
            .map(|entrance| entrance.name.clone())
            .collect()
    };
    if credential.card_function == CardFunction::Staff {
        return Err(NotForAServer::Staff);
    }
    let common = names(DoorCategory::Common);
    if !common.is_empty() {
        return Err(NotForAServer::CommonDoors(common));
    }
    let rooms = names(DoorCategory::Guest);
    if rooms.is_empty() || rooms.len() > MOST_ROOMS {
        return Err(NotForAServer::Rooms(rooms.len()));
    }
    let minute = |moment: Moment| moment.to_the_minute().timestamp();
    Ok(Order {
        acs_credential_id: credential.acs_credential_id.0,
        kind: if credential.is_override {
            OrderKind::New
        } else {
            OrderKind::Copy
        },
        rooms,
        starts_at: minute(credential.starts_at),
        ends_at: minute(credential.ends_at.ok_or(NotForAServer::NoEnd)?),
        time_zone: time_zone.to_owned(),
        // The hub knows keys, not persons; the entry of the encoder names an operator.
        operator: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::rows;

    const ZONE: &str = "Europe/Berlin";

    #[test]
    fn rooms_go_by_their_names_and_joiners_are_copies() {
        let mut found = rows::with_rooms(rows::credential(5), &[101, 102]);
        let order = for_the_server(&found, ZONE).unwrap();
        assert_eq!(order.rooms, ["guest 101", "guest 102"]);
        assert_eq!(order.kind, OrderKind::New);
        assert_eq!(order.time_zone, ZONE);
        found.credential.is_override = false;
        assert_eq!(for_the_server(&found, ZONE).unwrap().kind, OrderKind::Copy);
    }

    #[test]
    fn what_a_lock_server_cannot_make_is_named() {
        let refused = |change: fn(&mut CredentialWithDoors)| {
            let mut found = rows::with_rooms(rows::credential(5), &[101]);
            change(&mut found);
            for_the_server(&found, ZONE).unwrap_err()
        };
        assert_eq!(
            refused(|found| found.credential.card_function = CardFunction::Staff),
            NotForAServer::Staff
        );
        assert_eq!(
            refused(|found| found
                .entrances
                .push(rows::entrance(DoorCategory::Common, 3))),
            NotForAServer::CommonDoors(vec!["common 3".to_owned()])
        );
        assert_eq!(
            refused(|found| found.entrances.clear()),
            NotForAServer::Rooms(0)
        );
        assert_eq!(
            refused(|found| *found = rows::with_rooms(rows::credential(5), &[1, 2, 3, 4, 5])),
            NotForAServer::Rooms(5)
        );
        assert_eq!(
            refused(|found| found.credential.ends_at = None),
            NotForAServer::NoEnd
        );
    }
}
