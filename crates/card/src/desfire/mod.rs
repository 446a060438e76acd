//! MIFARE DESFire EV1, EV2 and EV3: one application with one backup file, which the card itself switches from one content
//! to the next (NXP MF3ICD81; MF2DLHX0 for EV2 secure messaging).
//!
//! The card's master key and everything outside the application stay as they are; nothing is ever deleted.

mod examine;
mod file;
mod inspect;
mod plan;
mod read;

pub(crate) use inspect::Inspect;
pub(crate) use plan::plan;
pub(crate) use read::Read;

use crate::secure::{Application, ApplicationId, FileData, Open, Select, Suite};
use crate::{KeyVersion, Technology};

/// The application: "CB1".
const APPLICATION: ApplicationId = *b"CB1";
/// The level of the card itself.
const CARD: ApplicationId = [0; 3];
/// Key 0 changes every key, creates files and may change these settings; the files may be listed by everybody.
const KEY_SETTINGS: u8 = 0x0B;
/// Four AES keys.
const KEYS: u8 = 0x84;
const MASTER_KEY: u8 = 0;
const READ_KEY: u8 = 1;
const WRITE_KEY: u8 = 2;
const IDENTIFY_KEY: u8 = 3;
/// The order in which keys are changed: the one that can change the others last.
const CHANGE_ORDER: [u8; 4] = [READ_KEY, WRITE_KEY, IDENTIFY_KEY, MASTER_KEY];
const FILE: u8 = 1;
/// How many bytes the file holds.
const CAPACITY: usize = 256;
/// Communication with MACs; read by key 1, written and read by key 2, changed by key 0; 256 bytes.
const FILE_SETTINGS: [u8; 6] = [0x01, 0x20, 0x12, 0x00, 0x01, 0x00];
/// A backup file takes its size twice.
const MEMORY: usize = 2 * CAPACITY;

pub(crate) fn application(technology: Technology) -> Application {
    Application {
        technology,
        select: Select::Native(APPLICATION),
        suite: match technology {
            Technology::DesfireEv1 => Suite::Ev1,
            _ => Suite::Ev2,
        },
        // A frame of 64 bytes less block framing and wrapping (nfc-tools/libfreefare, mifare_desfire.c).
        frame: 55,
        file: FILE,
        data: FileData::Maced,
        commits: true,
        read_key: READ_KEY,
        write_key: WRITE_KEY,
        identify_key: Some(IDENTIFY_KEY),
        counts_failures: false,
    }
}

/// What an inspection leaves to a plan.
#[derive(Debug, Clone)]
pub(crate) struct Area {
    pub(crate) made: Made,
    /// The session that the card has open.
    pub(crate) open: Option<Open>,
}

/// How far the application is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Made {
    /// Not at all; the memory that is free, where the card tells it.
    Nothing { free_memory: Option<usize> },
    /// It is there, and these keys are still those of delivery; the others are of that version.
    Keys {
        missing: Vec<u8>,
        version: KeyVersion,
    },
    /// All keys are of that version; the file is not there.
    NoFile { version: KeyVersion },
    /// All of it.
    Whole,
}
