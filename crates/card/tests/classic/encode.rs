//! Encoding on a card that stays where it is: what it costs and what it leaves.

use card::{
    AdditionalDoor, Command, Condition, CopyIndex, Inspect, Phase, PlanOptions, PresentedCard,
    Procedure, Purpose, Refusal, Reply, Step, Suspects, Write, plan,
};

use crate::field::{Ended, Field};
use crate::model::transport_trailer;
use crate::site::{ENCODE, door, entropy, guest, keys, opened_rooms};

/// A card that has been encoded `times` times, each time for another room from 101 up.
pub(crate) fn encoded(times: u32) -> Field {
    let mut field = Field::blank();
    for at in 0..times {
        field.present(None);
        field.encode(&guest(at + 1, 101 + at)).ended.done().unwrap();
    }
    field.present(None);
    field
}

#[test]
fn each_encode_takes_the_fewest_exchanges() {
    let cost = |mut field: Field, number, room| {
        field.encode(&guest(number, room)).ended.done().unwrap();
        (field.exchanges, field.written.clone())
    };
    // 1 refused key, 2 authentications, 2 × 3 blocks and 2 trailers read; then 2 trailers written, 3 authentications,
    // 3 blocks written and read back.
    let (exchanges, written) = cost(encoded(0), 1, 101);
    assert_eq!(
        (exchanges, &written[..]),
        (22, &[7, 11, 9, 10, 8][..]),
        "blank"
    );
    // 2 authentications, 3 + 1 blocks read; 3 written, 3 read back; 1 authentication, 1 zeroed, 1 read back.
    let (exchanges, written) = cost(encoded(1), 2, 102);
    assert_eq!(
        (exchanges, &written[..]),
        (15, &[5, 6, 4, 8][..]),
        "copy B counts"
    );
    // The same, and one authentication to come back to sector 2.
    let (exchanges, written) = cost(encoded(2), 3, 103);
    assert_eq!(
        (exchanges, &written[..]),
        (16, &[9, 10, 8, 4][..]),
        "copy A counts"
    );
    for times in [1, 2] {
        let (exchanges, written) = cost(encoded(times), times, 100 + times);
        assert_eq!((exchanges, written.len()), (6, 0), "unchanged");
    }
}

#[test]
fn a_blank_card_becomes_ours_and_opens_its_door() {
    let mut field = encoded(0);
    let done = field.encode(&guest(1, 101)).ended.done().unwrap();
    assert_eq!(
        (done.copy, done.sequence.get(), done.writes),
        (CopyIndex::B, 1, 5)
    );
    assert_eq!(opened_rooms(&field), [101]);
    for sector in [1, 2] {
        let trailer = field.card.memory[sector * 4 + 3];
        assert_eq!(trailer[6..10], [0x78, 0x77, 0x88, 0x69]);
        assert_ne!(trailer[..6], [0xFF; 6]);
        assert_ne!(trailer[10..], [0xFF; 6]);
        assert_ne!(trailer[..6], trailer[10..]);
    }
}

#[test]
fn every_encode_takes_the_other_copy_with_the_next_sequence_and_voids_the_older() {
    let mut field = encoded(0);
    for (at, copy) in [CopyIndex::B, CopyIndex::A, CopyIndex::B, CopyIndex::A]
        .into_iter()
        .enumerate()
    {
        let room = 101 + at as u32;
        field.present(None);
        let done = field.encode(&guest(9, room)).ended.done().unwrap();
        assert_eq!(
            (done.copy, usize::from(done.sequence.get())),
            (copy, at + 1)
        );
        assert_eq!(opened_rooms(&field), [room]);
        let older = copy.other().number() as usize * 4 + 4;
        assert_eq!(
            field.card.memory[older], [0; 16],
            "the older copy's first block"
        );
    }
}

#[test]
fn nothing_outside_the_two_sectors_changes() {
    let mut field = encoded(0);
    for (at, block) in field.card.memory.iter_mut().enumerate().skip(12) {
        if at % 4 != 3 {
            *block = [at as u8; 16];
        }
    }
    let before = field.card.memory;
    for room in [101, 102, 103] {
        field.present(None);
        field.encode(&guest(room, room)).ended.done().unwrap();
        assert_eq!(field.card.memory[..4], before[..4]);
        assert_eq!(field.card.memory[12..], before[12..]);
    }
}

#[test]
fn an_unchanged_credential_is_verified_without_a_write() {
    let mut field = encoded(1);
    let Ended::Done(Ok(plan)) = field.plan(&guest(1, 101), &PlanOptions::default()) else {
        panic!("a card of ours can be planned for")
    };
    assert!(plan.is_noop());
    assert_eq!(plan.overwrites(), Some(&guest(1, 101)));
    let done = field
        .run(&mut Write::new(plan, &keys(), entropy()))
        .done()
        .unwrap();
    assert_eq!(
        (done.writes, done.sequence.get(), done.copy),
        (0, 1, CopyIndex::B)
    );
}

#[test]
fn an_unchanged_credential_on_a_suspect_copy_is_written_to_the_other_and_the_suspect_is_zeroed() {
    let mut field = encoded(1);
    let done = field
        .encode_doubting(&guest(1, 101), Suspects::NONE.with(CopyIndex::B))
        .ended
        .done()
        .unwrap();
    assert_eq!((done.copy, done.sequence.get()), (CopyIndex::A, 2));
    assert_eq!(field.written, [5, 6, 4, 8]);
    assert_eq!(field.card.memory[8], [0; 16]);
}

#[test]
fn with_a_suspect_and_no_valid_copy_both_are_zeroed_or_overwritten_and_the_sequence_starts_at_1() {
    let mut field = encoded(2);
    field.card.memory[6][15] ^= 1;
    let done = field
        .encode_doubting(&guest(5, 105), Suspects::NONE.with(CopyIndex::A))
        .ended
        .done()
        .unwrap();
    assert_eq!(done.sequence.get(), 1);
    assert_eq!(opened_rooms(&field), [105]);
    let other = match done.copy {
        CopyIndex::A => 8,
        CopyIndex::B => 4,
    };
    assert_eq!(
        field.written[0], other,
        "the other copy is zeroed before anything is written"
    );
    assert_eq!(field.card.memory[usize::from(other)], [0; 16]);
}

#[test]
fn the_digest_follows_the_credential_and_the_place_and_tells_when_it_is_there() {
    let digest = |field: &mut Field, number| {
        let plan = field.plan(&guest(number, 101), &PlanOptions::default());
        field.present(None);
        plan.done().unwrap().digest()
    };
    let mut field = encoded(1);
    assert_eq!(digest(&mut field, 2), digest(&mut field, 2));
    assert_ne!(digest(&mut field, 2), digest(&mut field, 3));
    let planned = digest(&mut field, 2);
    let holds = |field: &mut Field| {
        field.present(None);
        field.inspect(Purpose::Scan).done().unwrap().holds(&planned)
    };
    assert!(!holds(&mut field));
    field.present(None);
    field.encode(&guest(2, 101)).ended.done().unwrap();
    assert!(holds(&mut field));
}

#[test]
fn a_blank_card_is_refused_where_the_configuration_forbids_it() {
    let mut field = encoded(0);
    let before = field.card.memory;
    let options = PlanOptions {
        personalise_blank: false,
        suspects: Suspects::NONE,
    };
    let refused = field.plan(&guest(1, 101), &options).done().unwrap_err();
    assert_eq!(refused, Refusal::BlankNotAllowed);
    assert_eq!(field.card.memory, before);
}

#[test]
fn a_credential_that_does_not_fit_is_refused_before_the_first_write() {
    let mut field = encoded(0);
    let mut credential = guest(1, 101);
    credential.doors.additional = (1..=8)
        .map(|at| AdditionalDoor::Guest(door(at * 10)))
        .collect();
    let refused = field.encode(&credential).ended.done().unwrap_err();
    assert!(matches!(refused, Refusal::DoesNotFit { .. }), "{refused}");
    assert!(field.written.is_empty());
}

#[test]
fn a_card_swapped_after_the_inspection_is_not_written() {
    let mut field = encoded(1);
    let planned = field
        .plan(&guest(2, 102), &PlanOptions::default())
        .done()
        .unwrap();
    let mut other = Field::new(crate::model::Classic::blank(
        crate::model::Size::OneK,
        &[0x04, 0, 0, 1],
    ));
    let before = other.card.memory;
    let refused = other
        .run(&mut Write::new(planned, &keys(), entropy()))
        .done()
        .unwrap_err();
    assert_eq!(refused, Refusal::Swapped);
    assert_eq!(other.card.memory, before);
}

#[test]
fn an_encoder_that_lost_the_open_sector_meanwhile_opens_it_again() {
    let mut field = encoded(1);
    let planned = field
        .plan(&guest(2, 102), &PlanOptions::default())
        .done()
        .unwrap();
    field.card.select();
    let done = field
        .run(&mut Write::new(planned, &keys(), entropy()))
        .done()
        .unwrap();
    assert_eq!(done.writes, 4);
    assert_eq!(opened_rooms(&field), [102]);
}

#[test]
fn a_write_that_the_card_refuses_ends_the_writing() {
    let mut field = encoded(1);
    let planned = field
        .plan(&guest(2, 102), &PlanOptions::default())
        .done()
        .unwrap();
    let mut write = Write::new(planned, &keys(), entropy());
    assert!(matches!(write.next(None), Step::Exchange(..)));
    assert!(matches!(write.next(Some(Reply::Done)), Step::Exchange(..)));
    let Step::Exchange(Command::Reselect, _) = write.next(Some(Reply::Refused)) else {
        panic!("a refused card is selected again, to see whether it is still there")
    };
    let Step::Done(Err(refused)) = write.next(Some(Reply::Reselected(field.presented()))) else {
        panic!("a refused write is not tried again")
    };
    assert_eq!(
        refused,
        Refusal::CardRefused {
            doing: "take a block"
        }
    );
}

#[test]
fn what_was_read_back_wrong_is_not_verified() {
    let mut field = encoded(1);
    let planned = field
        .plan(&guest(2, 102), &PlanOptions::default())
        .done()
        .unwrap();
    let mut write = Write::new(planned, &keys(), entropy());
    let mut last = None;
    for _ in 0..3 {
        assert!(matches!(write.next(last.take()), Step::Exchange(..)));
        last = Some(Reply::Done);
    }
    assert!(matches!(write.next(last), Step::Exchange(..)));
    assert_eq!(write.progress().phase, Phase::Verifying);
    let Step::Done(Err(refused)) = write.next(Some(Reply::Data(vec![0; 16]))) else {
        panic!("zeros are not what was written")
    };
    assert_eq!(refused, Refusal::NotVerified);
}

#[test]
fn an_answer_that_makes_no_sense_ends_every_procedure() {
    let card = encoded(0).presented();
    let nonsense: [fn() -> Option<Reply>; 4] = [
        || None,
        || Some(Reply::Data(vec![1])),
        || {
            Some(Reply::Reselected(PresentedCard {
                uid: "00000000".parse().unwrap(),
                answer: card::SelectAnswer::Atr(Vec::new()),
            }))
        },
        || Some(Reply::Data(vec![0; 17])),
    ];
    for answer in nonsense {
        let mut inspect = Inspect::new(card.clone(), &keys(), Purpose::Scan, entropy()).unwrap();
        assert!(matches!(inspect.next(None), Step::Exchange(..)));
        assert!(matches!(
            inspect.next(answer()),
            Step::Done(Err(Refusal::Nonsense { .. }))
        ));
        assert!(matches!(
            inspect.next(Some(Reply::Done)),
            Step::Done(Err(Refusal::Nonsense { .. }))
        ));
    }
}

#[test]
fn a_blank_card_with_an_empty_ndef_message_is_blank_and_ends_clean() {
    let mut field = encoded(0);
    field.card.memory[4][..3].copy_from_slice(&[0x03, 0x00, 0xFE]);
    let found = field.inspect(ENCODE).done().unwrap();
    assert_eq!(found.condition(), Condition::Blank);
    let planned = plan(&found, &guest(1, 101), &keys(), &PlanOptions::default()).unwrap();
    let digest = planned.digest();
    field
        .run(&mut Write::new(planned, &keys(), entropy()))
        .done()
        .unwrap();
    assert_eq!(opened_rooms(&field), [101]);
    field.present(None);
    assert!(field.inspect(Purpose::Scan).done().unwrap().holds(&digest));
}

#[test]
fn a_half_prepared_card_is_finished() {
    let whole = encoded(1);
    for (done, missing) in [(7, 11), (11, 7)] {
        let mut field = encoded(0);
        field.card.memory[done] = whole.card.memory[done];
        let found = field.inspect(Purpose::Scan).done().unwrap();
        assert_eq!(found.condition(), Condition::Torn);
        field.present(None);
        field.encode(&guest(1, 101)).ended.done().unwrap();
        assert_eq!(opened_rooms(&field), [101]);
        assert_ne!(field.card.memory[missing], transport_trailer());
        // It was in flight, and may have been written weakly.
        assert!(field.written.contains(&(done as u8)), "{:?}", field.written);
    }
}
