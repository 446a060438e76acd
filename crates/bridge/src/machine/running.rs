//! The job that runs now: from the wait for a card to the end, one step at a time.

use card::{CommandKind, Inspect, Plan, Procedure, Reply, Step, Suspects, Uid};
use encoder::{ErrorKind, Signal};
use protocol::link::{FromBridge, Outcome, Phase};
use uuid::Uuid;

use super::reading;
use super::writing::Writing;
use super::{BootTime, Effect, GRANT_WINDOW, Job, Machine, ending};
use crate::convert;

/// How far the running job is.
pub(super) enum Running {
    /// Waits for a card.
    Selecting { job: Job, cancelled: bool },
    /// Reads the card.
    Inspecting {
        job: Job,
        inspect: Box<Inspect>,
        uid: Uid,
        /// What the encoder can translate for this card.
        supports: Vec<CommandKind>,
        suspects: Suspects,
        cancelled: bool,
    },
    /// Knows what to do and waits for the hub's leave.
    Asking {
        job: Job,
        intended: Intended,
        asked_at: BootTime,
    },
    /// Has leave and waits for the intent to be durable.
    Intending {
        job: Job,
        intended: Intended,
        asked_at: BootTime,
    },
    /// Writes and reads back.
    Writing(Box<Writing>),
    /// The lock server has the order, or its driver holds it back until the server is free.
    Issuing { job: Job },
    /// The lock server waits for a card and reads it.
    ServerReading { job: Job, cancelled: bool },
}

/// What leave is asked for.
pub(super) enum Intended {
    /// To write a card that lies on the encoder.
    Card(Box<Planned>),
    /// To have a lock server make one.
    Order(OrderDigest),
}

/// HMAC over an order.
pub(super) type OrderDigest = [u8; 32];

/// A plan with what the outcome will tell of the card.
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) card: CardFacts,
}

/// What an outcome tells of the card.
pub(super) struct CardFacts {
    pub(super) uid: Uid,
    pub(super) technology: String,
    pub(super) held_number: Option<u32>,
}

impl Running {
    pub(super) fn job(&self) -> &Job {
        match self {
            Self::Selecting { job, .. }
            | Self::Inspecting { job, .. }
            | Self::Asking { job, .. }
            | Self::Intending { job, .. }
            | Self::Issuing { job }
            | Self::ServerReading { job, .. } => job,
            Self::Writing(writing) => &writing.job,
        }
    }

    pub(super) fn deadline(&self) -> Option<BootTime> {
        match self {
            Self::Asking { asked_at, .. } => Some(asked_at.after(GRANT_WINDOW)),
            _ => None,
        }
    }

    pub(super) fn phase(&self) -> Phase {
        match self {
            Self::Selecting { .. } | Self::Issuing { .. } | Self::ServerReading { .. } => {
                Phase::WaitingForCard
            }
            Self::Inspecting { .. } | Self::Asking { .. } | Self::Intending { .. } => {
                Phase::Reading
            }
            Self::Writing(writing) => convert::phase(&writing.write.progress()),
        }
    }
}

impl Machine {
    pub(super) fn answered(&mut self, now: BootTime, reply: Reply, out: &mut Vec<Effect>) {
        self.step(now, Some(reply), out);
    }

    pub(super) fn step(&mut self, now: BootTime, reply: Option<Reply>, out: &mut Vec<Effect>) {
        match self.running.take() {
            Some(Running::Inspecting {
                job,
                cancelled: true,
                ..
            }) => {
                self.end_running(now, &job, ending::cancelled(), out);
            }
            Some(Running::Inspecting {
                job,
                mut inspect,
                uid,
                supports,
                suspects,
                cancelled,
            }) => match inspect.next(reply) {
                Step::Exchange(command, _) if !supports.contains(&command.kind()) => {
                    let outcome = ending::untranslated(command.kind(), &job);
                    self.end_running(now, &job, outcome, out);
                }
                Step::Exchange(command, _) => {
                    out.push(Effect::Exchange(command));
                    self.running = Some(Running::Inspecting {
                        job,
                        inspect,
                        uid,
                        supports,
                        suspects,
                        cancelled,
                    });
                }
                Step::Done(Err(refusal)) => {
                    let outcome = reading::refused_or_scanned(&job, uid, &refusal);
                    self.end_running(now, &job, outcome, out);
                }
                Step::Done(Ok(inspected)) => self.inspected(now, job, &inspected, suspects, out),
            },
            Some(Running::Writing(writing)) => self.write_on(now, writing, reply, out),
            other => self.running = other,
        }
    }

    pub(super) fn encoder_failed(&mut self, now: BootTime, kind: ErrorKind, out: &mut Vec<Effect>) {
        match self.running.take() {
            Some(
                Running::Selecting {
                    job,
                    cancelled: true,
                }
                | Running::Inspecting {
                    job,
                    cancelled: true,
                    ..
                }
                | Running::ServerReading {
                    job,
                    cancelled: true,
                },
            ) => {
                self.end_running(now, &job, ending::cancelled(), out);
            }
            Some(
                Running::Selecting { job, .. }
                | Running::Inspecting { job, .. }
                | Running::ServerReading { job, .. },
            ) => {
                let outcome = ending::failed(kind, &job);
                self.end_running(now, &job, outcome, out);
            }
            // Its thread was given up: nobody knows how far the order came.
            Some(Running::Issuing { job }) => {
                let outcome = ending::order_in_doubt(ending::encoder_error(kind, &job));
                self.end_running(now, &job, outcome, out);
            }
            Some(Running::Writing(writing)) => {
                let outcome = writing.interrupted(ending::encoder_error(kind, &writing.job));
                self.end_running(now, &writing.job, outcome, out);
            }
            other => self.running = other,
        }
    }

    /// The encoder is gone. Where a command is under way its own failure ends the job.
    pub(super) fn lose_running(&mut self, now: BootTime, kind: ErrorKind, out: &mut Vec<Effect>) {
        match self.running.take() {
            Some(Running::Asking { job, .. }) => {
                let outcome = ending::failed(kind, &job);
                self.end_running(now, &job, outcome, out);
            }
            other => self.running = other,
        }
    }

    pub(super) fn cancel_running(&mut self, now: BootTime, id: Uuid, out: &mut Vec<Effect>) {
        match self.running.take() {
            Some(Running::Selecting { job, .. }) if job.id == id => {
                out.push(Effect::StopWaiting);
                self.running = Some(Running::Selecting {
                    job,
                    cancelled: true,
                });
            }
            Some(Running::ServerReading { job, .. }) if job.id == id => {
                out.push(Effect::StopWaiting);
                self.running = Some(Running::ServerReading {
                    job,
                    cancelled: true,
                });
            }
            // Leave was given, so this comes too late; what has not been sent is taken back all the same.
            Some(Running::Issuing { job }) if job.id == id => {
                out.push(Effect::StopWaiting);
                out.push(Effect::Send(FromBridge::TooLate { attempt_id: id }));
                self.running = Some(Running::Issuing { job });
            }
            Some(Running::Inspecting {
                job,
                inspect,
                uid,
                supports,
                suspects,
                ..
            }) if job.id == id => {
                self.running = Some(Running::Inspecting {
                    job,
                    inspect,
                    uid,
                    supports,
                    suspects,
                    cancelled: true,
                });
            }
            Some(Running::Asking { job, .. }) if job.id == id => {
                self.end_running(now, &job, ending::cancelled(), out);
            }
            running => {
                if running
                    .as_ref()
                    .is_some_and(|running| running.job().id == id)
                {
                    out.push(Effect::Send(FromBridge::TooLate { attempt_id: id }));
                }
                self.running = running;
            }
        }
    }

    pub(super) fn tick_running(&mut self, now: BootTime, out: &mut Vec<Effect>) {
        match self.running.take() {
            Some(Running::Asking { job, asked_at, .. }) if now.since(asked_at) >= GRANT_WINDOW => {
                self.end_running(now, &job, ending::no_grant(), out);
            }
            other => self.running = other,
        }
    }

    /// Lets the card go, makes the end durable, and turns to the next job.
    pub(super) fn end_running(
        &mut self,
        now: BootTime,
        job: &Job,
        outcome: Outcome,
        out: &mut Vec<Effect>,
    ) {
        self.running = None;
        out.push(Effect::Release);
        let signal = match outcome {
            Outcome::Written { .. }
            | Outcome::Issued { .. }
            | Outcome::Scanned(_)
            | Outcome::Read(_) => Signal::Success,
            Outcome::Unwritten { .. } | Outcome::Unknown { .. } => Signal::Failure,
        };
        self.end(job, outcome, out);
        // Once the end is durable.
        out.push(Effect::Signal(signal));
        self.begin_next(now, out);
    }
}
