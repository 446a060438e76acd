//! Which doors a card format holds, and how. Pure.
//!
//! Both formats hold up to 33 consecutive rooms and 28 common doors as bits; `rfid48` seven additional doors, `TLCode`
//! a list of them (CARDS §1). Doors get their numbers when they are added to a site.

use std::collections::BTreeSet;

use protocol::link::{self, AdditionalDoor, COMMON_DOORS_WITH_A_BIT, MOST_CONSECUTIVE_ROOMS};

/// How a door is known to locks and cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Door {
    /// A guest door by its room number, 1 to 32767.
    Guest(u16),
    /// A common door by its number, 0 to 32767; the ones up to 27 are bits on a card.
    Common(u16),
}

/// What kind of door an entrance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "snake_case")]
pub enum DoorCategory {
    /// A room: an override there ends the cards before it.
    Guest,
    /// Shared by many, like a garage: nothing is overridden there.
    Common,
}

impl DoorCategory {
    /// As the API and the store write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Common => "common",
        }
    }

    /// The door of this kind with that number.
    pub(crate) fn door(self, number: u16) -> Door {
        match self {
            Self::Guest => Door::Guest(number),
            Self::Common => Door::Common(number),
        }
    }
}

/// The open card formats (CARDS §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
pub(crate) enum CardFormat {
    #[sqlx(rename = "rfid48")]
    Rfid48,
    #[sqlx(rename = "TLCode")]
    TlCode,
}

impl CardFormat {
    /// As the link has it.
    pub(crate) fn on_link(self) -> link::CardFormat {
        match self {
            Self::Rfid48 => link::CardFormat::Rfid48,
            Self::TlCode => link::CardFormat::TLCode,
        }
    }
}

/// Where the doors of a credential lie on a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placing {
    pub(crate) format: CardFormat,
    pub(crate) first_room: u16,
    pub(crate) room_count: u8,
    pub(crate) common_doors: Vec<u8>,
    pub(crate) additional_doors: Vec<AdditionalDoor>,
}

/// More doors than the format holds; `fitting` would have fitted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooManyDoors {
    pub(crate) format: CardFormat,
    pub(crate) fitting: BTreeSet<Door>,
}

/// Places doors: the longest run of consecutive rooms (the lowest of equally long ones) becomes the range, the common
/// doors up to 27 become bits, and every other door an additional one. All additional doors take the same place, so no
/// other run would leave room for more. `wanted` is the format that was asked for; without one it is `rfid48` where the
/// doors fit, else `TLCode`.
pub(crate) fn place(doors: &[Door], wanted: Option<CardFormat>) -> Result<Placing, TooManyDoors> {
    let mut rooms = BTreeSet::new();
    let mut bits = BTreeSet::new();
    let mut common_beyond = BTreeSet::new();
    for door in doors {
        match *door {
            Door::Guest(room) => rooms.insert(room),
            Door::Common(number) => match u8::try_from(number) {
                Ok(bit) if bit < COMMON_DOORS_WITH_A_BIT => bits.insert(bit),
                _ => common_beyond.insert(number),
            },
        };
    }
    let rooms: Vec<u16> = rooms.into_iter().collect();
    let run = longest_run(&rooms);
    let outside_run = rooms[..run.start].iter().chain(&rooms[run.end..]);
    let additional: Vec<Door> = outside_run
        .copied()
        .map(Door::Guest)
        .chain(common_beyond.into_iter().map(Door::Common))
        .collect();

    let fits_rfid48 = additional.len() <= link::CardFormat::Rfid48.most_additional_doors();
    let format = wanted.unwrap_or(if fits_rfid48 {
        CardFormat::Rfid48
    } else {
        CardFormat::TlCode
    });
    let most = format.on_link().most_additional_doors();
    if additional.len() > most {
        let in_place = rooms[run].iter().copied().map(Door::Guest);
        let bits = bits.into_iter().map(|bit| Door::Common(bit.into()));
        return Err(TooManyDoors {
            format,
            fitting: in_place
                .chain(bits)
                .chain(additional.into_iter().take(most))
                .collect(),
        });
    }
    Ok(Placing {
        format,
        first_room: rooms.get(run.start).copied().unwrap_or(0),
        room_count: u8::try_from(run.len()).expect("a run is at most 33 rooms long"),
        common_doors: bits.into_iter().collect(),
        additional_doors: additional.into_iter().map(additional_door).collect(),
    })
}

fn additional_door(door: Door) -> AdditionalDoor {
    match door {
        Door::Guest(number) => AdditionalDoor {
            number,
            is_guest: true,
        },
        Door::Common(number) => AdditionalDoor {
            number,
            is_guest: false,
        },
    }
}

/// Where in the sorted rooms the longest run lies.
fn longest_run(rooms: &[u16]) -> std::ops::Range<usize> {
    let mut best = 0..0;
    let mut start = 0;
    for end in 1..=rooms.len() {
        if end - start > usize::from(MOST_CONSECUTIVE_ROOMS) {
            start += 1;
        }
        if end - start > best.len() {
            best = start..end;
        }
        if end < rooms.len() && rooms[end] != rooms[end - 1] + 1 {
            start = end;
        }
    }
    best
}

/// The doors that a card opens, from what was read of it.
pub(crate) fn read(
    first_room: u16,
    room_count: u8,
    common_doors: &[u8],
    additional_doors: &[AdditionalDoor],
) -> BTreeSet<Door> {
    let range = (0..u16::from(room_count)).map(|offset| first_room.saturating_add(offset));
    let additional = additional_doors.iter().map(|door| {
        if door.is_guest {
            Door::Guest(door.number)
        } else {
            Door::Common(door.number)
        }
    });
    let bits = common_doors.iter().map(|bit| Door::Common((*bit).into()));
    range
        .map(Door::Guest)
        .chain(additional)
        .chain(bits)
        .collect()
}

#[cfg(test)]
mod tests;
