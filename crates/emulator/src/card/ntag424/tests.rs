//! NTAG 424 DNA under an antenna.

use crate::card::crypto::crc32;
use crate::card::host::Host;
use crate::{Cards, Moment, Options, Origin, Programming, Technology};

const UID: &str = "04A1B2C3D4E5F6";
const ZERO: [u8; 16] = [0; 16];
const NEW: [u8; 16] = *b"another key here";
/// The application, by its name.
const SELECT: [u8; 13] = [
    0x00, 0xA4, 0x04, 0x0C, 0x07, 0xD2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01, 0x00,
];

fn host_with(origin: Origin, options: &Options) -> Host {
    let uid = UID.parse().unwrap();
    let card = Cards::new().card_with(Technology::Ntag424Dna, uid, origin, options);
    Host::before(card.unwrap())
}

/// With the application selected.
fn host() -> Host {
    let mut host = host_with(Origin::Factory, &Options::default());
    assert_eq!(host.raw(&SELECT), [0x90, 0x00]);
    host
}

/// Number, offset 0 and a length.
fn header(file: u8, length: u8) -> [u8; 7] {
    [file, 0, 0, 0, length, 0, 0]
}

#[test]
fn the_card_is_as_delivered() {
    let mut host = host();
    let (status, version) = host.frames(0x60, &[]).unwrap();
    assert_eq!((status, version.len()), (0x00, 28));
    assert_eq!(version[..4], [4, 4, 2, 0x30]);
    assert_eq!(hex::encode_upper(&version[14..21]), UID);
    for (file, settings) in [
        (1, [0, 0, 0x00, 0xE0, 32, 0, 0]),
        (2, [0, 0, 0xE0, 0xEE, 0, 1, 0]),
        (3, [0, 3, 0x30, 0x23, 128, 0, 0]),
    ] {
        host.expect(0xF5, &[file], &settings);
    }
    for key in 0..5 {
        host.expect(0x64, &[key], &[0]);
        host.authenticate(key, &ZERO);
        host.forget_session();
        assert_eq!(host.raw(&SELECT), [0x90, 0x00]);
    }
    assert_eq!(host.frames(0x64, &[5]).unwrap().0, 0x40);
    assert_eq!(host.frames(0x3C, &[0]).unwrap().1.len(), 56);
}

#[test]
fn before_the_application_is_selected_there_are_no_keys_and_no_files() {
    let mut host = host_with(Origin::Factory, &Options::default());
    assert_eq!(host.frames(0x71, &[0, 0]).unwrap().0, 0x40);
    assert_eq!(host.frames(0xF5, &[3]).unwrap().0, 0xF0);
    assert_eq!(host.frames(0x60, &[]).unwrap().0, 0x00);
}

#[test]
fn file_3_is_written_with_key_3_and_read_with_key_2_or_3() {
    let mut host = host();
    host.authenticate(3, &ZERO);
    let reply = host.sealed(0x8D, &header(3, 64), &[7; 64], &[]).unwrap();
    assert_eq!(reply.0, 0x00);
    for key in [2, 3] {
        host.authenticate(key, &ZERO);
        assert_eq!(host.secret(0xAD, &header(3, 64), 64), [7; 64]);
    }
    host.authenticate(2, &ZERO);
    let refused = host.sealed(0x8D, &header(3, 64), &[9; 64], &[]).unwrap();
    assert_eq!(refused.0, 0xAE);
    host.forget_session();
    assert_eq!(host.frames(0xAD, &header(3, 64)).unwrap().0, 0xAE);
    assert_eq!(host.card.files()[2].content[..64], [7; 64]);
}

#[test]
fn beyond_a_file_nothing_is_read_or_written() {
    let mut host = host();
    host.authenticate(3, &ZERO);
    let beyond = host.sealed(0x8D, &[3, 100, 0, 0, 29, 0, 0], &[1; 29], &[]);
    assert_eq!(beyond.unwrap().0, 0xBE);
    assert_eq!(host.frames(0xAD, &[2, 0, 1, 0, 1, 0, 0]).unwrap().0, 0xBE);
}

#[test]
fn a_write_that_loses_its_power_is_a_mixture() {
    for (moment, programming) in [
        (Moment::Torn { seed: 3 }, Programming::Torn),
        (Moment::Weak { seed: 3 }, Programming::Weak),
    ] {
        let mut host = host();
        host.authenticate(3, &ZERO);
        host.slot.remove_at(1, moment);
        let written = host.sealed(0x8D, &header(3, 128), &[0xA5; 128], &[]);
        assert!(written.is_err());
        let log = host.slot.log();
        assert_eq!(log.writes().back().unwrap().programming, programming);
        assert_ne!(host.card.files()[2].content, [0; 128]);
        assert!((0..50).any(|_| host.card.files()[2].content != [0xA5; 128]));
    }
}

#[test]
fn keys_are_changed_with_key_0_alone() {
    let mut host = host();
    let data = [&NEW[..], &[0x01]].concat();
    host.authenticate(0, &ZERO);
    let reply = host.sealed(0xC4, &[2], &data, &crc32(&[&NEW])).unwrap();
    assert_eq!(reply.0, 0x00);
    host.expect(0x64, &[2], &[1]);
    assert_eq!(host.sealed(0xC4, &[0], &data, &[]).unwrap().0, 0x00);
    host.authenticate(2, &NEW);
    let refused = host.sealed(0xC4, &[2], &data, &crc32(&[&NEW])).unwrap();
    assert_eq!(refused.0, 0xAE);
    host.authenticate(0, &NEW);
    assert_eq!(host.sealed(0xC4, &[1], &data, &[0; 4]).unwrap().0, 0x1E);
    host.authenticate(1, &ZERO);
}

#[test]
fn failed_authentications_are_counted_put_off_and_at_last_final() {
    let mut host = host();
    for _ in 0..49 {
        assert_eq!(host.try_to_authenticate(1, &NEW).unwrap(), 0xAE);
    }
    host.authenticate(1, &ZERO);
    let (mut put_off, mut failed) = (0, 0);
    let last = loop {
        match host.try_to_authenticate(1, &NEW).unwrap() {
            0xAD => put_off += 1,
            0xAE => failed += 1,
            other => break other,
        }
        // Power does not help.
        host.again();
        host.raw(&SELECT);
    };
    assert_eq!((last, failed), (0x9D, 1000 - 49 + 10));
    assert!(put_off > failed);
    assert_eq!(host.try_to_authenticate(1, &ZERO).unwrap(), 0x9D);
    host.authenticate(2, &ZERO);
}

#[test]
fn rights_are_changed_by_who_may() {
    let mut host = host();
    host.authenticate(1, &ZERO);
    let settings = [0x00, 0xEE, 0xEE];
    assert_eq!(host.sealed(0x5F, &[3], &settings, &[]).unwrap().0, 0xAE);
    host.authenticate(0, &ZERO);
    let dynamic = [0x40, 0xEE, 0xEE, 0xC1, 0xF1, 0x21];
    assert_eq!(host.sealed(0x5F, &[3], &dynamic, &[]).unwrap().0, 0x9E);
    host.authenticate(0, &ZERO);
    assert_eq!(host.sealed(0x5F, &[3], &settings, &[]).unwrap().0, 0x00);
    host.forget_session();
    assert_eq!(host.raw(&SELECT), [0x90, 0x00]);
    assert_eq!(
        host.frames(0xAD, &header(3, 2)).unwrap(),
        (0x00, vec![0; 2])
    );
}

#[test]
fn the_ndef_file_is_reached_by_iso_commands_and_file_3_is_not() {
    let mut host = host();
    assert_eq!(host.raw(&[0, 0xA4, 0, 0x0C, 2, 0xE1, 0x04]), [0x90, 0x00]);
    assert_eq!(host.raw(&[0, 0xD6, 0, 2, 2, 7, 8]), [0x90, 0x00]);
    assert_eq!(host.raw(&[0, 0xB0, 0, 1, 4]), [0, 7, 8, 0, 0x90, 0x00]);
    assert_eq!(host.raw(&[0, 0xB0, 0, 0, 0]).len(), 258);
    assert_eq!(host.raw(&[0, 0xB0, 0x83, 0, 2]), [0x00, 0x17, 0x90, 0x00]);
    assert_eq!(host.raw(&[0, 0xD6, 0x83, 0, 1, 9]), [0x69, 0x82]);
    assert_eq!(host.raw(&[0, 0xA4, 0, 0x0C, 2, 0xE1, 0x05]), [0x90, 0x00]);
    assert_eq!(host.raw(&[0, 0xB0, 0, 0, 1]), [0x69, 0x82]);
    assert_eq!(host.raw(&[0, 0xA4, 4, 0x0C, 2, 0xE1, 0x05]), [0x6A, 0x82]);
}

#[test]
fn a_foreign_card_has_keys_that_nobody_knows() {
    let mut host = host_with(Origin::Foreign, &Options::default());
    host.raw(&SELECT);
    for key in 0..5 {
        assert_eq!(host.try_to_authenticate(key, &ZERO).unwrap(), 0xAE);
    }
}

#[test]
fn a_made_up_uid_hides_the_true_one_until_somebody_authenticates() {
    let mut host = host_with(Origin::Factory, &Options::default().with_random_uid());
    assert_eq!(host.select().as_bytes()[0], 0x08);
    host.raw(&SELECT);
    assert_eq!(host.frames(0x60, &[]).unwrap().1[14..21], [0; 7]);
    assert_eq!(host.frames(0x51, &[]).unwrap().0, 0xAE);
    host.authenticate(4, &ZERO);
    assert_eq!(hex::encode_upper(host.secret(0x51, &[], 7)), UID);
}
