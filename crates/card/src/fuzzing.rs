//! The decoders as functions over bytes, for fuzz targets. No part of the public face, and in no product.
//!
//! Each panics when something does not hold, and otherwise returns whether the bytes meant anything, so that a corpus can be
//! told to be of use.

use cmac::Mac;

use crate::format::{self, HEADER, TAG};
use crate::placing::{CopyIndex, Place};
use crate::{KeyVersion, SiteKey, SiteKeys, Technology, Uid, identify};

fn keys() -> SiteKeys {
    SiteKeys::new(KeyVersion::FIRST, SiteKey::new([0x11; 32]))
}

fn place() -> Place {
    Place {
        technology: Technology::MifareClassic4k,
        uid: Uid::new(&[0x04, 0xA1, 0xB2, 0xC3]).expect("it has four bytes"),
        copy: CopyIndex::A,
    }
}

/// Opens an image as it was found on a card.
#[must_use]
pub fn image(bytes: &[u8]) -> bool {
    format::open(bytes, keys().lock(), &place()).is_ok()
}

/// Opens a body, the bytes of an image before its tag, under the right version, site mark and tag; what opens must be written
/// down in exactly the same way.
#[must_use]
pub fn tagged_image(body: &[u8]) -> bool {
    let (keys, place, mut image) = (keys(), place(), body.to_vec());
    if image.len() < HEADER - TAG {
        return false;
    }
    image[1] = keys.newest().get();
    image[5..7].copy_from_slice(&keys.site_mark().bytes());
    let tag = keys.lock().tag(keys.newest(), &place, &image);
    let tag = tag.expect("a ring holds its newest version").finalize();
    image.extend_from_slice(&tag.into_bytes()[..TAG]);
    let Ok(opened) = format::open(&image, keys.lock(), &place) else {
        return false;
    };
    let again = format::seal(
        keys.lock(),
        keys.newest(),
        &place,
        opened.sequence,
        &opened.credential,
    );
    let again = again.expect("what was read fits its format");
    let length = again.bytes().len();
    assert_eq!(
        again.bytes(),
        &image[..length],
        "one credential, two images"
    );
    true
}

/// Reads the version of a card in ISO/IEC 14443-4, each frame after a byte with its length, and that of a Type 2 card.
#[must_use]
pub fn version(bytes: &[u8]) -> bool {
    let mut frames = Vec::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first() {
        let (frame, after) = after.split_at(after.len().min(usize::from(*length)));
        frames.push(frame);
        rest = after;
    }
    identify::fuzz_version(&frames) || identify::fuzz_type2_version(bytes)
}
