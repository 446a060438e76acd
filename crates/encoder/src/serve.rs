//! What an encoder's thread does: it opens the encoder and answers one question after the other.

use std::sync::mpsc::Receiver;
use std::time::Instant;

use card::{Command, CommandKind, Reply};

use crate::answer::{Answer, NoAnswer};
use crate::{
    BlockEncoder, CardSession, CardWait, Certainty, Encoder, Error, ErrorKind, IssueError, Issued,
    IssuingEncoder, Makes, Opened, Order, Selected, ServerCard, Signal, Stop,
};

/// Why an encoder is not asked what the other kind of encoder is asked.
const WRONG_KIND: &str = "the cards of this encoder are made by somebody else";

/// What an encoder's thread is asked.
pub(crate) enum Question {
    Select {
        wait: CardWait,
        deadline: Instant,
        stop: Stop,
        answer: Answer<Selected>,
    },
    Exchange {
        command: Command,
        answer: Answer<Reply>,
    },
    Issue {
        order: Box<Order>,
        deadline: Instant,
        stop: Stop,
        answer: Answer<Issued, IssueError>,
    },
    Read {
        deadline: Instant,
        stop: Stop,
        answer: Answer<ServerCard>,
    },
    Signal(Signal),
    Release,
    Close {
        answer: Answer<()>,
    },
}

impl Question {
    /// Answers what could not be put to the thread.
    pub(crate) fn refuse(self, reason: NoAnswer) {
        match self {
            Self::Select { answer, .. } => answer.give(Err(reason.into())),
            Self::Exchange { answer, .. } => answer.give(Err(reason.into())),
            Self::Issue { answer, .. } => answer.give(Err(reason.into())),
            Self::Read { answer, .. } => answer.give(Err(reason.into())),
            Self::Close { answer } => answer.give(Err(reason.into())),
            // Only a stuck thread has a full queue; a session ends with the next select at the latest.
            Self::Release | Self::Signal(_) => {
                tracing::debug!(%reason, "a release or a signal was not taken");
            }
        }
    }

    /// Answers what cannot be asked now, or not of this kind of encoder.
    fn refuse_as_out_of_place(self) {
        let unsupported = || Error::with_source(ErrorKind::Unsupported, WRONG_KIND);
        match self {
            Self::Exchange { answer, .. } => answer.give(Err(Error::with_source(
                ErrorKind::CardGone,
                "no card is selected",
            ))),
            Self::Select { answer, .. } => answer.give(Err(unsupported())),
            Self::Read { answer, .. } => answer.give(Err(unsupported())),
            Self::Issue { answer, .. } => answer.give(Err(IssueError {
                certainty: Certainty::Unwritten,
                error: unsupported(),
            })),
            Self::Close { answer } => answer.give(Ok(())),
            Self::Release | Self::Signal(_) => {}
        }
    }
}

/// Opens an encoder and answers questions until there is nobody left to ask any, or one asks to close.
pub(crate) fn run(
    open: impl FnOnce() -> Result<Encoder, Error>,
    opened: Answer<Opened>,
    asked: &Receiver<Question>,
) {
    let closed = match open() {
        Ok(Encoder::Block(mut encoder)) => {
            opened.give(Ok(Opened {
                makes: Makes::Host,
                facts: encoder.facts(),
            }));
            serve_block(encoder.as_mut(), asked)
        }
        Ok(Encoder::Issuing(mut encoder)) => {
            opened.give(Ok(Opened {
                makes: Makes::Server,
                facts: encoder.facts(),
            }));
            serve_issuing(encoder.as_mut(), asked)
        }
        Err(error) => return opened.give(Err(error)),
    };
    // The encoder was dropped, and with it the device is free.
    if let Some(closed) = closed {
        closed.give(Ok(()));
    }
}

/// Answers questions until there is nobody left to ask any, or one asks to close.
fn serve_block(encoder: &mut dyn BlockEncoder, asked: &Receiver<Question>) -> Option<Answer<()>> {
    let mut next = asked.recv().ok();
    while let Some(question) = next {
        next = match question {
            Question::Close { answer } => return Some(answer),
            Question::Select {
                wait,
                deadline,
                stop,
                answer,
            } => match encoder.select(wait, deadline, &stop) {
                Ok(session) => hold(session, answer, asked),
                Err(error) => {
                    answer.give(Err(error));
                    asked.recv().ok()
                }
            },
            Question::Signal(signal) => {
                encoder.signal(signal);
                asked.recv().ok()
            }
            other => {
                other.refuse_as_out_of_place();
                asked.recv().ok()
            }
        };
    }
    None
}

/// The same for an encoder whose lock server makes the cards.
fn serve_issuing(
    encoder: &mut dyn IssuingEncoder,
    asked: &Receiver<Question>,
) -> Option<Answer<()>> {
    while let Ok(question) = asked.recv() {
        match question {
            Question::Close { answer } => return Some(answer),
            Question::Issue {
                order,
                deadline,
                stop,
                answer,
            } => answer.give(encoder.issue(&order, deadline, &stop)),
            Question::Read {
                deadline,
                stop,
                answer,
            } => answer.give(encoder.read(deadline, &stop)),
            other => other.refuse_as_out_of_place(),
        }
    }
    None
}

/// Keeps a session open for exchanges and returns the question that ended it.
fn hold(
    mut session: Box<dyn CardSession + '_>,
    answer: Answer<Selected>,
    asked: &Receiver<Question>,
) -> Option<Question> {
    answer.give(Ok(Selected {
        card: session.card().clone(),
        supports: CommandKind::ALL
            .into_iter()
            .filter(|&kind| session.supports(kind))
            .collect(),
    }));
    loop {
        match asked.recv().ok()? {
            Question::Exchange { command, answer } => answer.give(session.exchange(&command)),
            other => return Some(other),
        }
    }
}
