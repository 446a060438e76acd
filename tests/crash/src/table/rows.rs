//! The rows of the table: a technology and a format, the guests that come and go, and what a card may hold beside us.

use std::fmt;

use card::{
    AdditionalDoor, CardFormat, CardFunction, CommonDoors, Credential, CredentialNumber,
    DoorNumber, Doors, IssueNumber, Minute, RoomRange, Validity,
};
use emulator::Technology;

/// A minute within the validity of every credential here.
pub(super) const NOON: u32 = 3_000_000;

/// One technology with one format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The card.
    pub technology: Technology,
    /// What is written on it.
    pub format: CardFormat,
}

/// Who a card is made for, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guest {
    /// Their room; 0x100 further on lie the single doors of a `TLCode`.
    pub room: u16,
}

impl Guest {
    /// Had the card two stays ago. Nobody may ever see this one again.
    pub const OLDER: Self = Self { room: 105 };
    /// Has it now.
    pub const OLD: Self = Self { room: 107 };
    /// Gets it.
    pub const NEW: Self = Self { room: 109 };
    /// Everybody.
    pub const ALL: [Self; 3] = [Self::OLDER, Self::OLD, Self::NEW];

    /// The doors of which a card opens all or none.
    pub(super) fn doors(self, row: Row) -> impl Iterator<Item = DoorNumber> {
        [self.room]
            .into_iter()
            .chain(self.single_doors(row))
            .map(door)
    }

    fn single_doors(self, row: Row) -> impl Iterator<Item = u16> {
        (1..=row.single_doors()).map(move |at| self.room + 0x100 * at)
    }
}

impl Row {
    /// Every row.
    #[must_use]
    pub fn all() -> Vec<Self> {
        Technology::ALL
            .into_iter()
            .flat_map(|technology| {
                [CardFormat::Rfid48, CardFormat::TlCode].map(|format| Self { technology, format })
            })
            .filter(|row| row.format == CardFormat::Rfid48 || !row.has_one_weak_copy())
            .collect()
    }

    /// Whether the placing has one copy that the card does not switch by itself (CARDS, section 2).
    #[must_use]
    pub fn has_one_copy(self) -> bool {
        self.has_one_weak_copy()
    }

    fn has_one_weak_copy(self) -> bool {
        matches!(
            self.technology,
            Technology::MifareUltralight | Technology::MifareUltralightEv1_48
        )
    }

    /// Whether a card of ours can be known only by what is written on it.
    #[must_use]
    pub fn is_keyless(self) -> bool {
        self.technology == Technology::MifareUltralight
    }

    /// How many single doors a credential names: so that a `TLCode` takes more than 48 bytes where there is room.
    fn single_doors(self) -> u16 {
        match (self.format, self.technology) {
            (CardFormat::Rfid48, _) => 2,
            (CardFormat::TlCode, Technology::MifareClassicMini) => 12,
            (CardFormat::TlCode, Technology::MifareClassic1k | Technology::MifareClassic4k) => 30,
            (CardFormat::TlCode, Technology::Ntag215 | Technology::Ntag216) => 60,
            (
                CardFormat::TlCode,
                Technology::DesfireEv1 | Technology::DesfireEv2 | Technology::DesfireEv3,
            ) => 80,
            // 64 bytes a copy.
            (CardFormat::TlCode, _) => 4,
        }
    }

    /// What is written for a guest.
    #[must_use]
    pub fn credential(self, guest: Guest) -> Credential {
        let minute = |minutes| Minute::new(minutes).unwrap();
        Credential {
            format: self.format,
            number: CredentialNumber::new(guest.room.into()).unwrap(),
            function: CardFunction::Guest,
            validity: Validity::new(minute(NOON - 600), Some(minute(NOON + 600))).unwrap(),
            issue: IssueNumber::new(NOON - 600).unwrap(),
            doors: Doors {
                rooms: RoomRange::new(door(guest.room), 1).ok(),
                common: CommonDoors::from_bits(1 << 3).unwrap(),
                additional: guest
                    .single_doors(self)
                    .map(|number| AdditionalDoor::Guest(door(number)))
                    .collect(),
            },
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.technology.name(), self.format)
    }
}

fn door(number: u16) -> DoorNumber {
    DoorNumber::new(number.into()).unwrap()
}
