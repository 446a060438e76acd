//! What a plan for a MIFARE Classic would change, block by block.

use super::plan::{Operation, Work};
use super::{Sector, SectorTrailer};
use crate::ClassicKey;
use crate::changes::{Change, Content, Contents, tag};
use crate::plan::Outline;

/// Where the two keys lie in a trailer (NXP MF1S50YYX_V1, 8.6.3).
const KEY_A: std::ops::Range<usize> = 0..6;
const KEY_B: std::ops::Range<usize> = 10..16;

/// Every block that the plan writes, in the order of writing.
pub(crate) fn changes(work: &Work, outline: &Outline, read: &Contents) -> Vec<Change> {
    work.operations
        .iter()
        .filter_map(|operation| match operation {
            Operation::WriteTrailer { sector } => Some(trailer(*sector, read)),
            Operation::WriteBlock {
                sector,
                index,
                data,
            } => {
                let content = Content::shown(data.expose());
                Some(data_block(*sector, *index, content, outline, read))
            }
            Operation::Authenticate { .. } | Operation::ReadBack { .. } => None,
        })
        .collect()
}

fn trailer(sector: Sector, read: &Contents) -> Change {
    let block = sector.trailer();
    let nobody = || ClassicKey::new([0; 6]);
    let after = SectorTrailer {
        key_a: nobody(),
        key_b: nobody(),
    };
    let hide = |content: Content| content.hiding(KEY_A).hiding(KEY_B);
    Change {
        location: format!("block {block} (sector {}, trailer)", sector.number()),
        before: read.at(block).map(hide),
        after: hide(Content::shown(after.to_block().expose())),
    }
}

fn data_block(
    sector: Sector,
    index: usize,
    mut after: Content,
    outline: &Outline,
    read: &Contents,
) -> Change {
    let block = sector.data_block(index);
    if sector.copy() == outline.counts {
        let tag = tag(outline.image_length);
        let start = sector.nth() * Sector::BYTES + index * Sector::BLOCK;
        after = after.hiding(tag.start.saturating_sub(start)..tag.end.saturating_sub(start));
    }
    Change {
        location: format!(
            "block {block} (sector {}, copy {})",
            sector.number(),
            sector.copy().letter()
        ),
        before: read.at(block),
        after,
    }
}
