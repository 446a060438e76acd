//! One request to a lock server from the first byte to its end, as a machine: what happened goes in, what to do comes
//! out. It does no I/O and has no clock.
//!
//! ```text
//! ENQ → ACK → frame → ACK → … somebody puts a card on … → answer
//! ```
//!
//! ENQ goes first in both dialects, though SALTO does not need it: a server that has no room for another connection then
//! shows it before the request is out, and no doubt is left.
//!
//! A NAK means: ask by ENQ until there is an ACK, at most three times 200 ms apart, then send the frame once more, at
//! most three times in all (Python `Client`). What was acknowledged is never sent again, and neither is what may have
//! been: a second card would be made.
//!
//! Nothing that comes before a request was acknowledged is its answer. It is one to an earlier request, which somebody
//! gave up waiting for.

use std::time::{Duration, Instant};

use encoder::Certainty;

use crate::dialect::Rules;
use crate::frame::{ENQ, Frame, Parser, Said};
use crate::request::Asked;

/// How often a server is asked whether it is ready, and how often it is sent one frame.
const TRIES: u8 = 3;
/// Between two ENQs.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest between two bytes of an answer (C# `PROTOCOL_TIMEOUT`).
const GAP: Duration = Duration::from_secs(2);
/// The longest that is kept of the time for an answer to take a task back in.
const TO_TAKE_BACK: Duration = Duration::from_secs(3);

/// What happened.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event<'a> {
    /// What was to be sent was handed over to the last byte.
    Sent,
    /// These bytes came.
    Received(&'a [u8]),
    /// Nothing came until the time that was given.
    Quiet,
    /// The connection is gone.
    Lost,
    /// Somebody changed their mind.
    Stopped,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// Wait for something to happen, until then.
    Wait(Instant),
    Done(Ending),
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The server is there and ready; only after an ENQ without a request.
    Ready,
    /// The answer to the request, positive or negative.
    Answer(Frame),
    /// There is no answer.
    Failed { certainty: Certainty, why: Why },
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The time was over before the request went out.
    TooLate,
    /// It says that it is not ready.
    NotReady,
    /// It says nothing to an ENQ.
    Silent,
    /// It does not acknowledge the request.
    NotAcknowledged,
    /// It refuses the request again and again.
    NotTaken,
    /// It does not answer the request that it acknowledged.
    NoAnswer,
    /// It answered something that is no frame.
    Garbled,
    /// The connection ended before the request was out.
    TurnedAway,
    /// The connection ended after it.
    Lost,
    Stopped,
}

/// One request on its way.
#[derive(Debug)]
pub(crate) struct Dialogue {
    /// `None` asks only whether the server is ready.
    asked: Option<Asked>,
    rules: &'static Rules,
    state: State,
    /// ENQs since the last that was answered by ACK.
    enquiries: u8,
    /// How often the frame was sent.
    requests: u8,
    /// Whether the last ENQ was answered by NAK, not by silence.
    was_refused: bool,
    is_stopped: bool,
    began_at: Instant,
    ends_at: Instant,
    parser: Parser,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// ENQ goes out, or went, and its answer is due.
    Enquiring,
    Pausing,
    /// The frame goes out.
    Requesting,
    /// It is out; an ACK is due.
    Requested,
    /// It was acknowledged; the answer is due by then.
    Answering {
        until: Instant,
        is_garbled: bool,
    },
    /// ENQ before the request that takes the task back.
    AskingBack,
    /// That request is out.
    TakingBack,
}

impl Dialogue {
    /// A request that must have ended by then.
    pub(crate) fn new(asked: Asked, rules: &'static Rules, now: Instant, ends_at: Instant) -> Self {
        Self::of(Some(asked), rules, now, ends_at)
    }

    /// Only asks whether the server is ready.
    pub(crate) fn enquiry(rules: &'static Rules, now: Instant, ends_at: Instant) -> Self {
        Self::of(None, rules, now, ends_at)
    }

    fn of(asked: Option<Asked>, rules: &'static Rules, now: Instant, ends_at: Instant) -> Self {
        Self {
            asked,
            rules,
            state: State::Pausing,
            enquiries: 0,
            requests: 0,
            was_refused: false,
            is_stopped: false,
            began_at: now,
            ends_at,
            parser: Parser::default(),
        }
    }

    /// The first step.
    pub(crate) fn begin(&mut self) -> Step {
        self.enquire()
    }

    /// The next step.
    pub(crate) fn on(&mut self, event: Event<'_>, now: Instant) -> Step {
        match event {
            Event::Sent => self.sent(now),
            Event::Received(bytes) => self.received(bytes, now),
            Event::Quiet => self.quiet(now),
            Event::Lost => self.failed(if self.is_out() {
                Why::Lost
            } else {
                Why::TurnedAway
            }),
            Event::Stopped => self.stopped(now),
        }
    }

    fn sent(&mut self, now: Instant) -> Step {
        if self.state == State::Requesting {
            self.state = State::Requested;
        }
        self.wait(now)
    }

    fn received(&mut self, bytes: &[u8], now: Instant) -> Step {
        let mut said = Vec::new();
        self.parser.take(bytes, &mut said);
        for said in said {
            // What else came with it came before what is sent now.
            if let Some(step) = self.told(said, now) {
                return step;
            }
        }
        match self.wait(now) {
            // Or one that never stops talking would be listened to for ever.
            Step::Wait(until) if until <= now => self.quiet(now),
            step => step,
        }
    }

    fn told(&mut self, said: Said, now: Instant) -> Option<Step> {
        match (self.state, said) {
            (State::Enquiring, Said::Yes) => Some(self.ready(now)),
            (State::Enquiring, Said::No) => {
                self.was_refused = true;
                Some(self.pause_or_give_up(now))
            }
            (State::Requested, Said::Yes) => self.acknowledged(now),
            (State::Requested, Said::No) => Some(self.not_taken()),
            (State::Answering { until, .. }, Said::Rubbish) => {
                // Perhaps it was noise and the answer follows; perhaps it was the answer.
                let until = until.min(now + GAP);
                self.state = State::Answering {
                    until,
                    is_garbled: true,
                };
                None
            }
            (State::Answering { .. }, Said::Frame(frame)) => {
                let is_ours = self.asked.as_ref()?.is_answered_by(&frame);
                is_ours.then_some(Step::Done(Ending::Answer(frame)))
            }
            (State::AskingBack, Said::Yes) => {
                let frame = self.asked.as_ref()?.take_back.as_ref()?.encode();
                self.state = State::TakingBack;
                Some(Step::Send(frame))
            }
            (State::AskingBack | State::TakingBack, Said::Frame(frame)) => self.told_late(frame),
            _ => None,
        }
    }

    /// A frame that came after the task was to be taken back.
    fn told_late(&mut self, frame: Frame) -> Option<Step> {
        let asked = self.asked.as_ref()?;
        let is_settled = if self.state == State::AskingBack {
            asked.is_answered_by(&frame)
        } else {
            // Another error may be what it says to the taking back.
            asked.is_settled_by(&frame)
        };
        if is_settled {
            return Some(Step::Done(Ending::Answer(frame)));
        }
        let is_taken_back = self.state == State::TakingBack && asked.is_taken_back_by(&frame);
        is_taken_back.then(|| self.failed(self.why_given_up()))
    }

    fn quiet(&mut self, now: Instant) -> Step {
        match self.state {
            State::Enquiring => {
                self.was_refused = false;
                self.pause_or_give_up(now)
            }
            State::Pausing => self.enquire(),
            State::Requesting | State::Requested => self.failed(Why::NotAcknowledged),
            State::Answering { is_garbled, .. } if is_garbled || self.parser.is_inside() => {
                self.failed(Why::Garbled)
            }
            State::Answering { .. } => self
                .ask_back()
                .unwrap_or_else(|| self.failed(Why::NoAnswer)),
            State::AskingBack | State::TakingBack => self.failed(self.why_given_up()),
        }
    }

    fn stopped(&mut self, now: Instant) -> Step {
        self.is_stopped = true;
        let reads = self.asked.as_ref().is_none_or(|asked| !asked.writes);
        match self.state {
            State::Enquiring | State::Pausing => self.failed(Why::Stopped),
            State::Answering { .. } => match self.ask_back() {
                Some(step) => step,
                // Nothing is lost with an answer about a card that was only read.
                None if reads => self.failed(Why::Stopped),
                None => self.wait(now),
            },
            // It is said as soon as the request was acknowledged, or is being said.
            _ => self.wait(now),
        }
    }

    fn ready(&mut self, now: Instant) -> Step {
        self.enquiries = 0;
        match &self.asked {
            None => Step::Done(Ending::Ready),
            Some(asked) => {
                let frame = asked.frame.encode();
                self.request(frame, now)
            }
        }
    }

    fn enquire(&mut self) -> Step {
        self.enquiries += 1;
        self.state = State::Enquiring;
        Step::Send(vec![ENQ])
    }

    fn pause_or_give_up(&mut self, now: Instant) -> Step {
        let why = if self.was_refused {
            Why::NotReady
        } else {
            Why::Silent
        };
        if self.enquiries >= TRIES || now + PAUSE >= self.ends_at {
            return self.failed(why);
        }
        self.state = State::Pausing;
        Step::Wait(now + PAUSE)
    }

    fn request(&mut self, frame: Vec<u8>, now: Instant) -> Step {
        if now >= self.ends_at {
            return self.failed(Why::TooLate);
        }
        self.requests += 1;
        self.state = State::Requesting;
        Step::Send(frame)
    }

    fn not_taken(&mut self) -> Step {
        if self.requests < TRIES {
            return self.enquire();
        }
        // The server says that it did not take it.
        self.state = State::Pausing;
        self.failed(Why::NotTaken)
    }

    fn acknowledged(&mut self, now: Instant) -> Option<Step> {
        let asked = self.asked.as_ref()?;
        let kept = match asked.take_back {
            Some(_) => TO_TAKE_BACK.min((self.ends_at - self.began_at) / 4),
            None => Duration::ZERO,
        };
        let until = self.ends_at - kept;
        self.state = State::Answering {
            until,
            is_garbled: false,
        };
        self.is_stopped.then(|| self.stopped(now))
    }

    /// Begins to take the task back, where the server offers that.
    fn ask_back(&mut self) -> Option<Step> {
        self.asked.as_ref()?.take_back.as_ref()?;
        self.state = State::AskingBack;
        Some(Step::Send(vec![ENQ]))
    }

    fn wait(&self, now: Instant) -> Step {
        let until = match self.state {
            State::Pausing => now + PAUSE,
            State::Enquiring | State::Requesting | State::Requested => {
                now + self.rules.acknowledges_within
            }
            State::Answering { until, .. } if self.parser.is_inside() => until.min(now + GAP),
            State::Answering { until, .. } => until,
            State::AskingBack | State::TakingBack => self.ends_at,
        };
        Step::Wait(until.min(self.ends_at))
    }

    fn why_given_up(&self) -> Why {
        if self.is_stopped {
            Why::Stopped
        } else {
            Why::NoAnswer
        }
    }

    /// Whether the server may have the request.
    fn is_out(&self) -> bool {
        match self.state {
            State::Enquiring | State::Pausing | State::Requesting => false,
            State::Requested | State::Answering { .. } | State::AskingBack | State::TakingBack => {
                true
            }
        }
    }

    fn failed(&self, why: Why) -> Step {
        let writes = self.asked.as_ref().is_some_and(|asked| asked.writes);
        let certainty = if self.is_out() && writes {
            Certainty::Unknown
        } else {
            Certainty::Unwritten
        };
        Step::Done(Ending::Failed { certainty, why })
    }
}

#[cfg(test)]
mod tests;
