//! What a DESFire keeps in its EEPROM: applications, their keys and their files. Data and accounts of
//! memory only; who may change it is decided where the commands are.

use std::collections::BTreeMap;

use super::keys::{Key, Scheme};
use crate::card::pages::{PAGE, Pages};

/// An application's identifier, low byte first as on the wire. Zeros are the PICC level.
pub(super) type Aid = [u8; 3];
pub(super) const PICC: Aid = [0; 3];

/// Key settings as delivered: all may be changed, and listing, creating and deleting are free.
const DELIVERED_SETTINGS: u8 = 0x0F;

#[derive(Debug, Clone)]
pub(super) struct Picc {
    pub(super) settings: u8,
    pub(super) key: Key,
    /// What the keys of a new application are.
    pub(super) default_key: [u8; 24],
    pub(super) default_version: u8,
    pub(super) is_format_disabled: bool,
    pub(super) has_random_uid: bool,
    pub(super) applications: BTreeMap<Aid, Application>,
    capacity: usize,
    /// Rises only: what is deleted comes back with FormatPICC alone.
    used: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Application {
    pub(super) settings: u8,
    pub(super) scheme: Scheme,
    pub(super) keys: Vec<Key>,
    pub(super) iso_id: Option<[u8; 2]>,
    pub(super) name: Vec<u8>,
    /// Its files may have identifiers of ISO/IEC 7816-4.
    pub(super) has_iso_files: bool,
    pub(super) files: BTreeMap<u8, File>,
}

#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) iso_id: Option<[u8; 2]>,
    pub(super) is_backup: bool,
    /// Communication mode: 0 plain, 1 MAC, 3 enciphered.
    pub(super) mode: u8,
    pub(super) rights: AccessRights,
    /// What is valid. Of a backup file the other image lies with the transaction.
    pub(super) data: Pages,
}

/// Four keys, or free, or never: read, write, read and write, change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AccessRights(u16);

/// An access right that everybody has, and one that nobody has.
pub(super) const FREE: u8 = 0xE;
pub(super) const NEVER: u8 = 0xF;

impl AccessRights {
    /// Low byte first, as on the wire.
    pub(super) fn of(bytes: [u8; 2]) -> AccessRights {
        AccessRights(u16::from_le_bytes(bytes))
    }

    pub(super) fn bytes(self) -> [u8; 2] {
        self.0.to_le_bytes()
    }

    fn nibble(self, place: u32) -> u8 {
        u8::try_from((self.0 >> (4 * place)) & 0xF).expect("four bits")
    }

    /// What opens the file for reading.
    pub(super) fn read(self) -> [u8; 2] {
        [self.nibble(3), self.nibble(1)]
    }

    pub(super) fn write(self) -> [u8; 2] {
        [self.nibble(2), self.nibble(1)]
    }

    pub(super) fn change(self) -> u8 {
        self.nibble(0)
    }

    /// Every right names a key that there is, or none.
    pub(super) fn fit(self, keys: usize) -> bool {
        (0..4).all(|place| {
            let right = self.nibble(place);
            right >= FREE || usize::from(right) < keys
        })
    }
}

impl Picc {
    /// As delivered (MF3ICD81 data sheet, "Delivery": DES key of zeros).
    pub(super) fn delivered(capacity: usize) -> Picc {
        Picc {
            settings: DELIVERED_SETTINGS,
            key: Key::zero(Scheme::Des),
            default_key: [0; 24],
            default_version: 0,
            is_format_disabled: false,
            has_random_uid: false,
            applications: BTreeMap::new(),
            capacity,
            used: 0,
        }
    }

    pub(super) fn free(&self) -> usize {
        self.capacity - self.used
    }

    /// Takes memory, if there is enough.
    pub(super) fn take(&mut self, bytes: usize) -> Option<()> {
        let whole = bytes.next_multiple_of(PAGE);
        (whole <= self.free()).then(|| self.used += whole)
    }

    /// Deletes all applications; keys and settings of the card stay.
    pub(super) fn format(&mut self) {
        self.applications.clear();
        self.used = 0;
    }
}

impl Application {
    /// What an application takes: a piece for itself and one for each key. From memory; no document
    /// gives the figure.
    pub(super) fn size(keys: usize) -> usize {
        PAGE * (1 + keys)
    }
}

impl File {
    /// What a file of this length takes. A backup file has two images.
    pub(super) fn size(length: usize, is_backup: bool) -> usize {
        let image = length.next_multiple_of(PAGE);
        if is_backup { 2 * image } else { image }
    }
}
