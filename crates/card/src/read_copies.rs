//! Reading a card as a lock does: key A, both copies, nothing changed and nothing written.

use std::fmt;
use std::mem;

use zeroize::Zeroizing;

use crate::classic::Sector;
use crate::format::rfid48::may_be_ours;
use crate::keys::LockKeys;
use crate::placing::CopyIndex;
use crate::session::{authenticate, read, reads};
use crate::{
    Command, KeyType, PresentedCard, Procedure, Refusal, Reply, Step, Technology, Uid, identify,
};

/// What a lock has read of a card. The images are zeroised and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct CopiesRead {
    /// The card's UID.
    pub uid: Uid,
    /// Its technology.
    pub technology: Technology,
    /// The bytes of copy A and of copy B; `None` where the sector does not open with the lock's key or its first block
    /// shows that the copy is void.
    pub copies: [Option<Zeroizing<[u8; 48]>>; 2],
}

impl fmt::Debug for CopiesRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let copies = self
            .copies
            .each_ref()
            .map(|copy| copy.as_ref().map(|_| "…"));
        f.debug_struct("CopiesRead")
            .field("uid", &self.uid)
            .field("technology", &self.technology)
            .field("copies", &copies)
            .finish()
    }
}

/// The reading of both copies with a lock's keys. A card that is not ours yields two voids, not a refusal.
pub struct ReadCopies {
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

impl ReadCopies {
    /// Prepares the reading of a card that lies before the lock, selected.
    ///
    /// # Errors
    /// [`Refusal::Unsupported`] for a technology without a placing.
    pub fn new(card: PresentedCard, keys: LockKeys) -> Result<Self, Refusal> {
        let technology = identify(&card)?;
        Ok(Self {
            found: CopiesRead {
                uid: card.uid,
                technology,
                copies: [None, None],
            },
            keys,
            copy: CopyIndex::A,
            bytes: Zeroizing::new([0; 48]),
            state: State::Start,
        })
    }

    fn open(&mut self) -> Step<CopiesRead> {
        self.state = State::Opening;
        let sector = self.copy.sector();
        let key = self
            .keys
            .read_key(&self.found.uid, self.found.technology, sector);
        reads(authenticate(sector, KeyType::A, key))
    }

    fn read_block(&mut self, index: usize) -> Step<CopiesRead> {
        self.state = State::Reading { index };
        read(self.copy.sector().data_block(index))
    }

    fn block_was_read(&mut self, index: usize, block: &[u8; 16]) -> Step<CopiesRead> {
        self.bytes[index * 16..index * 16 + 16].copy_from_slice(block);
        if index == 0 && !may_be_ours(block, &self.keys) {
            return self.next_copy();
        }
        if index + 1 < Sector::DATA_BLOCKS {
            return self.read_block(index + 1);
        }
        self.found.copies[self.copy.index()] = Some(self.bytes.clone());
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

impl Procedure for ReadCopies {
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
