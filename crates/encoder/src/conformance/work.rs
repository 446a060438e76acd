//! What the bridge does with a card, on a desk: an encode and a scan, procedure after procedure.

use std::fmt;
use std::ops::ControlFlow;

use card::{
    Command, CommandKind, Credential, Effect, Inspect, Inspected, PlanOptions, Procedure, Purpose,
    Refusal, Reply, SiteKeys, Step, Suspects, Write, plan,
};

use super::Verdict;
use super::bench::chain;
use super::desk::Desk;
use super::outcome::failed;
use super::site::{credential, entropy, keys};
use crate::{Error, ErrorKind};

/// Why work on a card did not come to its end.
#[derive(Debug)]
pub(super) enum Ended {
    /// The encoder failed.
    Encoder(Error),
    /// The card is not fit for it.
    Card(Refusal),
    /// It was called off between two exchanges.
    CalledOff,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoder(error) => f.write_str(&chain(error)),
            Self::Card(refusal) => refusal.fmt(f),
            Self::CalledOff => f.write_str("it was called off"),
        }
    }
}

/// What is to be written, with what is known of the card.
pub(super) struct Job {
    pub(super) credential: Credential,
    pub(super) keys: SiteKeys,
    pub(super) suspects: Suspects,
}

impl Job {
    /// The guest's credential for a room, on a card of which nothing is in doubt.
    pub(super) fn for_room(room: u16) -> Self {
        Self {
            credential: credential(room),
            keys: keys(),
            suspects: Suspects::NONE,
        }
    }

    /// The same, on a card of which so much is in doubt.
    pub(super) fn with_suspects(self, suspects: Suspects) -> Self {
        Self { suspects, ..self }
    }

    /// The same, by another site.
    pub(super) fn with_keys(self, keys: SiteKeys) -> Self {
        Self { keys, ..self }
    }
}

/// How an encode went.
#[derive(Debug)]
pub(super) struct Encoded {
    /// Whether it came to its end, read back and found equal to the plan.
    pub(super) result: Result<(), Ended>,
    /// The copies that were in flight when outcomes became unknown, as a journal would know.
    pub(super) suspects: Suspects,
    /// How many commands were sent.
    pub(super) sent: u64,
}

/// Looks at each command before it is sent, and may call the work off.
pub(super) trait Between: FnMut(&Command, Effect) -> Verdict<ControlFlow<()>> {}
impl<F: FnMut(&Command, Effect) -> Verdict<ControlFlow<()>>> Between for F {}

/// Nothing happens between two commands.
pub(super) fn nothing(_: &Command, _: Effect) -> Verdict<ControlFlow<()>> {
    Ok(ControlFlow::Continue(()))
}

/// Encodes the card that lies there, and lets it go.
pub(super) fn encode(desk: &Desk, job: &Job, mut between: impl Between) -> Verdict<Encoded> {
    let mut run = Run {
        desk,
        between: &mut between,
        sent: 0,
        stake: Effect::Reads,
        supports: Vec::new(),
    };
    let (result, in_flight) = run.encode(job)?;
    let (sent, stake) = (run.sent, run.stake);
    desk.release();
    let suspects = match (&result, in_flight) {
        (Ok(()), _) => Suspects::NONE,
        (Err(_), Some(copy)) if stake == Effect::Commits => job.suspects.with(copy),
        (Err(_), _) => job.suspects,
    };
    Ok(Encoded {
        result,
        suspects,
        sent,
    })
}

/// Encodes a card of which nothing is in doubt for a room; it must succeed.
pub(super) fn must_encode(desk: &Desk, room: u16) -> Verdict<Encoded> {
    let encoded = encode(desk, &Job::for_room(room), nothing)?;
    match &encoded.result {
        Ok(()) => Ok(encoded),
        Err(ended) => failed(format!("a card could not be encoded: {ended}")),
    }
}

/// Scans the card that lies there, and lets it go.
pub(super) fn scan(desk: &Desk, keys: &SiteKeys) -> Verdict<Result<Inspected, Ended>> {
    scan_with(desk, keys, nothing)
}

/// The same, with something between the commands.
pub(super) fn scan_with(
    desk: &Desk,
    keys: &SiteKeys,
    mut between: impl Between,
) -> Verdict<Result<Inspected, Ended>> {
    let mut run = Run {
        desk,
        between: &mut between,
        sent: 0,
        stake: Effect::Reads,
        supports: Vec::new(),
    };
    let result = run.inspect(keys, Purpose::Scan)?;
    desk.release();
    Ok(result)
}

/// Scans a card; it must succeed.
pub(super) fn must_scan(desk: &Desk) -> Verdict<Inspected> {
    match scan(desk, &keys())? {
        Ok(inspected) => Ok(inspected),
        Err(ended) => failed(format!("a card could not be scanned: {ended}")),
    }
}

struct Run<'a, B> {
    desk: &'a Desk,
    between: &'a mut B,
    sent: u64,
    stake: Effect,
    /// The families of commands that the encoder has for this card.
    supports: Vec<CommandKind>,
}

impl<B: Between> Run<'_, B> {
    fn inspect(&mut self, keys: &SiteKeys, purpose: Purpose) -> Verdict<Result<Inspected, Ended>> {
        let selected = match self.desk.select_resting()? {
            Ok(selected) => selected,
            Err(error) => return Ok(Err(Ended::Encoder(error))),
        };
        self.supports = selected.supports;
        match Inspect::new(selected.card, keys, purpose, entropy()) {
            Ok(inspect) => self.carry_out(inspect),
            Err(refusal) => Ok(Err(Ended::Card(refusal))),
        }
    }

    fn encode(&mut self, job: &Job) -> Verdict<(Result<(), Ended>, Option<card::CopyIndex>)> {
        let purpose = match Purpose::encode(&job.credential) {
            Ok(purpose) => purpose,
            Err(refusal) => return Ok((Err(Ended::Card(refusal)), None)),
        };
        let inspected = match self.inspect(&job.keys, purpose)? {
            Ok(inspected) => inspected,
            Err(ended) => return Ok((Err(ended), None)),
        };
        let options = PlanOptions {
            suspects: job.suspects,
            ..PlanOptions::default()
        };
        let plan = match plan(&inspected, &job.credential, &job.keys, &options) {
            Ok(plan) => plan,
            Err(refusal) => return Ok((Err(Ended::Card(refusal)), None)),
        };
        let copy = plan.target_copy();
        let written = self.carry_out(Write::new(plan, &job.keys, entropy()))?;
        Ok((written.map(drop), Some(copy)))
    }

    fn carry_out<P: Procedure>(&mut self, mut procedure: P) -> Verdict<Result<P::Output, Ended>> {
        let mut last: Option<Reply> = None;
        loop {
            match procedure.next(last.take()) {
                Step::Done(result) => return Ok(result.map_err(Ended::Card)),
                Step::Exchange(command, _) if !self.supports.contains(&command.kind()) => {
                    return Ok(Err(Ended::Encoder(Error::new(ErrorKind::Unsupported))));
                }
                Step::Exchange(command, effect) => {
                    if (self.between)(&command, effect)?.is_break() {
                        return Ok(Err(Ended::CalledOff));
                    }
                    self.sent += 1;
                    self.stake = self.stake.max(effect);
                    match self.desk.exchange(command).get()? {
                        Ok(reply) => last = Some(reply),
                        Err(error) => return Ok(Err(Ended::Encoder(error))),
                    }
                }
            }
        }
    }
}
