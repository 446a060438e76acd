//! Reading an NTAG 424 DNA as a lock does: key 2, both copies at once.

use std::mem;

use zeroize::Zeroizing;

use super::{APPLICATION, FILE_SIZE, range, read_both};
use crate::placing::CopyIndex;
use crate::read_copies::LockTask;
use crate::secure::{Answer, Card, CardKeys, Entered, Entry, EntryNext, Taken};
use crate::{Apdu, Command, CopiesRead, Effect, Procedure, Refusal, Reply, Step, format};

/// The reading of both copies with a lock's keys.
pub(crate) struct Read {
    card: Card,
    state: State,
}

enum State {
    Start,
    Entering(Entry),
    Reading,
    Over,
}

impl Read {
    /// Prepares the reading of an NTAG 424 DNA that lies before the lock, selected.
    pub(crate) fn new(task: LockTask) -> Self {
        let keys = CardKeys::Reading(task.keys);
        Self {
            card: Card::new(APPLICATION, task.presented, keys, task.entropy),
            state: State::Start,
        }
    }

    fn answered(&mut self, state: State, answer: Answer) -> Result<Step<CopiesRead>, Refusal> {
        let nothing = CopiesRead::nothing(self.card.presented.uid, APPLICATION.technology);
        Ok(match (state, answer) {
            (State::Entering(mut entry), answer) => match entry.next(&mut self.card, answer)? {
                EntryNext::Send(apdu) => self.send(apdu, State::Entering(entry)),
                EntryNext::Done(Entered::Open) => {
                    let apdu = self.card.call(read_both());
                    self.send(apdu, State::Reading)
                }
                EntryNext::Done(_) => Step::Done(Ok(nothing)),
            },
            (State::Reading, Ok(file)) if file.len() == FILE_SIZE => {
                let mut found = nothing;
                for copy in CopyIndex::BOTH {
                    found.copies[copy.index()] = self.copy(&file[range(copy)]);
                }
                Step::Done(Ok(found))
            }
            (State::Reading, Err(_)) => Step::Done(Ok(nothing)),
            _ => return Err(NONSENSE),
        })
    }

    fn copy(&self, bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let header = bytes.first_chunk()?;
        format::length_if_ours(header, self.card.keys.lock())?;
        Some(Zeroizing::new(bytes.to_vec()))
    }

    fn send(&mut self, apdu: Apdu, state: State) -> Step<CopiesRead> {
        self.state = state;
        Step::Exchange(Command::Iso(apdu), Effect::Reads)
    }

    fn advance(&mut self, last: Option<Reply>) -> Result<Step<CopiesRead>, Refusal> {
        let state = mem::replace(&mut self.state, State::Over);
        match (state, last) {
            (State::Start, None) => {
                let (entry, apdu) = Entry::begin(&mut self.card);
                Ok(self.send(apdu, State::Entering(entry)))
            }
            (State::Start | State::Over, _) => Err(NONSENSE),
            (state, Some(Reply::Data(ref frame))) => match self.card.take(frame)? {
                Taken::Send(apdu) => Ok(self.send(apdu, state)),
                Taken::Answer(answer) => self.answered(state, answer),
            },
            _ => Err(NONSENSE),
        }
    }
}

const NONSENSE: Refusal = Refusal::Nonsense { doing: "be read" };

impl Procedure for Read {
    type Output = CopiesRead;

    fn next(&mut self, last: Option<Reply>) -> Step<CopiesRead> {
        self.advance(last)
            .unwrap_or_else(|refusal| Step::Done(Err(refusal)))
    }
}
