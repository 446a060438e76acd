//! The site key and everything that is made of it: masters per purpose and version, card keys and tag keys, the site
//! mark, the check values (docs/card-format.md, "Keys").
//!
//! A site that rolls its key has several versions: the newest seals, the older ones still open the cards that were
//! prepared or written under them. Nothing in here prints or compares a secret, and every secret is overwritten with
//! zeros when it is dropped.

mod lock_keys;
mod master;
mod site_key;

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{SiteMark, Technology, Uid};
use lock_keys::LockVersion;
pub use lock_keys::{LockKeys, LockMasters};
use master::{Derivation, Master};
pub use site_key::{InvalidSiteKey, KeyVersion, SiteKey};

/// The keys of a site, as the encoder PC holds them.
#[derive(Clone)]
pub struct SiteKeys {
    lock: LockKeys,
    /// In the order of `lock.versions`.
    versions: Vec<WriterVersion>,
}

/// What a writer holds of one version beside a lock.
#[derive(Clone)]
struct WriterVersion {
    write: Master,
    digest: Zeroizing<[u8; 32]>,
    check_value: [u8; 8],
}

/// These keys do not make a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKeyRing {
    /// No key at all.
    #[error("there is no site key; make one with `cardbridge keys generate`")]
    Empty,
    /// One version twice.
    #[error("version {version} of the site key is there twice; keep the one that the site uses")]
    Twice {
        /// The version.
        version: u8,
    },
    /// The site mark comes from the first key, and that is neither there nor was its mark kept.
    #[error(
        "the first version of the site key is gone and its site mark is not known; add the mark, as `cardbridge keys show-id` prints it on another PC of the site"
    )]
    NoSiteMark,
    /// The mark that was kept is not that of the first key.
    #[error("the site mark is not that of the first site key; remove the mark, it is derived")]
    WrongSiteMark,
}

impl SiteKeys {
    /// The keys of a site that has one version; the site key itself is not kept.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the site key is given away, so that it is zeroised here and not kept by the caller"
    )]
    pub fn new(version: KeyVersion, key: SiteKey) -> Self {
        let derivation = Derivation::new(version, &key);
        Self::assemble(site_mark(&derivation), [(version, derivation)])
    }

    /// The keys of a site whose key was rolled. `kept_mark` is needed once the first version is no longer there.
    ///
    /// # Errors
    /// [`InvalidKeyRing`].
    pub fn ring(
        mut keys: Vec<(KeyVersion, SiteKey)>,
        kept_mark: Option<SiteMark>,
    ) -> Result<Self, InvalidKeyRing> {
        keys.sort_by_key(|(version, _)| *version);
        if let Some(twice) = keys.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(InvalidKeyRing::Twice {
                version: twice[0].0.get(),
            });
        }
        let derivations: Vec<_> = keys
            .iter()
            .map(|(version, key)| (*version, Derivation::new(*version, key)))
            .collect();
        let (first, derivation) = derivations.first().ok_or(InvalidKeyRing::Empty)?;
        let derived = (*first == KeyVersion::FIRST).then(|| site_mark(derivation));
        let mark = match (derived, kept_mark) {
            (Some(derived), Some(kept)) if derived != kept => {
                return Err(InvalidKeyRing::WrongSiteMark);
            }
            (derived, kept) => derived.or(kept).ok_or(InvalidKeyRing::NoSiteMark)?,
        };
        Ok(Self::assemble(mark, derivations))
    }

    fn assemble(
        site_mark: SiteMark,
        derivations: impl IntoIterator<Item = (KeyVersion, Derivation)>,
    ) -> Self {
        let (mut lock, mut writer) = (Vec::new(), Vec::new());
        for (version, derivation) in derivations {
            lock.push(LockVersion::derive(version, &derivation));
            writer.push(WriterVersion::derive(&derivation));
        }
        Self {
            lock: LockKeys {
                site_mark,
                versions: lock,
            },
            versions: writer,
        }
    }

    /// The version that seals: the newest.
    #[must_use]
    pub fn newest(&self) -> KeyVersion {
        self.lock.versions().next().expect("a ring is never empty")
    }

    /// Every version, newest first.
    pub fn versions(&self) -> impl DoubleEndedIterator<Item = KeyVersion> + '_ {
        self.lock.versions()
    }

    /// Per version, lowest first, eight bytes that differ between two site keys or versions and reveal nothing of either.
    pub fn check_values(&self) -> impl Iterator<Item = (KeyVersion, [u8; 8])> + '_ {
        let versions = self.lock.versions.iter().map(|keys| keys.version);
        versions.zip(self.versions.iter().map(|keys| keys.check_value))
    }

    /// The mark that every credential of the site carries.
    #[must_use]
    pub fn site_mark(&self) -> SiteMark {
        self.lock.site_mark
    }

    /// What a lock of this site is given.
    #[must_use]
    pub fn lock_keys(&self) -> LockKeys {
        self.lock.clone()
    }

    pub(crate) fn lock(&self) -> &LockKeys {
        &self.lock
    }

    fn version(&self, version: KeyVersion) -> Option<&WriterVersion> {
        let at = self
            .lock
            .versions
            .iter()
            .position(|keys| keys.version == version)?;
        self.versions.get(at)
    }

    /// The key that reads one place on one card; shorter keys are its first bytes. `None` for a version that is not held.
    pub(crate) fn read_key(
        &self,
        version: KeyVersion,
        uid: &Uid,
        technology: Technology,
        index: u8,
    ) -> Option<Zeroizing<[u8; 16]>> {
        self.lock.read_key(version, uid, technology, index)
    }

    /// The key that writes one place on one card; shorter keys are its first bytes. `None` for a version that is not held.
    pub(crate) fn write_key(
        &self,
        version: KeyVersion,
        uid: &Uid,
        technology: Technology,
        index: u8,
    ) -> Option<Zeroizing<[u8; 16]>> {
        let keys = self.version(version)?;
        Some(keys.write.diversify(uid, technology, index))
    }

    /// HMAC-SHA256 over a credential image under the version that sealed it: the same image, the same digest, and nothing
    /// else can be told from it. `None` for a version that is not held.
    pub(crate) fn digest(&self, version: KeyVersion, image: &[u8]) -> Option<[u8; 32]> {
        let keys = self.version(version)?;
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&*keys.digest)
            .expect("HMAC takes keys of any length");
        mac.update(image);
        Some(mac.finalize().into_bytes().into())
    }

    /// HMAC-SHA256 over what a lock server is to make a card for, under the newest version. It never equals the digest of
    /// an image: no image begins like this.
    #[must_use]
    pub fn order_digest(&self, order: &[u8]) -> [u8; 32] {
        let marked = [b"order to a lock server:", order].concat();
        self.digest(self.newest(), &marked)
            .expect("the newest version is held")
    }
}

impl WriterVersion {
    fn derive(derivation: &Derivation) -> Self {
        let mut keys = Self {
            write: derivation.master("write"),
            digest: Zeroizing::new([0; 32]),
            check_value: [0; 8],
        };
        derivation.versioned("digest", &mut *keys.digest);
        derivation.versioned("check-value", &mut keys.check_value);
        keys
    }
}

/// The mark of the site whose first key this is.
fn site_mark(derivation: &Derivation) -> SiteMark {
    let mut mark = [0; 2];
    derivation.unversioned("site-mark", &mut mark);
    SiteMark::new(mark)
}

impl fmt::Debug for SiteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SiteKeys")
            .field("versions", &self.versions().collect::<Vec<_>>())
            .field("site_mark", &self.site_mark())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
