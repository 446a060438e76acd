//! Where a credential lies on a card with native commands, and which keys open it.

use zeroize::Zeroizing;

use super::call::{ApplicationId, FileData};
use super::session::Suite;
use crate::keys::LockKeys;
use crate::{KeyVersion, SiteKeys, Technology, Uid};

/// What is selected, how it is opened, and which of its keys does what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Application {
    pub(crate) technology: Technology,
    pub(crate) select: Select,
    pub(crate) suite: Suite,
    /// The most bytes of command data in one frame.
    pub(crate) frame: usize,
    pub(crate) file: u8,
    pub(crate) data: FileData,
    /// Whether the file is a backup file: what it was given counts once it is committed.
    pub(crate) commits: bool,
    /// The key that reads, and the one that writes and reads.
    pub(crate) read_key: u8,
    pub(crate) write_key: u8,
    /// A key that is the same for the whole site and serves to ask a card for the UID that it hides.
    pub(crate) identify_key: Option<u8>,
    /// Whether a key may be tried only when its version byte says that it is the one: the card counts failures.
    pub(crate) counts_failures: bool,
}

/// How the application is selected.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Select {
    Native(ApplicationId),
    /// A whole command.
    Iso(&'static [u8]),
}

/// One key of an application, and what it is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyUse {
    pub(crate) number: u8,
    pub(crate) secret: Secret,
}

/// What a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secret {
    /// 16 zero bytes, version 0.
    Delivery,
    /// Derived from that version of the site key, which is its version byte.
    Site(KeyVersion),
}

/// The keys that a procedure opens cards with.
#[derive(Debug, Clone)]
pub(crate) enum CardKeys {
    /// To read, as a lock does.
    Reading(LockKeys),
    /// To write.
    Writing(SiteKeys),
}

impl CardKeys {
    pub(crate) fn lock(&self) -> &LockKeys {
        match self {
            Self::Reading(keys) => keys,
            Self::Writing(keys) => keys.lock(),
        }
    }

    /// The key that the data is opened with.
    pub(crate) fn data_key(&self, application: &Application) -> u8 {
        match self {
            Self::Reading(_) => application.read_key,
            Self::Writing(_) => application.write_key,
        }
    }

    /// A version that is held, from its byte.
    pub(crate) fn version(&self, byte: u8) -> Option<KeyVersion> {
        self.lock().versions().find(|held| held.get() == byte)
    }

    /// The newest version, and whether it is the only one.
    pub(crate) fn newest(&self) -> (KeyVersion, bool) {
        let mut versions = self.lock().versions();
        let newest = versions.next().expect("a ring is never empty");
        (newest, versions.next().is_none())
    }

    /// The key with that number: its index is its number. `None` for a version that is not held, a writing key without the
    /// masters for it, or a key of one card whose UID is not known.
    pub(super) fn key(
        &self,
        application: &Application,
        uid: Option<&Uid>,
        number: u8,
        version: KeyVersion,
    ) -> Option<Zeroizing<[u8; 16]>> {
        let technology = application.technology;
        if application.identify_key == Some(number) {
            return self.lock().site_wide_key(version, technology, number);
        }
        if number == application.read_key {
            return self.lock().read_key(version, uid?, technology, number);
        }
        match self {
            Self::Reading(_) => None,
            Self::Writing(keys) => keys.write_key(version, uid?, technology, number),
        }
    }
}
