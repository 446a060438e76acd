//! Reading a DESFire as a lock does: key 1, and key 3 where the card hides its UID.

use std::mem;

use super::application;
use super::file::{self, Reading};
use crate::placing::CopyIndex;
use crate::read_copies::LockTask;
use crate::secure::{Answer, Card, CardKeys, Entered, Entry, EntryNext, Taken};
use crate::{
    Apdu, Command, CopiesRead, Effect, Procedure, Refusal, Reply, Step, Technology, format,
};

/// The reading of the file with a lock's keys.
pub(crate) struct Read {
    card: Card,
    state: State,
}

enum State {
    Start,
    Entering(Entry),
    Reading(Reading),
    Over,
}

impl Read {
    /// Prepares the reading of a DESFire that lies before the lock, selected.
    pub(crate) fn new(task: LockTask, technology: Technology) -> Self {
        let keys = CardKeys::Reading(task.keys);
        Self {
            card: Card::new(application(technology), task.presented, keys, task.entropy),
            state: State::Start,
        }
    }

    fn answered(&mut self, state: State, answer: Answer) -> Result<Step<CopiesRead>, Refusal> {
        Ok(match state {
            State::Entering(mut entry) => match entry.next(&mut self.card, answer)? {
                EntryNext::Send(apdu) => self.send(apdu, State::Entering(entry)),
                EntryNext::Done(Entered::Open) => {
                    let (reading, apdu) = Reading::begin(&mut self.card);
                    self.send(apdu, State::Reading(reading))
                }
                EntryNext::Done(_) => self.found(None),
            },
            State::Reading(mut reading) => match reading.next(&mut self.card, answer)? {
                file::Next::Send(apdu) => self.send(apdu, State::Reading(reading)),
                file::Next::Done(bytes) => {
                    let ours = bytes.first_chunk().is_some_and(|header| {
                        format::length_if_ours(header, self.card.keys.lock()).is_some()
                    });
                    self.found(ours.then_some(bytes))
                }
                file::Next::Refused(_) => self.found(None),
            },
            State::Start | State::Over => return Err(NONSENSE),
        })
    }

    fn found(&self, image: Option<zeroize::Zeroizing<Vec<u8>>>) -> Step<CopiesRead> {
        let uid = self.card.uid.unwrap_or(self.card.presented.uid);
        let mut found = CopiesRead::nothing(uid, self.card.application.technology);
        found.copies[CopyIndex::A.index()] = image;
        Step::Done(Ok(found))
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
