//! One card and the session that is open on it: turns native commands into frames, and frames into answers.
//!
//! Any error that a card answers ends its session, and so it does here (NXP MF3ICD81, 8.3; NT4H2421Gx, 9.1.8).

use zeroize::Zeroizing;

use super::application::{Application, CardKeys, KeyUse, Secret};
use super::authentication::Authentication;
use super::call::Call;
use super::session::{Session, Suite};
use super::status::Status;
use crate::{Apdu, Entropy, PresentedCard, Refusal, Uid};

/// Wraps a native command in ISO/IEC 7816-4 (NXP MF3ICD81, 11.2).
fn wrap(instruction: u8, data: &[u8]) -> Apdu {
    let mut apdu = Zeroizing::new(vec![0x90, instruction, 0x00, 0x00]);
    if !data.is_empty() {
        apdu.push(data.len() as u8);
        apdu.extend_from_slice(data);
    }
    apdu.push(0x00);
    Apdu::new(std::mem::take(&mut *apdu))
}

const NEXT_FRAME: u8 = 0xAF;
/// More than any answer that is asked for: a whole file of 256 bytes, enciphered, with its MAC.
const LONGEST_ANSWER: usize = 512;
const OPENING: &str = "be opened";

/// What a card says to one whole command: its data, or why not.
pub(crate) type Answer = Result<Zeroizing<Vec<u8>>, Status>;

/// What one frame from the card leads to.
pub(crate) enum Taken {
    /// To this, before there is an answer.
    Send(Apdu),
    /// To the answer.
    Answer(Answer),
}

/// A session and the key that opened it.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    /// The key.
    pub(crate) key: KeyUse,
    session: Session,
}

/// A card with the keys that may open it.
pub(crate) struct Card {
    pub(crate) application: Application,
    pub(crate) presented: PresentedCard,
    /// The UID that it was made with, once it is known.
    pub(crate) uid: Option<Uid>,
    pub(crate) keys: CardKeys,
    open: Option<Open>,
    entropy: Entropy,
    state: State,
}

enum State {
    Idle,
    /// An ISO command, which has no frames and no protection.
    Iso,
    Calling {
        call: Call,
        rest: Zeroizing<Vec<u8>>,
        received: Zeroizing<Vec<u8>>,
    },
    Challenging(Authentication, KeyUse),
    Proving(Authentication, KeyUse),
}

impl Card {
    pub(crate) fn new(
        application: Application,
        presented: PresentedCard,
        keys: CardKeys,
        entropy: Entropy,
    ) -> Self {
        let uid = (!presented.uid.is_random()).then_some(presented.uid);
        Self {
            application,
            presented,
            uid,
            keys,
            open: None,
            entropy,
            state: State::Idle,
        }
    }

    /// The session, to be carried on by another procedure.
    pub(crate) fn session(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    /// Goes on with the session that an earlier procedure has opened.
    pub(crate) fn resume(&mut self, open: Option<Open>) {
        self.open = open;
    }

    /// Selects the application.
    pub(crate) fn select(&mut self) -> Apdu {
        match self.application.select {
            super::application::Select::Native(id) => self.call(Call::select_application(id)),
            super::application::Select::Iso(apdu) => {
                self.open = None;
                self.state = State::Iso;
                Apdu::new(apdu.to_vec())
            }
        }
    }

    /// Begins a command.
    pub(crate) fn call(&mut self, call: Call) -> Apdu {
        // SelectApplication is never protected, whatever was open.
        if call.instruction == 0x5A {
            self.open = None;
        }
        let mut payload = match &mut self.open {
            Some(open) => open.session.protect(&call),
            None => Zeroizing::new(call.header.clone()),
        };
        let first = payload.len().min(self.application.frame);
        let rest = Zeroizing::new(payload.split_off(first));
        let apdu = wrap(call.instruction, &payload);
        self.state = State::Calling {
            call,
            rest,
            received: Zeroizing::default(),
        };
        apdu
    }

    /// Begins an authentication of the application with one of its keys.
    ///
    /// # Errors
    /// [`Refusal::Nonsense`] when the key depends on a UID that is not known, or on a version that is not held.
    pub(crate) fn authenticate(&mut self, key: KeyUse) -> Result<Apdu, Refusal> {
        let secret = match key.secret {
            Secret::Delivery => Zeroizing::new([0; 16]),
            Secret::Site(version) => self.key(key.number, version)?,
        };
        Ok(self.begin(self.application.suite, key, secret))
    }

    /// Begins an authentication of the card itself with its master key as delivered.
    pub(crate) fn authenticate_delivered(&mut self, suite: Suite) -> Apdu {
        let key = KeyUse {
            number: 0,
            secret: Secret::Delivery,
        };
        self.begin(suite, key, Zeroizing::new([0; 16]))
    }

    /// The key with that number and version.
    ///
    /// # Errors
    /// As [`Self::authenticate`].
    pub(crate) fn key(
        &self,
        number: u8,
        version: crate::KeyVersion,
    ) -> Result<Zeroizing<[u8; 16]>, Refusal> {
        self.keys
            .key(&self.application, self.uid.as_ref(), number, version)
            .ok_or(Refusal::Nonsense { doing: OPENING })
    }

    fn begin(&mut self, suite: Suite, key: KeyUse, secret: Zeroizing<[u8; 16]>) -> Apdu {
        self.open = None;
        let authentication = Authentication::new(suite, secret, self.entropy.draw());
        let (instruction, data) = authentication.first(key.number);
        self.state = State::Challenging(authentication, key);
        wrap(instruction, &data)
    }

    /// Takes one frame from the card.
    ///
    /// # Errors
    /// [`Refusal::Nonsense`] for a frame that the command cannot have, or whose protection does not verify.
    pub(crate) fn take(&mut self, frame: &[u8]) -> Result<Taken, Refusal> {
        let state = std::mem::replace(&mut self.state, State::Idle);
        let (data, status) = frame.split_last_chunk::<2>().ok_or(Refusal::Nonsense {
            doing: doing(&state),
        })?;
        let status = Status(*status);
        match state {
            State::Calling {
                call,
                rest,
                received,
            } => self.called(call, rest, received, data, status),
            State::Challenging(mut authentication, key) if status == Status::MORE => {
                let second = authentication.second(data).ok_or(NOT_PROVEN)?;
                self.state = State::Proving(authentication, key);
                Ok(Taken::Send(wrap(NEXT_FRAME, &second)))
            }
            State::Proving(authentication, key) if status.is_ok() => {
                let session = authentication.finish(data).ok_or(NOT_PROVEN)?;
                self.open = Some(Open { key, session });
                Ok(Taken::Answer(Ok(Zeroizing::default())))
            }
            State::Iso if status.is_ok() => Ok(Taken::Answer(Ok(Zeroizing::new(data.to_vec())))),
            State::Challenging(..) if status.is_ok() => Err(NOT_PROVEN),
            State::Idle => Err(NOT_PROVEN),
            State::Challenging(..) | State::Proving(..) | State::Iso => {
                Ok(Taken::Answer(Err(status)))
            }
        }
    }

    fn called(
        &mut self,
        call: Call,
        mut rest: Zeroizing<Vec<u8>>,
        mut received: Zeroizing<Vec<u8>>,
        data: &[u8],
        status: Status,
    ) -> Result<Taken, Refusal> {
        let nonsense = Refusal::Nonsense { doing: call.doing };
        received.extend_from_slice(data);
        if status == Status::MORE {
            // Each frame brings something, in one direction only.
            if received.len() > LONGEST_ANSWER || rest.is_empty() == data.is_empty() {
                return Err(nonsense);
            }
            let next = rest.len().min(self.application.frame);
            let after = rest.split_off(next);
            let apdu = wrap(NEXT_FRAME, &rest);
            self.state = State::Calling {
                call,
                rest: Zeroizing::new(after),
                received,
            };
            return Ok(Taken::Send(apdu));
        }
        if !status.is_ok() {
            self.open = None;
            return Ok(Taken::Answer(Err(status)));
        }
        if !rest.is_empty() {
            return Err(nonsense);
        }
        if call.ends_session {
            self.open = None;
        }
        let content = match &mut self.open {
            Some(open) => open.session.open(&call, &received).ok_or(nonsense)?,
            None => received,
        };
        Ok(Taken::Answer(Ok(content)))
    }
}

const NOT_PROVEN: Refusal = Refusal::Nonsense { doing: OPENING };

fn doing(state: &State) -> &'static str {
    match state {
        State::Calling { call, .. } => call.doing,
        _ => OPENING,
    }
}
