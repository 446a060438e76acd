//! What a lock holds: enough to read a card of its site and to check its tag, not enough to write one.

use std::fmt;

use aes::Aes128;
use cmac::{Cmac, KeyInit, Mac};
use zeroize::Zeroizing;

use super::KeyVersion;
use super::master::{Derivation, Master};
use crate::placing::Place;
use crate::{SiteMark, Technology, Uid};

/// The site mark, and for every version of the site key the masters for reading and for tags.
#[derive(Clone)]
pub struct LockKeys {
    pub(super) site_mark: SiteMark,
    /// By rising version, never empty.
    pub(super) versions: Vec<LockVersion>,
}

/// The masters of one version.
#[derive(Clone)]
pub(super) struct LockVersion {
    pub(super) version: KeyVersion,
    pub(super) read: Master,
    pub(super) tag: Master,
}

impl LockVersion {
    pub(super) fn derive(version: KeyVersion, derivation: &Derivation) -> Self {
        Self {
            version,
            read: derivation.master("read"),
            tag: derivation.master("tag"),
        }
    }
}

impl LockKeys {
    /// The versions there are masters for, newest first: cards in use are likelier to have the newer one.
    pub fn versions(&self) -> impl DoubleEndedIterator<Item = KeyVersion> + '_ {
        self.versions.iter().rev().map(|keys| keys.version)
    }

    /// The mark that every credential of the site carries.
    #[must_use]
    pub fn site_mark(&self) -> SiteMark {
        self.site_mark
    }

    fn version(&self, version: KeyVersion) -> Option<&LockVersion> {
        self.versions.iter().find(|keys| keys.version == version)
    }

    /// The key that reads one place on one card; shorter keys are its first bytes. `None` for a version that is not held.
    pub(crate) fn read_key(
        &self,
        version: KeyVersion,
        uid: &Uid,
        technology: Technology,
        index: u8,
    ) -> Option<Zeroizing<[u8; 16]>> {
        let keys = self.version(version)?;
        Some(keys.read.diversify(uid, technology, index))
    }

    /// The key that is the same on every card of the site: it opens nothing but the UID of a card that hides it, and so
    /// must not depend on that. `None` for a version that is not held.
    pub(crate) fn site_wide_key(
        &self,
        version: KeyVersion,
        technology: Technology,
        index: u8,
    ) -> Option<Zeroizing<[u8; 16]>> {
        let keys = self.version(version)?;
        Some(keys.read.diversify_for_site(technology, index))
    }

    /// The tag of a body that lies at `place`: AES-CMAC over technology code, copy number, UID length, UID and body;
    /// its leftmost eight bytes count. `None` for a version that is not held.
    pub(crate) fn tag(
        &self,
        version: KeyVersion,
        place: &Place,
        body: &[u8],
    ) -> Option<Cmac<Aes128>> {
        let keys = self.version(version)?;
        let key = keys
            .tag
            .diversify(&place.uid, place.technology, place.copy.number());
        let mut mac = <Cmac<Aes128> as KeyInit>::new((&*key).into());
        let uid = place.uid.as_bytes();
        mac.update(&[
            place.technology.placing_code(),
            place.copy.number(),
            uid.len() as u8,
        ]);
        mac.update(uid);
        mac.update(body);
        Some(mac)
    }

    /// The masters of every version, newest first, for the file that a lock maker is given.
    pub fn expose(&self) -> impl Iterator<Item = LockMasters<'_>> {
        self.versions.iter().rev().map(|keys| LockMasters {
            version: keys.version,
            read: &keys.read.0,
            tag: &keys.tag.0,
        })
    }
}

/// The masters of one version, laid open.
pub struct LockMasters<'a> {
    /// The version of the site key they were derived from.
    pub version: KeyVersion,
    /// Reads every card of the site.
    pub read: &'a [u8; 16],
    /// Checks, and could make, the tag of every card of the site.
    pub tag: &'a [u8; 16],
}

impl fmt::Debug for LockKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockKeys")
            .field("versions", &self.versions().collect::<Vec<_>>())
            .field("site_mark", &self.site_mark)
            .finish_non_exhaustive()
    }
}
