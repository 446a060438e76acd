//! The shape of everything that is done to a card: a machine that names the next command and is told the answer.

use crate::{Command, Reply};

/// Something done to one card, without I/O.
///
/// The driver of a procedure calls [`Procedure::next`] with `None` first, then with the answer to each command that
/// it was given, until it gets [`Step::Done`]. Time, randomness and keys are arguments of the constructor.
pub trait Procedure {
    /// What a procedure that ran to its end yields.
    type Output;

    /// Takes the answer to the last command and says what comes next.
    fn next(&mut self, last: Option<Reply>) -> Step<Self::Output>;
}

/// What comes next in a procedure.
#[derive(Debug)]
pub enum Step<T> {
    /// Send this to the card. The effect says what is at stake should the answer never come.
    Exchange(Command, Effect),
    /// The procedure is over.
    Done(Result<T, Refusal>),
}

/// What a command does to the card, and so what is known when it was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Changes nothing.
    Reads,
    /// Changes the card but carries no byte of the credential (sector trailers, keys): interrupted here, the credential
    /// is surely not on the card.
    Prepares,
    /// Carries bytes of the credential, or voids an older copy: from here until the read-back an interruption leaves
    /// the outcome unknown.
    Commits,
}

/// Why a procedure ended without doing what it was made for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No placing is known for this card.
    #[error(
        "this card is a {name}, which cannot hold a credential here; use a card of a supported type"
    )]
    Unsupported {
        /// The technology as far as the card told it.
        name: String,
    },
    /// The card belongs to somebody else, or holds something that is not ours.
    #[error("this card belongs to another system ({detail}); use a blank card or one of this site")]
    Foreign {
        /// What showed it, without card data.
        detail: &'static str,
    },
    /// The card was taken off and another one was put on in the middle.
    #[error(
        "another card was put on while this one was being worked on; leave one card on the encoder until it is done"
    )]
    Swapped,
    /// A blank card, and the configuration does not allow to make it ours.
    #[error(
        "this card is blank and the configuration forbids preparing blank cards; set personalise_blank = true, or use a prepared card"
    )]
    BlankNotAllowed,
    /// The sequence counter of the card is at its end.
    #[error("this card has been written as often as its counter allows; use a new card")]
    WornOut,
    /// The credential does not fit this card.
    #[error("the credential does not fit this card: {detail}")]
    DoesNotFit {
        /// What is too much, and what would fit.
        detail: String,
    },
    /// The card refused a command that it should have carried out.
    #[error("the card refused to {doing}; put it on again, and if it fails again use another card")]
    CardRefused {
        /// What it was asked, as a verb phrase.
        doing: &'static str,
    },
    /// The card refused a command and said why.
    #[error("the card refused to {doing}: {reason}")]
    CardSaid {
        /// What it was asked, as a verb phrase.
        doing: &'static str,
        /// What its status word means, and what to do.
        reason: &'static str,
    },
    /// What was read back is not what was written.
    #[error("the card does not hold what was written to it; use another card")]
    NotVerified,
    /// The card answered in a form that the technology does not have.
    #[error(
        "the card gave an answer that makes no sense while it was asked to {doing}; put it on again"
    )]
    Nonsense {
        /// What it was asked, as a verb phrase.
        doing: &'static str,
    },
}
