//! The card is taken away at every exchange of an encode, or loses power inside a write. Whatever happens, a lock sees
//! the credential that was there, the new one, or none; nothing else on the card changes; and the same credential
//! presented again is finished, whether or not the journal still knows what was in flight.

use card::{AdditionalDoor, CopyIndex, Credential, Purpose, Suspects};

use crate::encode::encoded;
use crate::field::{Encode, Ended, Fault, Field};
use crate::site::{door, guest, opened_rooms};

/// What can happen at any exchange.
const REMOVED: [Fault; 2] = [Fault::RemovedBefore, Fault::RemovedAfter];

/// What can happen at a write besides.
const TORN: [Fault; 5] = [
    Fault::TornMix(1),
    Fault::TornMix(2),
    Fault::TornMix(3),
    Fault::TornNoise(1),
    Fault::TornNoise(2),
];

/// A card to begin with.
#[derive(Clone)]
pub(crate) struct Start {
    pub(crate) name: &'static str,
    pub(crate) field: Field,
    pub(crate) suspects: Suspects,
    /// Whether some lock opens throughout: a credential that was there is never lost, only replaced.
    pub(crate) always_opens: bool,
}

impl Start {
    fn new(name: &'static str, field: Field) -> Self {
        Self {
            name,
            always_opens: !opened_rooms(&field).is_empty(),
            field,
            suspects: Suspects::NONE,
        }
    }
}

pub(crate) fn starts() -> Vec<Start> {
    let mut ndef = encoded(0);
    ndef.card.memory[4][..3].copy_from_slice(&[0x03, 0x00, 0xFE]);
    let mut half_prepared = encoded(0);
    half_prepared.card.memory[7] = encoded(1).card.memory[7];
    let mut prepared = encoded(1);
    prepared.card.memory[8..11].fill([0; 16]);
    let mut starts = vec![
        Start::new("blank", encoded(0)),
        Start::new("blank with an empty NDEF message", ndef),
        Start::new("half prepared", half_prepared),
        Start::new("prepared and empty", prepared),
        Start::new("ours, copy B counts", encoded(1)),
        Start::new("ours, copy A counts", encoded(2)),
    ];
    for times in [1, 2] {
        let (field, suspects) = two_valid_copies(times);
        starts.push(Start::new("two valid copies", field.clone()));
        starts.push(Start {
            suspects,
            ..Start::new("two valid copies, one suspect", field)
        });
    }
    starts
}

/// A card that was taken away just before its older copy would have been voided.
fn two_valid_copies(times: u32) -> (Field, Suspects) {
    let mut field = encoded(times);
    let clean = exchanges(&field, &guest(8, 108), Suspects::NONE);
    field.present(Some((clean - 2, Fault::RemovedBefore)));
    let torn = field.encode(&guest(8, 108));
    assert!(matches!(torn.ended, Ended::Gone));
    let mut both = field.clone();
    both.present(None);
    let found = both.inspect(Purpose::Scan).done().unwrap();
    assert!(
        CopyIndex::BOTH
            .iter()
            .all(|copy| found.copy(*copy).is_some())
    );
    field.present(None);
    (field, torn.suspects)
}

/// How many exchanges the encode takes when nothing happens.
fn exchanges(field: &Field, credential: &Credential, suspects: Suspects) -> usize {
    let mut field = field.clone();
    field.present(None);
    field
        .encode_doubting(credential, suspects)
        .ended
        .done()
        .unwrap();
    field.exchanges
}

/// Every fault at every exchange that the encode takes when nothing happens.
fn faults(field: &Field, credential: &Credential, suspects: Suspects) -> Vec<(usize, Fault)> {
    let mut field = field.clone();
    field.present(None);
    field
        .encode_doubting(credential, suspects)
        .ended
        .done()
        .unwrap();
    let removed = (0..field.exchanges).flat_map(|at| REMOVED.map(|fault| (at, fault)));
    let torn = field
        .writes_at
        .iter()
        .flat_map(|at| TORN.map(|fault| (*at, fault)));
    removed.chain(torn).collect()
}

/// Encodes with a fault and checks what must hold at once.
fn encode_with_fault(
    start: &Start,
    credential: &Credential,
    room: u32,
    at: usize,
    fault: Fault,
) -> (Field, Encode) {
    let before = opened_rooms(&start.field);
    let mut field = start.field.clone();
    field.present(Some((at, fault)));
    let encode = field.encode_doubting(credential, start.suspects);
    let case = format!("{}, {fault:?} at exchange {at}", start.name);
    assert!(matches!(encode.ended, Ended::Gone), "{case}");
    let after = opened_rooms(&field);
    assert!(
        after == before || after == [room] || (after.is_empty() && !start.always_opens),
        "{case}: opened {before:?} before and opens {after:?}"
    );
    assert_only_the_placing_changed(&start.field, &field, &case);
    (field, encode)
}

fn assert_only_the_placing_changed(before: &Field, after: &Field, case: &str) {
    let prepared = [7, 11].map(|trailer| before.card.memory[trailer][6..9] == [0x78, 0x77, 0x88]);
    for block in 0..64 {
        let ours = match block {
            4..=6 | 8..=10 => true,
            7 => !prepared[0],
            11 => !prepared[1],
            _ => false,
        };
        assert!(
            ours || before.card.memory[block] == after.card.memory[block],
            "{case}: block {block} changed"
        );
    }
}

/// Presents the card again, with and without what the journal knows, and expects the encode to end well.
fn finish(field: &Field, credential: &Credential, room: u32, known: &[Suspects], case: &str) {
    for suspects in known {
        let mut field = field.clone();
        field.present(None);
        match field.encode_doubting(credential, *suspects).ended.done() {
            Ok(done) => {
                assert_eq!(opened_rooms(&field), [room], "{case}");
                let other = done.copy.other().number() as usize * 4 + 4;
                assert_eq!(
                    field.card.memory[other], [0; 16],
                    "{case}: the other copy is void"
                );
            }
            Err(refused) => {
                assert_torn_trailer(&field, case);
                assert!(
                    matches!(refused, card::Refusal::Foreign { .. }),
                    "{case}: {refused}"
                );
            }
        }
    }
}

/// A blank card may be lost when a trailer was torn. Nothing of the credential is on it then.
fn assert_torn_trailer(field: &Field, case: &str) {
    let as_delivered = crate::model::transport_trailer();
    let whole = encoded(1).card.memory;
    let torn = [7, 11].iter().any(|trailer| {
        let found = field.card.memory[*trailer];
        found != as_delivered && found != whole[*trailer]
    });
    assert!(torn, "{case}: refused though its trailers are whole");
    assert_eq!(opened_rooms(field), [] as [u32; 0], "{case}");
    for block in [5, 6, 8, 9, 10] {
        assert_eq!(field.card.memory[block], [0; 16], "{case}: block {block}");
    }
}

#[test]
fn a_card_pulled_at_any_exchange_holds_the_old_credential_the_new_one_or_none_and_is_finished_later()
 {
    let (new, room) = (guest(9, 109), 109);
    let mut cases = 0;
    for start in starts() {
        for (at, fault) in faults(&start.field, &new, start.suspects) {
            let (field, encode) = encode_with_fault(&start, &new, room, at, fault);
            let case = format!("{}, {fault:?} at exchange {at}, again", start.name);
            finish(
                &field,
                &new,
                room,
                &[encode.suspects, Suspects::NONE],
                &case,
            );
            cases += 1;
        }
    }
    assert!(cases > 500, "only {cases} cases");
}

#[test]
fn a_card_pulled_twice_in_a_row_never_shows_the_guest_before_the_last() {
    let (second, third) = (guest(8, 108), guest(9, 109));
    let mut cases = 0;
    for start in starts().into_iter().filter(|start| start.always_opens) {
        for at in 0..exchanges(&start.field, &second, start.suspects) {
            let (field, encode) = encode_with_fault(&start, &second, 108, at, Fault::RemovedAfter);
            if encode.suspects == start.suspects {
                continue;
            }
            let again = Start {
                suspects: encode.suspects,
                ..Start::new(start.name, field)
            };
            for at in 0..exchanges(&again.field, &third, again.suspects) {
                for fault in [Fault::RemovedAfter, Fault::TornMix(5)] {
                    let (field, encode) = encode_with_fault(&again, &third, 109, at, fault);
                    let case = format!("{}, pulled twice, {fault:?} at exchange {at}", start.name);
                    finish(&field, &third, 109, &[encode.suspects], &case);
                    cases += 1;
                }
            }
        }
    }
    assert!(cases > 500, "only {cases} cases");
}

/// The remains of a voided credential lie in blocks 2 and 3 of its copy. A new version of the same credential with
/// the same sequence has the same first block; that block must not bring the remains back to life.
#[test]
fn the_remains_of_a_voided_credential_do_not_come_back_while_its_successor_is_written() {
    let version = |room| {
        let mut credential = guest(1, 101);
        credential.doors.additional = [104, 105, 106, room]
            .map(|room| AdditionalDoor::Guest(door(room)))
            .to_vec();
        credential
    };
    let mut field = encoded(1);
    field.card.memory[8] = [0; 16];
    field.encode(&version(107)).ended.done().unwrap();
    field.card.memory[4] = [0; 16];
    assert_eq!(opened_rooms(&field), [] as [u32; 0]);
    let new = version(108);
    for (at, fault) in faults(&field, &new, Suspects::NONE) {
        let mut torn = field.clone();
        torn.present(Some((at, fault)));
        torn.encode(&new);
        let opened = opened_rooms(&torn);
        assert!(
            opened.is_empty() || opened == [101, 104, 105, 106, 108],
            "{fault:?} at exchange {at}: {opened:?}"
        );
    }
    field.present(None);
    let done = field.encode(&new).ended.done().unwrap();
    assert_eq!(
        (done.copy, done.sequence.get()),
        (CopyIndex::A, 1),
        "the case that is meant"
    );
}

#[test]
fn what_was_in_flight_can_be_told_from_the_digest_when_the_card_comes_back() {
    let field = encoded(1);
    let new = guest(9, 109);
    let digest = {
        let mut field = field.clone();
        field
            .plan(&new, &card::PlanOptions::default())
            .done()
            .unwrap()
            .digest()
    };
    let total = exchanges(&field, &new, Suspects::NONE);
    let holds: Vec<bool> = (0..total)
        .map(|at| {
            let mut field = field.clone();
            field.present(Some((at, Fault::RemovedAfter)));
            field.encode(&new);
            field.present(None);
            field.inspect(Purpose::Scan).done().unwrap().holds(&digest)
        })
        .collect();
    // Done is done only once the older copy is void: that is the last write, before the last read.
    let written = holds.iter().position(|held| *held).unwrap();
    assert_eq!(written, total - 2, "{holds:?}");
    assert!(holds[written..].iter().all(|held| *held));
}
