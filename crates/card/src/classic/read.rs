//! Reading a MIFARE Classic as a lock does: key A, both copies.

use std::mem;

use zeroize::Zeroizing;

use super::Sector;
use super::session::{authenticate, read, reads, sector, sector_key};
use crate::keys::LockKeys;
use crate::placing::CopyIndex;
use crate::read_copies::LockTask;
use crate::{Command, CopiesRead, KeyType, Procedure, Refusal, Reply, Step, Technology, format};

/// The reading of both copies with a lock's keys.
pub(crate) struct Read {
    keys: LockKeys,
    copy: CopyIndex,
    found: CopiesRead,
    bytes: Zeroizing<[u8; 48]>,
    state: State,
}

enum State {
    Start,
    Opening,
    Reselecting,
    Reading { index: usize },
    Over,
}

impl Read {
    /// Prepares the reading of a MIFARE Classic that lies before the lock, selected.
    pub(crate) fn new(task: LockTask, technology: Technology) -> Self {
        Self {
            found: CopiesRead::nothing(task.presented.uid, technology),
            keys: task.keys,
            copy: CopyIndex::A,
            bytes: Zeroizing::new([0; 48]),
            state: State::Start,
        }
    }

    fn open(&mut self) -> Step<CopiesRead> {
        self.state = State::Opening;
        let sector = sector(self.copy);
        let version = self.keys.versions().next();
        let key = version.and_then(|version| {
            let found = &self.found;
            self.keys
                .read_key(version, &found.uid, found.technology, sector.number())
        });
        reads(authenticate(sector, KeyType::A, sector_key(key)))
    }

    fn read_block(&mut self, index: usize) -> Step<CopiesRead> {
        self.state = State::Reading { index };
        read(sector(self.copy).data_block(index))
    }

    fn block_was_read(&mut self, index: usize, block: &[u8; 16]) -> Step<CopiesRead> {
        self.bytes[index * 16..index * 16 + 16].copy_from_slice(block);
        if index == 0 && format::length_if_ours(block, &self.keys).is_none() {
            return self.next_copy();
        }
        if index + 1 < Sector::DATA_BLOCKS {
            return self.read_block(index + 1);
        }
        self.found.copies[self.copy.index()] = Some(Zeroizing::new(self.bytes.to_vec()));
        self.next_copy()
    }

    fn next_copy(&mut self) -> Step<CopiesRead> {
        match self.copy {
            CopyIndex::A => {
                self.copy = CopyIndex::B;
                self.open()
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
            (State::Start, None) => self.open(),
            (State::Opening, Some(Reply::Done)) => self.read_block(0),
            (State::Opening | State::Reading { .. }, Some(Reply::Refused)) => {
                self.state = State::Reselecting;
                reads(Command::Reselect)
            }
            (State::Reselecting, Some(Reply::Reselected(card))) => {
                if card.uid == self.found.uid {
                    self.next_copy()
                } else {
                    Step::Done(Err(Refusal::Swapped))
                }
            }
            (State::Reading { index }, Some(Reply::Data(bytes))) => {
                match <&[u8; 16]>::try_from(bytes.as_slice()) {
                    Ok(block) => self.block_was_read(index, block),
                    Err(_) => Step::Done(Err(Refusal::Nonsense {
                        doing: "read a block",
                    })),
                }
            }
            _ => Step::Done(Err(Refusal::Nonsense { doing: "be read" })),
        }
    }
}
