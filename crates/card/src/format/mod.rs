//! The card formats: a credential as bytes and back.
//!
//! An image is at least 16 bytes long and starts with what tells whether it can be ours at all, so that a reader need not
//! read the rest of a void copy. A decoder never trusts a byte before the tag is checked, and never panics whatever the
//! bytes are.

pub(crate) mod rfid48;
pub(crate) mod tlcode;

use std::fmt;

use cmac::Mac;
use zeroize::ZeroizeOnDrop;

use crate::credential::{CardFunction, Credential, Sequence};
use crate::keys::LockKeys;
use crate::placing::Place;
use crate::{KeyVersion, Refusal, SiteMark};

/// How many bytes of an image decide whether it can be ours.
pub(crate) const HEADER: usize = 16;
/// The tag at the end of every image.
pub(crate) const TAG: usize = 8;

/// The form in which a credential lies on a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardFormat {
    /// Exactly 48 bytes.
    Rfid48,
    /// Type-length-value, as long as the doors need.
    TlCode,
}

impl fmt::Display for CardFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rfid48 => "rfid48",
            Self::TlCode => "TLCode",
        })
    }
}

/// The bytes of one copy as they lie on the card, tag included. They may hold anything.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub(crate) struct Image(Vec<u8>);

impl Image {
    #[cfg(test)]
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The `index`-th `N` bytes, zeros after the end.
    pub(crate) fn unit<const N: usize>(&self, index: usize) -> [u8; N] {
        let mut unit = [0; N];
        if let Some(rest) = self.0.get(index * N..) {
            let length = rest.len().min(N);
            unit[..length].copy_from_slice(&rest[..length]);
        }
        unit
    }

    /// How many units of `N` bytes it takes.
    pub(crate) fn units<const N: usize>(&self) -> usize {
        self.0.len().div_ceil(N)
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({} bytes)", self.0.len())
    }
}

/// What a valid image says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) sequence: Sequence,
    pub(crate) key_version: KeyVersion,
    pub(crate) credential: Credential,
}

/// Why an image is void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Void {
    /// Not of this site, or of a key version that is not held.
    Header,
    /// It is not what was sealed, or was sealed for another place.
    Tag,
    /// Rightly sealed, but it says something that the format does not have.
    Content,
}

/// How many bytes a credential takes in its format.
///
/// # Errors
/// [`Refusal::DoesNotFit`] when the format itself cannot hold it.
pub(crate) fn length(credential: &Credential) -> Result<usize, Refusal> {
    match credential.format {
        CardFormat::Rfid48 => rfid48::check(credential).map(|()| rfid48::LENGTH),
        CardFormat::TlCode => tlcode::length(credential),
    }
}

/// Writes a credential down for one place on one card, sealed under the newest version of the site's key.
///
/// # Errors
/// [`Refusal::DoesNotFit`] when the format cannot hold it.
pub(crate) fn seal(
    keys: &LockKeys,
    version: KeyVersion,
    place: &Place,
    sequence: Sequence,
    credential: &Credential,
) -> Result<Image, Refusal> {
    let mut body = match credential.format {
        CardFormat::Rfid48 => rfid48::body(credential)?,
        CardFormat::TlCode => tlcode::body(credential)?,
    };
    body[1] = version.get();
    body[2..4].copy_from_slice(&sequence.get().to_be_bytes());
    body[5..7].copy_from_slice(&keys.site_mark().bytes());
    let tag = keys
        .tag(version, place, &body)
        .expect("a ring seals with a version that it holds")
        .finalize()
        .into_bytes();
    body.extend_from_slice(&tag[..TAG]);
    Ok(Image(body))
}

/// The length of the image that starts with these bytes, if it can be one of this site under a version that is held. When
/// it cannot, the copy is void whatever the rest holds, and nobody has to read the rest.
pub(crate) fn length_if_ours(header: &[u8; HEADER], keys: &LockKeys) -> Option<usize> {
    if !is_our_header(header, keys.site_mark()) || !holds(keys, header[1]) {
        return None;
    }
    match header[0] {
        rfid48::FORMAT => Some(rfid48::LENGTH),
        tlcode::FORMAT => tlcode::length_in_header(header),
        _ => None,
    }
}

/// Whether bytes 0 and 5-6 name a credential of the site, torn or whole.
pub(crate) fn is_our_header(header: &[u8; HEADER], mark: SiteMark) -> bool {
    matches!(header[0], rfid48::FORMAT | tlcode::FORMAT)
        && SiteMark::new([header[5], header[6]]) == mark
}

fn holds(keys: &LockKeys, version: u8) -> bool {
    keys.versions().any(|held| held.get() == version)
}

/// Reads an image that was found at `place`; bytes after its end are not looked at.
///
/// # Errors
/// [`Void`] unless it was sealed for that place under a version of this site's key that is held.
pub(crate) fn open(bytes: &[u8], keys: &LockKeys, place: &Place) -> Result<Opened, Void> {
    let header = bytes.first_chunk().ok_or(Void::Header)?;
    let length = length_if_ours(header, keys).ok_or(Void::Header)?;
    if header[0] == tlcode::FORMAT && !place.technology.takes(CardFormat::TlCode) {
        return Err(Void::Header);
    }
    let image = bytes.get(..length).ok_or(Void::Header)?;
    let (body, tag) = image.split_last_chunk::<TAG>().ok_or(Void::Header)?;
    let key_version = KeyVersion::new(body[1]).ok_or(Void::Header)?;
    keys.tag(key_version, place, body)
        .ok_or(Void::Header)?
        .verify_truncated_left(tag)
        .map_err(|_| Void::Tag)?;
    let sequence = Sequence::new(u16::from_be_bytes([body[2], body[3]])).ok_or(Void::Content)?;
    let credential = match body[0] {
        rfid48::FORMAT => rfid48::parse(body),
        _ => tlcode::parse(body),
    };
    Ok(Opened {
        sequence,
        key_version,
        credential: credential.ok_or(Void::Content)?,
    })
}

const fn function_code(function: CardFunction) -> u8 {
    match function {
        CardFunction::Guest => 0,
        CardFunction::Staff => 1,
    }
}

const fn function(code: u8) -> Option<CardFunction> {
    match code {
        0 => Some(CardFunction::Guest),
        1 => Some(CardFunction::Staff),
        _ => None,
    }
}

fn put_u24(target: &mut [u8], value: u32) {
    target.copy_from_slice(&value.to_be_bytes()[1..]);
}

fn u24(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]])
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

#[cfg(test)]
mod tests;
