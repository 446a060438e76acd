//! Jobs on an encoder whose lock server makes the card: leave and intent as for a card of our own, then one order, and
//! the server's word for what came of it.
//!
//! The server waits for the card by itself, so leave is asked before there is one: no UID, and the digest is the order's.

use card::Uid;
use encoder::{ErrorKind, Order, OrderKind, ServerCard};
use protocol::link::{AskGrant, FromBridge, Outcome, Phase};

use super::job::Work;
use super::running::{Intended, OrderDigest, Running};
use super::{BootTime, Effect, Job, Machine, NotIssued, ending};
use crate::convert;

impl Machine {
    /// The job's turn has come.
    pub(super) fn begin_at_server(&mut self, now: BootTime, job: Job, out: &mut Vec<Effect>) {
        match &job.work {
            Work::Issue(order) => {
                let digest: OrderDigest = self.keys.order_digest(&bytes(order));
                out.push(Effect::Send(FromBridge::AskGrant(AskGrant {
                    attempt_id: job.id,
                    fence: job.fence.unwrap_or_default(),
                    uid: None,
                    digest: hex::encode(digest),
                })));
                self.running = Some(Running::Asking {
                    job,
                    intended: Intended::Order(digest),
                    asked_at: now,
                });
            }
            Work::Scan => {
                out.push(Effect::Progress(job.id, Phase::WaitingForCard));
                out.push(Effect::Read(job.card_wait));
                self.running = Some(Running::ServerReading {
                    job,
                    cancelled: false,
                });
            }
            Work::Encode(_) | Work::Preview(_) => {
                let outcome = ending::failed(ErrorKind::Unsupported, &job);
                self.end(&job, outcome, out);
            }
        }
    }

    /// Leave is given and the intent is durable.
    pub(super) fn begin_to_issue(&mut self, now: BootTime, job: Job, out: &mut Vec<Effect>) {
        let Work::Issue(order) = &job.work else {
            let outcome = ending::failed(ErrorKind::Unsupported, &job);
            return self.end_running(now, &job, outcome, out);
        };
        out.push(Effect::Progress(job.id, Phase::WaitingForCard));
        out.push(Effect::Issue(order.clone(), job.card_wait));
        self.running = Some(Running::Issuing { job });
    }

    pub(super) fn issued(&mut self, now: BootTime, uid: Option<Uid>, out: &mut Vec<Effect>) {
        let outcome = Outcome::Issued {
            uid: uid.map(|uid| uid.to_string()),
        };
        self.end_issuing(now, |_| outcome, out);
    }

    pub(super) fn not_issued(&mut self, now: BootTime, failure: &NotIssued, out: &mut Vec<Effect>) {
        self.end_issuing(now, |job| ending::not_issued(failure, job), out);
    }

    fn end_issuing(
        &mut self,
        now: BootTime,
        outcome: impl FnOnce(&Job) -> Outcome,
        out: &mut Vec<Effect>,
    ) {
        match self.running.take() {
            Some(Running::Issuing { job }) => {
                let outcome = outcome(&job);
                self.end_running(now, &job, outcome, out);
            }
            other => self.running = other,
        }
    }

    pub(super) fn server_read(&mut self, now: BootTime, card: &ServerCard, out: &mut Vec<Effect>) {
        match self.running.take() {
            Some(Running::ServerReading {
                job,
                cancelled: true,
            }) => self.end_running(now, &job, ending::cancelled(), out),
            Some(Running::ServerReading { job, .. }) => {
                let outcome = Outcome::Read(convert::server_card(card));
                self.end_running(now, &job, outcome, out);
            }
            other => self.running = other,
        }
    }
}

/// An order as bytes, for its digest: two orders that differ have different bytes, since every part tells its length.
fn bytes(order: &Order) -> Vec<u8> {
    let mut bytes = vec![match order.kind {
        OrderKind::New => b'N',
        OrderKind::Copy => b'C',
    }];
    let mut part = |part: &[u8]| {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part);
    };
    part(&(order.rooms.len() as u64).to_be_bytes());
    for room in &order.rooms {
        part(room.as_bytes());
    }
    part(&order.granted);
    part(&order.denied);
    for time in [order.starts_at, Some(order.ends_at)] {
        let written = time.map(|time| {
            let year = time.year.to_be_bytes();
            [
                year[0],
                year[1],
                time.month,
                time.day,
                time.hour,
                time.minute,
            ]
        });
        part(written.as_ref().map_or(&[], |time| time));
    }
    let operator = order.operator.as_deref();
    part(&[u8::from(operator.is_some())]);
    part(operator.unwrap_or_default().as_bytes());
    bytes
}
