//! What a plan for a MIFARE Classic would change, block by block.

use super::plan::{Operation, Work};
use super::session::sector;
use super::{Sector, SectorTrailer};
use crate::changes::{Change, Content, Contents, tag};
use crate::placing::CopyIndex;
use crate::plan::Outline;
use crate::{BlockData, ClassicKey};

/// Where the two keys lie in a trailer (NXP MF1S50YYX_V1, 8.6.3).
const KEY_A: std::ops::Range<usize> = 0..6;
const KEY_B: std::ops::Range<usize> = 10..16;

/// Every block that the plan writes, in the order of writing.
pub(crate) fn changes(work: &Work, outline: &Outline, read: &Contents) -> Vec<Change> {
    work.operations
        .iter()
        .filter_map(|operation| match operation {
            Operation::WriteTrailer { copy } => Some(trailer(sector(*copy), read)),
            Operation::WriteBlock { block, data } => Some(data_block(*block, data, outline, read)),
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

fn data_block(block: u8, data: &BlockData, outline: &Outline, read: &Contents) -> Change {
    let of_copy = |copy: CopyIndex| {
        let index = (0..Sector::DATA_BLOCKS).find(|at| sector(copy).data_block(*at) == block)?;
        Some((copy, index))
    };
    let (copy, index) = CopyIndex::BOTH
        .into_iter()
        .find_map(of_copy)
        .expect("a plan writes data blocks of its placing only");
    let mut after = Content::shown(data.expose());
    if copy == outline.counts {
        let tag = tag(outline.image_length);
        let start = index * data.expose().len();
        after = after.hiding(tag.start.saturating_sub(start)..tag.end.saturating_sub(start));
    }
    Change {
        location: format!(
            "block {block} (sector {}, copy {})",
            sector(copy).number(),
            copy.letter()
        ),
        before: read.at(block),
        after,
    }
}
