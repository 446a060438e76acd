//! Reading a card as a lock does: with its reading keys, every copy, nothing changed and nothing written.

use std::fmt;

use zeroize::Zeroizing;

use crate::identify::{Identified, Identify};
use crate::keys::LockKeys;
use crate::technology::Family;
use crate::{
    Entropy, PresentedCard, Procedure, Refusal, Reply, Step, Technology, Uid, classic, desfire,
    ntag424, type2,
};

/// What a lock has read of a card. The images are zeroised and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct CopiesRead {
    /// The card's UID.
    pub uid: Uid,
    /// Its technology.
    pub technology: Technology,
    /// The bytes of copy A and of copy B; `None` where there is no such copy, it does not open with the lock's key or its
    /// first bytes show that it is void.
    pub copies: [Option<Zeroizing<Vec<u8>>>; 2],
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

impl CopiesRead {
    /// Of a card that shows nothing to this lock.
    pub(crate) fn nothing(uid: Uid, technology: Technology) -> Self {
        Self {
            uid,
            technology,
            copies: [None, None],
        }
    }
}

/// What a lock reads with, handed to the family that the card belongs to.
pub(crate) struct LockTask {
    pub(crate) presented: PresentedCard,
    pub(crate) keys: LockKeys,
    pub(crate) entropy: Entropy,
}

/// The reading of a card with a lock's keys. A card that is not ours yields two voids, not a refusal.
pub struct ReadCopies(State);

enum State {
    Identifying {
        identify: Identify,
        task: Box<LockTask>,
    },
    Reading(Reading),
    Over,
}

/// One family's way to read.
enum Reading {
    Classic(Box<classic::Read>),
    Type2(Box<type2::Read>),
    Desfire(Box<desfire::Read>),
    Ntag424(Box<ntag424::Read>),
}

impl ReadCopies {
    /// Prepares the reading of a card that lies before the lock, selected.
    ///
    /// # Errors
    /// [`Refusal::Unsupported`] for a card whose selection shows that it has no placing.
    pub fn new(card: PresentedCard, keys: LockKeys, entropy: Entropy) -> Result<Self, Refusal> {
        let identify = Identify::new(card.clone())?;
        Ok(Self(State::Identifying {
            identify,
            task: Box::new(LockTask {
                presented: card,
                keys,
                entropy,
            }),
        }))
    }

    fn identified(&mut self, identified: &Identified, task: LockTask) -> Step<CopiesRead> {
        let technology = identified.technology;
        let mut reading = match technology.family() {
            Family::Classic => Reading::Classic(Box::new(classic::Read::new(task, technology))),
            Family::Type2 => Reading::Type2(Box::new(type2::Read::new(
                task,
                technology,
                identified.challenge,
            ))),
            Family::Desfire => Reading::Desfire(Box::new(desfire::Read::new(task, technology))),
            Family::Ntag424 => Reading::Ntag424(Box::new(ntag424::Read::new(task))),
        };
        let step = reading.next(None);
        self.0 = State::Reading(reading);
        step
    }
}

impl Procedure for Reading {
    type Output = CopiesRead;

    fn next(&mut self, last: Option<Reply>) -> Step<CopiesRead> {
        match self {
            Self::Classic(read) => read.next(last),
            Self::Type2(read) => read.next(last),
            Self::Desfire(read) => read.next(last),
            Self::Ntag424(read) => read.next(last),
        }
    }
}

impl Procedure for ReadCopies {
    type Output = CopiesRead;

    fn next(&mut self, last: Option<Reply>) -> Step<CopiesRead> {
        match std::mem::replace(&mut self.0, State::Over) {
            State::Identifying { mut identify, task } => match identify.next(last) {
                Step::Exchange(command, effect) => {
                    self.0 = State::Identifying { identify, task };
                    Step::Exchange(command, effect)
                }
                Step::Done(Ok(identified)) => self.identified(&identified, *task),
                Step::Done(Err(refusal)) => Step::Done(Err(refusal)),
            },
            State::Reading(mut reading) => {
                let step = reading.next(last);
                self.0 = State::Reading(reading);
                step
            }
            State::Over => Step::Done(Err(Refusal::Nonsense { doing: "be read" })),
        }
    }
}
