//! The decoders and procedures as functions over bytes: the bodies of the fuzz targets. No part of the public face, and in
//! no product.
//!
//! Each panics when something does not hold, and otherwise returns whether the bytes meant anything, so that a corpus can be
//! told to be of use.

mod bounds;
mod procedures;
mod scene;
mod script;
#[cfg(test)]
mod tests;

use cmac::Mac;

use crate::format::{self, HEADER, TAG};
use crate::placing::{CopyIndex, Place};
use crate::{KeyVersion, SiteKey, SiteKeys, Technology, Uid, identify};

pub use crate::secure::fuzz_answer as protected_answer;
pub use procedures::{encode, encode_with, read_copies, read_copies_with, scan, scan_with};
pub use scene::{Scene, USED_CHOICES};
pub use script::write_reply;

fn keys() -> SiteKeys {
    SiteKeys::new(KeyVersion::FIRST, SiteKey::new([0x11; 32]))
}

/// The place that one byte chooses.
fn place(choice: u8) -> Place {
    const UIDS: [&[u8]; 3] = [
        &[0x04, 0xA1, 0xB2, 0xC3],
        &[0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6],
        &[0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x07, 0x18, 0x29],
    ];
    let choice = usize::from(choice);
    let technology = Technology::ALL[choice % Technology::ALL.len()];
    let choice = choice / Technology::ALL.len();
    Place {
        technology,
        uid: Uid::new(UIDS[choice / 2 % UIDS.len()]).expect("UIDs have 4, 7 or 10 bytes"),
        copy: CopyIndex::BOTH[choice % 2],
    }
}

/// Opens an image as it was found on a card, after a byte that chooses the place.
#[must_use]
pub fn image(bytes: &[u8]) -> bool {
    bytes
        .split_first()
        .is_some_and(|(choice, image)| format::open(image, keys().lock(), &place(*choice)).is_ok())
}

/// Puts the right version, site mark and tag on a body, the bytes of an image before its tag. The place that is chosen
/// stands before both.
#[must_use]
pub fn tagged(bytes: &[u8]) -> Option<Vec<u8>> {
    let (choice, body) = bytes.split_first()?;
    if body.len() < HEADER - TAG {
        return None;
    }
    let (keys, mut tagged) = (keys(), bytes.to_vec());
    tagged[2] = keys.newest().get();
    tagged[6..8].copy_from_slice(&keys.site_mark().bytes());
    let tag = keys
        .lock()
        .tag(keys.newest(), &place(*choice), &tagged[1..]);
    let tag = tag.expect("a ring holds its newest version").finalize();
    tagged.extend_from_slice(&tag.into_bytes()[..TAG]);
    Some(tagged)
}

/// Opens a body under the right tag; what opens must be written down in exactly the same way.
#[must_use]
pub fn tagged_image(bytes: &[u8]) -> bool {
    let Some(tagged) = tagged(bytes) else {
        return false;
    };
    let (keys, place, image) = (keys(), place(tagged[0]), &tagged[1..]);
    let Ok(opened) = format::open(image, keys.lock(), &place) else {
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
