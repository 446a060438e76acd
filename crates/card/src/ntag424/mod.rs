//! NTAG 424 DNA: two copies in its proprietary file 3, which has no backup (NXP NT4H2421Gx).
//!
//! The card counts wrong keys, so none is tried whose version byte says that it is another. Files 1 and 2, keys 1 and 4
//! and all rights stay as delivered.

mod inspect;
mod plan;
mod read;

pub(crate) use inspect::Inspect;
pub(crate) use plan::plan;
pub(crate) use read::Read;

use std::ops::Range;

use crate::placing::CopyIndex;
use crate::secure::{Application, Call, FileData, Open, Select, Suite};
use crate::{KeyVersion, Technology};

/// ISOSelectFile of the application, by its name and without an answer (NXP NT4H2421Gx, 10.9.1).
const SELECT: &[u8] = &[
    0x00, 0xA4, 0x04, 0x0C, 0x07, 0xD2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01, 0x00,
];
const MASTER_KEY: u8 = 0;
const READ_KEY: u8 = 2;
const WRITE_KEY: u8 = 3;
/// The order in which keys are changed: the one that can change the others last.
const CHANGE_ORDER: [u8; 3] = [READ_KEY, WRITE_KEY, MASTER_KEY];
const FILE: u8 = 3;
const FILE_SIZE: usize = 128;
/// How many bytes a copy has.
const CAPACITY: usize = 64;
/// A standard file, enciphered; read by key 2, written and read by key 3, changed by key 0; 128 bytes (NXP NT4H2421Gx,
/// table 72).
const DELIVERED_SETTINGS: [u8; 7] = [0x00, 0x03, 0x30, 0x23, 0x80, 0x00, 0x00];

pub(crate) const APPLICATION: Application = Application {
    technology: Technology::Ntag424Dna,
    select: Select::Iso(SELECT),
    suite: Suite::Ev2,
    frame: 255,
    file: FILE,
    data: FileData::Enciphered,
    commits: false,
    read_key: READ_KEY,
    write_key: WRITE_KEY,
    identify_key: None,
    counts_failures: true,
};

/// Where a copy lies in the file.
fn range(copy: CopyIndex) -> Range<usize> {
    let start = copy.index() * CAPACITY;
    start..start + CAPACITY
}

/// Both copies at once.
fn read_both() -> Call {
    Call::read_data(FILE, 0, FILE_SIZE, FileData::Enciphered)
}

/// What an inspection leaves to a plan.
#[derive(Debug, Clone)]
pub(crate) struct Area {
    /// The keys that are still those of delivery, in the order in which they are changed, and the version of the others.
    pub(crate) missing: Vec<u8>,
    pub(crate) version: KeyVersion,
    /// The session that the card has open.
    pub(crate) open: Option<Open>,
}
