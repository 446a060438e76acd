//! The kinds of Type 2 card as data: how many pages, where configuration lies, which lock bit means
//! which page. Facts of NXP MF0ICU1, MF0ULx1 (EV1), MF0ICU2 (C) and NTAG213_215_216; what comes from
//! memory and not from a page of a document at hand is marked so.

#[cfg(test)]
use crate::card::technology::{Family, Technology};

/// Bytes in a page.
pub(super) const PAGE: usize = 4;

/// What a kind of card has.
#[derive(Debug)]
pub(in crate::card) struct Model {
    pub(super) pages: u16,
    /// The answer to GET_VERSION; a card without has none of the commands that came with it.
    pub(super) version: Option<[u8; 8]>,
    pub(super) dynamic_locks: Option<LockPage>,
    pub(super) protection: Protection,
    pub(super) counting: Counting,
}

/// What pages can be protected by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    Nothing,
    /// A password: CFG0 on this page, then CFG1, PWD, PACK.
    Password {
        config: u16,
    },
    /// A 2K3DES key: AUTH0, AUTH1 and four pages of key, which are the last ones.
    TripleDes,
}

/// One-way counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    Nothing,
    /// 16 bits in a page of their own, counted up by writing there (MF0ICU2 §7.5.11).
    Page(u16),
    /// Three of 24 bits, counted up by INCR_CNT (MF0ULx1 §8.7).
    Three,
    /// One of 24 bits, which counts the first reading after power-on (NTAG213_215_216 §8.7).
    Readings,
}

/// A page of lock bits.
#[derive(Debug)]
pub(super) struct LockPage {
    pub(super) page: u16,
    /// The bytes of the page that hold lock bits.
    pub(super) lock_bytes: std::ops::Range<usize>,
    /// The bits that make pages read-only.
    pub(super) locks: &'static [Lock],
    /// The bits that freeze other bits.
    pub(super) freezes: &'static [Freeze],
}

/// A bit that makes pages read-only.
#[derive(Debug)]
pub(super) struct Lock {
    pub(super) byte: usize,
    pub(super) bit: u8,
    /// First and last page.
    pub(super) pages: (u16, u16),
}

/// A block-locking bit: once set, the bits under these masks can no longer be set.
#[derive(Debug)]
pub(super) struct Freeze {
    pub(super) byte: usize,
    pub(super) bit: u8,
    /// One mask for each byte of the page.
    pub(super) frozen: [u8; PAGE],
}

const fn lock(byte: usize, bit: u8, first: u16, last: u16) -> Lock {
    Lock {
        byte,
        bit,
        pages: (first, last),
    }
}

const fn freeze(byte: usize, bit: u8, frozen: [u8; PAGE]) -> Freeze {
    Freeze { byte, bit, frozen }
}

/// Page 2 of every kind (MF0ICU2 §7.5.2, NTAG213_215_216 §8.5.2).
pub(super) static STATIC_LOCKS: LockPage = LockPage {
    page: 2,
    lock_bytes: 2..4,
    locks: &[
        lock(2, 3, 3, 3),
        lock(2, 4, 4, 4),
        lock(2, 5, 5, 5),
        lock(2, 6, 6, 6),
        lock(2, 7, 7, 7),
        lock(3, 0, 8, 8),
        lock(3, 1, 9, 9),
        lock(3, 2, 10, 10),
        lock(3, 3, 11, 11),
        lock(3, 4, 12, 12),
        lock(3, 5, 13, 13),
        lock(3, 6, 14, 14),
        lock(3, 7, 15, 15),
    ],
    freezes: &[
        freeze(2, 0, [0, 0, 0x08, 0]),
        freeze(2, 1, [0, 0, 0xF0, 0x03]),
        freeze(2, 2, [0, 0, 0, 0xFC]),
    ],
};

/// MF0ICU2 §7.5.3.
const ULTRALIGHT_C_LOCKS: LockPage = LockPage {
    page: 0x28,
    lock_bytes: 0..2,
    locks: &[
        lock(0, 1, 16, 19),
        lock(0, 2, 20, 23),
        lock(0, 3, 24, 27),
        lock(0, 5, 28, 31),
        lock(0, 6, 32, 35),
        lock(0, 7, 36, 39),
        lock(1, 4, 0x29, 0x29),
        lock(1, 5, 0x2A, 0x2A),
        lock(1, 6, 0x2B, 0x2B),
        lock(1, 7, 0x2C, 0x2F),
    ],
    freezes: &[
        freeze(0, 0, [0x0E, 0, 0, 0]),
        freeze(0, 4, [0xE0, 0, 0, 0]),
        freeze(1, 0, [0, 0x10, 0, 0]),
        freeze(1, 1, [0, 0x20, 0, 0]),
        freeze(1, 2, [0, 0x40, 0, 0]),
        freeze(1, 3, [0, 0x80, 0, 0]),
    ],
};

/// MF0ULx1 §8.5.3; as on NTAG213, two pages to a bit, but only up to page 35.
const ULTRALIGHT_EV1_128_LOCKS: LockPage = LockPage {
    page: 0x24,
    lock_bytes: 0..3,
    locks: &[
        lock(0, 0, 16, 17),
        lock(0, 1, 18, 19),
        lock(0, 2, 20, 21),
        lock(0, 3, 22, 23),
        lock(0, 4, 24, 25),
        lock(0, 5, 26, 27),
        lock(0, 6, 28, 29),
        lock(0, 7, 30, 31),
        lock(1, 0, 32, 33),
        lock(1, 1, 34, 35),
    ],
    freezes: &[
        freeze(2, 0, [0x03, 0, 0, 0]),
        freeze(2, 1, [0x0C, 0, 0, 0]),
        freeze(2, 2, [0x30, 0, 0, 0]),
        freeze(2, 3, [0xC0, 0, 0, 0]),
        freeze(2, 4, [0, 0x03, 0, 0]),
    ],
};

/// NTAG213_215_216 §8.5.3.
const NTAG213_LOCKS: LockPage = LockPage {
    page: 0x28,
    lock_bytes: 0..3,
    locks: &[
        lock(0, 0, 16, 17),
        lock(0, 1, 18, 19),
        lock(0, 2, 20, 21),
        lock(0, 3, 22, 23),
        lock(0, 4, 24, 25),
        lock(0, 5, 26, 27),
        lock(0, 6, 28, 29),
        lock(0, 7, 30, 31),
        lock(1, 0, 32, 33),
        lock(1, 1, 34, 35),
        lock(1, 2, 36, 37),
        lock(1, 3, 38, 39),
    ],
    freezes: &[
        freeze(2, 0, [0x03, 0, 0, 0]),
        freeze(2, 1, [0x0C, 0, 0, 0]),
        freeze(2, 2, [0x30, 0, 0, 0]),
        freeze(2, 3, [0xC0, 0, 0, 0]),
        freeze(2, 4, [0, 0x03, 0, 0]),
        freeze(2, 5, [0, 0x0C, 0, 0]),
    ],
};

/// NTAG213_215_216 §8.5.3.
const NTAG215_LOCKS: LockPage = LockPage {
    page: 0x82,
    lock_bytes: 0..3,
    locks: &[
        lock(0, 0, 16, 31),
        lock(0, 1, 32, 47),
        lock(0, 2, 48, 63),
        lock(0, 3, 64, 79),
        lock(0, 4, 80, 95),
        lock(0, 5, 96, 111),
        lock(0, 6, 112, 127),
        lock(0, 7, 128, 129),
    ],
    freezes: &[
        freeze(2, 0, [0x03, 0, 0, 0]),
        freeze(2, 1, [0x0C, 0, 0, 0]),
        freeze(2, 2, [0x30, 0, 0, 0]),
        freeze(2, 3, [0xC0, 0, 0, 0]),
    ],
};

/// NTAG213_215_216 §8.5.3.
const NTAG216_LOCKS: LockPage = LockPage {
    page: 0xE2,
    lock_bytes: 0..3,
    locks: &[
        lock(0, 0, 16, 31),
        lock(0, 1, 32, 47),
        lock(0, 2, 48, 63),
        lock(0, 3, 64, 79),
        lock(0, 4, 80, 95),
        lock(0, 5, 96, 111),
        lock(0, 6, 112, 127),
        lock(0, 7, 128, 143),
        lock(1, 0, 144, 159),
        lock(1, 1, 160, 175),
        lock(1, 2, 176, 191),
        lock(1, 3, 192, 207),
        lock(1, 4, 208, 223),
        lock(1, 5, 224, 225),
    ],
    freezes: &[
        freeze(2, 0, [0x03, 0, 0, 0]),
        freeze(2, 1, [0x0C, 0, 0, 0]),
        freeze(2, 2, [0x30, 0, 0, 0]),
        freeze(2, 3, [0xC0, 0, 0, 0]),
        freeze(2, 4, [0, 0x03, 0, 0]),
        freeze(2, 5, [0, 0x0C, 0, 0]),
        freeze(2, 6, [0, 0x30, 0, 0]),
    ],
};

pub(in crate::card) static ULTRALIGHT: Model = Model {
    pages: 16,
    version: None,
    dynamic_locks: None,
    protection: Protection::Nothing,
    counting: Counting::Nothing,
};

pub(in crate::card) static ULTRALIGHT_EV1_48: Model = Model {
    pages: 20,
    version: Some([0x00, 0x04, 0x03, 0x01, 0x01, 0x00, 0x0B, 0x03]),
    dynamic_locks: None,
    protection: Protection::Password { config: 0x10 },
    counting: Counting::Three,
};

pub(in crate::card) static ULTRALIGHT_EV1_128: Model = Model {
    pages: 41,
    version: Some([0x00, 0x04, 0x03, 0x01, 0x01, 0x00, 0x0E, 0x03]),
    dynamic_locks: Some(ULTRALIGHT_EV1_128_LOCKS),
    protection: Protection::Password { config: 0x25 },
    counting: Counting::Three,
};

pub(in crate::card) static ULTRALIGHT_C: Model = Model {
    pages: 48,
    version: None,
    dynamic_locks: Some(ULTRALIGHT_C_LOCKS),
    protection: Protection::TripleDes,
    counting: Counting::Page(0x29),
};

pub(in crate::card) static NTAG213: Model = Model {
    pages: 45,
    version: Some([0x00, 0x04, 0x04, 0x02, 0x01, 0x00, 0x0F, 0x03]),
    dynamic_locks: Some(NTAG213_LOCKS),
    protection: Protection::Password { config: 0x29 },
    counting: Counting::Readings,
};

pub(in crate::card) static NTAG215: Model = Model {
    pages: 135,
    version: Some([0x00, 0x04, 0x04, 0x02, 0x01, 0x00, 0x11, 0x03]),
    dynamic_locks: Some(NTAG215_LOCKS),
    protection: Protection::Password { config: 0x83 },
    counting: Counting::Readings,
};

pub(in crate::card) static NTAG216: Model = Model {
    pages: 231,
    version: Some([0x00, 0x04, 0x04, 0x02, 0x01, 0x00, 0x13, 0x03]),
    dynamic_locks: Some(NTAG216_LOCKS),
    protection: Protection::Password { config: 0xE3 },
    counting: Counting::Readings,
};

/// The model of a technology; `None` if it is of another family.
#[cfg(test)]
pub(super) fn of(technology: Technology) -> Option<&'static Model> {
    match technology.family() {
        Family::Type2(model) => Some(model),
        Family::Classic | Family::IsoDep => None,
    }
}
