//! The site key itself, and its versions.

use std::fmt;
use std::num::NonZeroU8;

use zeroize::ZeroizeOnDrop;

/// The 32 bytes from which a site derives every key. Never printed; overwritten with zeros when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SiteKey(pub(super) [u8; 32]);

/// What was given is not a site key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a site key has 32 bytes, written as 64 hex digits; make one with `cardbridge keys generate`"
)]
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
