//! Reading a MIFARE Classic as a lock does: key A, both copies, as far as their headers say that there is something.

use std::collections::VecDeque;
use std::mem;

use zeroize::Zeroizing;

use super::Sector;
use super::geometry::per_copy;
use super::session::{authenticate, read, reads, sector_key};
use crate::keys::LockKeys;
use crate::placing::CopyIndex;
use crate::read_copies::LockTask;
use crate::{
    Command, CopiesRead, KeyType, KeyVersion, Procedure, Refusal, Reply, Step, Technology, format,
};

/// The reading of both copies with a lock's keys.
pub(crate) struct Read {
    keys: LockKeys,
    /// The version that opened a sector last.
    version: Option<KeyVersion>,
    copy: CopyIndex,
    found: CopiesRead,
    bytes: Zeroizing<Vec<u8>>,
    /// The length of the image that is being read.
    length: usize,
    state: State,
}

enum State {
    Start,
    /// A sector is being opened; these versions of its key are left.
    Opening {
        sector: Sector,
        version: KeyVersion,
        left: VecDeque<KeyVersion>,
    },
    /// A key was refused.
    Reselecting {
        sector: Sector,
        left: VecDeque<KeyVersion>,
    },
    Reading {
        sector: Sector,
        index: usize,
    },
    Over,
}

impl Read {
    /// Prepares the reading of a MIFARE Classic that lies before the lock, selected.
    pub(crate) fn new(task: LockTask, technology: Technology) -> Self {
        Self {
            found: CopiesRead::nothing(task.presented.uid, technology),
            keys: task.keys,
            version: None,
            copy: CopyIndex::A,
            bytes: Zeroizing::default(),
            length: 0,
            state: State::Start,
        }
    }

    fn begin_copy(&mut self) -> Step<CopiesRead> {
        self.bytes.clear();
        self.open(Sector::of(self.copy, 0))
    }

    /// Opens a sector, first with the version that opened the one before, then with the others from the newest on.
    fn open(&mut self, sector: Sector) -> Step<CopiesRead> {
        let others = self
            .keys
            .versions()
            .filter(|held| Some(*held) != self.version);
        let left = self.version.into_iter().chain(others).collect();
        self.authenticate(sector, left)
    }

    fn authenticate(&mut self, sector: Sector, mut left: VecDeque<KeyVersion>) -> Step<CopiesRead> {
        let Some(version) = left.pop_front() else {
            return self.next_copy();
        };
        let found = &self.found;
        let key = self
            .keys
            .read_key(version, &found.uid, found.technology, sector.number());
        self.state = State::Opening {
            sector,
            version,
            left,
        };
        reads(authenticate(sector, KeyType::A, sector_key(key)))
    }

    fn read_block(&mut self, sector: Sector, index: usize) -> Step<CopiesRead> {
        self.state = State::Reading { sector, index };
        read(sector.data_block(index))
    }

    fn block_was_read(
        &mut self,
        sector: Sector,
        index: usize,
        block: &[u8; 16],
    ) -> Step<CopiesRead> {
        if self.bytes.is_empty() {
            match self.image_length(block) {
                Some(length) => self.length = length,
                None => return self.next_copy(),
            }
        }
        self.bytes.extend_from_slice(block);
        if self.bytes.len() >= self.length {
            self.found.copies[self.copy.index()] = Some(mem::take(&mut self.bytes));
            return self.next_copy();
        }
        if index + 1 < Sector::DATA_BLOCKS {
            return self.read_block(sector, index + 1);
        }
        let nth = self.bytes.len() / Sector::BYTES;
        self.open(Sector::of(self.copy, nth))
    }

    /// The length of the image that starts with this block, if it can be ours and fits the card.
    fn image_length(&self, block: &[u8; 16]) -> Option<usize> {
        format::length_if_ours(block, &self.keys)
            .filter(|length| *length <= per_copy(self.found.technology) * Sector::BYTES)
    }

    fn next_copy(&mut self) -> Step<CopiesRead> {
        match self.copy {
            CopyIndex::A => {
                self.copy = CopyIndex::B;
                self.begin_copy()
            }
            CopyIndex::B => Step::Done(Ok(self.found.clone())),
        }
    }
}

impl Procedure for Read {
    type Output = CopiesRead;

    fn next(&mut self, last: Option<Reply>) -> Step<CopiesRead> {
        let state = mem::replace(&mut self.state, State::Over);
        match (state, last.as_ref()) {
            (State::Start, None) => self.begin_copy(),
            (
                State::Opening {
                    sector, version, ..
                },
                Some(Reply::Done),
            ) => {
                self.version = Some(version);
                self.read_block(sector, 0)
            }
            (State::Opening { sector, left, .. }, Some(Reply::Refused)) => {
                self.state = State::Reselecting { sector, left };
                reads(Command::Reselect)
            }
            // What opened and cannot be read is no copy, whichever key is tried.
            (State::Reading { sector, .. }, Some(Reply::Refused)) => {
                self.state = State::Reselecting {
                    sector,
                    left: VecDeque::new(),
                };
                reads(Command::Reselect)
            }
            (State::Reselecting { sector, left }, Some(Reply::Reselected(card))) => {
                if card.uid == self.found.uid {
                    self.authenticate(sector, left)
                } else {
                    Step::Done(Err(Refusal::Swapped))
                }
            }
            (State::Reading { sector, index }, Some(Reply::Data(bytes))) => {
                match <&[u8; 16]>::try_from(bytes.as_slice()) {
                    Ok(block) => self.block_was_read(sector, index, block),
                    Err(_) => Step::Done(Err(Refusal::Nonsense {
                        doing: "read a block",
                    })),
                }
            }
            _ => Step::Done(Err(Refusal::Nonsense { doing: "be read" })),
        }
    }
}
