//! Native commands, before they are protected and wrapped.

use zeroize::Zeroizing;

/// The identifier of a DESFire application, as it goes over the wire.
pub(crate) type ApplicationId = [u8; 3];

/// One native command.
pub(crate) struct Call {
    pub(super) instruction: u8,
    /// What is never enciphered.
    pub(super) header: Vec<u8>,
    pub(super) body: Body,
    /// Whether the answer comes enciphered.
    pub(super) enciphers_answer: bool,
    /// Whether the card forgets the session when it has done it.
    pub(super) ends_session: bool,
    /// What the card is asked to do, for an error.
    pub(super) doing: &'static str,
}

/// What follows the header.
pub(super) enum Body {
    Nothing,
    /// File data, sent as the file's settings demand.
    Data {
        bytes: Zeroizing<Vec<u8>>,
        enciphered: bool,
    },
    /// A key to take the place of the delivery key, always enciphered.
    NewKey {
        key: Zeroizing<[u8; 16]>,
        version: u8,
        /// Whether it is the key that opened the session.
        of_session: bool,
    },
}

/// How the bytes of a file go over the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileData {
    /// In clear with a MAC.
    Maced,
    /// Enciphered with a MAC.
    Enciphered,
}

impl FileData {
    /// DESFire takes the codes of native chaining. NTAG 424 DNA, whose file alone is enciphered, knows only those of
    /// ISO/IEC 14443-4 chaining (NXP NT4H2421Gx, 10.8).
    fn code(self, native: u8, iso: u8) -> u8 {
        match self {
            Self::Maced => native,
            Self::Enciphered => iso,
        }
    }
}

impl Call {
    fn new(instruction: u8, header: &[u8], doing: &'static str) -> Self {
        Self {
            instruction,
            header: header.to_vec(),
            body: Body::Nothing,
            enciphers_answer: false,
            ends_session: false,
            doing,
        }
    }

    /// SelectApplication: forgets session and open transaction.
    pub(crate) fn select_application(id: ApplicationId) -> Self {
        Self {
            ends_session: true,
            ..Self::new(0x5A, &id, "select an application")
        }
    }

    /// CreateApplication with `settings` of its master key and `keys` (their type and number).
    pub(crate) fn create_application(id: ApplicationId, settings: u8, keys: u8) -> Self {
        let header = [&id[..], &[settings, keys]].concat();
        Self::new(0xCA, &header, "create an application")
    }

    /// GetKeySettings of the selected application: settings, type and number of keys.
    pub(crate) fn key_settings() -> Self {
        Self::new(0x45, &[], "tell its key settings")
    }

    /// GetKeyVersion.
    pub(crate) fn key_version(number: u8) -> Self {
        Self::new(0x64, &[number], "tell the version of a key")
    }

    /// FreeMemory: three bytes, least significant first.
    pub(crate) fn free_memory() -> Self {
        Self::new(0x6E, &[], "tell its free memory")
    }

    /// GetFileIDs.
    pub(crate) fn file_ids() -> Self {
        Self::new(0x6F, &[], "tell its files")
    }

    /// GetFileSettings.
    pub(crate) fn file_settings(file: u8) -> Self {
        Self::new(0xF5, &[file], "tell the settings of a file")
    }

    /// GetCardUID: the UID it was made with.
    pub(crate) fn card_uid() -> Self {
        Self {
            enciphers_answer: true,
            ..Self::new(0x51, &[], "tell its UID")
        }
    }

    /// ChangeKey from the delivery key, 16 zero bytes, with which the old key is XORed in vain.
    pub(crate) fn change_key(
        number: u8,
        key: Zeroizing<[u8; 16]>,
        version: u8,
        of_session: bool,
    ) -> Self {
        Self {
            body: Body::NewKey {
                key,
                version,
                of_session,
            },
            ends_session: of_session,
            ..Self::new(0xC4, &[number], "take a key")
        }
    }

    /// CreateBackupDataFile: `settings` are communication, access rights in two bytes and size in three, each least
    /// significant byte first.
    pub(crate) fn create_backup_file(file: u8, settings: [u8; 6]) -> Self {
        let header = [&[file][..], &settings].concat();
        Self::new(0xCB, &header, "create a file")
    }

    /// ReadData.
    pub(crate) fn read_data(file: u8, offset: usize, length: usize, data: FileData) -> Self {
        Self {
            enciphers_answer: data == FileData::Enciphered,
            ..Self::new(
                data.code(0xBD, 0xAD),
                &range(file, offset, length),
                "read a file",
            )
        }
    }

    /// WriteData.
    pub(crate) fn write_data(file: u8, offset: usize, bytes: &[u8], data: FileData) -> Self {
        Self {
            body: Body::Data {
                bytes: Zeroizing::new(bytes.to_vec()),
                enciphered: data == FileData::Enciphered,
            },
            ..Self::new(
                data.code(0x3D, 0x8D),
                &range(file, offset, bytes.len()),
                "write a file",
            )
        }
    }

    /// CommitTransaction.
    pub(crate) fn commit_transaction() -> Self {
        Self::new(0xC7, &[], "commit what was written")
    }
}

/// File number, offset and length, three bytes each, least significant first (NXP MF3ICD81, 11.6).
fn range(file: u8, offset: usize, length: usize) -> [u8; 7] {
    let [o0, o1, o2, ..] = offset.to_le_bytes();
    let [l0, l1, l2, ..] = length.to_le_bytes();
    [file, o0, o1, o2, l0, l1, l2]
}
