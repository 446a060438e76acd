//! The configuration and the lock bytes of a card, as they were read.

use super::layout::{AUTH0, AUTH1, FIRST, Layout, PAGE, Protection};
use crate::PageData;

/// Bits of the static lock bytes that lock pages 04h to 0Fh; the others lock page 03h or lock bits.
const STATIC_DATA_LOCKS: [u8; 2] = [0xF0, 0xFF];
/// ACCESS, byte 0 of CFG1: how many wrong passwords the card bears (MF0ULX1, 8.5.7; NTAG213_215_216, 8.5.7).
const AUTHLIM: u8 = 0x07;
/// AUTH0 of a card that asks for no password, as delivered.
const NO_PASSWORD: u8 = 0xFF;
/// AUTH0 of an Ultralight C that asks for no key, as delivered.
const NO_KEY: u8 = 0x30;

/// AUTH0, CFG0 and CFG1, or AUTH0 and AUTH1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Configuration {
    protection: Protection,
    /// The page that holds AUTH0, and the one after it.
    pages: [[u8; PAGE]; 2],
}

impl Configuration {
    /// Takes what lies on the pages of [`Layout::settings`].
    pub(super) fn new(layout: &Layout, settings: &[u8]) -> Option<Self> {
        let (_, pages) = settings.split_last_chunk::<{ 2 * PAGE }>()?;
        let (pages, _) = pages.as_chunks::<PAGE>();
        let pages = match layout.protection {
            Protection::None => return None,
            Protection::Password { .. } | Protection::TripleDes => [pages[0], pages[1]],
        };
        Some(Self {
            protection: layout.protection,
            pages,
        })
    }

    /// The page from which on the card asks for its password or key.
    pub(super) fn auth0(&self) -> u8 {
        match self.protection {
            Protection::TripleDes => self.pages[0][0],
            _ => self.pages[0][3],
        }
    }

    /// Whether keys can be written freely and what is read is what is stored, as on a card that was delivered.
    pub(super) fn is_as_delivered(&self) -> bool {
        let second = self.pages[1][0];
        match self.protection {
            Protection::None => true,
            Protection::Password { mirror, .. } => {
                self.auth0() == NO_PASSWORD && self.pages[0][0] & mirror == 0 && second == 0
            }
            Protection::TripleDes => is_unprotected_ultralight_c(self.pages[0]) && second & 1 == 0,
        }
    }

    /// Whether the card could lock itself after wrong passwords.
    pub(super) fn limits_tries(&self) -> bool {
        matches!(self.protection, Protection::Password { .. }) && self.pages[1][0] & AUTHLIM != 0
    }

    /// The page of AUTH0 and what protects the card from page 04h on. What else the page holds is kept where it can be
    /// believed: on a card that is as delivered, or already protected so. Else a torn write has left it, and it gets what it was
    /// delivered with.
    pub(super) fn protected(&self) -> (u8, PageData) {
        let as_read = self.pages[0];
        let believed = self.is_as_delivered() || self.auth0() == FIRST;
        match self.protection {
            Protection::Password {
                cfg0,
                delivered: [a, b, c],
                mirror,
            } => {
                let [a, b, c] = if believed && as_read[0] & mirror == 0 {
                    [as_read[0], as_read[1], as_read[2]]
                } else {
                    [a, b, c]
                };
                (cfg0, PageData::new([a, b, c, FIRST]))
            }
            Protection::TripleDes | Protection::None => (AUTH0, PageData::new([FIRST, 0, 0, 0])),
        }
    }
}

/// Whether page 2Ah says that no key is asked for.
pub(super) fn is_unprotected_ultralight_c(page: [u8; PAGE]) -> bool {
    page[0] == NO_KEY
}

/// What lock bits forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Locked {
    /// To write some page of the placing.
    pub(super) data: bool,
    /// To write AUTH0 or the key.
    pub(super) keys: bool,
}

impl Locked {
    /// Takes page 02h, and the page of the dynamic lock bytes where there is one.
    pub(super) fn new(layout: &Layout, page_2: &[u8], dynamic: Option<&[u8]>) -> Self {
        let set = |bytes: &[u8], mask: [u8; 2]| bytes.iter().zip(mask).any(|(b, m)| b & m != 0);
        let mut locked = Self {
            data: set(&page_2[2..], STATIC_DATA_LOCKS),
            keys: false,
        };
        if let (Some(locks), Some(dynamic)) = (layout.dynamic_locks, dynamic) {
            locked.data |= set(dynamic, locks.data);
            locked.keys = set(dynamic, locks.keys);
        }
        locked
    }
}

const _: () = assert!(AUTH1 == AUTH0 + 1, "they are taken as neighbours");
