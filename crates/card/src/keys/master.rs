//! Masters, one per purpose and version, and the keys of single cards that are derived from them.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::{KeyVersion, SiteKey};
use crate::{Technology, Uid, an10922};

/// A key for AES-128 from which the keys of single cards are derived.
#[derive(Clone, ZeroizeOnDrop)]
pub(super) struct Master(pub(super) [u8; 16]);

impl Master {
    /// The key of one place on one card, by AN10922 over UID, technology code and index.
    pub(super) fn diversify(
        &self,
        uid: &Uid,
        technology: Technology,
        index: u8,
    ) -> Zeroizing<[u8; 16]> {
        let mut input = Vec::with_capacity(12);
        input.extend_from_slice(uid.as_bytes());
        input.push(technology.placing_code());
        input.push(index);
        an10922::diversify(&self.0, &input)
    }

    /// The key of one place on every card, by AN10922 over technology code and index alone.
    pub(super) fn diversify_for_site(
        &self,
        technology: Technology,
        index: u8,
    ) -> Zeroizing<[u8; 16]> {
        an10922::diversify(&self.0, &[technology.placing_code(), index])
    }
}

/// HKDF-SHA256 with one version of the site key as input, no salt, and `cardbridge/1/` + purpose (+ version byte) as info.
pub(super) struct Derivation {
    hkdf: Hkdf<Sha256>,
    version: KeyVersion,
}

impl Derivation {
    pub(super) fn new(version: KeyVersion, key: &SiteKey) -> Self {
        Self {
            hkdf: Hkdf::new(None, &key.0),
            version,
        }
    }

    /// The master for one purpose ("read", "write" or "tag").
    pub(super) fn master(&self, purpose: &str) -> Master {
        let mut master = Master([0; 16]);
        self.versioned(purpose, &mut master.0);
        master
    }

    pub(super) fn versioned(&self, purpose: &str, output: &mut [u8]) {
        self.expand(purpose, Some(self.version), output);
    }

    pub(super) fn unversioned(&self, purpose: &str, output: &mut [u8]) {
        self.expand(purpose, None, output);
    }

    fn expand(&self, purpose: &str, version: Option<KeyVersion>, output: &mut [u8]) {
        let mut info = format!("cardbridge/1/{purpose}").into_bytes();
        info.extend(version.map(KeyVersion::get));
        self.hkdf
            .expand(&info, output)
            .expect("HKDF-SHA256 yields up to 8160 bytes and no purpose asks for more than 32");
    }
}
