//! Whole procedures through the driver: a card is inspected, written and read back, pulled in between, and finished.

use card::{
    CardFormat, CardFunction, CommonDoors, Credential, CredentialNumber, DoorNumber, Doors, Effect,
    Entropy, Inspect, IssueNumber, KeyVersion, Minute, PlanOptions, Procedure, Purpose, RoomRange,
    SiteKey, SiteKeys, Step, Suspects, Validity, Write, plan,
};
use emulator::{Moment, Slot, Technology};
use encoder::{BlockEncoder, CardSession, ErrorKind};

use crate::rig::{NEW_UID, Rig, select};

const NOON: u32 = 3_000_000;

fn keys() -> SiteKeys {
    let key = SiteKey::from_hex(&"5e".repeat(32)).unwrap();
    SiteKeys::new(KeyVersion::FIRST, key)
}

/// A guest's credential for one room.
fn credential(room: u32) -> Credential {
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
) -> Result<P::Output, ErrorKind> {
    let mut last = None;
    loop {
        match procedure.next(last.take()) {
            Step::Done(result) => return Ok(result.unwrap()),
            Step::Exchange(command, effect) => {
                *stake = (*stake).max(effect);
                last = Some(session.exchange(&command).map_err(|error| error.kind())?);
            }
        }
    }
}

/// Encodes the card that lies there. `suspects` is what a journal knows of it, before and after.
fn encode(
    encoder: &mut dyn BlockEncoder,
    room: u32,
    suspects: &mut Suspects,
) -> Result<(), ErrorKind> {
    let (keys, credential) = (keys(), credential(room));
    let entropy = || Entropy::new([0xE5; 32]);
    let mut session = select(encoder);
    let mut stake = Effect::Reads;
    let purpose = Purpose::encode(&credential).unwrap();
    let inspect = Inspect::new(session.card().clone(), &keys, purpose, entropy()).unwrap();
    let inspected = run(session.as_mut(), inspect, &mut stake)?;
    let options = PlanOptions {
        suspects: *suspects,
        ..PlanOptions::default()
    };
    let plan = plan(&inspected, &credential, &keys, &options).unwrap();
    let in_flight = plan.target_copy();
    match run(
        session.as_mut(),
        Write::new(plan, &keys, entropy()),
        &mut stake,
    ) {
        Ok(_) => *suspects = Suspects::NONE,
        Err(kind) => {
            if stake == Effect::Commits {
                *suspects = suspects.with(in_flight);
            }
            return Err(kind);
        }
    }
    Ok(())
}

fn exchanges(slot: &Slot, act: impl FnOnce()) -> u64 {
    let before = slot.log().exchanges();
    act();
    slot.log().exchanges() - before
}

/// A new card is encoded, encoded for another guest with a pull at every exchange, and once more without a change.
fn encodes(technology: Technology) {
    let rig = Rig::new();
    let card = rig.place_new(technology);
    let mut encoder = rig.open();
    let mut suspects = Suspects::NONE;
    encode(encoder.as_mut(), 107, &mut suspects).unwrap();
    let old = card.memory();
    let whole = exchanges(rig.slot(), || {
        encode(encoder.as_mut(), 109, &mut suspects).unwrap();
    });
    for exchange in 1..whole {
        for moment in [Moment::Before, Moment::Unanswered] {
            let case = format!("{technology}, pulled {moment:?} {exchange}");
            card.set_memory(&old).unwrap();
            rig.slot().place(&card);
            rig.slot().remove_at(exchange, moment);
            let mut suspects = Suspects::NONE;
            let pulled = encode(encoder.as_mut(), 109, &mut suspects);
            assert_eq!(pulled, Err(ErrorKind::CardGone), "{case}");
            rig.slot().place(&card);
            encode(encoder.as_mut(), 109, &mut suspects).expect(&case);
        }
    }
    let written = card.memory();
    encode(encoder.as_mut(), 109, &mut suspects).unwrap();
    assert_eq!(card.memory(), written, "{technology}: nothing changed");
    assert_ne!(written, old);
    assert_eq!(card.uid().to_string(), NEW_UID);
}

#[test]
fn a_classic_is_encoded_and_pulled_and_finished() {
    encodes(Technology::MifareClassic1k);
}

#[test]
fn an_ultralight_is_encoded_and_pulled_and_finished() {
    encodes(Technology::MifareUltralight);
}

#[test]
fn an_ultralight_c_is_encoded_and_pulled_and_finished() {
    encodes(Technology::MifareUltralightC);
}

#[test]
fn an_ntag_with_two_copies_is_encoded_and_pulled_and_finished() {
    encodes(Technology::Ntag213);
}
