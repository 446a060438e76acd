//! The card is taken away at every exchange of an encode, or loses power inside a write. Whatever happens, a lock sees
//! the credential that was there, the new one, or none; nothing else on the card changes; and the same credential
//! presented again is finished, whether or not the journal still knows what was in flight.

use card::{CardFormat, CopyIndex, Credential, Purpose, Suspects};

use crate::encode::encoded;
use crate::field::{Encode, Ended, Fault, Field};
use crate::model::Size;
use crate::sectors::holding;
use crate::site::{guest, opened_rooms, with_doors};

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
    let credentials = [guest(1, 101), guest(2, 102), guest(8, 108)];
    starts_with(&credentials, &[7])
}

/// The same for credentials of so many doors, which take several sectors.
pub(crate) fn starts_in_sectors(doors: u32) -> Vec<Start> {
    let credentials =
        [(1, 101), (2, 102), (8, 108)].map(|(number, room)| with_doors(number, room, doors));
    let half: &[usize] = if doors == 0 {
        &[7, 11]
    } else {
        &[7, 11, 15, 19]
    };
    starts_with(&credentials, half)
}

/// Cards that two credentials were encoded on one after the other, and a third was going to be; `half` are the trailers that
/// were written when a preparation was broken off.
fn starts_with(credentials: &[Credential; 3], half: &[usize]) -> Vec<Start> {
    let [first, second, third] = credentials;
    let once = holding(Size::OneK, std::slice::from_ref(first));
    let twice = holding(Size::OneK, &[first.clone(), second.clone()]);
    let mut ndef = encoded(0);
    ndef.card.memory[4][..3].copy_from_slice(&[0x03, 0x00, 0xFE]);
    let mut half_prepared = encoded(0);
    for trailer in half {
        half_prepared.card.memory[*trailer] = once.card.memory[*trailer];
    }
    let mut prepared = once.clone();
    for block in (8..11).chain(16..19).chain(24..27) {
        prepared.card.memory[block] = [0; 16];
    }
    let mut starts = vec![
        Start::new("blank", encoded(0)),
        Start::new("blank with an empty NDEF message", ndef),
        Start::new("half prepared", half_prepared),
        Start::new("prepared and empty", prepared),
        Start::new("ours, copy B counts", once.clone()),
        Start::new("ours, copy A counts", twice.clone()),
    ];
    for before in [once, twice] {
        let (field, suspects) = two_valid_copies(before, third);
        starts.push(Start::new("two valid copies", field.clone()));
        starts.push(Start {
            suspects,
            ..Start::new("two valid copies, one suspect", field)
        });
    }
    starts
}

/// A card that was taken away just before its older copy would have been voided.
fn two_valid_copies(mut field: Field, newer: &Credential) -> (Field, Suspects) {
    let clean = exchanges(&field, newer, Suspects::NONE);
    field.present(Some((clean - 2, Fault::RemovedBefore)));
    let torn = field.encode(newer);
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
pub(crate) fn faults(
    field: &Field,
    credential: &Credential,
    suspects: Suspects,
) -> Vec<(usize, Fault)> {
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
    assert_only_the_placing_changed(&start.field, &field, credential, &case);
    (field, encode)
}

/// How many sectors of a 1K are prepared for a credential, those of both copies.
fn sectors(credential: &Credential) -> usize {
    match (credential.format, credential.doors.additional.len()) {
        (CardFormat::Rfid48, _) => 2,
        (CardFormat::TlCode, 0..=21) => 4,
        (CardFormat::TlCode, 22..=45) => 6,
        (CardFormat::TlCode, more) => panic!("nobody counted the sectors of {more} doors"),
    }
}

fn assert_only_the_placing_changed(
    before: &Field,
    after: &Field,
    credential: &Credential,
    case: &str,
) {
    for block in 0..256 {
        let ours = (1..=sectors(credential)).contains(&(block / 4));
        let prepared = before.card.memory[block | 3][6..9] == [0x78, 0x77, 0x88];
        let keeps_trailer = prepared && !opened_rooms(before).is_empty();
        assert!(
            ours && !(block % 4 == 3 && keeps_trailer)
                || before.card.memory[block] == after.card.memory[block],
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
                assert_torn_trailer(&field, credential, case);
                assert!(
                    matches!(refused, card::Refusal::Foreign { .. }),
                    "{case}: {refused}"
                );
            }
        }
    }
}

/// A blank card may be lost when a trailer was torn. Nothing of the credential is on it then.
fn assert_torn_trailer(field: &Field, credential: &Credential, case: &str) {
    let as_delivered = crate::model::transport_trailer();
    let whole = holding(Size::OneK, std::slice::from_ref(credential))
        .card
        .memory;
    let area = 4..(sectors(credential) + 1) * 4;
    let torn = area.clone().filter(|block| block % 4 == 3).any(|trailer| {
        let found = field.card.memory[trailer];
        found != as_delivered && found != whole[trailer]
    });
    assert!(torn, "{case}: refused though its trailers are whole");
    assert_eq!(opened_rooms(field), [] as [u32; 0], "{case}");
    // Block 4 may hold the empty NDEF message that was there.
    for block in area.filter(|block| block % 4 != 3 && *block != 4) {
        assert_eq!(field.card.memory[block], [0; 16], "{case}: block {block}");
    }
}

/// Pulls and tears the cards at every exchange of an encode, and returns in how many ways.
fn pull_everywhere(starts: Vec<Start>, new: &Credential, room: u32) -> usize {
    let mut cases = 0;
    for start in starts {
        for (at, fault) in faults(&start.field, new, start.suspects) {
            let (field, encode) = encode_with_fault(&start, new, room, at, fault);
            let case = format!("{}, {fault:?} at exchange {at}, again", start.name);
            let known = [encode.suspects, Suspects::NONE];
            finish(&field, new, room, &known, &case);
            cases += 1;
        }
    }
    cases
}

#[test]
fn a_card_pulled_at_any_exchange_holds_the_old_credential_the_new_one_or_none_and_is_finished_later()
 {
    let cases = pull_everywhere(starts(), &guest(9, 109), 109);
    assert!(cases > 500, "only {cases} cases");
}

#[test]
fn so_does_a_card_that_is_being_written_in_two_sectors_per_copy() {
    let cases = pull_everywhere(starts_in_sectors(0), &with_doors(9, 109, 0), 109);
    assert!(cases > 800, "only {cases} cases");
}

#[test]
fn so_does_a_card_that_is_being_written_in_three_sectors_per_copy() {
    let mut starts = starts_in_sectors(40);
    starts.retain(|start| ["half prepared", "ours, copy A counts"].contains(&start.name));
    let cases = pull_everywhere(starts, &with_doors(9, 109, 40), 109);
    assert!(cases > 250, "only {cases} cases");
}

#[test]
fn so_does_a_card_that_changes_its_format() {
    let starts: Vec<Start> = starts_in_sectors(0)
        .into_iter()
        .filter(|start| start.always_opens)
        .collect();
    let cases = pull_everywhere(starts, &guest(9, 109), 109);
    assert!(cases > 200, "only {cases} cases");
}

/// Pulls the cards within two encodes in a row, and returns in how many ways.
fn pull_twice(starts: Vec<Start>, second: &Credential, third: &Credential) -> usize {
    let mut cases = 0;
    for start in starts.into_iter().filter(|start| start.always_opens) {
        for at in 0..exchanges(&start.field, second, start.suspects) {
            let (field, encode) = encode_with_fault(&start, second, 108, at, Fault::RemovedAfter);
            if encode.suspects == start.suspects {
                continue;
            }
            let again = Start {
                suspects: encode.suspects,
                ..Start::new(start.name, field)
            };
            for at in 0..exchanges(&again.field, third, again.suspects) {
                for fault in [Fault::RemovedAfter, Fault::TornMix(5)] {
                    let (field, encode) = encode_with_fault(&again, third, 109, at, fault);
                    let case = format!("{}, pulled twice, {fault:?} at exchange {at}", start.name);
                    finish(&field, third, 109, &[encode.suspects], &case);
                    cases += 1;
                }
            }
        }
    }
    cases
}

#[test]
fn a_card_pulled_twice_in_a_row_never_shows_the_guest_before_the_last() {
    let cases = pull_twice(starts(), &guest(8, 108), &guest(9, 109));
    assert!(cases > 500, "only {cases} cases");
}

#[test]
fn nor_does_one_whose_copies_have_several_sectors() {
    let mut starts = starts_in_sectors(0);
    starts.retain(|start| start.name.starts_with("ours"));
    let cases = pull_twice(starts, &with_doors(8, 108, 0), &with_doors(9, 109, 0));
    assert!(cases > 500, "only {cases} cases");
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
