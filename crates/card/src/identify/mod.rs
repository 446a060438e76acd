//! Which card lies on the encoder: from what it said while it was selected, then from its version commands.
//!
//! Nothing here changes a card or selects an application on it. A card that has no placing is named and left alone.

mod select;
mod version;

use std::mem;

use crate::{
    Apdu, Command, Effect, PresentedCard, Procedure, Refusal, Reply, Step, Technology, Type2Command,
};
use select::Suspected;

/// What a card is, and in which state the question has left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// Its technology.
    pub technology: Technology,
    /// The challenge ek(RndB) of an Ultralight C, which could only be told from an Ultralight by the first half of its
    /// authentication: the card now takes the other half, or [`Command::Reselect`].
    pub(crate) challenge: Option<[u8; 8]>,
}

/// The identification of one card. MIFARE Classic needs no exchange, Type 2 cards one to three, cards in ISO/IEC 14443-4
/// one to three.
#[derive(Debug)]
pub struct Identify {
    card: PresentedCard,
    state: State,
}

#[derive(Debug)]
enum State {
    Start(Suspected),
    Type2Version,
    /// GET_VERSION was refused: Ultralight, Ultralight C, or something older.
    Reselecting,
    UltralightC,
    /// `1A 00` was refused too, so the card has to be selected once more.
    SettlingAsUltralight,
    /// The first, second and third frame of the version of a card in ISO/IEC 14443-4.
    IsoVersion(version::Frames),
    Over,
}

impl Identify {
    /// Prepares the identification of a card that lies on the encoder, selected.
    ///
    /// # Errors
    /// [`Refusal::Unsupported`] when its selection already shows that it has no placing; nothing has been sent to it then.
    pub fn new(card: PresentedCard) -> Result<Self, Refusal> {
        let suspected = select::suspected(&card)?;
        Ok(Self {
            card,
            state: State::Start(suspected),
        })
    }

    fn begin(&mut self, suspected: Suspected) -> Step<Identified> {
        match suspected {
            Suspected::Exactly(technology) => known(technology),
            Suspected::Type2 => {
                self.state = State::Type2Version;
                reads(Command::Type2(Type2Command::GetVersion))
            }
            Suspected::UltralightC => self.challenge(),
            Suspected::Iso14443_4 => {
                self.state = State::IsoVersion(version::Frames::default());
                reads(Command::Iso(Apdu::new(version::FIRST.to_vec())))
            }
        }
    }

    fn challenge(&mut self) -> Step<Identified> {
        self.state = State::UltralightC;
        reads(Command::Type2(Type2Command::Authenticate))
    }

    fn reselect(&mut self, then: State) -> Step<Identified> {
        self.state = then;
        reads(Command::Reselect)
    }

    fn iso_frame(&mut self, mut frames: version::Frames, answer: &[u8]) -> Step<Identified> {
        match frames.take(answer) {
            version::Taken::More => {
                self.state = State::IsoVersion(frames);
                reads(Command::Iso(Apdu::new(version::MORE.to_vec())))
            }
            version::Taken::Whole(Ok(technology)) => known(technology),
            version::Taken::Whole(Err(name)) => Step::Done(Err(Refusal::Unsupported { name })),
            version::Taken::NoVersion => Step::Done(Err(Refusal::Unsupported {
                name: select::smart_card_name(&self.card),
            })),
        }
    }
}

/// Whether these frames are the version of a card with a placing.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz_version(answers: &[&[u8]]) -> bool {
    let mut frames = version::Frames::default();
    answers
        .iter()
        .any(|answer| matches!(frames.take(answer), version::Taken::Whole(Ok(_))))
}

/// Whether this is the version of a Type 2 card with a placing.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz_type2_version(answer: &[u8]) -> bool {
    version::type2(answer).is_ok()
}

fn known(technology: Technology) -> Step<Identified> {
    Step::Done(Ok(Identified {
        technology,
        challenge: None,
    }))
}

fn reads(command: Command) -> Step<Identified> {
    Step::Exchange(command, Effect::Reads)
}

impl Procedure for Identify {
    type Output = Identified;

    fn next(&mut self, last: Option<Reply>) -> Step<Identified> {
        let state = mem::replace(&mut self.state, State::Over);
        match (state, last.as_ref()) {
            (State::Start(suspected), None) => self.begin(suspected),
            (State::Type2Version, Some(Reply::Data(answer))) => match version::type2(answer) {
                Ok(technology) => known(technology),
                Err(name) => Step::Done(Err(Refusal::Unsupported { name })),
            },
            (State::Type2Version, Some(Reply::Refused)) => self.reselect(State::Reselecting),
            (State::UltralightC, Some(Reply::Data(answer))) => match answer[..] {
                [0xAF, ref challenge @ ..] if challenge.len() == 8 => {
                    let mut bytes = [0; 8];
                    bytes.copy_from_slice(challenge);
                    Step::Done(Ok(Identified {
                        technology: Technology::MifareUltralightC,
                        challenge: Some(bytes),
                    }))
                }
                _ => nonsense(),
            },
            (State::UltralightC, Some(Reply::Refused)) => {
                self.reselect(State::SettlingAsUltralight)
            }
            (
                state @ (State::Reselecting | State::SettlingAsUltralight),
                Some(Reply::Reselected(card)),
            ) => {
                if card.uid != self.card.uid {
                    return Step::Done(Err(Refusal::Swapped));
                }
                match state {
                    State::Reselecting => self.challenge(),
                    _ => known(Technology::MifareUltralight),
                }
            }
            (State::IsoVersion(frames), Some(Reply::Data(answer))) => {
                self.iso_frame(frames, answer)
            }
            _ => nonsense(),
        }
    }
}

fn nonsense() -> Step<Identified> {
    Step::Done(Err(Refusal::Nonsense {
        doing: "say which type it is",
    }))
}

#[cfg(test)]
mod tests;
