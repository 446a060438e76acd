//! Changing keys, and what one may not do without the right one.

use super::{AID, ZERO, host, host_with_application};
use crate::Technology;
use crate::card::crypto::crc32;

const NEW: [u8; 16] = *b"another key here";
const BOTH: [Technology; 2] = [Technology::DesfireEv1, Technology::DesfireEv2];

#[test]
fn another_key_is_changed_with_the_master_key_and_then_the_master_key_itself() {
    for technology in BOTH {
        let mut host = host_with_application(technology);
        let data = [&NEW[..], &[0x07]].concat();
        let reply = host.sealed(0xC4, &[2], &data, &crc32(&[&NEW])).unwrap();
        assert_eq!(reply, (0x00, vec![]), "{technology}");
        host.expect(0x64, &[2], &[0x07]);
        let reply = host.sealed(0xC4, &[0], &data, &[]).unwrap();
        assert_eq!(reply, (0x00, vec![]), "the answer comes bare");
        assert_eq!(host.try_to_authenticate(0, &ZERO).unwrap(), 0xAE);
        host.authenticate(0, &NEW);
        host.authenticate(2, &NEW);
        host.authenticate(1, &ZERO);
    }
}

#[test]
fn a_key_is_not_changed_by_a_wrong_checksum_a_wrong_number_or_another_key() {
    for technology in BOTH {
        let mut host = host_with_application(technology);
        let data = [&NEW[..], &[0x07]].concat();
        let wrong = crc32(&[&ZERO]);
        assert_eq!(host.sealed(0xC4, &[2], &data, &wrong).unwrap().0, 0x1E);
        host.authenticate(0, &ZERO);
        assert_eq!(host.sealed(0xC4, &[9], &data, &[]).unwrap().0, 0x40);
        host.authenticate(1, &ZERO);
        let check = crc32(&[&NEW]);
        assert_eq!(host.sealed(0xC4, &[2], &data, &check).unwrap().0, 0xAE);
        host.authenticate(2, &ZERO);
    }
}

#[test]
fn a_command_that_was_changed_on_its_way_is_refused() {
    let mut host = host_with_application(Technology::DesfireEv2);
    // Too short for its MAC, and with a wrong one.
    assert_eq!(host.frames(0x64, &[1]).unwrap().0, 0x1E);
    host.authenticate(0, &ZERO);
    assert_eq!(
        host.frames(0x64, &[1, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap().0,
        0x1E
    );
}

#[test]
fn a_wrong_key_costs_nothing_but_the_authentication() {
    let mut host = host_with_application(Technology::DesfireEv2);
    for _ in 0..100 {
        assert_eq!(host.try_to_authenticate(1, &NEW).unwrap(), 0xAE);
    }
    host.authenticate(1, &ZERO);
    assert_eq!(host.try_to_authenticate(5, &ZERO).unwrap(), 0x40);
}

#[test]
fn the_card_key_as_delivered_is_no_aes_key_and_creating_is_free() {
    let mut host = host(Technology::DesfireEv2);
    assert_eq!(host.try_to_authenticate(0, &ZERO).unwrap(), 0xAE);
    host.expect(0x45, &[], &[0x0F, 0x01]);
    host.expect(0xCA, &[AID[0], AID[1], AID[2], 0x0B, 0x85], &[]);
    assert_eq!(
        host.refused(0xCA, &[AID[0], AID[1], AID[2], 0x0B, 0x85]),
        0xDE
    );
    host.expect(0x5A, &AID, &[]);
    host.expect(0x45, &[], &[0x0B, 0x85]);
    assert_eq!(host.refused(0x5A, &[9, 9, 9]), 0xA0);
}
