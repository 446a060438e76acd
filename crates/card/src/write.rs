//! Carrying out a plan: personalise where the card is blank, write, read back, void the older copy.

use crate::plan::{Phase, Plan, Work};
use crate::{
    CopyIndex, Entropy, Procedure, Reply, Sequence, SiteKeys, Step, classic, secure, type2,
};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The copy that counts now.
    pub copy: CopyIndex,
    /// Its sequence.
    pub sequence: Sequence,
    /// How many writes reached the card, those of preparation included; 0 when it already held the credential.
    pub writes: usize,
}

/// How far the writing has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Steps that are done.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
}

/// The writing of one planned credential. It must run on the session of the inspection that the plan was made from.
pub struct Write(Writing);

/// One family's way to write.
enum Writing {
    Classic(Box<classic::Write>),
    Type2(Box<type2::Write>),
    Application(Box<secure::Write>),
}

impl Write {
    /// Prepares to carry out a plan; `keys` are those it was made with.
    #[must_use]
    pub fn new(plan: Plan, keys: &SiteKeys, entropy: Entropy) -> Self {
        Self(match plan.work {
            Work::Classic(work) => {
                Writing::Classic(Box::new(classic::Write::new(plan.outline, work, keys)))
            }
            Work::Type2(work) => Writing::Type2(Box::new(type2::Write::new(
                plan.outline,
                work,
                keys,
                entropy,
            ))),
            Work::Application(work) => Writing::Application(Box::new(secure::Write::new(
                plan.outline,
                work,
                keys,
                entropy,
            ))),
        })
    }

    /// How far it has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        match &self.0 {
            Writing::Classic(write) => write.progress(),
            Writing::Type2(write) => write.progress(),
            Writing::Application(write) => write.progress(),
        }
    }
}

impl Procedure for Write {
    type Output = Written;

    fn next(&mut self, last: Option<Reply>) -> Step<Written> {
        match &mut self.0 {
            Writing::Classic(write) => write.next(last),
            Writing::Type2(write) => write.next(last),
            Writing::Application(write) => write.next(last),
        }
    }
}
