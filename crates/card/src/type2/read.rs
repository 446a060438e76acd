//! Reading a card of this family as a lock does: Ultralight C with its key, the others as they lie there.

use std::mem;

use zeroize::Zeroizing;

use super::copies::{Found, Need, look};
use super::layout::{Layout, Pages, Protection};
use super::memory::{Memory, reading};
use super::prove::{CardKey, Prove};
use crate::keys::LockKeys;
use crate::read_copies::LockTask;
use crate::{Command, CopiesRead, Effect, Procedure, Refusal, Reply, Step, Technology};

/// The reading of every copy with a lock's keys.
pub(crate) struct Read {
    keys: LockKeys,
    layout: &'static Layout,
    memory: Memory,
    found: CopiesRead,
    state: State,
}

enum State {
    Proving(Prove),
    Start,
    Reading(Pages),
    Reselecting,
    Over,
}

impl Read {
    /// Prepares the reading of a card that lies before the lock, selected; `challenge` is what an Ultralight C has given.
    pub(crate) fn new(task: LockTask, technology: Technology, challenge: Option<[u8; 8]>) -> Self {
        let layout = Layout::of(technology);
        let uid = task.presented.uid;
        let state = if layout.protection == Protection::TripleDes {
            let keys = task.keys.versions().filter_map(|version| {
                let key = CardKey::triple_des(&task.keys, version, &uid, technology)?;
                Some((version, key))
            });
            State::Proving(Prove::new(uid, keys, task.entropy, challenge))
        } else {
            State::Start
        };
        Self {
            found: CopiesRead::nothing(uid, technology),
            keys: task.keys,
            layout,
            memory: Memory::new(),
            state,
        }
    }

    fn prove(&mut self, mut prove: Prove, last: Option<Reply>) -> Step<CopiesRead> {
        match prove.next(last) {
            Step::Exchange(command, effect) => {
                self.state = State::Proving(prove);
                Step::Exchange(command, effect)
            }
            Step::Done(Ok(Some(_))) => self.go_on(),
            Step::Done(Ok(None)) => Step::Done(Ok(self.found.clone())),
            Step::Done(Err(refusal)) => Step::Done(Err(refusal)),
        }
    }

    /// Reads what is missing, or ends.
    fn go_on(&mut self) -> Step<CopiesRead> {
        match self.images() {
            Err(Need::Pages(wanted)) => {
                let (command, pages) = reading(self.layout, wanted.first, wanted.last);
                self.state = State::Reading(pages);
                Step::Exchange(Command::Type2(command), Effect::Reads)
            }
            Ok(images) => {
                self.found.copies = images;
                Step::Done(Ok(self.found.clone()))
            }
            Err(Need::Proof) => nonsense(),
        }
    }

    fn images(&self) -> Result<[Option<Zeroizing<Vec<u8>>>; 2], Need> {
        let mut images = [None, None];
        for (image, copy) in images.iter_mut().zip(self.layout.copies) {
            if let Found::Image(bytes) = look(&self.memory, self.layout, *copy, &self.keys)? {
                *image = Some(Zeroizing::new(bytes.to_vec()));
            }
        }
        Ok(images)
    }
}

impl Procedure for Read {
    type Output = CopiesRead;

    fn next(&mut self, last: Option<Reply>) -> Step<CopiesRead> {
        match (mem::replace(&mut self.state, State::Over), last) {
            (State::Proving(prove), last) => self.prove(prove, last),
            (State::Start, None) => self.go_on(),
            (State::Reading(pages), Some(Reply::Data(ref bytes)))
                if bytes.len() >= pages.bytes() =>
            {
                self.memory.put(pages, bytes);
                self.go_on()
            }
            (State::Reading(pages), Some(Reply::Refused)) => {
                self.memory.refused(pages);
                self.state = State::Reselecting;
                Step::Exchange(Command::Reselect, Effect::Reads)
            }
            (State::Reselecting, Some(Reply::Reselected(ref card))) => {
                if card.uid == self.found.uid {
                    self.go_on()
                } else {
                    Step::Done(Err(Refusal::Swapped))
                }
            }
            _ => nonsense(),
        }
    }
}

fn nonsense<T>() -> Step<T> {
    Step::Done(Err(Refusal::Nonsense { doing: "be read" }))
}
