//! What a voided credential leaves on the card stays dead while its successor is written over it, wherever that is torn.

use card::{AdditionalDoor, CopyIndex, Credential, Suspects};

use crate::encode::encoded;
use crate::field::Field;
use crate::model::Size;
use crate::sectors::holding;
use crate::site::{door, guest, opened_rooms, with_doors};
use crate::tear::faults;

/// Tears the encode of `new` over the remains of another version of it, which must not come back to life.
fn tear_over_remains(field: &mut Field, new: &Credential, rooms: &[u32], copy: CopyIndex) {
    assert_eq!(opened_rooms(field), [] as [u32; 0]);
    for (at, fault) in faults(field, new, Suspects::NONE) {
        let mut torn = field.clone();
        torn.present(Some((at, fault)));
        torn.encode(new);
        let opened = opened_rooms(&torn);
        assert!(
            opened.is_empty() || opened == rooms,
            "{fault:?} at exchange {at}: {opened:?}"
        );
    }
    field.present(None);
    let done = field.encode(new).ended.done().unwrap();
    let found = (done.copy, done.sequence.get());
    assert_eq!(found, (copy, 1), "the case that is meant");
}

/// The remains of a voided credential lie in blocks 2 and 3 of its copy. A new version of the same credential with
/// the same sequence has the same first block; that block must not bring the remains back to life.
#[test]
fn the_remains_of_a_voided_credential_do_not_come_back_while_its_successor_is_written() {
    let version = |room| {
        let mut credential = guest(1, 101);
        let rooms = [104, 105, 106, room].map(|room| AdditionalDoor::Guest(door(room)));
        credential.doors.additional = rooms.to_vec();
        credential
    };
    let mut field = encoded(0);
    field.encode(&version(107)).ended.done().unwrap();
    field.card.memory[8] = [0; 16];
    field.present(None);
    let rooms = [101, 104, 105, 106, 108];
    tear_over_remains(&mut field, &version(108), &rooms, CopyIndex::B);
}

/// The same with a difference in the third sector alone.
#[test]
fn nor_do_remains_in_the_further_sectors_of_a_copy() {
    let version = |room| {
        let mut credential = with_doors(1, 101, 40);
        credential.doors.additional[39] = AdditionalDoor::Guest(door(room));
        credential
    };
    let mut field = holding(Size::OneK, &[version(107)]);
    field.card.memory[8] = [0; 16];
    tear_over_remains(&mut field, &version(108), &[101, 108], CopyIndex::B);
}
