//! How many sectors per copy an image takes, how many a blank card is prepared for, and what is said when they do not
//! suffice.

use super::Sector;
use super::geometry::per_copy;
use crate::{CardFormat, Purpose, Refusal, Technology};

/// The least that a card is prepared for when its first credential is a `TLCode`, so that a door or two can be added later.
const LEAST_FOR_TLCODE: usize = 2;

/// How many sectors per copy an image takes.
pub(crate) const fn needed(image_length: usize) -> usize {
    image_length.div_ceil(Sector::BYTES)
}

/// How many sectors per copy a blank card is prepared for.
pub(crate) fn on_a_blank(purpose: Purpose, technology: Technology) -> usize {
    match purpose {
        Purpose::Scan
        | Purpose::Encode {
            format: CardFormat::Rfid48,
            ..
        } => 1,
        Purpose::Encode {
            format: CardFormat::TlCode,
            image_length,
        } => needed(image_length)
            .max(LEAST_FOR_TLCODE)
            .min(per_copy(technology)),
    }
}

/// Whether a card of that technology could hold an image at all.
///
/// # Errors
/// [`Refusal::DoesNotFit`].
pub(crate) fn check_card(technology: Technology, image_length: usize) -> Result<(), Refusal> {
    let capacity = per_copy(technology) * Sector::BYTES;
    if image_length <= capacity {
        return Ok(());
    }
    Err(Refusal::DoesNotFit {
        detail: format!(
            "it takes {image_length} bytes, and a {technology} holds {capacity}; leave out doors, or use a card with more room, as a {} with its {} bytes",
            Technology::MifareClassic4k,
            per_copy(Technology::MifareClassic4k) * Sector::BYTES
        ),
    })
}

/// What is said of a card that has fewer sectors of ours than an image takes.
pub(crate) fn too_few(prepared: usize, image_length: usize) -> Refusal {
    let (sectors, bytes) = match prepared {
        1 => ("1 sector".to_owned(), Sector::BYTES),
        more => (format!("{more} sectors"), more * Sector::BYTES),
    };
    Refusal::DoesNotFit {
        detail: format!(
            "this card was prepared for {sectors} per copy, which hold {bytes} bytes, and the credential takes {image_length}; leave out doors or use a blank card"
        ),
    }
}
