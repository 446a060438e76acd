//! Which sector of a MIFARE Classic is open, by which of its keys: what one procedure leaves to the next, so that
//! nobody authenticates twice.

use zeroize::Zeroizing;

use super::{Sector, SectorTrailer};
use crate::{
    BlockData, ClassicCommand, ClassicKey, Command, Effect, KeyType, KeyVersion, SiteKeys, Step,
    Technology, Uid,
};

/// A sector key is the first six bytes of what was derived.
pub(crate) fn sector_key(derived: Option<Zeroizing<[u8; 16]>>) -> ClassicKey {
    let derived = derived.expect("the version was taken from the ring");
    let mut first_six = Zeroizing::new([0; 6]);
    first_six.copy_from_slice(&derived[..6]);
    ClassicKey::new(*first_six)
}

/// The keys that a sector of a placing may open with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SectorKey {
    /// Key A as delivered.
    Transport,
    /// Key A, derived under that version: reads.
    Read(KeyVersion),
    /// Key B, derived under that version: reads and writes.
    Write(KeyVersion),
}

/// A sector that the card opened, and with which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenSector {
    pub(crate) sector: Sector,
    pub(crate) key: SectorKey,
}

/// The derived keys of one card.
pub(crate) struct CardKeys {
    site: SiteKeys,
    uid: Uid,
    technology: Technology,
}

impl CardKeys {
    pub(crate) fn new(site: SiteKeys, uid: Uid, technology: Technology) -> Self {
        Self {
            site,
            uid,
            technology,
        }
    }

    pub(crate) fn site(&self) -> &SiteKeys {
        &self.site
    }

    fn key_a(&self, version: KeyVersion, sector: Sector) -> ClassicKey {
        let index = sector.number();
        sector_key(
            self.site
                .read_key(version, &self.uid, self.technology, index),
        )
    }

    fn key_b(&self, version: KeyVersion, sector: Sector) -> ClassicKey {
        let index = sector.number();
        sector_key(
            self.site
                .write_key(version, &self.uid, self.technology, index),
        )
    }

    /// The command that opens a sector.
    pub(crate) fn authenticate(&self, open: OpenSector) -> Command {
        let sector = open.sector;
        let (key_type, key) = match open.key {
            SectorKey::Transport => (KeyType::A, ClassicKey::new(ClassicKey::TRANSPORT)),
            SectorKey::Read(version) => (KeyType::A, self.key_a(version, sector)),
            SectorKey::Write(version) => (KeyType::B, self.key_b(version, sector)),
        };
        authenticate(sector, key_type, key)
    }

    /// The trailer that makes a sector ours, under the newest version.
    pub(crate) fn trailer(&self, sector: Sector) -> BlockData {
        let version = self.site.newest();
        SectorTrailer {
            key_a: self.key_a(version, sector),
            key_b: self.key_b(version, sector),
        }
        .to_block()
    }
}

/// Opens a sector, named by its first block.
pub(crate) fn authenticate(sector: Sector, key_type: KeyType, key: ClassicKey) -> Command {
    Command::Classic(ClassicCommand::Authenticate {
        block: sector.data_block(0),
        key_type,
        key,
    })
}

/// A step that changes nothing.
pub(crate) fn reads<T>(command: Command) -> Step<T> {
    Step::Exchange(command, Effect::Reads)
}

/// Reads one block.
pub(crate) fn read<T>(block: u8) -> Step<T> {
    reads(Command::Classic(ClassicCommand::Read { block }))
}
