//! The job that runs now: from the wait for a card to the end, one step at a time.

use card::{
    Condition, CopyIndex, Effect as Stake, Inspect, Inspected, Plan, PlanOptions, Procedure,
    Purpose, Refusal, Reply, Step, Uid, Write,
};
use encoder::{ErrorKind, Selected};
use protocol::link::{
    AskGrant, AttemptError, CardCondition, FromBridge, GrantDecision, Outcome, Phase, Scanned,
};
use uuid::Uuid;

use super::job::Work;
use super::{BootTime, Effect, Entry, GRANT_WINDOW, Intent, Job, Machine, WRITE_BOUND, ending};
use crate::convert;

/// How far the running job is.
pub(super) enum Running {
    /// Waits for a card.
    Selecting { job: Job, cancelled: bool },
    /// Reads the card.
    Inspecting {
        job: Job,
        inspect: Box<Inspect>,
        suspect: Option<CopyIndex>,
        cancelled: bool,
    },
    /// Has a plan and waits for the hub's leave.
    Asking {
        job: Job,
        plan: Box<Planned>,
        asked_at: BootTime,
    },
    /// Has leave and waits for the intent to be durable.
    Intending {
        job: Job,
        plan: Box<Planned>,
        asked_at: BootTime,
    },
    /// Writes and reads back. `stake` is the gravest effect of any command sent so far.
    Writing {
        job: Job,
        write: Box<Write>,
        card: CardFacts,
        stake: Stake,
        until: BootTime,
    },
}

/// A plan with what the outcome will tell of the card.
pub(super) struct Planned {
    plan: Plan,
    card: CardFacts,
}

/// What an outcome tells of the card.
#[derive(Clone)]
pub(super) struct CardFacts {
    uid: Uid,
    technology: String,
    held_number: Option<u32>,
}

impl Running {
    pub(super) fn job(&self) -> &Job {
        match self {
            Self::Selecting { job, .. }
            | Self::Inspecting { job, .. }
            | Self::Asking { job, .. }
            | Self::Intending { job, .. }
            | Self::Writing { job, .. } => job,
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
            Self::Selecting { .. } => Phase::WaitingForCard,
            Self::Inspecting { .. } | Self::Asking { .. } | Self::Intending { .. } => {
                Phase::Reading
            }
            Self::Writing { write, .. } => convert::phase(&write.progress()),
        }
    }
}

impl Machine {
    pub(super) fn selected(
        &mut self,
        now: BootTime,
        selected: Selected,
        suspect: Option<CopyIndex>,
        out: &mut Vec<Effect>,
    ) {
        let job = match self.running.take() {
            Some(Running::Selecting {
                job,
                cancelled: false,
            }) => job,
            Some(Running::Selecting {
                job,
                cancelled: true,
            }) => {
                return self.end_running(now, &job, ending::cancelled(), out);
            }
            other => {
                self.running = other;
                return;
            }
        };
        let purpose = if job.is_scan() {
            Purpose::Scan
        } else {
            Purpose::Encode
        };
        let uid = selected.card.uid;
        let supports = selected.supports;
        let inspect = match Inspect::new(selected.card, &self.keys, purpose) {
            Ok(inspect) => inspect,
            Err(refusal) => {
                let outcome = refused_or_scanned(&job, uid, &refusal);
                return self.end_running(now, &job, outcome, out);
            }
        };
        if !inspect
            .technology()
            .command_kinds()
            .iter()
            .all(|kind| supports.contains(kind))
        {
            let outcome = ending::failed(ErrorKind::Unsupported, &job);
            return self.end_running(now, &job, outcome, out);
        }
        out.push(Effect::Progress(job.id, Phase::Reading));
        self.running = Some(Running::Inspecting {
            job,
            inspect: Box::new(inspect),
            suspect,
            cancelled: false,
        });
        self.step(now, None, out);
    }

    pub(super) fn answered(&mut self, now: BootTime, reply: Reply, out: &mut Vec<Effect>) {
        self.step(now, Some(reply), out);
    }

    fn step(&mut self, now: BootTime, reply: Option<Reply>, out: &mut Vec<Effect>) {
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
                suspect,
                cancelled,
            }) => match inspect.next(reply) {
                Step::Exchange(command, _) => {
                    out.push(Effect::Exchange(command));
                    self.running = Some(Running::Inspecting {
                        job,
                        inspect,
                        suspect,
                        cancelled,
                    });
                }
                Step::Done(Err(refusal)) => {
                    self.end_running(now, &job, ending::refused(&refusal), out)
                }
                Step::Done(Ok(inspected)) => self.inspected(now, job, &inspected, suspect, out),
            },
            Some(Running::Writing {
                job,
                write,
                card,
                stake,
                until,
            }) => {
                self.write_on(now, job, write, card, stake, until, reply, out);
            }
            other => self.running = other,
        }
    }

    fn inspected(
        &mut self,
        now: BootTime,
        job: Job,
        inspected: &Inspected,
        suspect: Option<CopyIndex>,
        out: &mut Vec<Effect>,
    ) {
        let Work::Encode(credential) = &job.work else {
            let outcome = Outcome::Scanned(scanned(inspected));
            return self.end_running(now, &job, outcome, out);
        };
        if job.expires_at.is_some_and(|at| now >= at) {
            return self.end_running(now, &job, ending::expired(), out);
        }
        let options = PlanOptions {
            personalise_blank: self.policy.personalise_blank,
            suspect,
        };
        let plan = match card::plan(inspected, credential, &self.keys, &options) {
            Ok(plan) => plan,
            Err(refusal) => return self.end_running(now, &job, ending::refused(&refusal), out),
        };
        let card = CardFacts {
            uid: inspected.presented().uid,
            technology: inspected.technology().slug().to_owned(),
            held_number: plan.overwrites().map(|held| held.number.get()),
        };
        out.push(Effect::Send(FromBridge::AskGrant(AskGrant {
            attempt_id: job.id,
            fence: job.fence.unwrap_or_default(),
            uid: card.uid.to_string(),
            digest: hex::encode(plan.digest()),
        })));
        self.running = Some(Running::Asking {
            job,
            plan: Box::new(Planned { plan, card }),
            asked_at: now,
        });
    }

    pub(super) fn grant_answered(
        &mut self,
        now: BootTime,
        id: Uuid,
        decision: GrantDecision,
        out: &mut Vec<Effect>,
    ) {
        match self.running.take() {
            Some(Running::Asking {
                job,
                plan,
                asked_at,
            }) if job.id == id => match decision {
                GrantDecision::Denied { error } => {
                    self.end_running(now, &job, ending::denied(error), out)
                }
                GrantDecision::Granted { .. } if now.since(asked_at) >= GRANT_WINDOW => {
                    self.end_running(now, &job, ending::no_grant(), out);
                }
                GrantDecision::Granted { grant_id } => {
                    out.push(Effect::Journal(Entry::Intent(Intent {
                        attempt_id: id,
                        grant_id,
                        uid: plan.card.uid,
                        digest: plan.plan.digest(),
                        copy: plan.plan.target_copy(),
                    })));
                    self.running = Some(Running::Intending {
                        job,
                        plan,
                        asked_at,
                    });
                }
            },
            other => self.running = other,
        }
    }

    pub(super) fn intent_is_durable(&mut self, now: BootTime, id: Uuid, out: &mut Vec<Effect>) {
        match self.running.take() {
            Some(Running::Intending { job, asked_at, .. })
                if job.id == id && now.since(asked_at) >= GRANT_WINDOW =>
            {
                self.end_running(now, &job, ending::too_slow(), out);
            }
            Some(Running::Intending { job, plan, .. }) if job.id == id => {
                let Planned { plan, card } = *plan;
                let write = Box::new(Write::new(plan, &self.keys));
                out.push(Effect::Progress(job.id, convert::phase(&write.progress())));
                self.running = Some(Running::Writing {
                    job,
                    write,
                    card,
                    stake: Stake::Reads,
                    until: now.after(WRITE_BOUND),
                });
                self.step(now, None, out);
            }
            other => self.running = other,
        }
    }

    pub(super) fn intent_failed(&mut self, now: BootTime, id: Uuid, out: &mut Vec<Effect>) {
        match self.running.take() {
            Some(Running::Intending { job, .. }) if job.id == id => {
                self.end_running(now, &job, ending::journal_failed(), out);
            }
            other => self.running = other,
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of one state, taken apart to be moved"
    )]
    fn write_on(
        &mut self,
        now: BootTime,
        job: Job,
        mut write: Box<Write>,
        card: CardFacts,
        stake: Stake,
        until: BootTime,
        reply: Option<Reply>,
        out: &mut Vec<Effect>,
    ) {
        let before = write.progress();
        match write.next(reply) {
            Step::Done(Ok(_)) => {
                let CardFacts {
                    uid,
                    technology,
                    held_number,
                } = card;
                let outcome = Outcome::Written {
                    uid: uid.to_string(),
                    technology,
                    held_number,
                };
                self.end_running(now, &job, outcome, out);
            }
            Step::Done(Err(refusal)) => {
                let outcome = interrupted(card.uid, stake, ending::card_error(&refusal));
                self.end_running(now, &job, outcome, out);
            }
            Step::Exchange(..) if now >= until => {
                let outcome = interrupted(card.uid, stake, ending::overdue());
                self.end_running(now, &job, outcome, out);
            }
            Step::Exchange(command, effect) => {
                out.push(Effect::Exchange(command));
                if write.progress() != before {
                    out.push(Effect::Progress(job.id, convert::phase(&write.progress())));
                }
                self.running = Some(Running::Writing {
                    job,
                    write,
                    card,
                    stake: stake.max(effect),
                    until,
                });
            }
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
                },
            ) => {
                self.end_running(now, &job, ending::cancelled(), out);
            }
            Some(Running::Selecting { job, .. } | Running::Inspecting { job, .. }) => {
                let outcome = ending::failed(kind, &job);
                self.end_running(now, &job, outcome, out);
            }
            Some(Running::Writing {
                job, card, stake, ..
            }) => {
                let outcome = interrupted(card.uid, stake, ending::encoder_error(kind, &job));
                self.end_running(now, &job, outcome, out);
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
                out.push(Effect::StopSelecting);
                self.running = Some(Running::Selecting {
                    job,
                    cancelled: true,
                });
            }
            Some(Running::Inspecting {
                job,
                inspect,
                suspect,
                ..
            }) if job.id == id => {
                self.running = Some(Running::Inspecting {
                    job,
                    inspect,
                    suspect,
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
    fn end_running(&mut self, now: BootTime, job: &Job, outcome: Outcome, out: &mut Vec<Effect>) {
        self.running = None;
        out.push(Effect::Release);
        self.end(job, outcome, out);
        self.begin_next(now, out);
    }
}

/// Interrupted while writing: unknown from the first byte of the credential on, surely unwritten before it.
fn interrupted(uid: Uid, stake: Stake, error: AttemptError) -> Outcome {
    match stake {
        Stake::Reads | Stake::Prepares => ending::denied(error),
        Stake::Commits => ending::in_doubt(uid, error),
    }
}

/// A card that cannot be inspected: an encode is refused, a scan tells what it is.
fn refused_or_scanned(job: &Job, uid: Uid, refusal: &Refusal) -> Outcome {
    match refusal {
        Refusal::Unsupported { name } if job.is_scan() => Outcome::Scanned(Scanned {
            uid: uid.to_string(),
            technology: name.clone(),
            condition: CardCondition::Unsupported,
            credential: None,
        }),
        _ => ending::refused(refusal),
    }
}

fn scanned(inspected: &Inspected) -> Scanned {
    Scanned {
        uid: inspected.presented().uid.to_string(),
        technology: inspected.technology().slug().to_owned(),
        condition: match inspected.condition() {
            Condition::Blank => CardCondition::Blank,
            Condition::Ours => CardCondition::Ours,
            Condition::Torn => CardCondition::Torn,
            Condition::Foreign { .. } => CardCondition::Foreign,
        },
        credential: inspected.credential().map(convert::scanned),
    }
}
