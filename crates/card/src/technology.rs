//! The card technologies that have a placing: their names, what an encoder must translate for them, and how many copies
//! of a credential they hold.

use std::fmt;

use crate::{CardFormat, CommandKind, CopyIndex};

/// A card technology that has a placing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Technology {
    /// MIFARE Classic with 320 bytes, 4- or 7-byte UID.
    MifareClassicMini,
    /// MIFARE Classic with 1 KiB, 4- or 7-byte UID.
    MifareClassic1k,
    /// MIFARE Classic with 4 KiB, 4- or 7-byte UID.
    MifareClassic4k,
    /// MIFARE Ultralight (MF0ICU1).
    MifareUltralight,
    /// MIFARE Ultralight EV1 with 48 bytes (MF0UL11).
    MifareUltralightEv1_48,
    /// MIFARE Ultralight EV1 with 128 bytes (MF0UL21).
    MifareUltralightEv1_128,
    /// MIFARE Ultralight C (MF0ICU2).
    MifareUltralightC,
    /// NTAG213.
    Ntag213,
    /// NTAG215.
    Ntag215,
    /// NTAG216.
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

/// Technologies that take the same commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Classic,
    Type2,
    Desfire,
    Ntag424,
}

impl Technology {
    /// Every technology.
    pub const ALL: [Self; 14] = [
        Self::MifareClassicMini,
        Self::MifareClassic1k,
        Self::MifareClassic4k,
        Self::MifareUltralight,
        Self::MifareUltralightEv1_48,
        Self::MifareUltralightEv1_128,
        Self::MifareUltralightC,
        Self::Ntag213,
        Self::Ntag215,
        Self::Ntag216,
        Self::DesfireEv1,
        Self::DesfireEv2,
        Self::DesfireEv3,
        Self::Ntag424Dna,
    ];

    /// Its name in interfaces: `mifare_classic_1k`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::MifareClassicMini => "mifare_classic_mini",
            Self::MifareClassic1k => "mifare_classic_1k",
            Self::MifareClassic4k => "mifare_classic_4k",
            Self::MifareUltralight => "mifare_ultralight",
            Self::MifareUltralightEv1_48 => "mifare_ultralight_ev1_48",
            Self::MifareUltralightEv1_128 => "mifare_ultralight_ev1_128",
            Self::MifareUltralightC => "mifare_ultralight_c",
            Self::Ntag213 => "ntag213",
            Self::Ntag215 => "ntag215",
            Self::Ntag216 => "ntag216",
            Self::DesfireEv1 => "desfire_ev1",
            Self::DesfireEv2 => "desfire_ev2",
            Self::DesfireEv3 => "desfire_ev3",
            Self::Ntag424Dna => "ntag424_dna",
        }
    }

    /// The families of commands that a procedure on such a card uses: what an encoder must be able to translate.
    #[must_use]
    pub const fn command_kinds(self) -> &'static [CommandKind] {
        match self.family() {
            Family::Classic => &[CommandKind::Classic, CommandKind::Reselect],
            Family::Type2 => &[CommandKind::Type2, CommandKind::Reselect],
            Family::Desfire | Family::Ntag424 => &[CommandKind::Iso, CommandKind::Reselect],
        }
    }

    pub(crate) const fn family(self) -> Family {
        match self {
            Self::MifareClassicMini | Self::MifareClassic1k | Self::MifareClassic4k => {
                Family::Classic
            }
            Self::MifareUltralight
            | Self::MifareUltralightEv1_48
            | Self::MifareUltralightEv1_128
            | Self::MifareUltralightC
            | Self::Ntag213
            | Self::Ntag215
            | Self::Ntag216 => Family::Type2,
            Self::DesfireEv1 | Self::DesfireEv2 | Self::DesfireEv3 => Family::Desfire,
            Self::Ntag424Dna => Family::Ntag424,
        }
    }

    /// The code of the placing's row, which keys and tags are bound to (docs/card-format.md, "Conventions").
    pub(crate) const fn placing_code(self) -> u8 {
        match self {
            Self::MifareClassicMini | Self::MifareClassic1k | Self::MifareClassic4k => 0x01,
            Self::MifareUltralightEv1_128 | Self::MifareUltralightC | Self::Ntag213 => 0x02,
            Self::Ntag215 | Self::Ntag216 => 0x03,
            Self::DesfireEv1 | Self::DesfireEv2 | Self::DesfireEv3 => 0x04,
            Self::MifareUltralight | Self::MifareUltralightEv1_48 => 0x05,
            Self::Ntag424Dna => 0x06,
        }
    }

    /// The copies of its placing, A first. A placing with one copy makes no promise that a tear leaves one, unless the
    /// card itself switches it in one step (DESFire).
    #[must_use]
    pub const fn copies(self) -> &'static [CopyIndex] {
        match self {
            Self::MifareUltralight
            | Self::MifareUltralightEv1_48
            | Self::DesfireEv1
            | Self::DesfireEv2
            | Self::DesfireEv3 => &[CopyIndex::A],
            _ => &CopyIndex::BOTH,
        }
    }

    /// Whether its placing takes that format; an image of another is void there (docs/card-format.md, "Conventions").
    pub(crate) const fn takes(self, format: CardFormat) -> bool {
        match format {
            CardFormat::Rfid48 => true,
            CardFormat::TlCode => {
                !matches!(self, Self::MifareUltralight | Self::MifareUltralightEv1_48)
            }
        }
    }
}

impl fmt::Display for Technology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MifareClassicMini => "MIFARE Classic Mini",
            Self::MifareClassic1k => "MIFARE Classic 1K",
            Self::MifareClassic4k => "MIFARE Classic 4K",
            Self::MifareUltralight => "MIFARE Ultralight",
            Self::MifareUltralightEv1_48 => "MIFARE Ultralight EV1 (48 bytes)",
            Self::MifareUltralightEv1_128 => "MIFARE Ultralight EV1 (128 bytes)",
            Self::MifareUltralightC => "MIFARE Ultralight C",
            Self::Ntag213 => "NTAG213",
            Self::Ntag215 => "NTAG215",
            Self::Ntag216 => "NTAG216",
            Self::DesfireEv1 => "MIFARE DESFire EV1",
            Self::DesfireEv2 => "MIFARE DESFire EV2",
            Self::DesfireEv3 => "MIFARE DESFire EV3",
            Self::Ntag424Dna => "NTAG 424 DNA",
        })
    }
}
