//! The memory maps: which pages a placing has on each technology, and where its locks and its protection are (NXP MF0ICU1,
//! 7.5; MF0ULX1, 8.5; MF0ICU2, 7.5; NTAG213_215_216, 8.5).

use crate::{CopyIndex, Technology};

/// How many bytes a page has.
pub(super) const PAGE: usize = 4;
/// The page that holds the static lock bytes.
pub(super) const STATIC_LOCKS: u8 = 0x02;
/// The first page of every placing, and from where on a prepared card is protected.
pub(super) const FIRST: u8 = 0x04;

/// How many pages FAST_READ is asked for at most: 64 bytes, which every encoder can carry.
const FAST_READ_PAGES: usize = 16;
/// How many pages READ answers.
const READ_PAGES: usize = 4;

/// Pages next to each other, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pages {
    pub(super) first: u8,
    pub(super) last: u8,
}

impl Pages {
    pub(super) const fn new(first: u8, last: u8) -> Self {
        Self { first, last }
    }

    /// One page.
    pub(super) const fn one(page: u8) -> Self {
        Self::new(page, page)
    }

    /// How many bytes they hold.
    pub(super) const fn bytes(self) -> usize {
        (self.last - self.first) as usize * PAGE + PAGE
    }

    /// The first `bytes` of them, rounded up to whole pages; all of them when there are fewer.
    pub(super) fn holding(self, bytes: usize) -> Self {
        let pages = bytes.min(self.bytes()).div_ceil(PAGE).max(1);
        Self::new(self.first, self.first + (pages - 1) as u8)
    }
}

/// What keeps others from writing a prepared card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    /// Nothing.
    None,
    /// CFG0, CFG1, PWD and PACK, from this page on. `delivered` are bytes 0 to 2 of CFG0 at delivery, the bits of
    /// `mirror` in its byte 0 make the card show its UID or counter in place of what is stored.
    Password {
        cfg0: u8,
        delivered: [u8; 3],
        mirror: u8,
    },
    /// AUTH0 in page 2Ah, AUTH1 in page 2Bh, the key in 2Ch to 2Fh.
    TripleDes,
}

/// The dynamic lock bytes: their page, and which bits of its first two bytes lock pages of the placing, AUTH0 or the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DynamicLocks {
    pub(super) page: u8,
    pub(super) data: [u8; 2],
    pub(super) keys: [u8; 2],
}

/// Where things lie on one technology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// The copies of its placing, A first.
    pub(super) copies: &'static [Pages],
    /// The last page that can be read.
    pub(super) last_readable: u8,
    /// Whether it knows FAST_READ.
    pub(super) fast_read: bool,
    pub(super) dynamic_locks: Option<DynamicLocks>,
    pub(super) protection: Protection,
}

impl Layout {
    /// Of a technology of this family.
    ///
    /// # Panics
    /// For any other; the family has been told before.
    pub(super) fn of(technology: Technology) -> &'static Self {
        match technology {
            Technology::MifareUltralight => &ULTRALIGHT,
            Technology::MifareUltralightEv1_48 => &ULTRALIGHT_EV1_48,
            Technology::MifareUltralightEv1_128 => &ULTRALIGHT_EV1_128,
            Technology::MifareUltralightC => &ULTRALIGHT_C,
            Technology::Ntag213 => &NTAG213,
            Technology::Ntag215 => &NTAG215,
            Technology::Ntag216 => &NTAG216,
            other => unreachable!("{other} is of another family"),
        }
    }

    /// The pages of one copy.
    ///
    /// # Panics
    /// For copy B of a placing that has one copy.
    pub(super) fn copy(&self, copy: CopyIndex) -> Pages {
        self.copies[copy.index()]
    }

    /// The whole placing.
    pub(super) fn placing(&self) -> Pages {
        let last = self.copies[self.copies.len() - 1].last;
        Pages::new(FIRST, last)
    }

    /// How many bytes an image may have.
    pub(super) fn capacity(&self) -> usize {
        self.copies[0].bytes()
    }

    /// How many pages one exchange reads.
    pub(super) const fn pages_per_exchange(&self) -> usize {
        if self.fast_read {
            FAST_READ_PAGES
        } else {
            READ_PAGES
        }
    }

    /// Dynamic lock bytes and configuration, which lie side by side.
    pub(super) fn settings(&self) -> Option<Pages> {
        let first = self.dynamic_locks.map(|locks| locks.page);
        match self.protection {
            Protection::None => None,
            Protection::Password { cfg0, .. } => Some(Pages::new(first.unwrap_or(cfg0), cfg0 + 1)),
            Protection::TripleDes => Some(Pages::new(first.unwrap_or(AUTH0), AUTH1)),
        }
    }
}

/// Ultralight C: the page from which on its key is asked for (MF0ICU2, 7.5.8).
pub(super) const AUTH0: u8 = 0x2A;
/// Ultralight C: whether reading asks for it too; 00h, as delivered, says yes.
pub(super) const AUTH1: u8 = 0x2B;
/// Ultralight C: the first of the four pages of its key.
pub(super) const KEY: u8 = 0x2C;

const ULTRALIGHT: Layout = Layout {
    copies: &[Pages::new(0x04, 0x0F)],
    last_readable: 0x0F,
    fast_read: false,
    dynamic_locks: None,
    protection: Protection::None,
};

/// CFG0 of Ultralight EV1 at delivery (MF0ULX1, 8.5.7: MOD, then reserved).
const fn ultralight_password(cfg0: u8) -> Protection {
    Protection::Password {
        cfg0,
        delivered: [0x00, 0x00, 0x00],
        mirror: 0x00,
    }
}

/// CFG0 of NTAG21x at delivery (NTAG213_215_216, 8.5.7: MIRROR with STRG_MOD_EN, reserved, MIRROR_PAGE).
const fn ntag_password(cfg0: u8) -> Protection {
    Protection::Password {
        cfg0,
        delivered: [0x04, 0x00, 0x00],
        mirror: 0xC0,
    }
}

const fn locks(page: u8, data: [u8; 2]) -> Option<DynamicLocks> {
    Some(DynamicLocks {
        page,
        data,
        keys: [0x00; 2],
    })
}

const ULTRALIGHT_EV1_48: Layout = Layout {
    copies: &[Pages::new(0x04, 0x0F)],
    last_readable: 0x13,
    fast_read: true,
    dynamic_locks: None,
    protection: ultralight_password(0x10),
};

const ULTRALIGHT_EV1_128: Layout = Layout {
    copies: &[Pages::new(0x04, 0x13), Pages::new(0x14, 0x23)],
    last_readable: 0x28,
    fast_read: true,
    dynamic_locks: locks(0x24, [0xFF, 0x03]),
    protection: ultralight_password(0x25),
};

/// Of lock byte 2, bits 0 and 4 only lock other lock bits; of lock byte 3, bit 5 locks AUTH0 and bit 7 the key (MF0ICU2,
/// 7.5.3).
const ULTRALIGHT_C: Layout = Layout {
    copies: &[Pages::new(0x04, 0x15), Pages::new(0x16, 0x27)],
    last_readable: AUTH1,
    fast_read: false,
    dynamic_locks: Some(DynamicLocks {
        page: 0x28,
        data: [0xEE, 0x00],
        keys: [0x00, 0xA0],
    }),
    protection: Protection::TripleDes,
};

const NTAG213: Layout = Layout {
    copies: &[Pages::new(0x04, 0x15), Pages::new(0x16, 0x27)],
    last_readable: 0x2C,
    fast_read: true,
    dynamic_locks: locks(0x28, [0xFF, 0x0F]),
    protection: ntag_password(0x29),
};

const NTAG215: Layout = Layout {
    copies: &[Pages::new(0x04, 0x42), Pages::new(0x43, 0x81)],
    last_readable: 0x86,
    fast_read: true,
    dynamic_locks: locks(0x82, [0xFF, 0x00]),
    protection: ntag_password(0x83),
};

const NTAG216: Layout = Layout {
    copies: &[Pages::new(0x04, 0x72), Pages::new(0x73, 0xE1)],
    last_readable: 0xE6,
    fast_read: true,
    dynamic_locks: locks(0xE2, [0xFF, 0x3F]),
    protection: ntag_password(0xE3),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::technology::Family;

    #[test]
    fn every_placing_fills_the_user_memory_in_equal_copies_before_the_locks_and_the_configuration()
    {
        let capacities = [48, 48, 64, 72, 72, 252, 444];
        let technologies = Technology::ALL
            .into_iter()
            .filter(|technology| technology.family() == Family::Type2);
        for (technology, capacity) in technologies.zip(capacities) {
            let layout = Layout::of(technology);
            assert_eq!(layout.copies.len(), technology.copies().len());
            assert!(layout.copies.iter().all(|copy| copy.bytes() == capacity));
            assert_eq!(layout.placing().bytes(), capacity * layout.copies.len());
            if let Some(settings) = layout.settings() {
                assert_eq!(settings.first, layout.placing().last + 1, "{technology}");
                assert!(settings.last <= layout.last_readable);
            }
        }
    }
}
