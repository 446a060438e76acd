//! Which doors fit on a card, and how. Pure.
//!
//! The format `rfid48` holds up to 33 consecutive rooms, 28 common doors as bits and seven additional doors
//! (CARDS §1). Doors get their numbers when they are added to a site.

use protocol::link::AdditionalDoor;

/// The highest room number.
pub(crate) const MOST_ROOMS: u16 = 32_767;
/// How many common doors a site can have.
pub(crate) const MOST_COMMON_DOORS: u8 = 28;
/// How many consecutive rooms a card holds.
const MOST_CONSECUTIVE: usize = 33;
/// How many doors beside them.
const MOST_ADDITIONAL: usize = 7;

/// How a door is known to locks and cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Door {
    /// A guest door by its room number, 1 to 32767.
    Guest(u16),
    /// A common door by its bit, 0 to 27.
    Common(u8),
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
            Self::Common => Door::Common(u8::try_from(number).unwrap_or(u8::MAX)),
        }
    }
}

/// Where the doors of a credential lie on a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placing {
    pub(crate) first_room: u16,
    pub(crate) room_count: u8,
    pub(crate) common_doors: Vec<u8>,
    pub(crate) additional_doors: Vec<AdditionalDoor>,
}

/// More rooms than a card holds; `fitting` would have fitted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooManyRooms {
    pub(crate) fitting: Vec<u16>,
}

/// Places doors: the longest run of consecutive rooms (the lowest of equally long ones) becomes the range, every
/// other room an additional door.
pub(crate) fn place(doors: &[Door]) -> Result<Placing, TooManyRooms> {
    let mut rooms = Vec::new();
    let mut common_doors = Vec::new();
    for door in doors {
        match *door {
            Door::Guest(room) => rooms.push(room),
            Door::Common(bit) => common_doors.push(bit),
        }
    }
    rooms.sort_unstable();
    rooms.dedup();
    common_doors.sort_unstable();
    common_doors.dedup();

    let run = longest_run(&rooms);
    let range = rooms[run.clone()].to_vec();
    let mut rest: Vec<u16> = rooms[..run.start].to_vec();
    rest.extend_from_slice(&rooms[run.end..]);
    if rest.len() > MOST_ADDITIONAL {
        rest.truncate(MOST_ADDITIONAL);
        let mut fitting = range;
        fitting.extend(rest);
        fitting.sort_unstable();
        return Err(TooManyRooms { fitting });
    }
    Ok(Placing {
        first_room: range.first().copied().unwrap_or(0),
        room_count: u8::try_from(range.len()).expect("a run is at most 33 rooms long"),
        common_doors,
        additional_doors: rest
            .into_iter()
            .map(|number| AdditionalDoor {
                number,
                is_guest: true,
            })
            .collect(),
    })
}

/// Where in the sorted rooms the longest run lies.
fn longest_run(rooms: &[u16]) -> std::ops::Range<usize> {
    let mut best = 0..0;
    let mut start = 0;
    for end in 1..=rooms.len() {
        if end - start > MOST_CONSECUTIVE {
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
) -> Vec<Door> {
    let range = (0..u16::from(room_count)).map(|offset| first_room.saturating_add(offset));
    let additional = additional_doors.iter().filter_map(|door| {
        if door.is_guest {
            Some(Door::Guest(door.number))
        } else {
            // This hub gives common doors bits only; a higher number is no door of its own.
            u8::try_from(door.number).ok().map(Door::Common)
        }
    });
    range
        .map(Door::Guest)
        .chain(additional)
        .chain(common_doors.iter().copied().map(Door::Common))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rooms: &[u16], expect: Result<(u16, u8, &[u16]), &[u16]>) {
        let doors: Vec<Door> = rooms.iter().copied().map(Door::Guest).collect();
        let placed = place(&doors);
        match expect {
            Ok((first_room, room_count, additional)) => {
                let placing = placed.unwrap();
                let numbers: Vec<u16> = placing
                    .additional_doors
                    .iter()
                    .map(|door| door.number)
                    .collect();
                assert_eq!(
                    (placing.first_room, placing.room_count, numbers.as_slice()),
                    (first_room, room_count, additional)
                );
            }
            Err(fitting) => assert_eq!(placed.unwrap_err().fitting, fitting),
        }
    }

    #[test]
    fn the_longest_run_becomes_the_range_and_the_rest_additional_doors() {
        check(&[], Ok((0, 0, &[])));
        check(&[7], Ok((7, 1, &[])));
        check(&[3, 1, 2, 2], Ok((1, 3, &[])));
        check(&[1, 5, 6, 9], Ok((5, 2, &[1, 9])));
        check(&[1, 2, 8, 9], Ok((1, 2, &[8, 9])));
        check(&[1, 2, 4, 5, 6, 7], Ok((4, 4, &[1, 2])));
        check(&[32_766, 32_767], Ok((32_766, 2, &[])));
    }

    #[test]
    fn a_range_ends_at_33_rooms_and_seven_more_are_additional() {
        let forty: Vec<u16> = (1..=40).collect();
        check(&forty, Ok((1, 33, &[34, 35, 36, 37, 38, 39, 40])));
        let forty_one: Vec<u16> = (1..=41).collect();
        check(&forty_one, Err(&forty));
        let odd: Vec<u16> = (0..9).map(|n| 2 * n + 1).collect();
        check(&odd, Err(&[1, 3, 5, 7, 9, 11, 13, 15]));
    }

    #[test]
    fn what_was_placed_reads_back_as_the_same_doors() {
        let mut doors: Vec<Door> = [4, 5, 6, 20, 30].into_iter().map(Door::Guest).collect();
        doors.extend([Door::Common(0), Door::Common(27)]);
        let placing = place(&doors).unwrap();
        let back = read(
            placing.first_room,
            placing.room_count,
            &placing.common_doors,
            &placing.additional_doors,
        );
        assert_eq!(back, doors);
    }
}
