//! What the card says of itself: GetVersion, and how much there is of it. Figures that come from
//! memory and not from a document at hand are marked.

use super::Generation;

/// How much memory a DESFire has. EV1 came in three sizes; the later ones have more, of which the
/// lab needs none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Storage {
    /// 2 kilobytes.
    Small,
    /// 4 kilobytes.
    Medium,
    /// 8 kilobytes.
    #[default]
    Large,
}

impl Storage {
    /// The byte in GetVersion: bits 7–1 a power of two, bit 0 "and somewhat more".
    fn code(self) -> u8 {
        match self {
            Storage::Small => 0x16,
            Storage::Medium => 0x18,
            Storage::Large => 0x1A,
        }
    }

    /// Bytes that FreeMem tells of an empty card. From memory: 7936 is what EV1 8K cards say.
    pub(super) fn capacity(self) -> usize {
        match self {
            Storage::Small => 2_272,
            Storage::Medium => 4_832,
            Storage::Large => 7_936,
        }
    }
}

/// The two first frames of GetVersion: vendor NXP, type DESFire, subtype, version, storage, and 05
/// for ISO/IEC 14443-2 and -3 (AN10833 §2.4 tells generations apart by the hardware's version).
pub(super) fn frames(generation: Generation, storage: Storage) -> [u8; 14] {
    let (hardware, software) = match generation {
        Generation::Ev1 => ([0x01, 0x00], [0x01, 0x04]),
        Generation::Ev2 => ([0x12, 0x00], [0x02, 0x01]),
        Generation::Ev3 => ([0x33, 0x00], [0x03, 0x00]),
    };
    let code = storage.code();
    let [h1, h0] = hardware;
    let [s1, s0] = software;
    [
        0x04, 0x01, 0x01, h1, h0, code, 0x05, 0x04, 0x01, 0x01, s1, s0, code, 0x05,
    ]
}

/// Batch number, and calendar week and year of production in BCD: made up.
pub(super) const PRODUCTION: [u8; 7] = [0xBA, 0x45, 0x00, 0x17, 0x30, 0x42, 0x25];
