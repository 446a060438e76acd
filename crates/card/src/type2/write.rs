//! Carrying out a plan: make the card ours where it is blank, write, read back, void the older copy.
//!
//! Nothing is decided here and nothing is tried twice, with one exception: when the very first command, which rests on the
//! authentication that the inspection has left, is refused, the card is selected and authenticated once more. An encoder may
//! have lost that state while the hub was asked for its grant.

use std::mem;

use super::Access;
use super::layout::Layout;
use super::memory::reading;
use super::plan::{Operation, Work};
use super::prove::{CardKey, Prove};
use crate::plan::{Outline, Phase};
use crate::{
    Command, Effect, Entropy, KeyVersion, PageData, PresentedCard, Procedure, Progress, Refusal,
    Reply, SiteKeys, Step, Type2Command, Written,
};

/// The writing of one planned credential. It must run on the session of the inspection that the plan was made from.
pub(crate) struct Write {
    outline: Outline,
    work: Work,
    keys: SiteKeys,
    entropy: Entropy,
    /// The operation that is next, or whose answer is awaited.
    at: usize,
    writes: usize,
    state: State,
}

enum State {
    Start,
    /// The operation at `at` was sent. `inherits`: on the inspection's authentication, so that it may be sent once more.
    Sent {
        inherits: bool,
    },
    Proving {
        prove: Prove,
        /// The operation at `at` is sent again afterwards; else it was the proof itself.
        again: bool,
    },
    /// The card is selected again because the plan says so.
    Reselecting,
    /// A command was refused; is the card still the same?
    Refused {
        again: bool,
        doing: &'static str,
    },
    Over,
}

impl Write {
    /// Prepares to carry out a plan; `keys` are those it was made with.
    pub(crate) fn new(outline: Outline, work: Work, keys: &SiteKeys, entropy: Entropy) -> Self {
        Self {
            outline,
            work,
            keys: keys.clone(),
            entropy,
            at: 0,
            writes: 0,
            state: State::Start,
        }
    }

    /// How far it has come.
    pub(crate) fn progress(&self) -> Progress {
        let operations = &self.work.operations;
        Progress {
            phase: operations
                .get(self.at)
                .map_or(Phase::Verifying, Operation::phase),
            done: self.at,
            total: operations.len(),
        }
    }

    /// Sends the operation at `at`, or ends when there is none left.
    fn send(&mut self, inherits: bool) -> Step<Written> {
        let Some(operation) = self.work.operations.get(self.at).cloned() else {
            return Step::Done(Ok(Written {
                copy: self.outline.counts,
                sequence: self.outline.sequence,
                writes: self.writes,
            }));
        };
        self.state = State::Sent { inherits };
        match operation {
            Operation::Prove { versions, .. } => self.prove(&versions, false),
            Operation::Reselect => {
                self.state = State::Reselecting;
                Step::Exchange(Command::Reselect, Effect::Reads)
            }
            Operation::Prepare { page, data } => write(page, data, Effect::Prepares),
            Operation::WritePage { page, data } => write(page, data, Effect::Commits),
            Operation::ReadBack { pages, .. } => {
                let layout = Layout::of(self.outline.technology);
                let (command, _) = reading(layout, pages.first, pages.last);
                Step::Exchange(Command::Type2(command), Effect::Reads)
            }
        }
    }

    fn prove(&mut self, versions: &[KeyVersion], again: bool) -> Step<Written> {
        let Outline {
            uid, technology, ..
        } = self.outline;
        let candidates = versions.iter().filter_map(|version| {
            let key = CardKey::of(&self.keys, *version, &uid, technology)?;
            Some((*version, key))
        });
        let selected_by = self.outline.presented.uid;
        let prove = Prove::new(selected_by, candidates, self.entropy.split(), None);
        self.proving(prove, again, None)
    }

    fn proving(&mut self, mut prove: Prove, again: bool, last: Option<Reply>) -> Step<Written> {
        match prove.next(last) {
            Step::Exchange(command, effect) => {
                self.state = State::Proving { prove, again };
                Step::Exchange(command, effect)
            }
            Step::Done(Ok(Some(_))) => {
                self.at += usize::from(!again);
                self.send(false)
            }
            Step::Done(Ok(None)) => Step::Done(Err(Refusal::CardRefused {
                doing: "open for writing with this site's key",
            })),
            Step::Done(Err(refusal)) => Step::Done(Err(refusal)),
        }
    }

    /// Whether the first operation rests on what the inspection has proven.
    fn inherits(&self) -> bool {
        matches!(self.work.access, Access::Proven(_))
    }

    /// Takes the answer to the operation at `at`.
    fn answered(&mut self, reply: &Reply, inherits: bool) -> Step<Written> {
        let operation = &self.work.operations[self.at];
        let doing = doing(operation);
        match (operation, reply) {
            (_, Reply::Refused) => {
                self.state = State::Refused {
                    again: inherits,
                    doing,
                };
                return Step::Exchange(Command::Reselect, Effect::Reads);
            }
            (Operation::Prepare { .. } | Operation::WritePage { .. }, Reply::Done) => {
                self.writes += 1;
            }
            (Operation::ReadBack { expected, .. }, Reply::Data(bytes)) => {
                // READ gives four pages, wanted or not.
                if !bytes.starts_with(expected.bytes()) {
                    return Step::Done(Err(Refusal::NotVerified));
                }
            }
            _ => return Step::Done(Err(Refusal::Nonsense { doing })),
        }
        self.at += 1;
        self.send(false)
    }

    fn is_same(&self, card: &PresentedCard) -> bool {
        card.uid == self.outline.presented.uid
    }
}

fn write(page: u8, data: PageData, effect: Effect) -> Step<Written> {
    Step::Exchange(Command::Type2(Type2Command::Write { page, data }), effect)
}

fn doing(operation: &Operation) -> &'static str {
    match operation {
        Operation::Prove { .. } => "prove that it has this site's key",
        Operation::Reselect => "be selected again",
        Operation::Prepare { .. } => "take its keys",
        Operation::WritePage { .. } => "take a page",
        Operation::ReadBack { .. } => "read pages back",
    }
}

impl Procedure for Write {
    type Output = Written;

    fn next(&mut self, last: Option<Reply>) -> Step<Written> {
        match (mem::replace(&mut self.state, State::Over), last) {
            (State::Start, None) => self.send(self.inherits()),
            (State::Sent { inherits }, Some(reply)) => self.answered(&reply, inherits),
            (State::Proving { prove, again }, last) => self.proving(prove, again, last),
            (State::Reselecting | State::Refused { .. }, Some(Reply::Reselected(ref card)))
                if !self.is_same(card) =>
            {
                Step::Done(Err(Refusal::Swapped))
            }
            (State::Reselecting, Some(Reply::Reselected(_))) => {
                self.at += 1;
                self.send(false)
            }
            (State::Refused { again, doing }, Some(Reply::Reselected(_))) => {
                match self.work.access {
                    Access::Proven(version) if again => self.prove(&[version], true),
                    _ => Step::Done(Err(Refusal::CardRefused { doing })),
                }
            }
            _ => Step::Done(Err(Refusal::Nonsense {
                doing: "be written",
            })),
        }
    }
}
