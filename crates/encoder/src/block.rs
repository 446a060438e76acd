//! Encoders that let the host talk to the card, and the session in which it does.

use std::time::Instant;

use card::{Command, CommandKind, PresentedCard, Reply};

use crate::listing::Facts;
use crate::{Error, Stop};

/// An open encoder through which the host talks to the card itself (PC/SC, PN532).
///
/// All calls block and none promises to return: hardware and system services hang. Whoever calls gives each encoder
/// a thread that it can afford to lose.
pub trait BlockEncoder: Send {
    /// Waits for a card and lends it for as long as the session lives.
    ///
    /// # Errors
    /// [`ErrorKind::NoCard`](crate::ErrorKind::NoCard) when none came by the deadline,
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) when `stop` was raised,
    /// [`ErrorKind::SeveralCards`](crate::ErrorKind::SeveralCards) when the encoder sees more than one,
    /// else what the encoder reports of itself.
    fn select<'a>(
        &'a mut self,
        wait: CardWait,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<Box<dyn CardSession + 'a>, Error>;

    /// Tells the person at the desk how it ended, by light and sound, where the encoder has them. Never an error: a job
    /// does not fail for a lamp.
    fn signal(&mut self, _signal: Signal) {}

    /// What became known of the encoder by opening it.
    fn facts(&self) -> Facts {
        Facts::default()
    }
}

/// How a job ended, for the person at the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The card is as it should be.
    Success,
    /// It is not.
    Failure,
}

/// One selected card, lent by its encoder. Dropping it lets the card go (ends the PC/SC transaction, releases the target).
pub trait CardSession {
    /// What the card said of itself when it was selected last.
    fn card(&self) -> &PresentedCard;

    /// Whether this encoder can translate such commands. Asked before the first write.
    fn supports(&self, kind: CommandKind) -> bool;

    /// Sends one command to the card and waits for its answer, two seconds at the most.
    ///
    /// # Errors
    /// [`ErrorKind::CardGone`](crate::ErrorKind::CardGone) when the card does not answer any more, else what the
    /// encoder reports of itself. What a card that is there refused is not an error but [`Reply::Refused`].
    fn exchange(&mut self, command: &Command) -> Result<Reply, Error>;
}

/// Which card serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardWait {
    /// The one that lies there, or the next one.
    Resting,
    /// Only one that is put on from now on: a card that lies there must leave first, so that the card of the
    /// job before is not taken for this one's.
    Fresh,
}
