//! Carrying out a plan: personalise where the card is blank, write, read back, void the older copy.
//!
//! Nothing is decided here and nothing is tried twice, with one exception: when the very first command, which rests on
//! the sector that the inspection left open, is refused, the card is selected and opened once more. An encoder may have
//! lost that state while the hub was asked for its grant.

use std::mem;

use crate::placing::CopyIndex;
use crate::plan::{Operation, Phase, Plan};
use crate::session::{CardKeys, read, reads};
use crate::{
    ClassicCommand, Command, Effect, PresentedCard, Procedure, Refusal, Reply, Sequence, SiteKeys,
    Step,
};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The copy that counts now.
    pub copy: CopyIndex,
    /// Its sequence.
    pub sequence: Sequence,
    /// How many blocks were written, trailers included; 0 when the card already held the credential.
    pub blocks_written: usize,
}

/// How far the writing has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Exchanges that are done.
    pub done: usize,
    /// Exchanges in all.
    pub total: usize,
}

/// The writing of one planned credential. It must run on the session of the inspection that the plan was made from.
pub struct Write {
    plan: Plan,
    keys: CardKeys,
    /// The operation that is next, or whose answer is awaited.
    at: usize,
    blocks_written: usize,
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
    #[must_use]
    pub fn new(plan: Plan, keys: &SiteKeys) -> Self {
        Self {
            keys: CardKeys::derive(keys, &plan.presented.uid, plan.technology),
            plan,
            at: 0,
            blocks_written: 0,
            state: State::Start,
        }
    }

    /// How far it has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let operations = &self.plan.operations;
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
        let Some(operation) = self.plan.operations.get(self.at) else {
            return Step::Done(Ok(Written {
                copy: self.plan.counts,
                sequence: self.plan.sequence,
                blocks_written: self.blocks_written,
            }));
        };
        self.state = State::Sent { inherits };
        match operation {
            Operation::Authenticate { open, .. } => reads(self.keys.authenticate(*open)),
            Operation::WriteTrailer { copy } => Step::Exchange(
                Command::Classic(ClassicCommand::Write {
                    block: copy.sector().trailer(),
                    data: self.keys.trailer(*copy),
                }),
                Effect::Prepares,
            ),
            Operation::WriteBlock { block, data } => Step::Exchange(
                Command::Classic(ClassicCommand::Write {
                    block: *block,
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
            self.plan.operations.first(),
            None | Some(Operation::Authenticate { .. })
        )
    }

    /// Takes the answer to the operation at `at`.
    fn answered(&mut self, reply: &Reply, inherits: bool) -> Step<Written> {
        let operation = &self.plan.operations[self.at];
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
                self.blocks_written += 1;
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
        if card.uid != self.plan.presented.uid {
            return Step::Done(Err(Refusal::Swapped));
        }
        match self.plan.open {
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
