//! Which sector of a MIFARE Classic is open, by which of its keys: what one procedure leaves to the next, so that
//! nobody authenticates twice.

use zeroize::Zeroizing;

use super::{Sector, SectorTrailer};
use crate::placing::CopyIndex;
use crate::{
    BlockData, ClassicCommand, ClassicKey, Command, Effect, KeyType, SiteKeys, Step, Technology,
    Uid,
};

/// The sector that holds a copy of an `rfid48`.
pub(crate) const fn sector(copy: CopyIndex) -> Sector {
    match copy {
        CopyIndex::A => Sector::new(1),
        CopyIndex::B => Sector::new(2),
    }
}

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
    /// Key A, derived: reads.
    Read,
    /// Key B, derived: reads and writes.
    Write,
}

/// The sector that the card has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenSector {
    pub(crate) copy: CopyIndex,
    pub(crate) key: SectorKey,
}

/// The derived keys of one card, copy A's first.
pub(crate) struct CardKeys([SectorTrailer; 2]);

impl CardKeys {
    pub(crate) fn derive(keys: &SiteKeys, uid: &Uid, technology: Technology) -> Self {
        let version = keys.newest();
        Self(CopyIndex::BOTH.map(|copy| {
            let index = sector(copy).number();
            SectorTrailer {
                key_a: sector_key(keys.read_key(version, uid, technology, index)),
                key_b: sector_key(keys.write_key(version, uid, technology, index)),
            }
        }))
    }

    /// The command that opens a copy's sector.
    pub(crate) fn authenticate(&self, open: OpenSector) -> Command {
        let trailer = &self.0[open.copy.index()];
        let (key_type, key) = match open.key {
            SectorKey::Transport => (KeyType::A, ClassicKey::new(ClassicKey::TRANSPORT)),
            SectorKey::Read => (KeyType::A, trailer.key_a.clone()),
            SectorKey::Write => (KeyType::B, trailer.key_b.clone()),
        };
        authenticate(sector(open.copy), key_type, key)
    }

    /// The trailer that makes a copy's sector ours.
    pub(crate) fn trailer(&self, copy: CopyIndex) -> BlockData {
        self.0[copy.index()].to_block()
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
