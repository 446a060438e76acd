//! MIFARE Classic Mini, 1K and 4K: sectors, blocks, access bits, trailers (NXP MF1S50YYX_V1, 8.6 and 8.7), and how a
//! credential is found, planned, written and read on them.

mod access;
mod blank;
mod changes;
mod geometry;
mod inspect;
mod plan;
mod read;
mod room;
mod session;
mod trailer;
mod visit;
mod write;

pub(crate) use changes::changes;
pub(crate) use geometry::Sector;
pub(crate) use inspect::Inspect;
pub(crate) use plan::{Work, plan};
pub(crate) use read::Read;
#[cfg(test)]
pub(crate) use session::sector_key;
pub(crate) use trailer::SectorTrailer;
pub(crate) use write::Write;

use session::{OpenSector, SectorKey};

/// What an inspection leaves to a plan.
#[derive(Debug, Clone, Default)]
pub(crate) struct Area {
    /// The sector that the card has open.
    open: Option<OpenSector>,
    /// Every sector that opened, in the order in which they were opened last. One that opened with the transport key is as
    /// delivered, or the copy it belongs to is foreign.
    opened: Vec<OpenSector>,
}

impl Area {
    /// The key that opened a sector, if one did.
    fn key(&self, sector: Sector) -> Option<SectorKey> {
        self.opened
            .iter()
            .find(|open| open.sector == sector)
            .map(|open| open.key)
    }

    /// The sectors as delivered.
    fn delivered(&self) -> impl Iterator<Item = Sector> {
        let delivered = |open: &&OpenSector| open.key == SectorKey::Transport;
        self.opened.iter().filter(delivered).map(|open| open.sector)
    }

    /// The sectors that were made ours before.
    fn ours(&self) -> impl Iterator<Item = Sector> {
        let ours = |open: &&OpenSector| open.key != SectorKey::Transport;
        self.opened.iter().filter(ours).map(|open| open.sector)
    }

    fn record(&mut self, open: OpenSector) {
        self.opened.retain(|known| known.sector != open.sector);
        self.opened.push(open);
        self.open = Some(open);
    }
}
