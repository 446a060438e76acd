//! What happened on a slot: every exchange and every programming of EEPROM. Data only.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use crate::card::{Programmed, Uid};

/// How many exchanges and how many writes are remembered; older ones are counted and dropped.
const REMEMBERED: usize = 20_000;

/// Which of a sector's two keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// Key A.
    A,
    /// Key B.
    B,
}

/// What the reader asked of the card. A command of two parts (a write, a value operation) is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExchangeKind {
    /// MIFARE authentication to the sector of a block.
    Authenticate {
        /// The block named in the command.
        block: u16,
        /// The key used.
        key_type: KeyType,
    },
    /// A block or page is read.
    Read {
        /// Its number.
        block: u16,
    },
    /// A block or page is written.
    Write {
        /// Its number.
        block: u16,
    },
    /// A value block is read into the transfer buffer and added to.
    Increment {
        /// Its number.
        block: u16,
    },
    /// A value block is read into the transfer buffer and subtracted from.
    Decrement {
        /// Its number.
        block: u16,
    },
    /// A value block is read into the transfer buffer.
    Restore {
        /// Its number.
        block: u16,
    },
    /// The transfer buffer is written.
    Transfer {
        /// Where to.
        block: u16,
    },
    /// A run of pages is read at once.
    ReadRange {
        /// The first of them.
        first: u16,
        /// The last of them.
        last: u16,
    },
    /// Any other command of the card's own language.
    Command {
        /// Its code: the first byte of a Type 2 command, the instruction of a DESFire one.
        code: u8,
    },
    /// What is no command of this card, by its first byte.
    Other {
        /// The first byte of the frame.
        code: u8,
    },
}

/// One command that reached the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Counted from 1 since the slot was made.
    pub number: u64,
    /// When it reached the card.
    pub at: SystemTime,
    /// The card.
    pub uid: Uid,
    /// What was asked.
    pub kind: ExchangeKind,
    /// On whose behalf, where that is known.
    pub attempt: Option<String>,
}

/// How far a programming of EEPROM came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Programming {
    /// To its end: the cells hold what was asked for.
    Whole,
    /// The card lost its supply in the midst: the cells hold a mixture, which does not change.
    Torn,
    /// The card lost its supply at the very end: the cells seem to hold what was asked for, and some
    /// of them may read differently each time, until they are programmed anew.
    Weak,
}

/// One programming of a card's EEPROM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EepromWrite {
    /// The exchange that caused it.
    pub exchange: u64,
    /// When.
    pub at: SystemTime,
    /// The card.
    pub uid: Uid,
    /// Number of the block or page. Of a card with files: in the upper byte the file's number, in the
    /// lower the page of 32 bytes; from F000 up a key, by its number, whose contents given here are
    /// only its version; from F100 up settings or the file system, by the instruction that changed them.
    /// What is written to a backup file shows when it is committed, for that is when it changes.
    pub block: u16,
    /// What it held.
    pub before: Vec<u8>,
    /// What it holds now: all that was asked for, or a mixture if it was torn.
    pub after: Vec<u8>,
    /// How far it came.
    pub programming: Programming,
    /// On whose behalf, where that is known.
    pub attempt: Option<String>,
}

/// The log of a slot. The oldest entries are dropped beyond 20,000 of each sort.
#[derive(Debug, Clone, Default)]
pub struct Log {
    exchanges: u64,
    recent: VecDeque<Exchange>,
    writes: VecDeque<EepromWrite>,
    forgotten_writes: u64,
    imposed: Duration,
    imposed_by_line: Duration,
    attempt: Option<String>,
}

impl Log {
    /// How many exchanges there were since the slot was made, selections not counted.
    #[must_use]
    pub fn exchanges(&self) -> u64 {
        self.exchanges
    }

    /// The latest exchanges, oldest first.
    #[must_use]
    pub fn recent(&self) -> &VecDeque<Exchange> {
        &self.recent
    }

    /// The latest writes, oldest first.
    #[must_use]
    pub fn writes(&self) -> &VecDeque<EepromWrite> {
        &self.writes
    }

    /// How many writes are no longer in [`writes`](Log::writes).
    #[must_use]
    pub fn forgotten_writes(&self) -> u64 {
        self.forgotten_writes
    }

    /// The time that the air and the cards have imposed since the slot was made, whether anybody
    /// waited it out or not: frames at 106 kbit/s with the pauses between them, selections included,
    /// and what the cards took to program and compute. Not what a reader waits for a silent card.
    #[must_use]
    pub fn imposed(&self) -> Duration {
        self.imposed
    }

    /// The time that the serial line before this slot has imposed since the slot was made, whether anybody waited
    /// it out or not: all bytes in both directions at ten bits each, at the speed of the time.
    /// Where a host waits for each answer, nothing of it overlaps with [`imposed`](Log::imposed) or itself but the
    /// padding behind the host's frames.
    #[must_use]
    pub fn imposed_by_line(&self) -> Duration {
        self.imposed_by_line
    }

    pub(super) fn impose(&mut self, time: Duration) {
        self.imposed += time;
    }

    pub(super) fn impose_by_line(&mut self, time: Duration) {
        self.imposed_by_line += time;
    }

    pub(super) fn set_attempt(&mut self, attempt: Option<String>) {
        self.attempt = attempt;
    }

    pub(super) fn begin(&mut self, uid: Uid, kind: ExchangeKind) {
        self.exchanges += 1;
        let attempt = self.attempt.clone();
        push(
            &mut self.recent,
            Exchange {
                number: self.exchanges,
                at: SystemTime::now(),
                uid,
                kind,
                attempt,
            },
        );
    }

    pub(super) fn written(&mut self, uid: Uid, programmed: Vec<Programmed>) {
        for Programmed {
            unit,
            before,
            after,
            programming,
        } in programmed
        {
            let write = EepromWrite {
                exchange: self.exchanges,
                at: SystemTime::now(),
                uid,
                block: unit,
                before,
                after,
                programming,
                attempt: self.attempt.clone(),
            };
            self.forgotten_writes += u64::from(push(&mut self.writes, write));
        }
    }
}

/// Appends, and says whether the oldest had to go.
fn push<T>(entries: &mut VecDeque<T>, entry: T) -> bool {
    let full = entries.len() == REMEMBERED;
    if full {
        entries.pop_front();
    }
    entries.push_back(entry);
    full
}
