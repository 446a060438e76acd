//! What a plan would change on a card, place by place, for people to look at before anything is written.
//!
//! A secret is left out where a change is told, not where it is shown: there is none in here. Beside keys that is the tag
//! of the image that would be written, for with it a preview would be a credential that no hub has granted.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

use crate::format::TAG;

/// One place on a card that a plan writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where, in the words of the technology: `block 7 (sector 1, trailer)`, `page 29h (CFG0)`.
    pub location: String,
    /// What it holds now; `None` when nobody looked, or when it cannot be read.
    pub before: Option<Content>,
    /// What it will hold.
    pub after: Content,
}

/// What one place of a card holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The place itself is not there yet: an application, a file.
    Absent,
    /// Its bytes; `None` for one that is secret.
    Bytes(Vec<Option<u8>>),
}

impl Content {
    /// Bytes that everybody may see.
    pub(crate) fn shown(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.iter().copied().map(Some).collect())
    }

    /// A secret of that many bytes.
    pub(crate) fn secret(length: usize) -> Self {
        Self::Bytes(vec![None; length])
    }

    /// These bytes of it, as far as there are any.
    pub(crate) fn part(self, range: Range<usize>) -> Option<Self> {
        match self {
            Self::Absent => None,
            Self::Bytes(bytes) => {
                let end = range.end.min(bytes.len());
                let part = bytes.get(range.start..end)?;
                Some(Self::Bytes(part.to_vec()))
            }
        }
    }

    /// The same without these bytes.
    pub(crate) fn hiding(mut self, secret: Range<usize>) -> Self {
        if let Self::Bytes(bytes) = &mut self {
            let end = secret.end.min(bytes.len());
            bytes[secret.start.min(end)..end].fill(None);
        }
        self
    }
}

/// Upper-case hex, `••` for a byte that is secret, `absent` for a place that is not there.
impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| match byte {
                Some(byte) => write!(f, "{byte:02X}"),
                None => f.write_str("••"),
            }),
        }
    }
}

/// Of a place that is written more than once (voided first, say) what it holds in the end.
pub(crate) fn last_of_each_place(written: Vec<Change>) -> Vec<Change> {
    let mut last: Vec<Change> = Vec::with_capacity(written.len());
    for change in written {
        last.retain(|earlier| earlier.location != change.location);
        last.push(change);
    }
    last
}

/// Where the tag lies in an image of that length.
pub(crate) fn tag(image_length: usize) -> Range<usize> {
    image_length.saturating_sub(TAG)..image_length
}

/// What an inspection read, by block, page or file. Zeroised and never printed.
#[derive(Clone, Default)]
pub(crate) struct Contents(BTreeMap<u16, Zeroizing<Vec<u8>>>);

impl Contents {
    /// Keeps what was read at an address.
    pub(crate) fn keep(&mut self, address: impl Into<u16>, bytes: &[u8]) {
        self.0
            .insert(address.into(), Zeroizing::new(bytes.to_vec()));
    }

    /// What was read there.
    pub(crate) fn at(&self, address: impl Into<u16>) -> Option<Content> {
        self.0
            .get(&address.into())
            .map(|bytes| Content::shown(bytes))
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contents({} places)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_shown_as_dots_and_is_not_there_at_all() {
        let content = Content::shown(&[0xA0, 0xA1, 0x78, 0xB0]).hiding(0..2);
        assert_eq!(content.to_string(), "••••78B0");
        assert_eq!(
            content,
            Content::Bytes(vec![None, None, Some(0x78), Some(0xB0)])
        );
        assert_eq!(Content::secret(3).to_string(), "••••••");
        assert_eq!(Content::shown(&[1]).hiding(3..9).to_string(), "01");
        assert_eq!(Content::Absent.hiding(0..1).to_string(), "absent");
    }

    #[test]
    fn a_place_that_is_written_twice_is_told_once_as_it_will_be_in_the_end() {
        let write = |location: &str, after: u8| Change {
            location: location.to_owned(),
            before: None,
            after: Content::shown(&[after]),
        };
        let written = vec![
            write("page 04h", 0),
            write("page 05h", 1),
            write("page 04h", 2),
        ];
        let told = last_of_each_place(written);
        assert_eq!(told, [write("page 05h", 1), write("page 04h", 2)]);
    }

    #[test]
    fn what_was_read_does_not_print_itself() {
        let mut contents = Contents::default();
        contents.keep(7_u8, &[0xAB; 16]);
        assert_eq!(format!("{contents:?}"), "Contents(1 places)");
        assert_eq!(contents.at(7_u8), Some(Content::shown(&[0xAB; 16])));
        assert_eq!(contents.at(8_u8), None);
    }
}
