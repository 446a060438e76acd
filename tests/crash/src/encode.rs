//! An encode as the job machine runs it, procedure after procedure, without journal and hub; and an encoder without a
//! wire to run it on.

use std::time::Instant;

use card::{
    ClassicCommand, Command, CommandKind, Credential, Effect, Inspect, KeyType, PlanOptions,
    PresentedCard, Procedure, Purpose, Refusal, Reply, SelectAnswer, Step, Suspects, Uid, Write,
    Written, plan,
};
use emulator::{Answer, Antenna, Selected, Slot};
use encoder::{BlockEncoder, CardSession, CardWait, Error, ErrorKind, Stop};

use crate::site::{entropy, keys};

/// How an encode ended.
#[derive(Debug)]
pub enum Ended {
    /// Read back and found equal to the plan.
    Written(Written),
    /// The card is not fit for it.
    Refused(Refusal),
    /// The card was gone.
    Gone,
}

/// How an encode went.
#[derive(Debug)]
pub struct Encode {
    /// How it ended.
    pub ended: Ended,
    /// Exchanges of the inspection, which end before the hub is asked.
    pub inspected_with: u64,
    /// What a journal would know afterwards: the copies that were in flight when outcomes became unknown.
    pub suspects: Suspects,
    /// The gravest that was sent to the card.
    pub stake: Effect,
}

/// Encodes the card that lies there. `suspects` is what the journal knows of it.
#[must_use]
pub fn encode(
    encoder: &mut dyn BlockEncoder,
    slot: &Slot,
    credential: &Credential,
    suspects: Suspects,
) -> Encode {
    let begin = slot.log().exchanges();
    let mut session = encoder
        .select(CardWait::Resting, Instant::now(), &Stop::default())
        .unwrap();
    let mut stake = Effect::Reads;
    let mut inspect = Inspect::new(
        session.card().clone(),
        &keys(),
        Purpose::encode(credential).unwrap(),
        entropy(),
    )
    .unwrap();
    let inspected = run(session.as_mut(), &mut inspect, &mut stake);
    let inspected_with = slot.log().exchanges() - begin;
    let options = PlanOptions {
        suspects,
        ..PlanOptions::default()
    };
    let planned = inspected
        .and_then(|found| plan(&found, credential, &keys(), &options).map_err(Ended::Refused));
    let plan = match planned {
        Ok(plan) => plan,
        Err(ended) => {
            return Encode {
                ended,
                inspected_with,
                suspects,
                stake,
            };
        }
    };
    let in_flight = plan.target_copy();
    let mut write = Write::new(plan, &keys(), entropy());
    let (ended, suspects) = match run(session.as_mut(), &mut write, &mut stake) {
        Ok(written) => (Ended::Written(written), Suspects::NONE),
        Err(ended) if stake == Effect::Commits => (ended, suspects.with(in_flight)),
        Err(ended) => (ended, suspects),
    };
    Encode {
        ended,
        inspected_with,
        suspects,
        stake,
    }
}

fn run<P: Procedure>(
    session: &mut dyn CardSession,
    procedure: &mut P,
    stake: &mut Effect,
) -> Result<P::Output, Ended> {
    let mut last = None;
    loop {
        match procedure.next(last.take()) {
            Step::Done(result) => return result.map_err(Ended::Refused),
            Step::Exchange(command, effect) => {
                *stake = (*stake).max(effect);
                match session.exchange(&command) {
                    Ok(reply) => last = Some(reply),
                    Err(error) if error.kind() == ErrorKind::CardGone => return Err(Ended::Gone),
                    Err(error) => panic!("the encoder failed: {error}"),
                }
            }
        }
    }
}

/// An encoder without a wire: the emulated card gets the commands as they are.
#[derive(Debug)]
pub struct InMemory(Antenna);

impl InMemory {
    /// An encoder over a slot.
    #[must_use]
    pub fn over(slot: Slot) -> Self {
        Self(Antenna::over(slot))
    }

    fn selected(&mut self, otherwise: ErrorKind) -> Result<PresentedCard, Error> {
        let selected = self.0.select().map(presented);
        selected.ok_or_else(|| Error::new(otherwise))
    }
}

impl BlockEncoder for InMemory {
    fn select<'a>(
        &'a mut self,
        _: CardWait,
        _: Instant,
        _: &Stop,
    ) -> Result<Box<dyn CardSession + 'a>, Error> {
        let card = self.selected(ErrorKind::NoCard)?;
        Ok(Box::new(Session {
            encoder: self,
            card,
        }))
    }
}

struct Session<'a> {
    encoder: &'a mut InMemory,
    card: PresentedCard,
}

impl CardSession for Session<'_> {
    fn card(&self) -> &PresentedCard {
        &self.card
    }

    fn supports(&self, _: CommandKind) -> bool {
        true
    }

    fn exchange(&mut self, command: &Command) -> Result<Reply, Error> {
        let antenna = &mut self.encoder.0;
        let answer = match command {
            Command::Reselect => {
                self.card = self.encoder.selected(ErrorKind::CardGone)?;
                return Ok(Reply::Reselected(self.card.clone()));
            }
            Command::Classic(ClassicCommand::Authenticate {
                block,
                key_type,
                key,
            }) => {
                let key_type = match key_type {
                    KeyType::A => emulator::KeyType::A,
                    KeyType::B => emulator::KeyType::B,
                };
                antenna.authenticate(*block, key_type, *key.expose())
            }
            Command::Classic(ClassicCommand::Read { block }) => antenna.read(*block),
            Command::Classic(ClassicCommand::Write { block, data }) => {
                antenna.write(*block, data.expose())
            }
            Command::Type2(command) => antenna.transceive(&command.to_bytes()),
            // An APDU is answered with a status, or the card is gone.
            Command::Iso(apdu) => match antenna.apdu(apdu.expose()) {
                Answer::Silence => return Err(Error::new(ErrorKind::CardGone)),
                answer => answer,
            },
        };
        match answer {
            Answer::Acknowledged => Ok(Reply::Done),
            Answer::Data(data) => Ok(Reply::Data(data)),
            // No encoder can tell them apart; selecting the card again does.
            Answer::Refused | Answer::Silence => Ok(Reply::Refused),
        }
    }
}

fn presented(selected: &Selected) -> PresentedCard {
    let [low, high] = selected.atqa;
    PresentedCard {
        uid: Uid::new(selected.uid.as_bytes()).unwrap(),
        answer: SelectAnswer::Iso14443a {
            atqa: [high, low],
            sak: selected.sak,
            // Without its length byte.
            ats: selected
                .ats
                .as_ref()
                .map_or_else(Vec::new, |ats| ats[1..].to_vec()),
        },
    }
}
