//! Finding out what the card is, whose it is and what it holds, with the fewest exchanges and without changing anything.

use crate::identify::{Identified, Identify};
use crate::technology::Family;
use crate::{
    CardFormat, Credential, Entropy, Inspected, PresentedCard, Procedure, Refusal, Reply, SiteKeys,
    Step, Technology, classic, desfire, format, ntag424, type2,
};

/// What the card is inspected for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To tell what is on it: opened with the reading keys, and every readable copy is reported.
    Scan,
    /// To write it afterwards: opened with the writing keys, and left alone at the first sign that it is foreign.
    Encode {
        /// The form in which it will be written: some placings give one more room than the image takes.
        format: CardFormat,
        /// How many bytes the image will take, so that the whole of its place is looked at.
        image_length: usize,
    },
}

impl Purpose {
    /// To write this credential.
    ///
    /// # Errors
    /// [`Refusal::DoesNotFit`] when its format cannot hold it.
    pub fn encode(credential: &Credential) -> Result<Self, Refusal> {
        Ok(Self::Encode {
            format: credential.format,
            image_length: format::length(credential)?,
        })
    }
}

/// Keys and tags would be bound to a UID that the card never shows again (MIFARE Plus can be set so; a DESFire tells the
/// real one).
const CHANGING_UID: &str = "it shows another UID at each selection";

/// What an inspection knows before the first exchange, and hands to the family that the card belongs to.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) presented: PresentedCard,
    pub(crate) keys: SiteKeys,
    pub(crate) purpose: Purpose,
    pub(crate) entropy: Entropy,
}

/// The inspection of one card: it is identified, then looked at as its technology demands.
pub struct Inspect {
    technology: Option<Technology>,
    state: State,
}

enum State {
    Identifying { identify: Identify, task: Box<Task> },
    Looking(Looking),
    Over,
}

/// One family's way to look at a card.
enum Looking {
    Classic(Box<classic::Inspect>),
    Type2(Box<type2::Inspect>),
    Desfire(Box<desfire::Inspect>),
    Ntag424(Box<ntag424::Inspect>),
}

impl Inspect {
    /// Prepares the inspection of a card that lies on the encoder, selected.
    ///
    /// # Errors
    /// [`Refusal::Unsupported`] for a card whose selection shows that it has no placing; nothing has been sent to it then.
    pub fn new(
        card: PresentedCard,
        keys: &SiteKeys,
        purpose: Purpose,
        entropy: Entropy,
    ) -> Result<Self, Refusal> {
        let identify = Identify::new(card.clone())?;
        Ok(Self {
            technology: None,
            state: State::Identifying {
                identify,
                task: Box::new(Task {
                    presented: card,
                    keys: keys.clone(),
                    purpose,
                    entropy,
                }),
            },
        })
    }

    /// What the card was identified as, once it was.
    #[must_use]
    pub fn technology(&self) -> Option<Technology> {
        self.technology
    }

    fn identified(&mut self, identified: &Identified, task: Task) -> Step<Inspected> {
        let technology = identified.technology;
        self.technology = Some(technology);
        if technology.family() == Family::Classic && task.presented.uid.is_random() {
            return Step::Done(Err(Refusal::Foreign {
                detail: CHANGING_UID,
            }));
        }
        let mut looking = match technology.family() {
            Family::Classic => Looking::Classic(Box::new(classic::Inspect::new(task, technology))),
            Family::Type2 => Looking::Type2(Box::new(type2::Inspect::new(
                task,
                technology,
                identified.challenge,
            ))),
            Family::Desfire => Looking::Desfire(Box::new(desfire::Inspect::new(task, technology))),
            Family::Ntag424 => Looking::Ntag424(Box::new(ntag424::Inspect::new(task))),
        };
        let step = looking.next(None);
        self.state = State::Looking(looking);
        step
    }
}

impl Procedure for Looking {
    type Output = Inspected;

    fn next(&mut self, last: Option<Reply>) -> Step<Inspected> {
        match self {
            Self::Classic(inspect) => inspect.next(last),
            Self::Type2(inspect) => inspect.next(last),
            Self::Desfire(inspect) => inspect.next(last),
            Self::Ntag424(inspect) => inspect.next(last),
        }
    }
}

impl Procedure for Inspect {
    type Output = Inspected;

    fn next(&mut self, last: Option<Reply>) -> Step<Inspected> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Identifying { mut identify, task } => match identify.next(last) {
                Step::Exchange(command, effect) => {
                    self.state = State::Identifying { identify, task };
                    Step::Exchange(command, effect)
                }
                Step::Done(Ok(identified)) => self.identified(&identified, *task),
                Step::Done(Err(refusal)) => Step::Done(Err(refusal)),
            },
            State::Looking(mut looking) => {
                let step = looking.next(last);
                self.state = State::Looking(looking);
                step
            }
            State::Over => Step::Done(Err(Refusal::Nonsense {
                doing: "be inspected",
            })),
        }
    }
}
