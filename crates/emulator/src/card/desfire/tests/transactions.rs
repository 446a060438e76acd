//! Backup files: what is valid before and after a commit, and at whatever moment power fails.

use super::{AID, ZERO, host_with_application, host_with_backup_file};
use crate::{Moment, Programming, Technology};

const ALL: [Technology; 3] = [
    Technology::DesfireEv1,
    Technology::DesfireEv2,
    Technology::DesfireEv3,
];
const OLD: [u8; 64] = [0; 64];
const NEW: [u8; 64] = [0xA5; 64];

fn content(host: &super::Host) -> Vec<u8> {
    host.card.files()[0].content.clone()
}

#[test]
fn a_write_is_seen_when_it_is_committed_and_not_before() {
    for technology in ALL {
        let mut host = host_with_backup_file(technology);
        assert_eq!(host.write(1, &NEW).unwrap(), 0x00);
        assert_eq!(content(&host), OLD);
        assert!(host.slot.log().writes().iter().all(|it| it.block >= 0xF000));
        host.expect(0xC7, &[], &[]);
        assert_eq!(content(&host), NEW);
        let log = host.slot.log();
        let pages: Vec<_> = log.writes().iter().map(|it| it.block).collect();
        assert!(pages.ends_with(&[0x0100, 0x0101]), "{pages:04X?}");
        host.authenticate(1, &ZERO);
        assert_eq!(host.read(1, 64), NEW);
        assert_eq!(host.command(0xC7, &[]).unwrap().0, 0x0C);
    }
}

#[test]
fn what_is_not_committed_is_lost_by_all_that_ends_a_transaction() {
    type End = fn(&mut super::Host);
    let ends: [(&str, End); 4] = [
        ("abort", |host| host.expect(0xA7, &[], &[])),
        ("an authentication", |host| host.authenticate(2, &ZERO)),
        ("selecting", |host| host.expect(0x5A, &AID, &[])),
        ("loss of the field", |host| host.again()),
    ];
    for technology in ALL {
        for (name, end) in ends {
            let mut host = host_with_backup_file(technology);
            assert_eq!(host.write(1, &NEW).unwrap(), 0x00);
            end(&mut host);
            host.expect(0x5A, &AID, &[]);
            host.authenticate(2, &ZERO);
            assert_eq!(host.command(0xC7, &[]).unwrap().0, 0x0C, "{name}");
            assert_eq!(content(&host), OLD, "{name}");
        }
    }
}

#[test]
fn a_commit_is_whole_or_not_at_all_whenever_the_card_goes() {
    for technology in ALL {
        let mut seen = [0, 0];
        for seed in 0..20 {
            for moment in [
                Moment::Before,
                Moment::Torn { seed },
                Moment::Weak { seed },
                Moment::Unanswered,
            ] {
                let mut host = host_with_backup_file(technology);
                assert_eq!(host.write(1, &NEW).unwrap(), 0x00);
                host.slot.remove_at(1, moment);
                assert!(host.command(0xC7, &[]).is_err());
                let (after, again) = (content(&host), content(&host));
                assert_eq!(after, again, "no weak cells");
                match moment {
                    Moment::Before => assert_eq!(after, OLD),
                    Moment::Unanswered => assert_eq!(after, NEW),
                    _ => assert!(after == OLD || after == NEW, "{moment:?} {after:?}"),
                }
                if matches!(moment, Moment::Torn { .. }) {
                    seen[usize::from(after == NEW)] += 1;
                }
                host.again();
                host.expect(0x5A, &AID, &[]);
                host.authenticate(1, &ZERO);
                assert_eq!(host.read(1, 64), after);
            }
        }
        assert!(seen.iter().all(|&count| count > 3), "{seen:?}");
    }
}

#[test]
fn the_write_before_a_commit_may_be_lost_in_any_frame_and_changes_nothing() {
    for technology in ALL {
        for exchange in 1..=2 {
            for moment in [Moment::Before, Moment::Torn { seed: 1 }, Moment::Unanswered] {
                let mut host = host_with_backup_file(technology);
                host.slot.remove_at(exchange, moment);
                assert!(host.write(1, &NEW).is_err());
                assert_eq!(content(&host), OLD);
            }
        }
    }
}

#[test]
fn a_standard_file_is_torn_and_says_so_in_the_log() {
    let mut host = host_with_application(Technology::DesfireEv2);
    host.expect(0xCD, &[1, 3, 0xF0, 0x12, 64, 0, 0], &[]);
    host.authenticate(2, &ZERO);
    // The second frame of the write.
    host.slot.remove_at(2, Moment::Torn { seed: 2 });
    assert!(host.write(1, &NEW).is_err());
    let torn = content(&host);
    assert!(torn != OLD && torn != NEW);
    let log = host.slot.log();
    assert_eq!(log.writes().back().unwrap().programming, Programming::Torn);
}

#[test]
fn a_key_that_is_torn_is_the_old_or_the_new_one() {
    const KEY: [u8; 16] = [7; 16];
    let mut seen = [0, 0];
    for seed in 0..20 {
        let mut host = host_with_application(Technology::DesfireEv1);
        host.slot.remove_at(1, Moment::Torn { seed });
        let data = [&KEY[..], &[1]].concat();
        assert!(host.sealed(0xC4, &[0], &data, &[]).is_err());
        host.again();
        host.expect(0x5A, &AID, &[]);
        if host.try_to_authenticate(0, &KEY).unwrap() == 0x00 {
            seen[0] += 1;
        } else {
            host.authenticate(0, &ZERO);
            seen[1] += 1;
        }
    }
    assert!(seen.iter().all(|&count| count > 3), "{seen:?}");
}

#[test]
fn nothing_outside_an_application_changes_with_what_is_done_in_it() {
    let mut host = host_with_backup_file(Technology::DesfireEv2);
    let before = host.card.everything_but(AID);
    assert_eq!(host.write(1, &NEW).unwrap(), 0x00);
    host.expect(0xC7, &[], &[]);
    assert_eq!(host.card.everything_but(AID), before);
    let whole = host.card.everything_but([0xFF; 3]);
    host.expect(0x5A, &[0; 3], &[]);
    host.expect(0xCA, &[9, 9, 9, 0x0F, 0x81], &[]);
    assert_ne!(host.card.everything_but(AID), before);
    assert_ne!(host.card.everything_but([0xFF; 3]), whole);
}
