//! What a plan for a card of this family would change, page by page.

use super::layout::{AUTH0, KEY, Layout, PAGE, Protection};
use super::plan::{Operation, Work};
use crate::PageData;
use crate::changes::{Change, Content, Contents, tag};
use crate::placing::CopyIndex;
use crate::plan::Outline;

/// Every page that the plan writes, in the order of writing.
pub(crate) fn changes(work: &Work, outline: &Outline, read: &Contents) -> Vec<Change> {
    work.operations
        .iter()
        .filter_map(|operation| match operation {
            Operation::Prepare { page, data } => Some(setting(*page, data, outline, read)),
            Operation::WritePage { page, data } => Some(user_page(*page, data, outline, read)),
            Operation::Prove { .. } | Operation::Reselect | Operation::ReadBack { .. } => None,
        })
        .collect()
}

/// A page of the keys or of the configuration. Cards do not show their keys.
fn setting(page: u8, data: &PageData, outline: &Outline, read: &Contents) -> Change {
    let (name, is_secret) = match Layout::of(outline.technology).protection {
        Protection::Password { cfg0, .. } if page == cfg0 => ("CFG0", false),
        Protection::Password { cfg0, .. } if page == cfg0 + 2 => ("PWD", true),
        Protection::Password { .. } => ("PACK", true),
        Protection::TripleDes | Protection::None if page == AUTH0 => ("AUTH0", false),
        Protection::TripleDes | Protection::None if page < KEY + 2 => ("key 1", true),
        Protection::TripleDes | Protection::None => ("key 2", true),
    };
    Change {
        location: format!("page {page:02X}h ({name})"),
        before: if is_secret { None } else { read.at(page) },
        after: if is_secret {
            Content::secret(PAGE)
        } else {
            Content::shown(data.expose())
        },
    }
}

fn user_page(page: u8, data: &PageData, outline: &Outline, read: &Contents) -> Change {
    let layout = Layout::of(outline.technology);
    let copy = match layout.copies {
        [_, b] if page >= b.first => CopyIndex::B,
        _ => CopyIndex::A,
    };
    let mut after = Content::shown(data.expose());
    if copy == outline.counts {
        let tag = tag(outline.image_length);
        let start = usize::from(page - layout.copy(copy).first) * PAGE;
        after = after.hiding(tag.start.saturating_sub(start)..tag.end.saturating_sub(start));
    }
    Change {
        location: format!("page {page:02X}h (copy {})", copy.letter()),
        before: read.at(page),
        after,
    }
}
