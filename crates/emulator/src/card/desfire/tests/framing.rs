//! Commands native and wrapped, frames, and what breaks a sequence of them.

use super::{AID, ZERO, card, host, host_with_application, host_with_backup_file};
use crate::{ExchangeKind, Options, Origin, Storage, Technology};

#[test]
fn a_version_comes_in_three_frames_native_and_wrapped() {
    let mut host = host(Technology::DesfireEv2);
    assert_eq!(host.raw(&[0x60])[..], [0xAF, 4, 1, 1, 0x12, 0, 0x1A, 5]);
    assert_eq!(host.raw(&[0xAF])[..], [0xAF, 4, 1, 1, 2, 1, 0x1A, 5]);
    let last = host.raw(&[0xAF]);
    assert_eq!((last.len(), last[0]), (15, 0x00));
    assert_eq!(hex::encode_upper(&last[1..8]), super::UID);
    assert_eq!(host.raw(&[0x90, 0x60, 0, 0, 0])[7..], [0x91, 0xAF]);
}

#[test]
fn each_apdu_is_one_exchange_named_by_its_instruction() {
    let mut host = host(Technology::DesfireEv1);
    host.frames(0x60, &[]).unwrap();
    host.expect(0x6A, &[], &[]);
    let codes: Vec<_> = host.slot.log().recent().iter().map(|it| it.kind).collect();
    let code = |code| ExchangeKind::Command { code };
    assert_eq!(codes, [code(0x60), code(0xAF), code(0xAF), code(0x6A)]);
}

#[test]
fn a_sequence_that_is_broken_off_is_aborted_and_the_next_command_is_heard() {
    let mut host = host(Technology::DesfireEv1);
    assert_eq!(host.apdu(0x60, &[]).unwrap().0, 0xAF);
    assert_eq!(host.apdu(0x6E, &[]).unwrap().0, 0xCA);
    assert_eq!(host.apdu(0x6E, &[]).unwrap().0, 0x00);
    assert_eq!(host.apdu(0xAF, &[]).unwrap().0, 0x1C);
}

#[test]
fn a_frame_takes_no_more_than_it_may() {
    let mut host = host(Technology::DesfireEv1);
    assert_eq!(host.apdu(0x5A, &[0; 56]).unwrap().0, 0x7E);
    assert_eq!(host.raw(&[0x90, 0x60, 0, 1, 0])[..], [0x91, 0x7E]);
    assert_eq!(host.raw(&[0x90, 0x5A, 0, 0, 9, 0])[..], [0x91, 0x7E]);
}

#[test]
fn a_long_list_of_applications_comes_in_two_frames() {
    let mut host = host(Technology::DesfireEv1);
    for number in 1..=28 {
        host.expect(0xCA, &[number, 0, 0, 0x0F, 0x81], &[]);
    }
    assert_eq!(host.refused(0xCA, &[29, 0, 0, 0x0F, 0x81]), 0xCE);
    assert_eq!(host.apdu(0x6A, &[]).unwrap().1.len(), 57);
    assert_eq!(host.apdu(0xAF, &[]).unwrap().1.len(), 27);
}

#[test]
fn an_error_ends_the_authentication() {
    for technology in [Technology::DesfireEv1, Technology::DesfireEv3] {
        let mut host = host_with_backup_file(technology);
        assert_eq!(host.write(1, &[1; 64]).unwrap(), 0x00);
        assert_eq!(host.write(2, &[1; 64]).unwrap(), 0xF0, "no such file");
        host.forget_session();
        assert_eq!(host.refused(0xC7, &[]), 0x0C, "the transaction is gone");
        assert_eq!(host.frames(0x51, &[]).unwrap().0, 0xAE);
    }
}

#[test]
fn ev1_knows_nothing_of_ev2() {
    let mut host = host_with_application(Technology::DesfireEv1);
    assert_eq!(host.authenticate_ev2(0, &ZERO).unwrap(), 0x1C);
    assert_eq!(host.apdu(0xAD, &[1, 0, 0, 0, 1, 0, 0]).unwrap().0, 0x1C);
}

#[test]
fn applications_and_files_are_found_by_their_iso_names() {
    let mut host = host(Technology::DesfireEv1);
    let name = [0xD2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01];
    let create = [&[1, 0, 0, 0x0F, 0x21, 0x10, 0xE1][..], &name].concat();
    host.expect(0xCA, &create, &[]);
    let select = [&[0x00, 0xA4, 0x04, 0x00, 7][..], &name, &[0]].concat();
    assert_eq!(host.raw(&select), [0x90, 0x00]);
    host.expect(0xCD, &[1, 0x04, 0xE1, 0, 0xEE, 0xEE, 40, 0, 0], &[]);
    assert_eq!(host.raw(&[0, 0xA4, 0, 0x0C, 2, 0xE1, 0x05]), [0x6A, 0x82]);
    assert_eq!(host.raw(&select), [0x90, 0x00]);
    assert_eq!(host.raw(&[0, 0xA4, 0, 0x0C, 2, 0xE1, 0x04]), [0x90, 0x00]);
    assert_eq!(host.raw(&[0, 0xD6, 0, 4, 3, 7, 8, 9]), [0x90, 0x00]);
    assert_eq!(host.raw(&[0, 0xB0, 0, 3, 5]), [0, 7, 8, 9, 0, 0x90, 0x00]);
    assert_eq!(host.raw(&[0, 0xB0, 0, 41, 1]), [0x6B, 0x00]);
}

#[test]
fn memory_runs_out_and_comes_back_with_formatting_alone() {
    let options = Options::default().with_storage(Storage::Small);
    let cards = crate::Cards::new();
    let uid = super::UID.parse().unwrap();
    let card = cards.card_with(Technology::DesfireEv1, uid, Origin::Factory, &options);
    let mut host = super::Host::before(card.unwrap());
    host.expect(0xCA, &[AID[0], AID[1], AID[2], 0x0F, 0x81], &[]);
    host.expect(0x5A, &AID, &[]);
    host.expect(0xCB, &[1, 0, 0xEE, 0xEE, 0, 4, 0], &[]);
    assert_eq!(host.refused(0xCB, &[2, 0, 0xEE, 0xEE, 0, 4, 0]), 0x0E);
    host.expect(0xDF, &[1], &[]);
    assert_eq!(host.refused(0xCB, &[1, 0, 0xEE, 0xEE, 0, 4, 0]), 0x0E);
}

#[test]
fn a_foreign_card_gives_nothing_away_and_takes_nothing() {
    let mut host = super::Host::before(card(Technology::DesfireEv2, Origin::Foreign));
    assert_eq!(host.refused(0xCA, &[1, 2, 3, 0x0B, 0x85]), 0xAE);
    assert_eq!(host.try_to_authenticate(0, &ZERO).unwrap(), 0xAE);
    let (status, aid) = host.command(0x6A, &[]).unwrap();
    assert_eq!((status, aid.len()), (0x00, 3));
    host.expect(0x5A, &aid, &[]);
    assert_eq!(host.try_to_authenticate(1, &ZERO).unwrap(), 0xAE);
    assert_eq!(host.refused(0xBD, &[1, 0, 0, 0, 0, 0, 0]), 0xAE);
}

#[test]
fn a_made_up_uid_changes_with_the_supply_and_the_true_one_is_told_to_who_authenticates() {
    let cards = crate::Cards::new();
    let uid = super::UID.parse().unwrap();
    let options = Options::default().with_random_uid();
    let card = cards.card_with(Technology::DesfireEv2, uid, Origin::Factory, &options);
    let mut host = super::Host::before(card.unwrap());
    let (first, second) = (host.select(), host.select());
    assert_ne!(first, second);
    for made_up in [first, second] {
        assert_eq!((made_up.as_bytes().len(), made_up.as_bytes()[0]), (4, 0x08));
    }
    host.expect(0xCA, &[AID[0], AID[1], AID[2], 0x0B, 0x85], &[]);
    host.expect(0x5A, &AID, &[]);
    assert_eq!(host.frames(0x51, &[]).unwrap().0, 0xAE);
    host.authenticate(3, &ZERO);
    assert_eq!(host.secret(0x51, &[], 7), uid.as_bytes());
    assert!(host.slot.log().recent().iter().all(|it| it.uid == uid));
}
