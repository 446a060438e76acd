//! Carrying out a plan: personalise where the card is blank, write, read back, void the older copy.
//!
//! Nothing is decided here and nothing is tried twice, with one exception: when the very first command, which rests on
//! the sector that the inspection left open, is refused, the card is selected and opened once more. An encoder may have
//! lost that state while the hub was asked for its grant.

use std::mem;

use super::plan::{Operation, Work};
use super::session::{CardKeys, read, reads};
use crate::plan::{Outline, Phase};
use crate::{
    ClassicCommand, Command, Effect, PresentedCard, Procedure, Progress, Refusal, Reply, SiteKeys,
    Step, Written,
};

/// The writing of one planned credential. It must run on the session of the inspection that the plan was made from.
pub(crate) struct Write {
    outline: Outline,
    work: Work,
    keys: CardKeys,
    /// The operation that is next, or whose answer is awaited.
    at: usize,
    writes: usize,
    state: State,
}

enum State {
    Start,
    /// The operation at `at` was sent. `first` on an inherited sector: it may be sent once more.
    Sent {
        inherits: bool,
    },
    /// A command was refused; is the card still the same?
    Reselecting {
        again: bool,
        doing: &'static str,
    },
    /// The inherited sector is being opened again.
    Reopening,
    Over,
}

impl Write {
    /// Prepares to carry out a plan; `keys` are those it was made with.
    pub(crate) fn new(outline: Outline, work: Work, keys: &SiteKeys) -> Self {
        Self {
            keys: CardKeys::new(keys.clone(), outline.uid, outline.technology),
            outline,
            work,
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
        let Some(operation) = self.work.operations.get(self.at) else {
            return Step::Done(Ok(Written {
                copy: self.outline.counts,
                sequence: self.outline.sequence,
                writes: self.writes,
            }));
        };
        self.state = State::Sent { inherits };
        match operation {
            Operation::Authenticate { open, .. } => reads(self.keys.authenticate(*open)),
            Operation::WriteTrailer { sector } => Step::Exchange(
                Command::Classic(ClassicCommand::Write {
                    block: sector.trailer(),
                    data: self.keys.trailer(*sector),
                }),
                Effect::Prepares,
            ),
            Operation::WriteBlock {
                sector,
                index,
                data,
            } => Step::Exchange(
                Command::Classic(ClassicCommand::Write {
                    block: sector.data_block(*index),
                    data: data.clone(),
                }),
                Effect::Commits,
            ),
            Operation::ReadBack { block, .. } => read(*block),
        }
    }

    /// Whether the first operation works on a sector that the inspection opened.
    fn inherits_sector(&self) -> bool {
        !matches!(
            self.work.operations.first(),
            None | Some(Operation::Authenticate { .. })
        )
    }

    /// Takes the answer to the operation at `at`.
    fn answered(&mut self, reply: &Reply, inherits: bool) -> Step<Written> {
        let operation = &self.work.operations[self.at];
        match (operation, reply) {
            (_, Reply::Refused) => {
                self.state = State::Reselecting {
                    again: inherits,
                    doing: doing(operation),
                };
                return reads(Command::Reselect);
            }
            (Operation::Authenticate { .. }, Reply::Done) => {}
            (Operation::WriteTrailer { .. } | Operation::WriteBlock { .. }, Reply::Done) => {
                self.writes += 1;
            }
            (Operation::ReadBack { expected, .. }, Reply::Data(bytes)) => {
                if bytes.as_slice() != expected.expose() {
                    return Step::Done(Err(Refusal::NotVerified));
                }
            }
            _ => {
                return Step::Done(Err(Refusal::Nonsense {
                    doing: doing(operation),
                }));
            }
        }
        self.at += 1;
        self.send(false)
    }

    fn reselected(
        &mut self,
        card: &PresentedCard,
        again: bool,
        doing: &'static str,
    ) -> Step<Written> {
        if card.uid != self.outline.presented.uid {
            return Step::Done(Err(Refusal::Swapped));
        }
        match self.work.open {
            Some(open) if again => {
                self.state = State::Reopening;
                reads(self.keys.authenticate(open))
            }
            _ => Step::Done(Err(Refusal::CardRefused { doing })),
        }
    }
}

fn doing(operation: &Operation) -> &'static str {
    match operation {
        Operation::Authenticate { .. } => "open a sector",
        Operation::WriteTrailer { .. } => "take a sector trailer",
        Operation::WriteBlock { .. } => "take a block",
        Operation::ReadBack { .. } => "read a block back",
    }
}

impl Procedure for Write {
    type Output = Written;

    fn next(&mut self, last: Option<Reply>) -> Step<Written> {
        let state = mem::replace(&mut self.state, State::Over);
        match (state, last.as_ref()) {
            (State::Start, None) => self.send(self.inherits_sector()),
            (State::Sent { inherits }, Some(reply)) => self.answered(reply, inherits),
            (State::Reselecting { again, doing }, Some(Reply::Reselected(card))) => {
                self.reselected(card, again, doing)
            }
            (State::Reopening, Some(Reply::Done)) => self.send(false),
            (State::Reopening, Some(Reply::Refused)) => Step::Done(Err(Refusal::CardRefused {
                doing: "open a sector",
            })),
            _ => Step::Done(Err(Refusal::Nonsense {
                doing: "be written",
            })),
        }
    }
}
