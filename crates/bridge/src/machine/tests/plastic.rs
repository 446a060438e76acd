//! A MIFARE Classic 1K as far as the job machine's tests need one: keys and blocks. The true one is the emulator's.

use std::collections::HashMap;

use card::{
    BlockData, ClassicCommand, Command, CommandKind, KeyType, PresentedCard, Reply, SelectAnswer,
    Uid,
};
use encoder::Selected;

pub(super) struct Plastic {
    blocks: HashMap<u8, [u8; 16]>,
    open: Option<u8>,
    sak: u8,
}

const TRANSPORT_TRAILER: [u8; 16] = [
    255, 255, 255, 255, 255, 255, 0xFF, 0x07, 0x80, 0x69, 255, 255, 255, 255, 255, 255,
];

/// Whether a command changes the card.
pub(super) fn writes(command: &Command) -> bool {
    matches!(command, Command::Classic(ClassicCommand::Write { .. }))
}

impl Plastic {
    pub(super) fn blank() -> Self {
        Self {
            blocks: HashMap::new(),
            open: None,
            sak: 8,
        }
    }

    /// A card of pages, which this encoder has no commands for.
    pub(super) fn of_pages() -> Self {
        Self {
            sak: 0,
            ..Self::blank()
        }
    }

    /// With keys that nobody here knows.
    pub(super) fn foreign() -> Self {
        let blocks = (0..16).map(|sector| (sector * 4 + 3, [0x5A; 16])).collect();
        Self {
            blocks,
            ..Self::blank()
        }
    }

    pub(super) fn selected(&self) -> Selected {
        Selected {
            card: self.presented(),
            supports: vec![CommandKind::Classic, CommandKind::Reselect],
        }
    }

    pub(super) fn answer(&mut self, command: &Command) -> Reply {
        match command {
            Command::Reselect => {
                self.open = None;
                Reply::Reselected(self.presented())
            }
            Command::Classic(ClassicCommand::Authenticate {
                block,
                key_type,
                key,
            }) => {
                let trailer = self.block(block | 3);
                let expected = match key_type {
                    KeyType::A => &trailer[..6],
                    KeyType::B => &trailer[10..],
                };
                self.open = (expected == key.expose()).then_some(block / 4);
                if self.open.is_some() {
                    Reply::Done
                } else {
                    Reply::Refused
                }
            }
            Command::Classic(ClassicCommand::Read { block }) if self.open == Some(block / 4) => {
                let mut data = self.block(*block);
                if block % 4 == 3 {
                    data[..6].fill(0);
                }
                Reply::Data(data.to_vec())
            }
            Command::Classic(ClassicCommand::Write { block, data })
                if self.open == Some(block / 4) =>
            {
                self.blocks.insert(*block, *BlockData::expose(data));
                Reply::Done
            }
            Command::Classic(_) | Command::Type2(_) | Command::Iso(_) => Reply::Refused,
        }
    }

    fn block(&self, block: u8) -> [u8; 16] {
        let delivered = if block % 4 == 3 {
            TRANSPORT_TRAILER
        } else {
            [0; 16]
        };
        self.blocks.get(&block).copied().unwrap_or(delivered)
    }

    fn presented(&self) -> PresentedCard {
        PresentedCard {
            uid: Uid::new(&[0x04, 0xA1, 0xB2, 0xC3]).unwrap(),
            answer: SelectAnswer::Iso14443a {
                atqa: [0, 4],
                sak: self.sak,
                ats: Vec::new(),
            },
        }
    }
}
