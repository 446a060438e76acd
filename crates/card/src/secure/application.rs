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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SiteKey;

    /// The values of docs/card-format.md, sections 11 and 12, of the site key of its section 16.
    #[test]
    fn the_keys_of_the_documentation_come_out() {
        let page = include_str!("../../../../docs/card-format.md");
        let site = SiteKeys::new(
            KeyVersion::FIRST,
            SiteKey::new(std::array::from_fn(|at| at as u8)),
        );
        let keys = CardKeys::Writing(site);
        let uid: Uid = "04A1B2C3D4E5F6".parse().unwrap();
        for (application, numbers) in [
            (crate::ntag424::APPLICATION, &[0, 2, 3][..]),
            (
                crate::desfire::application(Technology::DesfireEv2),
                &[0, 1, 2, 3],
            ),
        ] {
            for number in numbers {
                let key = keys
                    .key(&application, Some(&uid), *number, KeyVersion::FIRST)
                    .unwrap();
                let code = application.technology.placing_code();
                let row = format!(
                    "| `{code:02X}` | {number} | `{}` |",
                    hex::encode_upper(*key)
                );
                assert!(
                    page.contains(&row),
                    "docs/card-format.md does not say\n{row}"
                );
            }
        }
    }

    #[test]
    fn a_lock_has_no_key_that_writes() {
        let site = SiteKeys::new(KeyVersion::FIRST, SiteKey::new([7; 32]));
        let keys = CardKeys::Reading(site.lock_keys());
        let application = crate::desfire::application(Technology::DesfireEv1);
        let uid = "04A1B2C3D4E5F6".parse().unwrap();
        let held = [0, 1, 2, 3].map(|number| {
            keys.key(&application, Some(&uid), number, KeyVersion::FIRST)
                .is_some()
        });
        assert_eq!(held, [false, true, false, true]);
    }

    #[test]
    fn a_session_does_not_print_itself() {
        let mut authentication = super::super::authentication::Authentication::new(
            Suite::Ev2,
            Zeroizing::new([0; 16]),
            {
                hex::decode("13C5DB8A5930439FC3DEF9A4C675360F")
                    .unwrap()
                    .try_into()
                    .unwrap()
            },
        );
        let challenge = hex::decode("A04C124213C186F22399D33AC2A30215").unwrap();
        authentication.second(&challenge).unwrap();
        let proof = hex::decode("3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F08120663");
        let session = authentication.finish(&proof.unwrap()).unwrap();
        assert_eq!(format!("{session:?}"), "Session(…)");
    }
}
