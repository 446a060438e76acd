//! File contents that no writer has left so: any bit flipped, so that a lock sees what a copy granted before, or nothing.

use card::{CardFormat, Suspects};

use crate::encode::{GENERATIONS, encoded};
use crate::field::{Ended, Fault};
use crate::ntag424::encode::encoded as encoded_ntag424;
use crate::site::{FORMATS, guest, opened_rooms};

#[test]
fn no_flipped_bit_of_a_desfire_file_grants_anything_else() {
    for generation in GENERATIONS {
        for format in FORMATS {
            let field = encoded(generation, format, 2);
            let granted = opened_rooms(&field);
            assert_eq!(granted, [102]);
            for at in 0..72 {
                for bit in 0..8 {
                    let mut flipped = field.clone();
                    let file = flipped.card.ours_mut().file.as_mut().unwrap();
                    file.content[at] ^= 1 << bit;
                    let opened = opened_rooms(&flipped);
                    let is_same = opened == granted;
                    assert!(
                        is_same || opened.is_empty(),
                        "bit {bit} of byte {at}: {opened:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn no_flipped_bit_of_an_ntag_424_grants_what_no_copy_granted() {
    for format in FORMATS {
        let mut field = encoded_ntag424(format, 1);
        let clean = {
            let mut field = field.clone();
            field.present(None);
            let encode = field.encode_doubting(&guest(format, 2, 102), Suspects::NONE);
            encode.ended.done().unwrap();
            field.exchanges
        };
        // Pulled before the older copy was voided: both are valid.
        field.present(Some((clean - 2, Fault::RemovedBefore)));
        let torn = field.encode(&guest(format, 2, 102));
        assert!(matches!(torn.ended, Ended::Gone));
        field.present(None);
        assert_eq!(opened_rooms(&field), [102]);
        for at in 0..128 {
            for bit in 0..8 {
                let mut flipped = field.clone();
                flipped.card.file[at] ^= 1 << bit;
                let opened = opened_rooms(&flipped);
                assert!(
                    opened == [102] || opened == [101],
                    "bit {bit} of byte {at}: {opened:?}"
                );
            }
        }
    }
}

/// Of two halves the older is void as soon as an encode is done, so that damage to the new one revives nobody.
#[test]
fn no_flipped_bit_of_an_ntag_424_revives_the_guest_before() {
    for at in 0..128 {
        let mut field = encoded_ntag424(CardFormat::Rfid48, 2);
        field.card.file[at] ^= 0x10;
        let opened = opened_rooms(&field);
        assert!(
            opened.is_empty() || opened == [102],
            "byte {at}: {opened:?}"
        );
    }
}
