//! The site key and everything that is made of it: masters per purpose, sector keys and tag keys per card, the site
//! mark, the check value (docs/card-format.md, "Keys").
//!
//! Nothing in here prints or compares a secret, and every secret is overwritten with zeros when it is dropped.

use std::fmt;
use std::num::NonZeroU8;

use aes::Aes128;
use cmac::{Cmac, KeyInit, Mac};
use hkdf::Hkdf;
use hmac::Hmac;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::an10922;
use crate::classic::{Sector, SectorTrailer};
use crate::placing::Place;
use crate::{ClassicKey, SiteMark, Technology, Uid};

/// The 32 bytes from which a site derives every key. Never printed; overwritten with zeros when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SiteKey([u8; 32]);

/// What was given is not a site key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a site key has 32 bytes, written as 64 hex digits; make one with `openssl rand -hex 32`")]
pub struct InvalidSiteKey;

impl SiteKey {
    /// Takes the 32 bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 64 hex digits.
    ///
    /// # Errors
    /// [`InvalidSiteKey`] for anything else; the text is not repeated in it.
    pub fn from_hex(text: &str) -> Result<Self, InvalidSiteKey> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(InvalidSiteKey);
        }
        let mut key = Self([0; 32]);
        for (byte, pair) in key.0.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Ok(key)
    }
}

fn hex_digit(digit: u8) -> Result<u8, InvalidSiteKey> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(InvalidSiteKey),
    }
}

impl fmt::Debug for SiteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SiteKey(…)")
    }
}

/// Which of a site's keys, counted from 1; it rises when the site key is rolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyVersion(NonZeroU8);

impl KeyVersion {
    /// The version of a site's first key.
    pub const FIRST: Self = Self(NonZeroU8::MIN);

    /// Takes a version; 0 is none.
    #[must_use]
    pub fn new(version: u8) -> Option<Self> {
        NonZeroU8::new(version).map(Self)
    }

    /// 1 to 255.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0.get()
    }
}

/// A key for AES-128 from which the keys of single cards are derived.
#[derive(Clone, ZeroizeOnDrop)]
struct Master([u8; 16]);

impl Master {
    /// The master for one purpose ("read", "write" or "tag").
    fn derive(hkdf: &Hkdf<Sha256>, purpose: &str, version: KeyVersion) -> Self {
        let mut master = Self([0; 16]);
        expand(hkdf, purpose, Some(version), &mut master.0);
        master
    }

    /// The key of one place on one card, by AN10922 over UID, technology code and index.
    fn diversify(&self, uid: &Uid, technology: Technology, index: u8) -> Zeroizing<[u8; 16]> {
        let mut input = Vec::with_capacity(12);
        input.extend_from_slice(uid.as_bytes());
        input.push(technology.placing_code());
        input.push(index);
        an10922::diversify(&self.0, &input)
    }

    /// A MIFARE Classic sector key: the first six bytes.
    fn sector_key(&self, uid: &Uid, technology: Technology, sector: Sector) -> ClassicKey {
        let key = self.diversify(uid, technology, sector.number());
        let mut first_six = [0; 6];
        first_six.copy_from_slice(&key[..6]);
        let sector_key = ClassicKey::new(first_six);
        first_six.zeroize();
        sector_key
    }
}

/// HKDF-SHA256 with the site key as input, no salt, and `cardbridge/1/` + purpose (+ version byte) as info.
fn expand(hkdf: &Hkdf<Sha256>, purpose: &str, version: Option<KeyVersion>, output: &mut [u8]) {
    let mut info = format!("cardbridge/1/{purpose}").into_bytes();
    info.extend(version.map(KeyVersion::get));
    hkdf.expand(&info, output)
        .expect("HKDF-SHA256 yields up to 8160 bytes and no purpose asks for more than 32");
}

/// What a lock holds: enough to read a card of its site and to check the tag, not enough to write one.
#[derive(Clone)]
pub struct LockKeys {
    version: KeyVersion,
    site_mark: SiteMark,
    read: Master,
    tag: Master,
}

impl LockKeys {
    /// The version these masters were derived for.
    #[must_use]
    pub fn version(&self) -> KeyVersion {
        self.version
    }

    /// The mark that every credential of the site carries.
    #[must_use]
    pub fn site_mark(&self) -> SiteMark {
        self.site_mark
    }

    /// Key A of a sector.
    pub(crate) fn read_key(&self, uid: &Uid, technology: Technology, sector: Sector) -> ClassicKey {
        self.read.sector_key(uid, technology, sector)
    }

    /// The tag of a body that lies at `place`: AES-CMAC over technology code, copy number, UID length, UID and body;
    /// its leftmost eight bytes count.
    pub(crate) fn tag(&self, place: &Place, body: &[u8]) -> Cmac<Aes128> {
        let key = self
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
        mac
    }
}

impl fmt::Debug for LockKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockKeys")
            .field("version", &self.version)
            .field("site_mark", &self.site_mark)
            .finish_non_exhaustive()
    }
}

/// The keys of a site, as the encoder PC holds them.
#[derive(Clone)]
pub struct SiteKeys {
    lock: LockKeys,
    write: Master,
    digest: Zeroizing<[u8; 32]>,
    check_value: [u8; 8],
}

impl SiteKeys {
    /// Derives everything from the site key; the site key itself is not kept.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the site key is given away, so that it is zeroised here and not kept by the caller"
    )]
    pub fn new(version: KeyVersion, key: SiteKey) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, &key.0);
        let mut site_mark = [0; 2];
        expand(&hkdf, "site-mark", None, &mut site_mark);
        let mut digest = Zeroizing::new([0; 32]);
        expand(&hkdf, "digest", Some(version), &mut *digest);
        let mut check_value = [0; 8];
        expand(&hkdf, "check-value", Some(version), &mut check_value);
        Self {
            lock: LockKeys {
                version,
                site_mark: SiteMark::new(site_mark),
                read: Master::derive(&hkdf, "read", version),
                tag: Master::derive(&hkdf, "tag", version),
            },
            write: Master::derive(&hkdf, "write", version),
            digest,
            check_value,
        }
    }

    /// The version these keys were derived for.
    #[must_use]
    pub fn version(&self) -> KeyVersion {
        self.lock.version
    }

    /// Eight bytes that differ between two site keys or versions and reveal nothing of either.
    #[must_use]
    pub fn check_value(&self) -> [u8; 8] {
        self.check_value
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

    /// Key B of a sector.
    pub(crate) fn write_key(
        &self,
        uid: &Uid,
        technology: Technology,
        sector: Sector,
    ) -> ClassicKey {
        self.write.sector_key(uid, technology, sector)
    }

    /// The trailer that makes a sector ours.
    pub(crate) fn trailer(
        &self,
        uid: &Uid,
        technology: Technology,
        sector: Sector,
    ) -> SectorTrailer {
        SectorTrailer {
            key_a: self.lock.read_key(uid, technology, sector),
            key_b: self.write_key(uid, technology, sector),
        }
    }

    /// HMAC-SHA256 over a credential image: the same image, the same digest, and nothing else can be told from it.
    pub(crate) fn digest(&self, image: &[u8]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&*self.digest)
            .expect("HMAC takes keys of any length");
        mac.update(image);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for SiteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SiteKeys")
            .field("version", &self.version())
            .field("site_mark", &self.site_mark())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(version: u8, byte: u8) -> SiteKeys {
        SiteKeys::new(KeyVersion::new(version).unwrap(), SiteKey::new([byte; 32]))
    }

    #[test]
    fn a_site_key_is_64_hex_digits_of_either_case_and_nothing_else() {
        let upper = "0123456789ABCDEF".repeat(4);
        let key = SiteKey::from_hex(&upper).unwrap();
        assert_eq!(key.0[..8], [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF]);
        assert_eq!(SiteKey::from_hex(&upper.to_lowercase()).unwrap().0, key.0);
        for text in [
            String::new(),
            "0".repeat(63),
            "0".repeat(65),
            "g".repeat(64),
            format!("+{}", "0".repeat(63)),
            "é".repeat(32),
        ] {
            assert!(SiteKey::from_hex(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_key_shows_itself() {
        let key = SiteKey::new([0xA5; 32]);
        assert_eq!(format!("{key:?}"), "SiteKey(…)");
        let keys = SiteKeys::new(KeyVersion::FIRST, key);
        let shown = format!("{keys:?} {:?}", keys.lock_keys()).to_lowercase();
        for secret in [&keys.lock.read.0, &keys.lock.tag.0, &keys.write.0] {
            assert!(!shown.contains(&hex::encode(&secret[..2])), "{shown}");
            assert!(!shown.contains(&format!("{}, {}", secret[0], secret[1])));
        }
        assert!(!shown.contains(&format!("{:?}", keys.digest[..4].to_vec())));
    }

    #[test]
    fn the_check_value_tells_sites_and_versions_apart() {
        assert_eq!(keys(1, 1).check_value(), keys(1, 1).check_value());
        assert_ne!(keys(1, 1).check_value(), keys(1, 2).check_value());
        assert_ne!(keys(1, 1).check_value(), keys(2, 1).check_value());
    }

    #[test]
    fn every_purpose_sector_uid_and_version_has_its_own_key() {
        let uid: Uid = "04A1B2C3".parse().unwrap();
        let other: Uid = "04A1B2C4".parse().unwrap();
        let technology = Technology::MifareClassic1k;
        let mut seen = std::collections::BTreeSet::new();
        for keys in [keys(1, 1), keys(2, 1), keys(1, 2)] {
            for uid in [uid, other] {
                for sector in [Sector::new(1), Sector::new(2)] {
                    for key in [
                        keys.lock.read_key(&uid, technology, sector),
                        keys.write_key(&uid, technology, sector),
                    ] {
                        assert!(seen.insert(*key.expose()));
                    }
                }
            }
        }
    }
}
