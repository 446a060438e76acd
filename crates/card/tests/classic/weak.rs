//! Blocks that lost power while they were written and read well once and otherwise later. As long as the journal has
//! its doubts, an encode that ends well leaves a card on which no such block matters any more.

use card::{CopyIndex, Credential, Purpose, Suspects};

use crate::encode::encoded;
use crate::field::{Ended, Fault, Field, ReadsAs};
use crate::site::{guest, opened_rooms, with_doors};
use crate::tear::{Start, starts, starts_in_sectors};

const A: Suspects = Suspects::NONE.with(CopyIndex::A);

/// Encodes on the card as it lies there now, with a fault.
fn pulled(
    field: &mut Field,
    credential: &Credential,
    suspects: Suspects,
    at: usize,
    fault: Fault,
) -> Suspects {
    field.present(Some((at, fault)));
    let encode = field.encode_doubting(credential, suspects);
    assert!(matches!(encode.ended, Ended::Gone));
    encode.suspects
}

/// The exchanges at which an encode that nobody interrupts writes data blocks.
fn data_writes(field: &Field, credential: &Credential, suspects: Suspects) -> Vec<usize> {
    let mut field = field.clone();
    field.present(None);
    field
        .encode_doubting(credential, suspects)
        .ended
        .done()
        .unwrap();
    let is_data = |(block, _): &(&u8, &usize)| **block % 4 != 3;
    let writes = field.written.iter().zip(&field.writes_at);
    writes.filter(is_data).map(|(_, at)| *at).collect()
}

/// Encodes to the end, and expects the card to open the room and no other, whatever its weak cells do afterwards.
fn finish(field: &mut Field, credential: &Credential, suspects: Suspects, room: u32, case: &str) {
    field.present(None);
    let encode = field.encode_doubting(credential, suspects);
    encode.ended.done().unwrap();
    assert_eq!(opened_rooms(field), [room], "{case}");
    field.card.turn_weak_cells();
    assert_eq!(opened_rooms(field), [room], "{case}, and later");
}

#[test]
fn a_credential_that_stands_on_a_copy_of_an_earlier_doubt_is_written_anew() {
    let mut field = encoded(1);
    let (second, room) = (guest(2, 102), 102);
    let last = data_writes(&field, &second, Suspects::NONE)[2];
    let weak = Fault::Weak(ReadsAs::New);
    let suspects = pulled(&mut field, &second, Suspects::NONE, last, weak);
    assert_eq!(suspects, A);
    assert_eq!(opened_rooms(&field), [room], "copy A reads well");
    let first = data_writes(&field, &second, suspects)[0];
    let suspects = pulled(&mut field, &second, suspects, first, Fault::RemovedAfter);
    assert_eq!(suspects, A.with(CopyIndex::B));

    field.present(None);
    let done = field.encode_doubting(&second, suspects);
    let done = done.ended.done().unwrap();
    assert_eq!((done.copy, done.sequence.get()), (CopyIndex::B, 3));
    assert_eq!(field.written, [9, 10, 8, 4]);
    field.card.turn_weak_cells();
    assert_eq!(opened_rooms(&field), [room]);
}

#[test]
fn a_suspect_copy_that_reads_as_void_is_zeroed_beside_the_credential_that_was_there() {
    let mut field = encoded(1);
    let (first, second) = (guest(1, 101), guest(2, 102));
    let last = data_writes(&field, &second, Suspects::NONE)[2];
    let weak = Fault::Weak(ReadsAs::Old);
    let suspects = pulled(&mut field, &second, Suspects::NONE, last, weak);
    assert_eq!(suspects, A);
    assert_eq!(field.card.memory[4], [0; 16], "copy A reads as void");
    let mut later = field.clone();
    later.card.turn_weak_cells();
    assert_eq!(opened_rooms(&later), [102], "and may read well later");

    field.present(None);
    let done = field.encode_doubting(&first, suspects);
    let done = done.ended.done().unwrap();
    assert_eq!((done.copy, done.sequence.get()), (CopyIndex::B, 1));
    assert_eq!(field.written, [4]);
    assert_eq!(field.exchanges, 8, "six to inspect; zeroed and read back");
    field.card.turn_weak_cells();
    assert_eq!(opened_rooms(&field), [101]);
}

/// The zeroing itself may be what is cut off; then it is the zeroed copy that is in doubt, not the one that stands.
#[test]
fn a_copy_whose_voiding_was_cut_off_is_the_suspect() {
    let mut field = encoded(2);
    let second = guest(2, 102);
    // What is left of the guest before, in a journal that knows nothing of it.
    field.card.memory[8] = encoded(1).card.memory[8];
    let zeroing = data_writes(&field, &second, Suspects::NONE);
    assert_eq!(zeroing.len(), 1);
    let weak = Fault::Weak(ReadsAs::New);
    let suspects = pulled(&mut field, &second, Suspects::NONE, zeroing[0], weak);
    assert_eq!(suspects, Suspects::NONE.with(CopyIndex::B));
    finish(&mut field, &second, suspects, 102, "voided again");
    assert_eq!(field.written, [8]);
}

/// Two encodes in a row are cut off inside a write, the cells turn or do not turn in between, and then anybody's credential
/// is encoded: the guest's before, the same again, or a new one. Returns in how many ways, and how many of them left both
/// copies in doubt.
fn cut_off_twice(starts: Vec<Start>, second: &Credential, third: &Credential) -> (usize, usize) {
    let (mut cases, mut both_in_doubt) = (0, 0);
    for start in starts.into_iter().filter(|start| start.always_opens) {
        let mut before = start.field.clone();
        let found = before.inspect(Purpose::Scan).done().unwrap();
        let first = found.credential().unwrap().clone();
        let first_room = opened_rooms(&start.field)[0];
        for (torn, suspects, case) in torn(&start.field, second, start.suspects) {
            let opened = opened_rooms(&torn);
            assert!([[first_room], [105]].iter().any(|room| opened == room));
            for (mut twice, suspects, again) in torn_again(&torn, second, suspects) {
                both_in_doubt += usize::from(suspects == A.with(CopyIndex::B));
                let opened = opened_rooms(&twice);
                let case = format!("{}: {case}, {again}", start.name);
                assert!(
                    opened.is_empty() || opened == [first_room] || opened == [105],
                    "{case}: {opened:?}"
                );
                for (credential, room) in [(&first, first_room), (second, 105), (third, 109)] {
                    let case = format!("{case}, then {room}");
                    finish(&mut twice.clone(), credential, suspects, room, &case);
                }
                twice.card.turn_weak_cells();
                finish(&mut twice, second, suspects, 105, &case);
                cases += 4;
            }
        }
    }
    (cases, both_in_doubt)
}

#[test]
fn no_weak_block_outlives_the_encode_that_ends_well() {
    let (cases, both_in_doubt) = cut_off_twice(starts(), &guest(5, 105), &guest(9, 109));
    assert!(
        both_in_doubt > 100,
        "only {both_in_doubt} with both in doubt"
    );
    assert!(cases > 2000, "only {cases} cases");
}

#[test]
fn nor_does_one_in_a_copy_of_two_sectors() {
    let mut starts = starts_in_sectors(0);
    starts.retain(|start| start.name.starts_with("ours"));
    let (second, third) = (with_doors(5, 105, 0), with_doors(9, 109, 0));
    let (cases, both_in_doubt) = cut_off_twice(starts, &second, &third);
    assert!(
        both_in_doubt > 30,
        "only {both_in_doubt} with both in doubt"
    );
    assert!(cases > 1000, "only {cases} cases");
}

/// The card after every write of a data block was left weak, either way.
fn torn(
    field: &Field,
    credential: &Credential,
    suspects: Suspects,
) -> Vec<(Field, Suspects, String)> {
    let mut all = Vec::new();
    for at in data_writes(field, credential, suspects) {
        for fault in [Fault::Weak(ReadsAs::Old), Fault::Weak(ReadsAs::New)] {
            let mut field = field.clone();
            let suspects = pulled(&mut field, credential, suspects, at, fault);
            all.push((field, suspects, format!("{fault:?} at {at}")));
        }
    }
    all
}

/// The same, on the card as it is and on the card whose weak cells have turned.
fn torn_again(
    field: &Field,
    credential: &Credential,
    suspects: Suspects,
) -> Vec<(Field, Suspects, String)> {
    let mut turned = field.clone();
    turned.card.turn_weak_cells();
    let mut all = torn(field, credential, suspects);
    all.extend(torn(&turned, credential, suspects));
    all
}
