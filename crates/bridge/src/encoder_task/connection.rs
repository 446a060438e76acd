//! The connection to one encoder: its thread, what it was asked, how long it may take, and when it is opened again.

mod asking;
mod moved;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use card::Reply;
use encoder::{
    Abandoned, Access, EncoderThread, Error, ErrorKind, IssueError, Issued, Listing, Opened,
    Selected, ServerCard, Stop,
};
use tokio::sync::{mpsc, oneshot};

use super::device::{Device, concerns_device};

/// How long one command may take before its thread is given up. Drivers promise two seconds; a slow PC gets one more.
const EXCHANGE_PATIENCE: Duration = Duration::from_secs(3);
/// How long opening may take.
const OPEN_PATIENCE: Duration = Duration::from_secs(10);
/// When an encoder that is there but cannot be opened is tried again; doubles up to the cap.
const REOPEN_FIRST: Duration = Duration::from_secs(1);
const REOPEN_CAP: Duration = Duration::from_secs(30);

/// What happened on a connection.
pub(super) enum News {
    /// The encoder is open.
    Opened(Opened),
    /// A card was selected.
    Selected(Selected),
    /// A card answered.
    Exchanged(Reply),
    /// The lock server made a card.
    Issued(Issued),
    /// The lock server made no card, or nobody knows whether it did.
    NotIssued {
        failure: IssueError,
        /// Whether the encoder cannot be used any more; it is tried again.
        is_lost: bool,
    },
    /// The lock server read a card.
    Read(ServerCard),
    /// What was asked failed; the encoder itself is well.
    Failed(Error),
    /// The encoder cannot be used: it could not be opened, went away, or does not come back. It is tried again.
    Lost(Error),
}

/// The connection to one encoder.
pub(super) struct Connection {
    device: Device,
    abandoned: Abandoned,
    state: State,
    /// Counts openings, so that a late answer of an earlier one is told apart.
    opening: u64,
    answers: mpsc::UnboundedReceiver<(u64, Answer)>,
    answer: mpsc::UnboundedSender<(u64, Answer)>,
    /// A look at the system that is under way.
    looking: Option<oneshot::Receiver<Listing>>,
    /// There was no time to look.
    look_again: bool,
    /// Devices came or went since the last look.
    changed: bool,
}

enum Answer {
    Opened(Result<Opened, Error>),
    Selected(Result<Selected, Error>),
    Exchanged(Result<Reply, Error>),
    Issued(Result<Issued, IssueError>),
    Read(Result<ServerCard, Error>),
    Closed,
    /// The thread that was given up has come back.
    Returned,
}

enum State {
    /// Not there, or not openable; tried again when devices change, or at that time.
    Closed {
        retry: Option<Instant>,
        wait: Duration,
    },
    Opening {
        thread: EncoderThread,
        until: Instant,
        /// How long to wait after a failure.
        wait: Duration,
    },
    Open {
        thread: EncoderThread,
        question: Option<Question>,
    },
    /// Its thread did not come back. Opening it again would cost another thread, so that one must return first, or the
    /// device be seen to be away.
    GivenUp,
}

impl State {
    /// Not there, as far as is known.
    const CLOSED: Self = Self::Closed {
        retry: None,
        wait: REOPEN_FIRST,
    };
}

/// What the thread was asked and has not answered.
struct Question {
    until: Instant,
    stop: Option<Stop>,
}

impl Connection {
    /// A connection that is being opened.
    pub(super) fn open(device: Device, abandoned: Abandoned) -> Self {
        let (answer, answers) = mpsc::unbounded_channel();
        let state = State::CLOSED;
        let mut connection = Self {
            device,
            abandoned,
            state,
            opening: 0,
            answers,
            answer,
            looking: None,
            look_again: false,
            changed: false,
        };
        connection.reopen(REOPEN_FIRST);
        connection
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// Waits for what happens next. May be dropped and called again; nothing is lost.
    pub(super) async fn next(&mut self) -> News {
        loop {
            let deadline = self.deadline();
            let due = async move {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some((opening, answer)) = self.answers.recv() => {
                    if opening == self.opening && let Some(news) = self.answered(answer) {
                        return news;
                    }
                }
                () = due => {
                    if let Some(news) = self.overdue() {
                        return news;
                    }
                }
                seen = seen(&mut self.looking) => {
                    if let Some(news) = self.looked(seen) {
                        return news;
                    }
                }
            }
        }
    }

    /// Devices came or went: looks whether this one did.
    pub(super) fn look(&mut self) {
        self.changed = true;
        self.start_look();
    }

    /// Looks, off the async threads. While something is under way it notices by itself; then the look follows.
    fn start_look(&mut self) {
        let is_quiet = match &self.state {
            State::Closed { .. } | State::GivenUp => true,
            State::Open { question, .. } => question.is_none(),
            State::Opening { .. } => false,
        };
        self.look_again = !is_quiet || self.looking.is_some();
        if !self.look_again {
            self.looking = Some(self.device.look_up());
        }
    }

    fn looked(&mut self, listing: Option<Listing>) -> Option<News> {
        self.looking = None;
        let Some(listing) = listing else {
            // Not known: it is tried after a while, whatever it is.
            if let State::Closed { retry, .. } = &mut self.state {
                retry.get_or_insert(Instant::now() + REOPEN_CAP);
            }
            return None;
        };
        let is_absent = matches!(listing.access, Access::Absent { .. });
        let changed = std::mem::take(&mut self.changed);
        let news = match &self.state {
            State::Closed { wait, .. } if !is_absent && changed => {
                self.reopen(*wait);
                None
            }
            // It said that it is gone and yet is there: not at once again, or it would be tried without end.
            State::Closed { retry: None, wait } if !is_absent => {
                let (retry, wait) = (Some(Instant::now() + *wait), *wait);
                self.state = State::Closed { retry, wait };
                None
            }
            State::GivenUp if is_absent => {
                self.state = State::CLOSED;
                None
            }
            State::Open { question: None, .. } if is_absent => {
                Some(self.lost(Error::new(ErrorKind::Absent), REOPEN_FIRST))
            }
            _ => None,
        };
        if std::mem::take(&mut self.look_again) {
            self.start_look();
        }
        news
    }

    /// Lets the command under way finish, then frees the device; a thread that does not come back is given up.
    pub(super) async fn shut_down(mut self) {
        self.stop_waiting();
        let closed = State::CLOSED;
        let State::Open { thread, .. } = std::mem::replace(&mut self.state, closed) else {
            return;
        };
        let answer = self.answer.clone();
        thread.close(move |_| drop(answer.send((0, Answer::Closed))));
        let closed = async {
            while let Some((_, answer)) = self.answers.recv().await {
                if matches!(answer, Answer::Closed) {
                    break;
                }
            }
        };
        if tokio::time::timeout(EXCHANGE_PATIENCE, closed)
            .await
            .is_err()
        {
            thread.abandon();
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Closed { retry, .. } => *retry,
            State::Opening { until, .. } => Some(*until),
            State::Open { question, .. } => question.as_ref().map(|question| question.until),
            State::GivenUp => None,
        }
    }

    fn answered(&mut self, answer: Answer) -> Option<News> {
        if let State::Open { question, .. } = &mut self.state {
            *question = None;
        }
        let news = self.sorted(answer)?;
        if std::mem::take(&mut self.look_again) {
            self.start_look();
        }
        Some(news)
    }

    fn sorted(&mut self, answer: Answer) -> Option<News> {
        Some(match answer {
            Answer::Opened(Ok(opened)) => {
                self.opened();
                News::Opened(opened)
            }
            Answer::Selected(Ok(selected)) => News::Selected(selected),
            Answer::Exchanged(Ok(reply)) => News::Exchanged(reply),
            Answer::Opened(Err(error)) => {
                let wait = match &self.state {
                    State::Opening { wait, .. } => *wait,
                    _ => REOPEN_FIRST,
                };
                self.lost(error, wait)
            }
            Answer::Issued(Ok(issued)) => News::Issued(issued),
            Answer::Issued(Err(failure)) => {
                let is_lost = concerns_device(failure.error.kind());
                if is_lost {
                    self.close(failure.error.kind(), REOPEN_FIRST);
                }
                News::NotIssued { failure, is_lost }
            }
            Answer::Read(Ok(card)) => News::Read(card),
            Answer::Selected(Err(error))
            | Answer::Exchanged(Err(error))
            | Answer::Read(Err(error)) => {
                if concerns_device(error.kind()) {
                    self.lost(error, REOPEN_FIRST)
                } else {
                    News::Failed(error)
                }
            }
            Answer::Returned => {
                self.returned();
                return None;
            }
            Answer::Closed => return None,
        })
    }

    fn opened(&mut self) {
        let closed = State::CLOSED;
        if let State::Opening { thread, .. } = std::mem::replace(&mut self.state, closed) {
            self.state = State::Open {
                thread,
                question: None,
            };
        }
    }

    /// The time for a retry has come, or the thread missed its deadline and is given up.
    fn overdue(&mut self) -> Option<News> {
        match std::mem::replace(&mut self.state, State::GivenUp) {
            State::Closed { wait, .. } => {
                self.reopen((wait * 2).min(REOPEN_CAP));
                None
            }
            State::Opening { thread, .. } | State::Open { thread, .. } => {
                self.opening += 1;
                let (opening, answer) = (self.opening, self.answer.clone());
                // Nobody listens any more once the bridge has stopped.
                thread.abandon_until(move || drop(answer.send((opening, Answer::Returned))));
                tracing::error!(
                    encoder = self.device.display_name,
                    abandoned = self.abandoned.count(),
                    "the encoder's driver does not come back; its thread is given up until it does or the encoder is \
                     unplugged"
                );
                Some(News::Lost(Error::new(ErrorKind::Unresponsive)))
            }
            State::GivenUp => None,
        }
    }

    /// What the thread hung on has let go of it, a service that was stopped perhaps, so opening costs no other thread.
    fn returned(&mut self) {
        if matches!(self.state, State::GivenUp) {
            let (retry, wait) = (Some(Instant::now() + REOPEN_FIRST), REOPEN_FIRST);
            self.state = State::Closed { retry, wait };
        }
    }

    /// Closes the device. It is opened again after a while; if it is just not there, when devices change, and at once
    /// should it turn out to be back already.
    fn lost(&mut self, error: Error, wait: Duration) -> News {
        self.close(error.kind(), wait);
        News::Lost(error)
    }

    fn close(&mut self, kind: ErrorKind, wait: Duration) {
        let is_absent = kind == ErrorKind::Absent;
        let retry = (!is_absent).then(|| Instant::now() + wait);
        self.opening += 1;
        self.state = State::Closed { retry, wait };
        if is_absent || self.look_again {
            self.start_look();
        }
    }

    fn reopen(&mut self, wait: Duration) {
        self.opening += 1;
        let opened = self.answering(Answer::Opened);
        let thread = self.device.open(&self.abandoned, opened);
        self.state = State::Opening {
            thread,
            until: Instant::now() + OPEN_PATIENCE,
            wait,
        };
    }
}

/// What a look at the system saw, when there is one under way; `None` when it did not come to an end.
async fn seen(looking: &mut Option<oneshot::Receiver<Listing>>) -> Option<Listing> {
    match looking {
        Some(look) => look.await.ok(),
        None => std::future::pending().await,
    }
}
