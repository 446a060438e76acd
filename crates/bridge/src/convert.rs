//! Between the link's JSON and the types of `card` and `encoder`, which are not serialisable.

mod lock_server;

use card::{
    AdditionalDoor, CardFormat, CardFunction, CommonDoors, CredentialNumber, DoesNotFitCard,
    DoorNumber, Doors, IssueNumber, Minute, RoomRange, Validity,
};
use jiff::Timestamp;
use protocol::link;

use self::lock_server::InvalidOrder;
pub(crate) use self::lock_server::{order, server_card};

/// A credential on the link that no card can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidCredential {
    /// What its format cannot express.
    #[error(transparent)]
    Unfit(#[from] link::DoesNotFitFormat),
    /// A number out of its range.
    #[error(transparent)]
    Number(#[from] DoesNotFitCard),
    /// A common door that has no bit.
    #[error("a common door's bit is 0 to 27, and this is {0}")]
    CommonDoor(u8),
    /// An order that no lock server understands.
    #[error(transparent)]
    Order(#[from] InvalidOrder),
}

/// How far the identity of an encoder reaches.
pub(crate) fn identity_scope(scope: encoder::Scope) -> link::IdentityScope {
    match scope {
        encoder::Scope::Site => link::IdentityScope::Site,
        encoder::Scope::Computer => link::IdentityScope::Computer,
    }
}

/// The credential that an offer asks to write.
pub(crate) fn credential(wire: &link::Credential) -> Result<card::Credential, InvalidCredential> {
    let rooms = match wire.room_count {
        0 => None,
        count => Some(RoomRange::new(
            DoorNumber::new(wire.first_room.into())?,
            count,
        )?),
    };
    let additional = wire
        .additional_doors
        .iter()
        .map(additional_door)
        .collect::<Result<_, _>>()?;
    Ok(card::Credential {
        format: match wire.format {
            link::CardFormat::Rfid48 => CardFormat::Rfid48,
            link::CardFormat::TLCode => CardFormat::TlCode,
        },
        number: CredentialNumber::new(wire.number)?,
        function: match wire.function {
            link::CardFunction::Guest => CardFunction::Guest,
            link::CardFunction::Staff => CardFunction::Staff,
        },
        validity: Validity::new(
            Minute::containing(wire.starts_at.as_second())?,
            wire.ends_at
                .map(|end| Minute::containing(end.as_second()))
                .transpose()?,
        )?,
        issue: IssueNumber::new(wire.issue_number)?,
        doors: Doors {
            rooms,
            common: common_doors(&wire.common_doors)?,
            additional,
        },
    })
}

fn additional_door(door: &link::AdditionalDoor) -> Result<AdditionalDoor, InvalidCredential> {
    let number = DoorNumber::new(door.number.into())?;
    Ok(if door.is_guest {
        AdditionalDoor::Guest(number)
    } else {
        AdditionalDoor::Common(number)
    })
}

fn common_doors(bits: &[u8]) -> Result<CommonDoors, InvalidCredential> {
    let mut set = 0_u32;
    for &bit in bits {
        set |= 1_u32
            .checked_shl(bit.into())
            .ok_or(InvalidCredential::CommonDoor(bit))?;
    }
    CommonDoors::from_bits(set).ok_or_else(|| {
        InvalidCredential::CommonDoor(bits.iter().copied().max().unwrap_or_default())
    })
}

/// In what state a card is.
pub(crate) fn condition(condition: card::Condition) -> link::CardCondition {
    match condition {
        card::Condition::Blank => link::CardCondition::Blank,
        card::Condition::Ours => link::CardCondition::Ours,
        card::Condition::Torn => link::CardCondition::Torn,
        card::Condition::Foreign { .. } => link::CardCondition::Foreign,
    }
}

/// What a scan tells of the credential on a card.
pub(crate) fn scanned(credential: &card::Credential) -> link::ScannedCredential {
    let doors = &credential.doors;
    link::ScannedCredential {
        number: credential.number.get(),
        format: match credential.format {
            CardFormat::Rfid48 => link::CardFormat::Rfid48,
            CardFormat::TlCode => link::CardFormat::TLCode,
        },
        function: match credential.function {
            CardFunction::Guest => link::CardFunction::Guest,
            CardFunction::Staff => link::CardFunction::Staff,
        },
        starts_at: timestamp(credential.validity.start()),
        ends_at: credential.validity.end().map(timestamp),
        issue_number: credential.issue.get(),
        first_room: doors.rooms.map_or(0, |rooms| rooms.first().get()),
        room_count: doors.rooms.map_or(0, RoomRange::count),
        common_doors: doors.common.iter().map(|door| door.get() as u8).collect(),
        additional_doors: doors
            .additional
            .iter()
            .map(|door| match door {
                AdditionalDoor::Guest(number) => link::AdditionalDoor {
                    number: number.get(),
                    is_guest: true,
                },
                AdditionalDoor::Common(number) => link::AdditionalDoor {
                    number: number.get(),
                    is_guest: false,
                },
            })
            .collect(),
    }
}

fn timestamp(minute: Minute) -> Timestamp {
    // Every minute that a card can tell lies between 2020 and 2051.
    Timestamp::from_second(minute.unix_seconds()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// How far a writing procedure is, for people.
pub(crate) fn phase(progress: &card::Progress) -> link::Phase {
    match progress.phase {
        card::Phase::Personalising | card::Phase::Writing => link::Phase::Writing {
            done: progress.done as u32,
            of: progress.total as u32,
        },
        card::Phase::Verifying => link::Phase::Verifying,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn wire() -> link::Credential {
        link::Credential {
            acs_credential_id: Uuid::nil(),
            number: 7,
            format: link::CardFormat::Rfid48,
            function: link::CardFunction::Guest,
            starts_at: "2026-11-22T12:00:00Z".parse().unwrap(),
            ends_at: Some("2026-11-25T11:00:00Z".parse().unwrap()),
            issue_number: 1234,
            first_room: 101,
            room_count: 2,
            common_doors: vec![0, 27],
            additional_doors: vec![
                link::AdditionalDoor {
                    number: 300,
                    is_guest: true,
                },
                link::AdditionalDoor {
                    number: 40,
                    is_guest: false,
                },
            ],
        }
    }

    #[test]
    fn a_credential_comes_back_from_a_card_as_it_was_offered() {
        let wire = wire();
        let back = scanned(&credential(&wire).unwrap());
        assert_eq!(back.number, wire.number);
        assert_eq!(back.starts_at, wire.starts_at);
        assert_eq!(back.ends_at, wire.ends_at);
        assert_eq!(back.issue_number, wire.issue_number);
        assert_eq!(
            (back.first_room, back.room_count),
            (wire.first_room, wire.room_count)
        );
        assert_eq!(back.common_doors, wire.common_doors);
        assert_eq!(back.additional_doors, wire.additional_doors);
    }

    #[test]
    fn what_no_card_can_hold_is_refused() {
        let refused = |change: fn(&mut link::Credential)| {
            let mut changed = wire();
            change(&mut changed);
            credential(&changed).unwrap_err()
        };
        assert_eq!(
            refused(|c| c.common_doors = vec![28]),
            InvalidCredential::CommonDoor(28)
        );
        assert_eq!(
            refused(|c| c.common_doors = vec![200]),
            InvalidCredential::CommonDoor(200)
        );
        for change in [
            (|c: &mut link::Credential| c.number = 0) as fn(&mut link::Credential),
            |c| c.room_count = 34,
            |c| c.first_room = 0,
            |c| c.issue_number = 1 << 24,
            |c| c.ends_at = Some("2026-11-21T00:00:00Z".parse().unwrap()),
            |c| c.starts_at = "2019-12-31T23:59:00Z".parse().unwrap(),
        ] {
            assert!(matches!(refused(change), InvalidCredential::Number(_)));
        }
    }
}
