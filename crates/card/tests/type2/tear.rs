//! The card is taken away at every exchange of an encode, or loses power inside a write. Whatever happens, a lock sees
//! the credential that was there, the new one, or none; nothing else on the card changes; and the same credential
//! presented again is finished. A placing with one copy may be left with none.

use card::{CardFormat, CopyIndex, Credential, Purpose, Refusal, Suspects, Technology};

use crate::encode::{encoded, placings};
use crate::field::{Encode, Ended, Fault, Field};
use crate::site::{guest, opened_rooms};

/// What can happen at any exchange.
const REMOVED: [Fault; 2] = [Fault::RemovedBefore, Fault::RemovedAfter];

/// What can happen at a write besides.
const TORN: [Fault; 6] = [
    Fault::TornMix(1),
    Fault::TornMix(2),
    Fault::TornNoise(1),
    Fault::TornNoise(2),
    Fault::WeakOld,
    Fault::WeakNew,
];

/// A card to begin with.
#[derive(Clone)]
pub(crate) struct Start {
    pub(crate) name: String,
    pub(crate) field: Field,
    pub(crate) suspects: Suspects,
}

impl Start {
    fn new(name: &str, field: Field) -> Self {
        Self {
            name: name.to_owned(),
            field,
            suspects: Suspects::NONE,
        }
    }

    /// Whether some lock opens now.
    pub(crate) fn opens(&self) -> bool {
        !opened_rooms(&self.field).is_empty()
    }
}

/// Cards that never had a credential.
fn blanks(technology: Technology) -> Vec<Start> {
    let mut ndef = Field::blank(technology);
    ndef.card.memory[4..6].copy_from_slice(&[[0x01, 0x03, 0xA0, 0x0C], [0x34, 0x03, 0x00, 0xFE]]);
    vec![
        Start::new("blank", Field::blank(technology)),
        Start::new("blank with an empty NDEF message", ndef),
    ]
}

/// Cards with a credential, and cards on which one was.
pub(crate) fn used(technology: Technology, format: CardFormat) -> Vec<Start> {
    let mut empty = encoded(technology, format, 1);
    empty.card.memory[4..=usize::from(empty.card.sheet.user)].fill([0; 4]);
    let mut starts = vec![
        Start::new("ours, written once", encoded(technology, format, 1)),
        Start::new("ours, written twice", encoded(technology, format, 2)),
        Start::new("prepared and empty", empty),
    ];
    if technology.copies().len() == 2 {
        for times in [1, 2] {
            let (field, suspects) = two_valid_copies(technology, format, times);
            starts.push(Start::new("two valid copies", field.clone()));
            starts.push(Start {
                suspects,
                ..Start::new("two valid copies, one suspect", field)
            });
        }
    }
    starts
}

/// A card that was taken away just before its older copy would have been voided.
fn two_valid_copies(technology: Technology, format: CardFormat, times: u32) -> (Field, Suspects) {
    let mut field = encoded(technology, format, times);
    let clean = disturbable(&field, &guest(format, 8, 108), Suspects::NONE).exchanges;
    field.present(Some((clean - 2, Fault::RemovedBefore)));
    let torn = field.encode(&guest(format, 8, 108));
    assert!(matches!(torn.ended, Ended::Gone));
    field.present(None);
    let found = field.inspect(Purpose::Scan).done().unwrap();
    assert!(CopyIndex::BOTH.map(|copy| found.copy(copy).is_some()) == [true; 2]);
    field.present(None);
    (field, torn.suspects)
}

/// The field after the encode that nothing disturbs: how many exchanges it took, and at which it wrote.
pub(crate) fn disturbable(field: &Field, credential: &Credential, suspects: Suspects) -> Field {
    let mut field = field.clone();
    field.present(None);
    let encode = field.encode_doubting(credential, suspects);
    encode.ended.done().unwrap();
    field
}

/// Every fault at every exchange that the encode takes when nothing happens.
fn faults(start: &Start, credential: &Credential) -> Vec<(usize, Fault)> {
    let field = disturbable(&start.field, credential, start.suspects);
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
    (at, fault): (usize, Fault),
) -> (Field, Encode) {
    let mut field = start.field.clone();
    let before = opened_rooms(&field);
    // What an earlier tear has left may read otherwise without anybody doing anything.
    let before_later = {
        let mut later = field.clone();
        later.card.turn_weak_cells();
        opened_rooms(&later)
    };
    field.present(Some((at, fault)));
    let encode = field.encode_doubting(credential, start.suspects);
    let case = format!("{}, {fault:?} at exchange {at}", start.name);
    assert!(matches!(encode.ended, Ended::Gone), "{case}");
    let one_copy = field.card.sheet.technology.copies().len() == 1;
    for later in [false, true] {
        if later && !field.card.turn_weak_cells() {
            break;
        }
        let after = opened_rooms(&field);
        assert!(
            after == before
                || after == before_later
                || after == [room]
                || (after.is_empty() && (one_copy || !start.opens() || before != before_later)),
            "{case}: opened {before:?} before and opens {after:?}, later: {later}"
        );
        assert_only_the_placing_changed(&start.field, &field, &case);
    }
    field.card.turn_weak_cells();
    field.present(None);
    (field, encode)
}

/// The keys and AUTH0 may change besides, as long as there is no credential.
fn assert_only_the_placing_changed(before: &Field, after: &Field, case: &str) {
    let sheet = before.card.sheet;
    let has_credential = !opened_rooms(before).is_empty();
    for page in 0..sheet.pages {
        let is_placing = (4..=sheet.user).contains(&page);
        let is_key = match sheet.cfg0 {
            Some(cfg0) => page == cfg0 || page >= cfg0 + 2,
            None => page == 0x2A || page >= 0x2C,
        };
        let at = usize::from(page);
        assert!(
            is_placing
                || (is_key && !has_credential)
                || before.card.memory[at] == after.card.memory[at],
            "{case}: page {page:02X}h changed"
        );
    }
}

/// What a card that is presented again comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Again {
    Finished,
    Refused,
}

/// Presents the card again, as it reads now and as its weak cells read later, and expects the encode to end well.
fn finish(field: &Field, new: (&Credential, u32), suspects: Suspects, case: &str) -> Again {
    let mut worst = Again::Finished;
    for later in [false, true] {
        let mut field = field.clone();
        if later && !field.card.turn_weak_cells() {
            break;
        }
        field.present(None);
        match field.encode_doubting(new.0, suspects).ended.done() {
            Ok(_) => {
                assert_eq!(opened_rooms(&field), [new.1], "{case}");
                if suspects != Suspects::NONE && field.card.turn_weak_cells() {
                    assert_eq!(opened_rooms(&field), [new.1], "{case}, and later");
                }
            }
            Err(Refusal::Foreign { .. }) => worst = Again::Refused,
            Err(other) => panic!("{case}: {other}"),
        }
    }
    worst
}

/// Every fault at every exchange, from every start, on one placing: how many cases that are.
fn table(technology: Technology, format: CardFormat) -> usize {
    let new = guest(format, 9, 109);
    let protects = technology != Technology::MifareUltralight;
    let mut cases = 0;
    for start in blanks(technology)
        .into_iter()
        .chain(used(technology, format))
    {
        for fault in faults(&start, &new) {
            let (field, encode) = encode_with_fault(&start, &new, 109, fault);
            let case = format!("{technology}, {format}, {}, {fault:?}, again", start.name);
            let known = finish(&field, (&new, 109), encode.suspects, &case);
            assert_eq!(known, Again::Finished, "{case}");
            if encode.suspects != Suspects::NONE {
                let forgotten = finish(&field, (&new, 109), Suspects::NONE, &case);
                assert!(
                    forgotten == Again::Finished || !protects,
                    "{case}, without the journal"
                );
            }
            cases += 1;
        }
    }
    cases
}

/// One test per placing, so that they run beside each other; each holds the size of its table.
macro_rules! a_card_pulled_at_any_exchange_holds_the_old_credential_the_new_one_or_none_and_is_finished_later {
    ($($name:ident: $technology:ident, $format:ident, $cases:literal;)*) => {
        $(
            #[test]
            fn $name() {
                assert_eq!(table(Technology::$technology, CardFormat::$format), $cases);
            }
        )*
    };
}

a_card_pulled_at_any_exchange_holds_the_old_credential_the_new_one_or_none_and_is_finished_later! {
    ultralight_rfid48: MifareUltralight, Rfid48, 458;
    ultralight_ev1_48_rfid48: MifareUltralightEv1_48, Rfid48, 478;
    ultralight_ev1_128_rfid48: MifareUltralightEv1_128, Rfid48, 1_098;
    ultralight_ev1_128_tlcode: MifareUltralightEv1_128, TlCode, 1_396;
    ultralight_c_rfid48: MifareUltralightC, Rfid48, 1_278;
    ultralight_c_tlcode: MifareUltralightC, TlCode, 1_604;
    ntag213_rfid48: Ntag213, Rfid48, 1_102;
    ntag213_tlcode: Ntag213, TlCode, 1_400;
    ntag215_rfid48: Ntag215, Rfid48, 1_122;
    ntag215_tlcode: Ntag215, TlCode, 1_420;
    ntag216_rfid48: Ntag216, Rfid48, 1_146;
    ntag216_tlcode: Ntag216, TlCode, 1_444;
}

#[test]
fn every_placing_has_its_table() {
    assert_eq!(placings().len(), 12);
}

/// The remains of a voided credential lie behind the first page of its copy. A new version of the same credential with the
/// same sequence has the same first page; that page must not bring the remains back to life.
#[test]
fn the_remains_of_a_voided_credential_do_not_come_back_while_its_successor_is_written() {
    let mut field = encoded(Technology::Ntag213, CardFormat::Rfid48, 1);
    let a = field.card.memory[4];
    field.card.memory[4] = [0; 4];
    assert_eq!(opened_rooms(&field), [] as [u32; 0]);
    let new = guest(CardFormat::Rfid48, 1, 102);
    let start = Start::new("voided", field);
    for fault in faults(&start, &new) {
        let mut torn = start.field.clone();
        torn.present(Some(fault));
        torn.encode(&new);
        let opened = opened_rooms(&torn);
        assert!(
            opened.is_empty() || opened == [102],
            "{fault:?}: {opened:?}"
        );
    }
    let mut field = start.field.clone();
    field.encode(&new).ended.done().unwrap();
    assert_eq!(field.card.memory[4], a, "the case that is meant");
}

/// Two encodes in a row are cut off, the second one from every state that the first can leave.
#[test]
fn a_card_pulled_twice_in_a_row_never_shows_the_guest_before_the_last() {
    let (second, third) = (
        guest(CardFormat::Rfid48, 8, 108),
        guest(CardFormat::Rfid48, 9, 109),
    );
    let mut cases = 0;
    for technology in [
        Technology::MifareUltralight,
        Technology::MifareUltralightEv1_48,
        Technology::Ntag213,
    ] {
        let start = Start::new("ours", encoded(technology, CardFormat::Rfid48, 1));
        let writes = disturbable(&start.field, &second, Suspects::NONE).writes_at;
        for first in writes.iter().flat_map(|at| TORN.map(|fault| (*at, fault))) {
            let (field, encode) = encode_with_fault(&start, &second, 108, first);
            let again = Start {
                suspects: encode.suspects,
                ..Start::new("torn before", field)
            };
            for at in disturbable(&again.field, &third, again.suspects).writes_at {
                let fault = (at, Fault::TornMix(5));
                let (field, encode) = encode_with_fault(&again, &third, 109, fault);
                let case = format!("{technology}, {first:?}, then {fault:?}");
                let end = finish(&field, (&third, 109), encode.suspects, &case);
                assert_eq!(end, Again::Finished, "{case}");
                cases += 1;
            }
        }
    }
    assert!(cases > 1_000, "only {cases} cases");
}
