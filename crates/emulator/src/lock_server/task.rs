//! What an encoder of a lock server is at, and for whom.

use std::time::Duration;

use super::command::{At, Issue, Serials};
use super::frame::Field;
use super::state::ConnectionId;
use crate::card::Uid;

/// What an encoder is at.
#[derive(Debug, Clone)]
pub(super) struct Task {
    /// No other task ever had this number.
    pub(super) id: u64,
    pub(super) work: Work,
    pub(super) card_wait: Duration,
    /// Whom and what it answers; `None` once it is answered and the card is only waited out of the encoder.
    pub(super) asked: Option<Asked>,
}

#[derive(Debug, Clone)]
pub(super) enum Work {
    Issue(Box<Issue>),
    Read(At),
    Track {
        at: At,
        number: u8,
        text: Option<Field>,
    },
}

/// A command that is to be answered.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) by: ConnectionId,
    /// In the log.
    pub(super) number: u64,
    /// The name of the command, as it was asked.
    pub(super) name: Field,
    pub(super) encoder: Field,
    /// The acknowledgement was kept back.
    pub(super) owes_acknowledgement: bool,
}

impl Task {
    pub(super) fn at(&self) -> &At {
        match &self.work {
            Work::Issue(issue) => &issue.at,
            Work::Read(at) | Work::Track { at, .. } => at,
        }
    }

    /// A client still waits for its answer.
    pub(super) fn is_open(&self) -> bool {
        self.asked.is_some()
    }
}

/// Serial numbers as an answer tells them.
pub(super) fn serials_told(issue: &Issue, written: &[Uid]) -> Vec<Field> {
    let told = match issue.serials {
        Serials::None => &[],
        Serials::Last => &written[written.len().saturating_sub(1)..],
        Serials::All => written,
    };
    told.iter()
        .map(|uid| uid.to_string().into_bytes())
        .collect()
}
