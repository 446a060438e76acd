//! The kinds of card there are, and what each says of itself when it is selected. Data only.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::Uid;

/// A kind of card. Its name is the one that the lab's requests use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Technology {
    /// MIFARE Classic Mini: 5 sectors of 4 blocks, 320 bytes.
    MifareClassicMini,
    /// MIFARE Classic 1K: 16 sectors of 4 blocks, 1024 bytes.
    MifareClassic1k,
    /// MIFARE Classic 4K: 32 sectors of 4 blocks and 8 of 16, 4096 bytes.
    MifareClassic4k,
}

/// No technology has this name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no card technology is called {name:?}; there are {}", Technology::names().join(", "))]
pub struct UnknownTechnology {
    name: String,
}

impl Technology {
    /// Every technology that can be placed.
    pub const ALL: [Technology; 3] = [
        Technology::MifareClassicMini,
        Technology::MifareClassic1k,
        Technology::MifareClassic4k,
    ];

    /// The name in requests, such as `mifare_classic_1k`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Technology::MifareClassicMini => "mifare_classic_mini",
            Technology::MifareClassic1k => "mifare_classic_1k",
            Technology::MifareClassic4k => "mifare_classic_4k",
        }
    }

    fn names() -> Vec<&'static str> {
        Technology::ALL.into_iter().map(Technology::name).collect()
    }

    /// ATQA in the order of its transmission, low byte first (NXP AN10833).
    pub(crate) fn atqa(self, uid: &Uid) -> [u8; 2] {
        let kind = match self {
            Technology::MifareClassicMini | Technology::MifareClassic1k => 0x04,
            Technology::MifareClassic4k => 0x02,
        };
        // Bits 7 and 8 tell the size of the UID: 4, 7 or 10 bytes (ISO/IEC 14443-3 §6.5.2).
        let size = match uid.as_bytes().len() {
            4 => 0x00,
            7 => 0x40,
            _ => 0x80,
        };
        [kind | size, 0x00]
    }

    /// SAK once the whole UID is known (NXP AN10833).
    pub(crate) fn sak(self) -> u8 {
        match self {
            Technology::MifareClassicMini => 0x09,
            Technology::MifareClassic1k => 0x08,
            Technology::MifareClassic4k => 0x18,
        }
    }
}

impl fmt::Display for Technology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Technology {
    type Err = UnknownTechnology;

    fn from_str(name: &str) -> Result<Technology, UnknownTechnology> {
        Technology::ALL
            .into_iter()
            .find(|technology| technology.name() == name)
            .ok_or_else(|| UnknownTechnology {
                name: name.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::Technology;

    #[test]
    fn every_technology_is_found_by_its_name() {
        for technology in Technology::ALL {
            assert_eq!(technology.name().parse(), Ok(technology));
        }
        assert!(
            "mifare"
                .parse::<Technology>()
                .unwrap_err()
                .to_string()
                .contains("mifare_classic_1k")
        );
    }

    #[test]
    fn the_answers_at_selection_are_those_of_an10833() {
        let four = "04A1B2C3".parse().unwrap();
        let seven = "04A1B2C3D4E5F6".parse().unwrap();
        for (technology, atqa_four, atqa_seven, sak) in [
            (Technology::MifareClassicMini, 0x04, 0x44, 0x09),
            (Technology::MifareClassic1k, 0x04, 0x44, 0x08),
            (Technology::MifareClassic4k, 0x02, 0x42, 0x18),
        ] {
            assert_eq!(technology.atqa(&four), [atqa_four, 0]);
            assert_eq!(technology.atqa(&seven), [atqa_seven, 0]);
            assert_eq!(technology.sak(), sak);
        }
    }
}
