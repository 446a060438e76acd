//! From the hub's leave to the proof that the card holds what it should.

use card::{Effect as Stake, Procedure, Reply, Step, Write};
use protocol::link::{AttemptError, GrantDecision, Outcome};
use uuid::Uuid;

use super::running::{CardFacts, Intended, Planned, Running};
use super::{
    BootTime, Effect, Entry, GRANT_WINDOW, IntendedCard, Intent, Job, Machine, WRITE_BOUND, ending,
};
use crate::convert;

/// A card that is being written and read back.
pub(super) struct Writing {
    pub(super) job: Job,
    pub(super) write: Write,
    card: CardFacts,
    /// The gravest effect of any command sent so far.
    stake: Stake,
    /// When it is broken off, between two exchanges.
    until: BootTime,
}

impl Writing {
    /// Interrupted: unknown from the first byte of the credential on, surely unwritten before it.
    pub(super) fn interrupted(&self, error: AttemptError) -> Outcome {
        match self.stake {
            Stake::Reads | Stake::Prepares => ending::denied(error),
            Stake::Commits => ending::in_doubt(self.card.uid, error),
        }
    }
}

impl Intended {
    fn digest(&self) -> [u8; 32] {
        match self {
            Self::Card(planned) => planned.plan.digest(),
            Self::Order(digest) => *digest,
        }
    }

    fn card(&self) -> Option<IntendedCard> {
        match self {
            Self::Card(planned) => Some(IntendedCard {
                uid: planned.card.uid,
                copy: planned.plan.target_copy(),
            }),
            Self::Order(_) => None,
        }
    }
}

impl Machine {
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
                intended,
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
                        digest: intended.digest(),
                        card: intended.card(),
                    })));
                    self.running = Some(Running::Intending {
                        job,
                        intended,
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
            Some(Running::Intending { job, intended, .. }) if job.id == id => match intended {
                Intended::Card(planned) => self.begin_to_write(now, job, *planned, out),
                Intended::Order(_) => self.begin_to_issue(now, job, out),
            },
            other => self.running = other,
        }
    }

    fn begin_to_write(
        &mut self,
        now: BootTime,
        job: Job,
        Planned { plan, card }: Planned,
        out: &mut Vec<Effect>,
    ) {
        let write = Write::new(plan, &self.keys, self.entropy.split());
        out.push(Effect::Progress(job.id, convert::phase(&write.progress())));
        self.running = Some(Running::Writing(Box::new(Writing {
            job,
            write,
            card,
            stake: Stake::Reads,
            until: now.after(WRITE_BOUND),
        })));
        self.step(now, None, out);
    }

    pub(super) fn intent_failed(&mut self, now: BootTime, id: Uuid, out: &mut Vec<Effect>) {
        match self.running.take() {
            Some(Running::Intending { job, .. }) if job.id == id => {
                self.end_running(now, &job, ending::journal_failed(), out);
            }
            other => self.running = other,
        }
    }

    /// The next step of the writing, after the answer to the last one.
    pub(super) fn write_on(
        &mut self,
        now: BootTime,
        mut writing: Box<Writing>,
        reply: Option<Reply>,
        out: &mut Vec<Effect>,
    ) {
        let before = writing.write.progress();
        let outcome = match writing.write.next(reply) {
            Step::Done(Ok(_)) => Outcome::Written {
                uid: writing.card.uid.to_string(),
                technology: writing.card.technology.clone(),
                held_number: writing.card.held_number,
            },
            Step::Done(Err(refusal)) => writing.interrupted(ending::card_error(&refusal)),
            Step::Exchange(..) if now >= writing.until => writing.interrupted(ending::overdue()),
            Step::Exchange(command, effect) => {
                out.push(Effect::Exchange(command));
                let progress = writing.write.progress();
                if progress != before {
                    out.push(Effect::Progress(writing.job.id, convert::phase(&progress)));
                }
                writing.stake = writing.stake.max(effect);
                self.running = Some(Running::Writing(writing));
                return;
            }
        };
        self.end_running(now, &writing.job, outcome, out);
    }
}
