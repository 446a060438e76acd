//! From a card on the encoder to the question whether it may be written.

use card::{Inspect, Inspected, PlanOptions, Purpose, Refusal, Suspects, Uid};
use encoder::{ErrorKind, Selected};
use protocol::link::{AskGrant, CardCondition, FromBridge, Outcome, Phase, Scanned};

use super::job::Work;
use super::running::{CardFacts, Intended, Planned, Running};
use super::{BootTime, Effect, Job, Machine, ending};
use crate::convert;
use crate::preview::Preview;

impl Machine {
    pub(super) fn selected(
        &mut self,
        now: BootTime,
        selected: Selected,
        suspects: Suspects,
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
        let uid = selected.card.uid;
        let supports = selected.supports;
        let purpose = match &job.work {
            Work::Scan => Ok(Purpose::Scan),
            Work::Encode(credential) | Work::Preview(credential) => Purpose::encode(credential),
            // Never begun on an encoder that selects cards.
            Work::Issue(_) => {
                let outcome = ending::failed(ErrorKind::Unsupported, &job);
                return self.end_running(now, &job, outcome, out);
            }
        };
        let entropy = self.entropy.split();
        let inspect = match purpose
            .and_then(|purpose| Inspect::new(selected.card, &self.keys, purpose, entropy))
        {
            Ok(inspect) => inspect,
            Err(refusal) => {
                let outcome = refused_or_scanned(&job, uid, &refusal);
                return self.end_running(now, &job, outcome, out);
            }
        };
        out.push(Effect::Progress(job.id, Phase::Reading));
        self.running = Some(Running::Inspecting {
            job,
            inspect: Box::new(inspect),
            uid,
            supports,
            suspects,
            cancelled: false,
        });
        self.step(now, None, out);
    }

    /// Whether this card is in doubt cannot be known, so nothing is done to it.
    pub(super) fn doubt_is_unknown(&mut self, now: BootTime, out: &mut Vec<Effect>) {
        match self.running.take() {
            Some(Running::Selecting { job, .. }) => {
                self.end_running(now, &job, ending::journal_failed(), out);
            }
            other => self.running = other,
        }
    }

    pub(super) fn inspected(
        &mut self,
        now: BootTime,
        job: Job,
        inspected: &Inspected,
        suspects: Suspects,
        out: &mut Vec<Effect>,
    ) {
        let credential = match &job.work {
            Work::Encode(credential) | Work::Preview(credential) => credential,
            Work::Scan | Work::Issue(_) => {
                let outcome = Outcome::Scanned(scanned(inspected));
                return self.end_running(now, &job, outcome, out);
            }
        };
        if job.expires_at.is_some_and(|at| now >= at) {
            return self.end_running(now, &job, ending::expired(), out);
        }
        let options = PlanOptions {
            personalise_blank: self.policy.personalise_blank,
            suspects,
        };
        let plan = match card::plan(inspected, credential, &self.keys, &options) {
            Ok(plan) => plan,
            Err(refusal) => return self.end_running(now, &job, ending::refused(&refusal), out),
        };
        if matches!(job.work, Work::Preview(_)) {
            let newest = self.keys.newest();
            let preview = Preview::new(inspected, &plan, credential, newest);
            out.push(Effect::Release);
            out.push(Effect::Previewed(job.id, Box::new(preview)));
            return self.begin_next(now, out);
        }
        let card = CardFacts {
            uid: inspected.uid(),
            technology: inspected.technology().slug().to_owned(),
            held_number: plan.overwrites().map(|held| held.number.get()),
        };
        out.push(Effect::Send(FromBridge::AskGrant(AskGrant {
            attempt_id: job.id,
            fence: job.fence.unwrap_or_default(),
            uid: Some(card.uid.to_string()),
            digest: hex::encode(plan.digest()),
        })));
        self.running = Some(Running::Asking {
            job,
            intended: Intended::Card(Box::new(Planned { plan, card })),
            asked_at: now,
        });
    }
}

/// A card that cannot be inspected: an encode is refused, a scan tells what it is.
pub(super) fn refused_or_scanned(job: &Job, uid: Uid, refusal: &Refusal) -> Outcome {
    match refusal {
        Refusal::Unsupported { name } if job.is_scan() => Outcome::Scanned(Scanned {
            uid: uid.to_string(),
            technology: name.clone(),
            condition: CardCondition::Unsupported,
            credential: None,
            key_version: None,
        }),
        _ => ending::refused(refusal),
    }
}

fn scanned(inspected: &Inspected) -> Scanned {
    Scanned {
        uid: inspected.uid().to_string(),
        technology: inspected.technology().slug().to_owned(),
        condition: convert::condition(inspected.condition()),
        credential: inspected.credential().map(convert::scanned),
        key_version: inspected.active().map(|(_, copy)| copy.key_version.get()),
    }
}
