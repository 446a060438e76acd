//! The doors that a credential opens, in the three ways a card can name them: a range of rooms, bits for common
//! doors, and single doors.

use crate::DoesNotFitCard;

/// The highest door number that a card can name.
const MAX_DOOR: u16 = 0x7FFF;

/// The number of a guest door (a room), 1 to 32767, unique at its site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DoorNumber(u16);

impl DoorNumber {
    /// Takes a number.
    ///
    /// # Errors
    /// [`DoesNotFitCard::DoorNumber`] outside 1 to 32767.
    pub fn new(number: u32) -> Result<Self, DoesNotFitCard> {
        match u16::try_from(number) {
            Ok(fits @ 1..=MAX_DOOR) => Ok(Self(fits)),
            _ => Err(DoesNotFitCard::DoorNumber { number }),
        }
    }

    /// 1 to 32767.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// The number of a common door, 0 to 32767, unique at its site. Doors 0 to 27 have a bit of their own on the card;
/// higher ones take the place of an additional door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommonDoorNumber(u16);

impl CommonDoorNumber {
    /// Takes a number.
    ///
    /// # Errors
    /// [`DoesNotFitCard::CommonDoorNumber`] above 32767.
    pub fn new(number: u32) -> Result<Self, DoesNotFitCard> {
        match u16::try_from(number) {
            Ok(fits @ 0..=MAX_DOOR) => Ok(Self(fits)),
            _ => Err(DoesNotFitCard::CommonDoorNumber { number }),
        }
    }

    /// 0 to 32767.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// Up to 33 rooms with consecutive numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomRange {
    first: DoorNumber,
    count: u8,
}

impl RoomRange {
    /// The most rooms of a range.
    pub const MAX_COUNT: u8 = 33;

    /// `count` rooms from `first` on.
    ///
    /// # Errors
    /// [`DoesNotFitCard::Rooms`] for no room, more than 33, or numbers past 32767.
    pub fn new(first: DoorNumber, count: u8) -> Result<Self, DoesNotFitCard> {
        let fits = (1..=Self::MAX_COUNT).contains(&count)
            && first.get() + u16::from(count) - 1 <= MAX_DOOR;
        if !fits {
            return Err(DoesNotFitCard::Rooms {
                first: first.get(),
                count,
            });
        }
        Ok(Self { first, count })
    }

    /// The first room.
    #[must_use]
    pub const fn first(self) -> DoorNumber {
        self.first
    }

    /// How many rooms, 1 to 33.
    #[must_use]
    pub const fn count(self) -> u8 {
        self.count
    }

    /// Every room of the range.
    pub fn iter(self) -> impl Iterator<Item = DoorNumber> {
        (0..u16::from(self.count)).map(move |at| DoorNumber(self.first.0 + at))
    }
}

/// A set of common doors 0 to 27.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommonDoors(u32);

impl CommonDoors {
    /// How many doors have a bit.
    pub const COUNT: u16 = 28;

    /// Takes the set as bits, door 0 being the lowest; bits past 27 are no doors.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Option<Self> {
        if bits >> Self::COUNT == 0 {
            Some(Self(bits))
        } else {
            None
        }
    }

    /// The set as bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether a door is in the set.
    #[must_use]
    pub const fn contains(self, door: CommonDoorNumber) -> bool {
        door.0 < Self::COUNT && self.0 >> door.0 & 1 == 1
    }

    /// Every door of the set.
    pub fn iter(self) -> impl Iterator<Item = CommonDoorNumber> {
        (0..Self::COUNT)
            .map(CommonDoorNumber)
            .filter(move |door| self.contains(*door))
    }
}

/// One door beside the range and the bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdditionalDoor {
    /// A guest door.
    Guest(DoorNumber),
    /// A common door. Number 0 cannot be named this way, it has a bit.
    Common(DoorNumber),
}

/// Everything a credential opens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Doors {
    /// Guest doors with consecutive numbers.
    pub rooms: Option<RoomRange>,
    /// Common doors that have a bit.
    pub common: CommonDoors,
    /// The rest. How many of them fit depends on the format: `rfid48` holds seven.
    pub additional: Vec<AdditionalDoor>,
}

impl Doors {
    /// Every guest door, in the order of the card.
    pub fn guest_doors(&self) -> impl Iterator<Item = DoorNumber> {
        let rooms = self.rooms.into_iter().flat_map(RoomRange::iter);
        let additional = self.additional.iter().filter_map(|door| match door {
            AdditionalDoor::Guest(number) => Some(*number),
            AdditionalDoor::Common(_) => None,
        });
        rooms.chain(additional)
    }

    /// Every common door, in the order of the card.
    pub fn common_doors(&self) -> impl Iterator<Item = CommonDoorNumber> {
        let additional = self.additional.iter().filter_map(|door| match door {
            AdditionalDoor::Common(number) => Some(CommonDoorNumber(number.0)),
            AdditionalDoor::Guest(_) => None,
        });
        self.common.iter().chain(additional)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(number: u32) -> DoorNumber {
        DoorNumber::new(number).unwrap()
    }

    fn common(number: u32) -> CommonDoorNumber {
        CommonDoorNumber::new(number).unwrap()
    }

    #[test]
    fn doors_are_named_in_the_order_of_the_card() {
        let doors = Doors {
            rooms: RoomRange::new(door(32735), 33).ok(),
            common: CommonDoors::from_bits(1 << 27 | 1).unwrap(),
            additional: vec![
                AdditionalDoor::Guest(door(205)),
                AdditionalDoor::Common(door(32767)),
                AdditionalDoor::Guest(door(101)),
            ],
        };
        let guest: Vec<DoorNumber> = (32735..=32767).chain([205, 101]).map(door).collect();
        assert_eq!(doors.guest_doors().collect::<Vec<_>>(), guest);
        let commons = [0, 27, 32767].map(common);
        assert_eq!(doors.common_doors().collect::<Vec<_>>(), commons);
    }

    #[test]
    fn a_range_has_1_to_33_rooms_and_ends_at_32767() {
        assert!(RoomRange::new(door(1), 33).is_ok());
        assert!(RoomRange::new(door(32767), 1).is_ok());
        for (first, count) in [(1, 0), (1, 34), (32767, 2), (32735, 34)] {
            let refused = RoomRange::new(door(first), count).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!(
                    "a card holds 1 to 33 consecutive rooms up to number 32767, and this is {count} from {first}"
                )
            );
        }
    }

    #[test]
    fn numbers_that_a_card_cannot_name_are_refused() {
        for number in [0, 32768, u32::MAX] {
            assert!(DoorNumber::new(number).is_err(), "{number}");
        }
        for number in [32768, u32::MAX] {
            assert!(CommonDoorNumber::new(number).is_err(), "{number}");
        }
        assert_eq!(CommonDoors::from_bits(1 << 28), None);
    }
}
