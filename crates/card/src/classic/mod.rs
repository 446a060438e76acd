//! MIFARE Classic Mini, 1K and 4K: sectors, blocks, access bits, trailers (NXP MF1S50YYX_V1, 8.6 and 8.7), and how a
//! credential is found, planned, written and read on them.

mod access;
mod changes;
mod geometry;
mod inspect;
mod plan;
mod read;
mod session;
mod trailer;
mod write;

pub(crate) use changes::changes;
pub(crate) use geometry::Sector;
pub(crate) use inspect::Inspect;
pub(crate) use plan::{Work, plan};
pub(crate) use read::Read;
#[cfg(test)]
pub(crate) use session::{sector, sector_key};
pub(crate) use trailer::{SectorTrailer, is_as_delivered};
pub(crate) use write::Write;

use session::OpenSector;

/// What an inspection leaves to a plan.
#[derive(Debug, Clone)]
pub(crate) struct Area {
    /// The sector that the card has open.
    pub(crate) open: Option<OpenSector>,
}
