//! What has been read of a card's pages so far.

use zeroize::Zeroizing;

use super::layout::{Layout, PAGE, Pages};
use crate::Type2Command;
use crate::changes::Contents;

const PAGES: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Page {
    Unseen,
    Read,
    /// The card does not show it.
    Refused,
}

/// The pages of one card, as far as they were asked for. They may hold a credential: zeroised and never printed.
pub(super) struct Memory {
    bytes: Zeroizing<Vec<u8>>,
    pages: [Page; PAGES],
}

/// What is known of some pages.
pub(super) enum Known<'a> {
    /// All of them.
    Bytes(&'a [u8]),
    /// This one is the first that was not asked for yet.
    Not(u8),
    /// The card does not show one of them.
    Refused,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            bytes: Zeroizing::new(vec![0; PAGES * PAGE]),
            pages: [Page::Unseen; PAGES],
        }
    }

    /// Takes what was read from `pages.first` on; what goes past the last of them is not kept, since reading starts over
    /// at page 0 after the last page.
    pub(super) fn put(&mut self, pages: Pages, bytes: &[u8]) {
        let (units, _) = bytes.as_chunks::<PAGE>();
        for (page, unit) in (pages.first..=pages.last).zip(units) {
            let at = usize::from(page);
            self.bytes[at * PAGE..][..PAGE].copy_from_slice(unit);
            self.pages[at] = Page::Read;
        }
    }

    pub(super) fn refused(&mut self, pages: Pages) {
        for page in pages.first..=pages.last {
            if self.pages[usize::from(page)] == Page::Unseen {
                self.pages[usize::from(page)] = Page::Refused;
            }
        }
    }

    pub(super) fn known(&self, pages: Pages) -> Known<'_> {
        for page in pages.first..=pages.last {
            match self.pages[usize::from(page)] {
                Page::Read => {}
                Page::Unseen => return Known::Not(page),
                Page::Refused => return Known::Refused,
            }
        }
        Known::Bytes(&self.bytes[usize::from(pages.first) * PAGE..][..pages.bytes()])
    }

    /// Every page that was read.
    pub(super) fn contents(&self) -> Contents {
        let mut contents = Contents::default();
        for (page, bytes) in (0_u16..).zip(self.bytes.chunks_exact(PAGE)) {
            if self.pages[usize::from(page)] == Page::Read {
                contents.keep(page, bytes);
            }
        }
        contents
    }

    /// What was read of `pages` before the first that was not.
    pub(super) fn beginning(&self, pages: Pages) -> &[u8] {
        let read = (pages.first..=pages.last)
            .take_while(|page| self.pages[usize::from(*page)] == Page::Read)
            .count();
        &self.bytes[usize::from(pages.first) * PAGE..][..read * PAGE]
    }
}

/// The exchange that reads `page` and what follows it: FAST_READ up to `until` where the card has it; READ always gives
/// four pages.
pub(super) fn reading(layout: &Layout, page: u8, until: u8) -> (Type2Command, Pages) {
    let full = page.saturating_add(layout.pages_per_exchange() as u8 - 1);
    if layout.fast_read {
        let last = until.min(full);
        let command = Type2Command::FastRead { first: page, last };
        return (command, Pages::new(page, last));
    }
    let last = layout.last_readable.min(full);
    (Type2Command::Read { page }, Pages::new(page, last))
}
