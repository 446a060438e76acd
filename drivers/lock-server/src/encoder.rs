//! One encoder of a lock server, open: it issues and reads.

use std::time::{Duration, Instant};

use encoder::{
    Certainty, Error, Facts, IssueError, Issued, IssuingEncoder, Order, Recorder, ServerCard, Stop,
};

use crate::answer;
use crate::dialect::Dialect;
use crate::dialogue::{Dialogue, Ending};
use crate::error::ServerError;
use crate::frame::Frame;
use crate::line::{Line, connect};
use crate::read_back;
use crate::request::{Afterwards, Asked};
use crate::server::{Claim, Servers, carry_out};
use crate::settings::Entry;

/// The longest that reading a card back may take. It lies there still, or it does not.
const READ_BACK_WITHIN: Duration = Duration::from_secs(5);
/// The longest that a look for the server takes when an encoder is opened.
const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// How often a connection is made that ends before a request was out, and how long after it the next one.
const CONNECTIONS: usize = 3;
const CONNECT_AFTER: Duration = Duration::from_millis(200);
/// Between two tries when the encoder has not finished what we gave up waiting for.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// What an encoder is opened with.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) entry: Entry,
    pub(crate) recorder: Option<Recorder>,
}

/// One encoder of a lock server.
pub(crate) struct LockServerEncoder {
    plan: Plan,
    claim: Claim,
    /// Whether the server may still be at work on something that we gave up waiting for.
    may_linger: bool,
}

/// A request that was not answered as it should be.
struct Failure {
    certainty: Certainty,
    error: ServerError,
}

impl LockServerEncoder {
    /// Looks whether the server is there. One that is busy is.
    ///
    /// # Errors
    /// Nothing is there, or it does not speak this protocol; or the encoder is open already.
    pub(crate) fn open(servers: &Servers, plan: Plan) -> Result<Self, ServerError> {
        let address = plan.entry.address.to_string();
        let claim =
            servers
                .claim(&address, plan.entry.encoder.as_str())
                .ok_or(ServerError::Taken {
                    encoder: plan.entry.encoder.as_str().to_owned(),
                })?;
        let encoder = Self {
            plan,
            claim,
            may_linger: false,
        };
        // If another encoder is talking to it, it is there.
        if let Some(_turn) = encoder.claim.server().turns.take_if_free() {
            encoder.look()?;
        }
        Ok(encoder)
    }

    /// A card that is to be read stays. SALTO would not answer before an ejected one was taken; an encoder of Onity's
    /// that swallows cards gives them out when nothing is read afterwards.
    fn afterwards(&self) -> Afterwards {
        let entry = &self.plan.entry;
        if entry.dialect == Dialect::Onity && !entry.reads_back {
            Afterwards::Eject
        } else {
            Afterwards::Retain
        }
    }

    fn reading(&self) -> Asked {
        let entry = &self.plan.entry;
        Asked::read(entry.dialect, &entry.encoder, self.afterwards())
    }

    fn look(&self) -> Result<(), ServerError> {
        let until = Instant::now() + OPEN_WITHIN;
        let mut looked = self.look_once(until);
        for _ in 1..CONNECTIONS {
            if !matches!(looked, Err(ServerError::TurnedAway(_))) {
                break;
            }
            let _ = Stop::default().wait_until(Instant::now() + CONNECT_AFTER);
            looked = self.look_once(until);
        }
        looked
    }

    fn look_once(&self, until: Instant) -> Result<(), ServerError> {
        let now = Instant::now();
        let mut line = self.connect(until)?;
        let enquiry = Dialogue::enquiry(self.plan.entry.dialect.rules(), now, until);
        match carry_out(line.as_mut(), enquiry, &Stop::default()) {
            (Ending::Ready | Ending::Answer(_), _) => Ok(()),
            (Ending::Failed { certainty, why }, lost) => {
                match ServerError::unanswered(why, certainty, lost, true) {
                    ServerError::NotReady => Ok(()),
                    error => Err(error),
                }
            }
        }
    }

    fn connect(&self, until: Instant) -> Result<Box<dyn Line>, ServerError> {
        connect(&self.plan.entry.address, self.plan.recorder.as_ref(), until)
    }

    /// Asks over a new connection. Asks again when the server turns it away, as it may not have noticed yet that the
    /// one before was closed; and while the encoder is busy with what we gave up waiting for earlier.
    fn ask(
        &mut self,
        asked: &Asked,
        rooms: &[String],
        deadline: Instant,
        stop: &Stop,
    ) -> Result<(Frame, Box<dyn Line>), Failure> {
        let mut connections = 0;
        loop {
            let connected = self.connect(deadline);
            let mut line = connected.map_err(|error| Failure {
                certainty: Certainty::Unwritten,
                error,
            })?;
            connections += 1;
            let failure = match self.ask_once(line.as_mut(), asked, rooms, deadline, stop) {
                Ok(answer) => return Ok((answer, line)),
                Err(failure) => failure,
            };
            // Before the wait: the server serves one connection.
            drop(line);
            let pause = match failure.error {
                ServerError::TurnedAway(_) if connections < CONNECTIONS => CONNECT_AFTER,
                _ if failure.error.is_overflow() && self.may_linger => AGAIN_AFTER,
                _ => return Err(failure),
            };
            let again = Instant::now() + pause;
            if again >= deadline || stop.wait_until(again) {
                return Err(failure);
            }
        }
    }

    fn ask_once(
        &mut self,
        line: &mut dyn Line,
        asked: &Asked,
        rooms: &[String],
        deadline: Instant,
        stop: &Stop,
    ) -> Result<Frame, Failure> {
        let dialect = self.plan.entry.dialect;
        let dialogue = Dialogue::new(asked.clone(), dialect.rules(), Instant::now(), deadline);
        let frame = match carry_out(line, dialogue, stop) {
            (Ending::Answer(frame), _) => frame,
            // Only an enquiry ends like this.
            (Ending::Ready, _) => {
                let (certainty, error) = (Certainty::Unknown, ServerError::NoAnswer);
                return Err(Failure { certainty, error });
            }
            (Ending::Failed { certainty, why }, lost) => {
                let error = ServerError::unanswered(why, certainty, lost, !asked.writes);
                self.may_linger |= matches!(
                    error,
                    ServerError::NoAnswer | ServerError::NoCard | ServerError::Stopped { .. }
                );
                return Err(Failure { certainty, error });
            }
        };
        match answer::negative(dialect, &frame) {
            None => {
                self.may_linger = false;
                Ok(frame)
            }
            Some(negative) => {
                let error = ServerError::negative(dialect, negative, rooms);
                self.may_linger &= error.is_overflow();
                Err(Failure {
                    certainty: error.certainty(),
                    error,
                })
            }
        }
    }

    /// Reads the card that was just made, if it is still there, and holds it to the order. That it cannot be read says
    /// nothing: the guest may have it in hand, and the server said that it was made.
    fn read_back(
        &mut self,
        line: &mut dyn Line,
        order: &Order,
        issued: &Issued,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<(), ServerError> {
        let dialect = self.plan.entry.dialect;
        let asked = self.reading();
        let until = deadline.min(Instant::now() + READ_BACK_WITHIN);
        let card = match self.ask_once(line, &asked, &[], until, stop) {
            Ok(frame) => answer::card(dialect, &frame).map_err(ServerError::from),
            Err(failure) => Err(failure.error),
        };
        let difference = match card {
            Ok(card) => read_back::difference(dialect, order, issued.uid, &card),
            Err(error) => {
                tracing::debug!(%error, "a card was made and could not be read back");
                None
            }
        };
        difference.map_or(Ok(()), |difference| {
            Err(ServerError::ReadsOtherwise { difference })
        })
    }
}

impl IssuingEncoder for LockServerEncoder {
    fn issue(
        &mut self,
        order: &Order,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<Issued, IssueError> {
        let surely = |error: ServerError| error.of_issue(Certainty::Unwritten);
        let entry = &self.plan.entry;
        let asked = Asked::issue(
            entry.dialect,
            &entry.encoder,
            order,
            entry.operator.as_deref(),
            self.afterwards(),
        )
        .map_err(|refusal| surely(refusal.into()))?;
        let turn = self.claim.server().turns.take(deadline, stop);
        let _turn = turn.map_err(|reason| surely(reason.into()))?;
        let (frame, mut line) = self
            .ask(&asked, &order.rooms, deadline, stop)
            .map_err(|failure| failure.error.of_issue(failure.certainty))?;
        let issued = Issued {
            uid: answer::issued(&frame),
        };
        if self.plan.entry.reads_back {
            self.read_back(line.as_mut(), order, &issued, deadline, stop)
                .map_err(|error| error.of_issue(Certainty::Unknown))?;
        }
        Ok(issued)
    }

    fn read(&mut self, deadline: Instant, stop: &Stop) -> Result<ServerCard, Error> {
        let asked = self.reading();
        let turn = self.claim.server().turns.take(deadline, stop);
        let _turn = turn.map_err(ServerError::from)?;
        let (frame, _line) = self
            .ask(&asked, &[], deadline, stop)
            .map_err(|failure| failure.error)?;
        Ok(answer::card(self.plan.entry.dialect, &frame).map_err(ServerError::from)?)
    }

    fn facts(&self) -> Facts {
        let dialect = self.plan.entry.dialect.rules().name;
        Facts::default()
            .with("dialect", dialect)
            .with("server", self.plan.entry.address.to_string())
            .with("encoder", self.plan.entry.encoder.as_str())
    }
}
