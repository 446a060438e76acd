//! Reading the copies of a placing: how much of each is wanted, and what it is.

use super::layout::{Layout, Pages};
use super::memory::{Known, Memory};
use crate::format::{self, HEADER};
use crate::keys::LockKeys;

/// What has to be known before more can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// The first of these pages; the others are likely to be needed next.
    Pages(Pages),
    /// Whether the card takes a key of this site.
    Proof,
}

/// The bytes of `wanted`, `None` when the card does not show them.
pub(super) fn pages(memory: &Memory, wanted: Pages, likely: Pages) -> Result<Option<&[u8]>, Need> {
    match memory.known(wanted) {
        Known::Bytes(bytes) => Ok(Some(bytes)),
        Known::Refused => Ok(None),
        Known::Not(page) => Err(Need::Pages(Pages::new(page, likely.last))),
    }
}

/// What lies where a copy is.
pub(super) enum Found<'a> {
    /// An image that can be ours: its bytes, to the end of their last page.
    Image(&'a [u8]),
    /// Its begin, which cannot be that of an image of ours.
    Void(&'a [u8; HEADER]),
    /// The card does not show it.
    Unreadable,
}

/// Looks at one copy. The rest of it is wanted only when its begin can be ours.
pub(super) fn look<'a>(
    memory: &'a Memory,
    layout: &Layout,
    copy: Pages,
    keys: &LockKeys,
) -> Result<Found<'a>, Need> {
    let Some(header) = pages(memory, copy.holding(HEADER), copy)? else {
        return Ok(Found::Unreadable);
    };
    let header = header
        .first_chunk()
        .expect("as many bytes were asked for as a header has");
    let length = match format::length_if_ours(header, keys) {
        Some(length) if length <= layout.capacity() => length,
        _ => return Ok(Found::Void(header)),
    };
    let image = pages(memory, copy.holding(length), copy)?;
    Ok(image.map_or(Found::Unreadable, Found::Image))
}
