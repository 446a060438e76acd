//! The kinds of card there are, and what each says of itself when it is selected. Data only.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::Uid;
use super::type2::model::{self, Model};

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
    /// MIFARE Ultralight (MF0ICU1): 16 pages of 4 bytes, 48 of them for data.
    MifareUltralight,
    /// MIFARE Ultralight EV1 (MF0UL11): 20 pages, 48 bytes for data.
    MifareUltralightEv1_48,
    /// MIFARE Ultralight EV1 (MF0UL21): 41 pages, 128 bytes for data.
    MifareUltralightEv1_128,
    /// MIFARE Ultralight C (MF0ICU2): 48 pages, 144 bytes for data, and a 2K3DES key.
    MifareUltralightC,
    /// NTAG213: 45 pages, 144 bytes for data.
    Ntag213,
    /// NTAG215: 135 pages, 504 bytes for data.
    Ntag215,
    /// NTAG216: 231 pages, 888 bytes for data.
    Ntag216,
    /// MIFARE DESFire EV1.
    DesfireEv1,
    /// MIFARE DESFire EV2.
    DesfireEv2,
    /// MIFARE DESFire EV3.
    DesfireEv3,
    /// NTAG 424 DNA.
    Ntag424Dna,
}

/// Technologies that share their commands, and so a module of `card`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Family {
    /// MIFARE Classic: blocks behind Crypto1.
    Classic,
    /// NFC Forum Type 2: pages of four bytes, so many and protected so.
    Type2(&'static Model),
    /// ISO/IEC 14443-4: blocks of a protocol that carries APDUs.
    IsoDep,
}

/// No technology has this name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no card technology is called {name:?}; there are {}", Technology::names().join(", "))]
pub struct UnknownTechnology {
    name: String,
}

impl Technology {
    /// Every technology that can be placed.
    pub const ALL: [Technology; 14] = [
        Technology::MifareClassicMini,
        Technology::MifareClassic1k,
        Technology::MifareClassic4k,
        Technology::MifareUltralight,
        Technology::MifareUltralightEv1_48,
        Technology::MifareUltralightEv1_128,
        Technology::MifareUltralightC,
        Technology::Ntag213,
        Technology::Ntag215,
        Technology::Ntag216,
        Technology::DesfireEv1,
        Technology::DesfireEv2,
        Technology::DesfireEv3,
        Technology::Ntag424Dna,
    ];

    /// The name in requests, such as `mifare_classic_1k`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Technology::MifareClassicMini => "mifare_classic_mini",
            Technology::MifareClassic1k => "mifare_classic_1k",
            Technology::MifareClassic4k => "mifare_classic_4k",
            Technology::MifareUltralight => "mifare_ultralight",
            Technology::MifareUltralightEv1_48 => "mifare_ultralight_ev1_48",
            Technology::MifareUltralightEv1_128 => "mifare_ultralight_ev1_128",
            Technology::MifareUltralightC => "mifare_ultralight_c",
            Technology::Ntag213 => "ntag213",
            Technology::Ntag215 => "ntag215",
            Technology::Ntag216 => "ntag216",
            Technology::DesfireEv1 => "desfire_ev1",
            Technology::DesfireEv2 => "desfire_ev2",
            Technology::DesfireEv3 => "desfire_ev3",
            Technology::Ntag424Dna => "ntag424_dna",
        }
    }

    fn names() -> Vec<&'static str> {
        Technology::ALL.into_iter().map(Technology::name).collect()
    }

    pub(super) fn family(self) -> Family {
        match self {
            Technology::MifareClassicMini
            | Technology::MifareClassic1k
            | Technology::MifareClassic4k => Family::Classic,
            Technology::MifareUltralight => Family::Type2(&model::ULTRALIGHT),
            Technology::MifareUltralightEv1_48 => Family::Type2(&model::ULTRALIGHT_EV1_48),
            Technology::MifareUltralightEv1_128 => Family::Type2(&model::ULTRALIGHT_EV1_128),
            Technology::MifareUltralightC => Family::Type2(&model::ULTRALIGHT_C),
            Technology::Ntag213 => Family::Type2(&model::NTAG213),
            Technology::Ntag215 => Family::Type2(&model::NTAG215),
            Technology::Ntag216 => Family::Type2(&model::NTAG216),
            Technology::DesfireEv1
            | Technology::DesfireEv2
            | Technology::DesfireEv3
            | Technology::Ntag424Dna => Family::IsoDep,
        }
    }

    /// Whether its memory is files behind commands of its own, and no image.
    #[must_use]
    pub fn has_files(self) -> bool {
        matches!(self.family(), Family::IsoDep)
    }

    /// How many bytes a UID of this technology may have. Only MIFARE Classic was ever delivered with
    /// four (NXP AN10927 §2).
    #[must_use]
    pub fn uid_lengths(self) -> &'static [usize] {
        match self.family() {
            Family::Classic => &[4, 7],
            Family::Type2(_) | Family::IsoDep => &[7],
        }
    }

    /// ATQA in the order of its transmission, low byte first (NXP AN10833 §3.2).
    pub(crate) fn atqa(self, uid: &Uid) -> [u8; 2] {
        let [kind, proprietary] = match self.family() {
            Family::Classic if self == Technology::MifareClassic4k => [0x02, 0x00],
            Family::Classic | Family::Type2(_) => [0x04, 0x00],
            Family::IsoDep => [0x04, 0x03],
        };
        // Bits 7 and 8 tell the size of the UID: 4, 7 or 10 bytes (ISO/IEC 14443-3 §6.5.2).
        let size = match uid.as_bytes().len() {
            4 => 0x00,
            7 => 0x40,
            _ => 0x80,
        };
        [kind | size, proprietary]
    }

    /// SAK once the whole UID is known (NXP AN10833 §3.2).
    pub(crate) fn sak(self) -> u8 {
        match self.family() {
            Family::Classic => match self {
                Technology::MifareClassicMini => 0x09,
                Technology::MifareClassic4k => 0x18,
                _ => 0x08,
            },
            Family::Type2(_) => 0x00,
            Family::IsoDep => 0x20,
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
        for (technology, atqa, sak) in [
            (Technology::MifareUltralight, [0x44, 0x00], 0x00),
            (Technology::MifareUltralightEv1_48, [0x44, 0x00], 0x00),
            (Technology::MifareUltralightEv1_128, [0x44, 0x00], 0x00),
            (Technology::MifareUltralightC, [0x44, 0x00], 0x00),
            (Technology::Ntag213, [0x44, 0x00], 0x00),
            (Technology::Ntag215, [0x44, 0x00], 0x00),
            (Technology::Ntag216, [0x44, 0x00], 0x00),
            (Technology::DesfireEv1, [0x44, 0x03], 0x20),
            (Technology::DesfireEv2, [0x44, 0x03], 0x20),
            (Technology::DesfireEv3, [0x44, 0x03], 0x20),
            (Technology::Ntag424Dna, [0x44, 0x03], 0x20),
        ] {
            assert_eq!(technology.atqa(&seven), atqa, "{technology}");
            assert_eq!(technology.sak(), sak, "{technology}");
        }
    }
}
