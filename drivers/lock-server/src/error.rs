//! What can go wrong between this computer and a card that a lock server makes.

use std::io;
use std::path::PathBuf;

use encoder::{Certainty, ErrorKind, IssueError};

use crate::answer::{Malformed, Negative};
use crate::codes::{self, Code};
use crate::dialect::Dialect;
use crate::dialogue::Why;
use crate::request::Refusal;
use crate::turn::NoTurn;

/// Why a lock server did not do what it was asked. The last clause tells the person what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    #[error(
        "no lock server is reached at {address}; start it, let its port through, or correct `address`"
    )]
    NotThere {
        address: String,
        #[source]
        source: io::Error,
    },
    #[error("{path} does not exist; plug the cable in, or correct `port`")]
    NoPort { path: PathBuf },
    #[error("{path} is in use{}; close that program", .holder.as_ref().map(|holder| format!(" by {holder}")).unwrap_or_default())]
    Held {
        path: PathBuf,
        holder: Option<String>,
    },
    #[error("{path} may be opened only by {who}")]
    NotPermitted { path: PathBuf, who: String },
    #[error("{path} cannot be set up as a serial port; correct `port`")]
    SetUp {
        path: PathBuf,
        #[source]
        source: serialport::Error,
    },
    #[error(
        "encoder {encoder} of this lock server is in use in this program already; name it in one entry only"
    )]
    Taken { encoder: String },
    #[error(
        "the lock server was at work for other encoders all the time; it takes one request at a time, so try again"
    )]
    Occupied,
    #[error("there was no time left to ask the lock server; try again")]
    TooLate,
    #[error("the lock server says that it is not ready; try again in a moment")]
    NotReady,
    #[error(
        "the lock server is connected and says nothing; it serves one connection at a time, so see whether a hotel program holds it, and whether `dialect` is right"
    )]
    Silent,
    #[error("the lock server does not acknowledge the request; check that `dialect` is right")]
    NotAcknowledged,
    #[error(
        "the lock server refuses the request again and again; check the line to it, and that `dialect` is right"
    )]
    NotTaken,
    #[error(
        "the lock server did not answer in time; let it wait for cards a shorter time than this program does"
    )]
    NoAnswer,
    #[error("nobody put a card on in time")]
    NoCard,
    #[error("the lock server's answer was garbled; check the line to it")]
    Garbled,
    #[error(
        "the lock server ends the connection at once; it serves one at a time, so see whether a hotel program holds it"
    )]
    TurnedAway(#[source] io::Error),
    #[error("the connection to the lock server was lost")]
    Lost(#[source] io::Error),
    #[error("the wait was cancelled{}", if *.was_sent { " after the lock server had begun; read the card" } else { "" })]
    Stopped { was_sent: bool },
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// One of the table.
    #[error("{}{} ({})", .code.sentence, show(.about), .code.letters)]
    Negative {
        code: &'static Code,
        about: Option<String>,
    },
    #[error("the lock server answers {letters}{}, which nobody documents; ask whoever looks after it", show(.text))]
    UnknownCode {
        letters: String,
        text: Option<String>,
    },
    #[error(
        "the lock server tells of {what} where the protocol has none; check that `dialect` is right"
    )]
    Malformed { what: &'static str },
    #[error(
        "the lock server said that it made the card, and read it back otherwise: {difference}; make another one"
    )]
    ReadsOtherwise { difference: String },
}

fn show(text: &Option<String>) -> String {
    text.as_ref()
        .map(|text| format!(": {text}"))
        .unwrap_or_default()
}

impl ServerError {
    /// What a server means by an error; `rooms` are those that were ordered, which the sentence names if one of them is
    /// at fault.
    pub(crate) fn negative(dialect: Dialect, answer: Negative, rooms: &[String]) -> Self {
        let Negative { letters, text } = answer;
        match codes::find(dialect, letters.as_bytes()) {
            None => Self::UnknownCode { letters, text },
            Some(code) => {
                let ordered = (code.kind == ErrorKind::Refused && !rooms.is_empty())
                    .then(|| format!("ordered for {}", rooms.join(", ")));
                Self::Negative {
                    code,
                    about: text.or(ordered),
                }
            }
        }
    }

    /// Why there is no answer; a lost connection tells the system's word for it. `reads` when no card was to be made.
    pub(crate) fn unanswered(
        why: Why,
        certainty: Certainty,
        lost: Option<io::Error>,
        reads: bool,
    ) -> Self {
        match why {
            Why::TooLate => Self::TooLate,
            Why::NotReady => Self::NotReady,
            Why::Silent => Self::Silent,
            Why::NotAcknowledged => Self::NotAcknowledged,
            Why::NotTaken => Self::NotTaken,
            // The server acknowledged, and looks for a card until it finds one.
            Why::NoAnswer if reads => Self::NoCard,
            Why::NoAnswer => Self::NoAnswer,
            Why::Garbled => Self::Garbled,
            Why::TurnedAway => {
                Self::TurnedAway(lost.unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()))
            }
            Why::Lost => Self::Lost(lost.unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into())),
            Why::Stopped => Self::Stopped {
                was_sent: certainty == Certainty::Unknown,
            },
        }
    }

    /// Whether the encoder has not finished what it was asked before.
    pub(crate) fn is_overflow(&self) -> bool {
        matches!(self, Self::Negative { code, .. } if code.letters == "OV")
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotThere { .. } | Self::NoPort { .. } | Self::TurnedAway(_) | Self::Lost(_) => {
                ErrorKind::Absent
            }
            Self::Held { .. } | Self::Taken { .. } => ErrorKind::Held,
            Self::NotPermitted { .. } => ErrorKind::NotPermitted,
            Self::Occupied | Self::TooLate | Self::NotReady | Self::NotTaken => ErrorKind::Busy,
            Self::Silent | Self::NotAcknowledged | Self::NoAnswer => ErrorKind::Unresponsive,
            Self::NoCard => ErrorKind::NoCard,
            Self::Stopped { .. } => ErrorKind::Cancelled,
            Self::Refused(_) => ErrorKind::Refused,
            Self::Negative { code, .. } => code.kind,
            Self::ReadsOtherwise { .. } => ErrorKind::UnusableCard,
            Self::SetUp { .. }
            | Self::Garbled
            | Self::UnknownCode { .. }
            | Self::Malformed { .. } => ErrorKind::Protocol,
        }
    }

    /// What is certain of a card that was to be made, when the request for it was answered like this.
    pub(crate) fn certainty(&self) -> Certainty {
        match self {
            Self::Negative { code, .. } => code.certainty,
            Self::UnknownCode { .. } | Self::ReadsOtherwise { .. } => Certainty::Unknown,
            _ => Certainty::Unwritten,
        }
    }

    /// As the failure of an issue, with what is certain of the card.
    pub(crate) fn of_issue(self, certainty: Certainty) -> IssueError {
        IssueError {
            certainty,
            error: self.into(),
        }
    }
}

impl From<NoTurn> for ServerError {
    fn from(reason: NoTurn) -> Self {
        match reason {
            NoTurn::TooLate => Self::Occupied,
            NoTurn::Stopped => Self::Stopped { was_sent: false },
        }
    }
}

impl From<Malformed> for ServerError {
    fn from(Malformed(what): Malformed) -> Self {
        Self::Malformed { what }
    }
}

impl From<ServerError> for encoder::Error {
    fn from(error: ServerError) -> Self {
        Self::with_source(error.kind(), error)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn negative(letters: &str, text: Option<&str>, rooms: &[&str]) -> ServerError {
        let answer = Negative {
            letters: letters.to_owned(),
            text: text.map(str::to_owned),
        };
        let rooms: Vec<_> = rooms.iter().map(|&it| it.to_owned()).collect();
        ServerError::negative(Dialect::Salto, answer, &rooms)
    }

    #[test]
    fn an_unknown_room_is_named() {
        let error = negative("TD", None, &["101", "999"]);
        assert_eq!(
            error.to_string(),
            "the lock server does not know the room; correct its name, or add it there: ordered for 101, 999 (TD)"
        );
        assert_eq!(
            (error.kind(), error.certainty()),
            (ErrorKind::Refused, Certainty::Unwritten)
        );
    }

    #[test]
    fn what_the_server_says_of_a_failure_is_passed_on() {
        let error = negative("EG", Some("licence expired"), &["101"]);
        assert!(
            error.to_string().contains("licence expired (EG)"),
            "{error}"
        );
        assert_eq!(
            (error.kind(), error.certainty()),
            (ErrorKind::ServerFailed, Certainty::Unknown)
        );
    }

    #[test]
    fn a_code_that_nobody_documents_leaves_a_doubt() {
        // EN is Onity's alone.
        for letters in ["ZZ", "EN"] {
            let error = negative(letters, None, &[]);
            assert_eq!(
                (error.kind(), error.certainty()),
                (ErrorKind::Protocol, Certainty::Unknown)
            );
        }
    }

    #[test]
    fn the_cause_of_a_lost_connection_is_in_the_chain_and_not_in_the_sentence() {
        let lost = io::Error::from(io::ErrorKind::ConnectionReset);
        let error = ServerError::unanswered(Why::Lost, Certainty::Unknown, Some(lost), false);
        let cause = error.source().unwrap().to_string();
        assert!(!error.to_string().contains(&cause), "{error}");
    }
}
