//! What a bridge does to a card, without the bridge: scan it, encode it.

use std::time::{Duration, Instant};

use card::{
    CardFormat, CardFunction, CommonDoors, Credential, CredentialNumber, DoorNumber, Doors, Effect,
    Entropy, Inspect, IssueNumber, KeyVersion, Minute, PlanOptions, Procedure, Purpose, Refusal,
    RoomRange, SiteKey, SiteKeys, Step, Suspects, Validity, Write, plan,
};
use encoder::{BlockEncoder, CardSession, CardWait, Error, ErrorKind, Stop};

const NOON: u32 = 3_000_000;

/// Why a procedure did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The encoder failed.
    Encoder(ErrorKind),
    /// The card is not fit for it.
    Card(Refusal),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Encoder(error.kind())
    }
}

fn keys() -> SiteKeys {
    let key = SiteKey::from_hex(&"5e".repeat(32)).unwrap();
    SiteKeys::new(KeyVersion::FIRST, key)
}

/// A guest's credential for one room.
pub(crate) fn credential(room: u32) -> Credential {
    let minute = |minutes| Minute::new(minutes).unwrap();
    Credential {
        format: CardFormat::Rfid48,
        number: CredentialNumber::new(room).unwrap(),
        function: CardFunction::Guest,
        validity: Validity::new(minute(NOON), Some(minute(NOON + 600))).unwrap(),
        issue: IssueNumber::new(NOON).unwrap(),
        doors: Doors {
            rooms: RoomRange::new(DoorNumber::new(room).unwrap(), 1).ok(),
            common: CommonDoors::from_bits(1).unwrap(),
            additional: Vec::new(),
        },
    }
}

/// Carries a procedure out; the encoder's failure ends it.
fn run<P: Procedure>(
    session: &mut dyn CardSession,
    mut procedure: P,
    stake: &mut Effect,
) -> Result<P::Output, Failure> {
    let mut last = None;
    loop {
        match procedure.next(last.take()) {
            Step::Done(result) => return result.map_err(Failure::Card),
            Step::Exchange(command, effect) => {
                *stake = (*stake).max(effect);
                last = Some(session.exchange(&command)?);
            }
        }
    }
}

fn select(
    encoder: &mut dyn BlockEncoder,
    within: Duration,
) -> Result<Box<dyn CardSession + '_>, Failure> {
    let deadline = Instant::now() + within;
    Ok(encoder.select(CardWait::Resting, deadline, &Stop::default())?)
}

fn entropy() -> Entropy {
    Entropy::new([0xE5; 32])
}

/// The credential on the card that lies there.
pub(crate) fn scan(
    encoder: &mut dyn BlockEncoder,
    within: Duration,
) -> Result<Option<Credential>, Failure> {
    let mut session = select(encoder, within)?;
    let purpose = Purpose::Scan;
    let inspect =
        Inspect::new(session.card().clone(), &keys(), purpose, entropy()).map_err(Failure::Card)?;
    let inspected = run(session.as_mut(), inspect, &mut Effect::Reads.clone())?;
    Ok(inspected.credential().cloned())
}

/// Encodes the card that lies there. `suspects` is what a journal knows of it, before and after.
pub(crate) fn encode(
    encoder: &mut dyn BlockEncoder,
    room: u32,
    suspects: &mut Suspects,
    within: Duration,
) -> Result<(), Failure> {
    let (keys, credential) = (keys(), credential(room));
    let mut session = select(encoder, within)?;
    let mut stake = Effect::Reads;
    let purpose = Purpose::encode(&credential).unwrap();
    let inspect =
        Inspect::new(session.card().clone(), &keys, purpose, entropy()).map_err(Failure::Card)?;
    let inspected = run(session.as_mut(), inspect, &mut stake)?;
    let options = PlanOptions {
        suspects: *suspects,
        ..PlanOptions::default()
    };
    let plan = plan(&inspected, &credential, &keys, &options).map_err(Failure::Card)?;
    let in_flight = plan.target_copy();
    let written = run(
        session.as_mut(),
        Write::new(plan, &keys, entropy()),
        &mut stake,
    );
    match written {
        Ok(_) => *suspects = Suspects::NONE,
        Err(failure) => {
            if stake == Effect::Commits {
                *suspects = suspects.with(in_flight);
            }
            return Err(failure);
        }
    }
    Ok(())
}
