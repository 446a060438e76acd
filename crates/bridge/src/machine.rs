//! The job machine of one encoder: what happens next, given what just happened.
//!
//! Pure: no I/O, no clock, no randomness. It is told events with the boot-time clock's reading and answers effects,
//! which are carried out in order. What must not happen before a journal entry is durable waits for
//! [`Event::Journalled`].

mod boot_time;
mod effect;
mod ending;
mod event;
mod issuing;
mod job;
mod reading;
mod running;
#[cfg(test)]
mod tests;
mod writing;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use card::{Entropy, SiteKeys};
use encoder::{ErrorKind, Makes};
use jiff::Timestamp;
use protocol::link::{
    FromBridge, Offer, OfferRefusal, Outcome, OutcomeReport, Phase, ScannedCredential,
};
use uuid::Uuid;

pub use boot_time::BootTime;
pub use effect::{Effect, Entry, IntendedCard, Intent, Stage};
pub use ending::{interrupted_by_restart, lost_by_restart};
pub use event::{Event, Known, NotIssued};
pub use job::{Job, Work};
use running::Running;

/// How long a bridge waits for a grant, and how long after asking it may begin to write (DESIGN §5.2).
pub const GRANT_WINDOW: Duration = Duration::from_secs(2);
/// How long the writing of one card may take in all; the longest, a first personalisation, takes well below a second.
pub const WRITE_BOUND: Duration = Duration::from_secs(10);
/// Jobs that may wait behind the running one.
pub const QUEUE_LIMIT: usize = 8;
/// How soon an outcome that the journal could not take is tried again.
const JOURNAL_RETRY: Duration = Duration::from_secs(1);

/// What the configuration says about how jobs are done.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Whether a blank card is prepared by its first encode.
    pub personalise_blank: bool,
}

/// The job machine of one encoder.
pub struct Machine {
    policy: Policy,
    keys: Arc<SiteKeys>,
    /// What the random challenges of its procedures are split from.
    entropy: Entropy,
    accepted_fence: u64,
    /// The time that people read, as of the last event; goes into reports and decides nothing.
    wall: Timestamp,
    /// Who makes the cards of the encoder while it can take jobs.
    online: Option<Makes>,
    /// Jobs whose acceptance is being committed, oldest first.
    accepting: VecDeque<Job>,
    queue: VecDeque<Job>,
    running: Option<Running>,
    /// Jobs that are over, but not durably so yet.
    ending: Vec<Ending>,
}

/// A job that is over.
struct Ending {
    report: OutcomeReport,
    written: Option<ScannedCredential>,
    /// When the journal is tried again, if it failed.
    retry_at: Option<BootTime>,
}

impl Machine {
    /// The machine of an encoder that is not online yet. `accepted_fence` comes from the journal, `entropy` from the
    /// operating system.
    #[must_use]
    pub fn new(policy: Policy, keys: Arc<SiteKeys>, entropy: Entropy, accepted_fence: u64) -> Self {
        Self {
            policy,
            keys,
            entropy,
            accepted_fence,
            wall: Timestamp::UNIX_EPOCH,
            online: None,
            accepting: VecDeque::new(),
            queue: VecDeque::new(),
            running: None,
            ending: Vec::new(),
        }
    }

    /// When the machine wants to be woken with [`Event::Tick`] if nothing else happens.
    #[must_use]
    pub fn deadline(&self) -> Option<BootTime> {
        let retry = self
            .ending
            .iter()
            .filter_map(|ending| ending.retry_at)
            .min();
        let step = self.running.as_ref().and_then(Running::deadline);
        retry.into_iter().chain(step).min()
    }

    /// The job that runs now and how far it is.
    #[must_use]
    pub fn phase(&self) -> Option<(Uuid, Phase)> {
        self.running
            .as_ref()
            .map(|running| (running.job().id, running.phase()))
    }

    /// Whether a card is being written, here or by a lock server: the one thing that a stop waits for.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        self.is_issuing()
            || matches!(
                self.running,
                Some(Running::Intending { .. } | Running::Writing(_))
            )
    }

    /// Whether a lock server has an order, or is about to get one.
    #[must_use]
    pub fn is_issuing(&self) -> bool {
        matches!(self.running, Some(Running::Issuing { .. }))
    }

    /// Goes on from another hub's fence.
    pub fn set_accepted_fence(&mut self, fence: u64) {
        self.accepted_fence = fence;
    }

    /// Takes one event and says what to do. All waiting is by `now`; `wall` is only written down.
    pub fn handle(&mut self, now: BootTime, wall: Timestamp, event: Event) -> Vec<Effect> {
        self.wall = wall;
        let mut effects = Vec::new();
        let out = &mut effects;
        match event {
            Event::Offered { offer, known } => self.offered(now, *offer, known, out),
            Event::Asked {
                id,
                work,
                card_wait,
            } => {
                let job = Job::local(id, work, card_wait);
                if self.queue.len() >= QUEUE_LIMIT {
                    self.end(&job, ending::queue_full(), out);
                } else {
                    self.enqueue(now, job, out);
                }
            }
            Event::Cancelled(id) => self.cancelled(now, id, out),
            Event::GrantAnswered(id, decision) => self.grant_answered(now, id, decision, out),
            Event::Journalled(id, Stage::Accepted) => self.accepted(now, id, out),
            Event::JournalFailed(id, Stage::Accepted) => self.not_accepted(id, out),
            Event::Journalled(id, Stage::Intent) => self.intent_is_durable(now, id, out),
            Event::JournalFailed(id, Stage::Intent) => self.intent_failed(now, id, out),
            Event::Journalled(id, Stage::Outcome) => self.outcome_is_durable(id, out),
            Event::JournalFailed(id, Stage::Outcome) => self.outcome_failed(now, id),
            Event::Selected { selected, suspects } => self.selected(now, selected, suspects, out),
            Event::JournalUnreadable => self.doubt_is_unknown(now, out),
            Event::Answered(reply) => self.answered(now, reply, out),
            Event::EncoderFailed(kind) => self.encoder_failed(now, kind, out),
            Event::Issued(uid) => self.issued(now, uid, out),
            Event::NotIssued(failure) => self.not_issued(now, &failure, out),
            Event::ServerRead(card) => self.server_read(now, &card, out),
            Event::EncoderOnline(makes) => {
                self.online = Some(makes);
                self.begin_next(now, out);
            }
            Event::EncoderLost(kind) => self.encoder_lost(now, kind, out),
            Event::Tick => self.tick(now, out),
        }
        effects
    }

    fn offered(
        &mut self,
        now: BootTime,
        offer: Offer,
        known: Option<Box<Known>>,
        out: &mut Vec<Effect>,
    ) {
        let attempt_id = offer.attempt_id;
        if let Some(place) = self.place_of(attempt_id) {
            return out.push(Effect::Send(FromBridge::Accepted { attempt_id, place }));
        }
        match known.map(|known| *known) {
            Some(Known::Ended(report)) => out.push(Effect::Send(FromBridge::Outcome(report))),
            // Its acceptance or its outcome is being committed; the answer follows from there.
            Some(Known::Open) => {}
            None if self.accepting.iter().any(|job| job.id == attempt_id) => {}
            None => match self.judge(now, &offer) {
                Err(reason) => self.refuse(attempt_id, reason, out),
                Ok(job) => {
                    // Raised before the commit, so that an offer that overtakes it is judged by it too.
                    self.accepted_fence = offer.fence;
                    self.accepting.push_back(job);
                    out.push(Effect::Journal(Entry::Accepted(offer)));
                }
            },
        }
    }

    fn judge(&self, now: BootTime, offer: &Offer) -> Result<Job, OfferRefusal> {
        if offer.fence <= self.accepted_fence {
            return Err(OfferRefusal::StaleFence);
        }
        if offer.expires_in_ms == 0 {
            return Err(OfferRefusal::PastDeadline);
        }
        let makes = self.online.ok_or(OfferRefusal::EncoderAbsent)?;
        if self.queue.len() + self.accepting.len() >= QUEUE_LIMIT {
            return Err(OfferRefusal::QueueFull);
        }
        match Job::offered(now, offer) {
            Ok(job) if job.suits(makes) => Ok(job),
            Ok(_) => Err(OfferRefusal::Other),
            Err(_) => Err(OfferRefusal::InvalidCredential),
        }
    }

    /// How many jobs are before that one; `None` if it neither runs nor waits.
    fn place_of(&self, id: Uuid) -> Option<u32> {
        if self
            .running
            .as_ref()
            .is_some_and(|running| running.job().id == id)
        {
            return Some(0);
        }
        let behind = self.queue.iter().position(|job| job.id == id)?;
        Some(behind as u32 + u32::from(self.running.is_some()))
    }

    fn accepted(&mut self, now: BootTime, id: Uuid, out: &mut Vec<Effect>) {
        let Some(at) = self.accepting.iter().position(|job| job.id == id) else {
            return;
        };
        let Some(job) = self.accepting.remove(at) else {
            return;
        };
        let place = self.queue.len() as u32 + u32::from(self.running.is_some());
        out.push(Effect::Send(FromBridge::Accepted {
            attempt_id: id,
            place,
        }));
        self.enqueue(now, job, out);
    }

    fn not_accepted(&mut self, id: Uuid, out: &mut Vec<Effect>) {
        self.accepting.retain(|job| job.id != id);
        self.refuse(id, OfferRefusal::JournalFailed, out);
    }

    /// Tells the hub, and whoever asked for this job on this PC.
    fn refuse(&self, attempt_id: Uuid, reason: OfferRefusal, out: &mut Vec<Effect>) {
        out.push(Effect::Send(FromBridge::Refused { attempt_id, reason }));
        out.push(Effect::Finish(
            attempt_id,
            ending::offer_refused(reason),
            None,
        ));
    }

    fn enqueue(&mut self, now: BootTime, mut job: Job, out: &mut Vec<Effect>) {
        let place = self.queue.len() as u32 + u32::from(self.running.is_some());
        if place > 0 {
            job.waited = true;
            out.push(Effect::Progress(job.id, Phase::Queued { place }));
        }
        self.queue.push_back(job);
        self.begin_next(now, out);
    }

    /// Begins the next job if none runs. One whose time is over, or whose encoder is gone, ends here.
    fn begin_next(&mut self, now: BootTime, out: &mut Vec<Effect>) {
        while self.running.is_none() {
            let Some(job) = self.queue.pop_front() else {
                return;
            };
            let Some(makes) = self.online else {
                self.end(&job, ending::failed(ErrorKind::Absent, &job), out);
                continue;
            };
            if !job.suits(makes) {
                self.end(&job, ending::failed(ErrorKind::Unsupported, &job), out);
            } else if job.expires_at.is_some_and(|at| now >= at) {
                self.end(&job, ending::expired(), out);
            } else {
                match makes {
                    Makes::Host => self.select(job, out),
                    Makes::Server => self.begin_at_server(now, job, out),
                }
                for (behind, waiting) in self.queue.iter().enumerate() {
                    let place = behind as u32 + 1;
                    out.push(Effect::Progress(waiting.id, Phase::Queued { place }));
                }
            }
        }
    }

    /// Waits for a card that this host will read.
    fn select(&mut self, job: Job, out: &mut Vec<Effect>) {
        out.push(Effect::Progress(job.id, Phase::WaitingForCard));
        out.push(Effect::Select(job.card_wait_kind(), job.card_wait));
        self.running = Some(Running::Selecting {
            job,
            cancelled: false,
        });
    }

    fn cancelled(&mut self, now: BootTime, id: Uuid, out: &mut Vec<Effect>) {
        let Some(at) = self.queue.iter().position(|job| job.id == id) else {
            return self.cancel_running(now, id, out);
        };
        if let Some(job) = self.queue.remove(at) {
            self.end(&job, ending::cancelled(), out);
        }
    }

    /// Makes the end of a job durable; it is told once it is.
    fn end(&mut self, job: &Job, outcome: Outcome, out: &mut Vec<Effect>) {
        let Some(report) = job.report(self.wall, &outcome) else {
            return out.push(Effect::Finish(job.id, outcome, None));
        };
        self.ending.push(Ending {
            report: report.clone(),
            written: job.written(&outcome),
            retry_at: None,
        });
        out.push(Effect::Journal(Entry::Outcome(report)));
    }

    fn outcome_is_durable(&mut self, id: Uuid, out: &mut Vec<Effect>) {
        let Some(at) = self
            .ending
            .iter()
            .position(|ending| ending.report.attempt_id == id)
        else {
            return;
        };
        let Ending {
            report, written, ..
        } = self.ending.remove(at);
        out.push(Effect::Finish(id, report.outcome.clone(), written));
        out.push(Effect::Send(FromBridge::Outcome(report)));
    }

    fn outcome_failed(&mut self, now: BootTime, id: Uuid) {
        for ending in self
            .ending
            .iter_mut()
            .filter(|ending| ending.report.attempt_id == id)
        {
            ending.retry_at = Some(now.after(JOURNAL_RETRY));
        }
    }

    fn tick(&mut self, now: BootTime, out: &mut Vec<Effect>) {
        for ending in &mut self.ending {
            if ending.retry_at.is_some_and(|at| now >= at) {
                ending.retry_at = None;
                out.push(Effect::Journal(Entry::Outcome(ending.report.clone())));
            }
        }
        self.tick_running(now, out);
    }

    fn encoder_lost(&mut self, now: BootTime, kind: ErrorKind, out: &mut Vec<Effect>) {
        self.online = None;
        while let Some(job) = self.queue.pop_front() {
            let outcome = ending::failed(kind, &job);
            self.end(&job, outcome, out);
        }
        self.lose_running(now, kind, out);
    }
}
