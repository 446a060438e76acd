//! Each kind of report, on attempts, grants and cards in every state.

use super::*;
use crate::decisions::rows;
use crate::store::credentials::{CardFunction, Credential};

const CARD: &str = "04A1B2C3";
const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

fn written_outcome(held_number: Option<u32>) -> Outcome {
    Outcome::Written {
        uid: CARD.to_owned(),
        technology: "mifare_classic_1k".to_owned(),
        held_number,
    }
}

fn error() -> AttemptError {
    AttemptError {
        kind: "encoding_interrupted".to_owned(),
        message: "Put the card back.".to_owned(),
    }
}

fn unwritten() -> Outcome {
    Outcome::Unwritten { error: error() }
}

fn unknown() -> Outcome {
    Outcome::Unknown {
        uid: Some(CARD.to_owned()),
        error: error(),
    }
}

fn issued(mut credential: Credential) -> Credential {
    credential.issued_at = Some(rows::NOW);
    credential.card_uid = Some(CARD.to_owned());
    credential
}

struct World {
    attempt: Attempt,
    credential: CredentialWithDoors,
    grant: Option<Grant>,
    card_grants: Vec<Grant>,
    on_card: Vec<CredentialWithDoors>,
    neighbours: Vec<CredentialWithDoors>,
    is_locked_out: bool,
}

fn granted() -> World {
    let credential = rows::with_rooms(rows::credential(5), &[101]);
    let attempt = rows::encode(1, &rows::encoder(1), &credential.credential);
    let grant = rows::grant(7, &attempt, CARD, GrantState::Open);
    World {
        grant: Some(grant),
        attempt,
        credential,
        card_grants: Vec::new(),
        on_card: Vec::new(),
        neighbours: Vec::new(),
        is_locked_out: false,
    }
}

impl World {
    fn decide(&self, outcome: &Outcome) -> Vec<Effect> {
        decide(
            &Circumstances {
                attempt: &self.attempt,
                credential: Some(&self.credential),
                grant: self.grant.as_ref(),
                card_grants: &self.card_grants,
                on_card: &self.on_card,
                neighbours: &self.neighbours,
                is_locked_out: self.is_locked_out,
            },
            outcome,
        )
    }

    fn id(&self) -> CredentialId {
        self.credential.credential.acs_credential_id
    }
}

#[test]
fn a_written_card_issues_its_credential() {
    let world = granted();
    for (held, subject) in [
        (None, Subject::CredentialIssued(world.id())),
        (Some(3), Subject::CredentialReissued(world.id())),
    ] {
        assert_eq!(
            world.decide(&written_outcome(held)),
            [
                Effect::Record(OutcomeKind::Written),
                Effect::Grant(GrantState::Written),
                Effect::Issue {
                    uid: Some(CARD.to_owned())
                },
                Effect::Emit(subject),
                Effect::SucceedWithCredential,
            ]
        );
    }
}

#[test]
fn an_attempt_that_ended_keeps_its_end_but_the_credential_follows_the_truth() {
    let mut world = granted();
    world.attempt.status = Status::Error;
    let effects = world.decide(&written_outcome(None));
    assert!(effects.contains(&Effect::Issue {
        uid: Some(CARD.to_owned())
    }));
    assert!(effects.contains(&Effect::Emit(Subject::CredentialIssued(world.id()))));
    assert!(!effects.iter().any(ends_the_attempt));

    assert_eq!(
        world.decide(&unwritten()),
        [
            Effect::Record(OutcomeKind::Unwritten),
            Effect::Grant(GrantState::Released)
        ]
    );
}

#[test]
fn an_untouched_card_frees_the_credential_and_a_doubtful_one_does_not() {
    let world = granted();
    assert_eq!(
        world.decide(&unwritten()),
        [
            Effect::Record(OutcomeKind::Unwritten),
            Effect::Grant(GrantState::Released),
            Effect::Fail(error()),
        ]
    );
    assert_eq!(
        world.decide(&unknown()),
        [
            Effect::Record(OutcomeKind::Unknown),
            Effect::Grant(GrantState::Doubtful),
            Effect::Fail(error()),
        ]
    );
}

#[test]
fn a_report_that_is_known_changes_nothing() {
    for known in [OutcomeKind::Written, OutcomeKind::Unwritten] {
        let mut world = granted();
        world.attempt.outcome = Some(known);
        for outcome in [written_outcome(None), unwritten(), unknown()] {
            assert_eq!(world.decide(&outcome), []);
        }
    }
}

#[test]
fn a_doubt_is_settled_by_a_later_report_unless_the_card_was_written_since() {
    let mut world = granted();
    world.attempt.status = Status::Error;
    world.attempt.outcome = Some(OutcomeKind::Unknown);
    world.grant.as_mut().unwrap().state = GrantState::Doubtful;
    assert_eq!(world.decide(&unknown()), []);
    assert!(
        world
            .decide(&written_outcome(None))
            .contains(&Effect::Issue {
                uid: Some(CARD.to_owned())
            })
    );

    let newer = rows::encode(2, &rows::encoder(1), &rows::credential(6));
    let newer_grant = rows::grant(8, &newer, CARD, GrantState::Written);
    world.grant.as_mut().unwrap().granted_at = rows::NOW.after(SECOND);
    world.card_grants.push(newer_grant);
    assert_eq!(
        world.decide(&written_outcome(None)),
        [
            Effect::Record(OutcomeKind::Written),
            Effect::Grant(GrantState::Written)
        ]
    );
}

#[test]
fn a_card_written_before_a_clock_was_set_back_does_not_count_as_written_since() {
    let mut world = granted();
    let older = rows::encode(2, &rows::encoder(1), &rows::credential(6));
    let mut older_grant = rows::grant(6, &older, CARD, GrantState::Written);
    older_grant.granted_at = rows::NOW.after(SECOND);
    world.card_grants.push(older_grant);
    let effects = world.decide(&written_outcome(None));
    assert!(effects.contains(&Effect::Issue {
        uid: Some(CARD.to_owned())
    }));
    assert!(effects.contains(&Effect::SucceedWithCredential));
}

#[test]
fn a_pending_attempt_succeeds_with_its_written_card_whatever_came_since() {
    let mut world = granted();
    let newer = rows::encode(2, &rows::encoder(1), &rows::credential(6));
    world
        .card_grants
        .push(rows::grant(8, &newer, CARD, GrantState::Written));
    assert_eq!(
        world.decide(&written_outcome(None)),
        [
            Effect::Record(OutcomeKind::Written),
            Effect::Grant(GrantState::Written),
            Effect::SucceedWithCredential,
        ]
    );
}

#[test]
fn what_the_card_held_before_becomes_invalid() {
    let mut world = granted();
    let before = rows::with_rooms(issued(rows::credential(2)), &[202]);
    let doubtful = rows::with_rooms(rows::credential(3), &[203]);
    let (before_id, doubtful_id) = (
        before.credential.acs_credential_id,
        doubtful.credential.acs_credential_id,
    );
    world.on_card = vec![before, doubtful, world.credential.clone()];
    let effects = world.decide(&written_outcome(Some(2)));
    assert!(effects.contains(&Effect::Overwrite(before_id)));
    assert!(effects.contains(&Effect::Emit(Subject::CredentialInvalidated(before_id))));
    assert!(effects.contains(&Effect::Overwrite(doubtful_id)));
    assert!(!effects.contains(&Effect::Emit(Subject::CredentialInvalidated(doubtful_id))));
    assert!(!effects.contains(&Effect::Overwrite(world.id())));
}

#[test]
fn an_encoded_override_takes_over_its_doors_from_older_guest_cards() {
    let id_of = |world: &World| world.neighbours[0].credential.acs_credential_id;
    let mut world = granted();
    world.neighbours = vec![rows::with_rooms(issued(rows::credential(2)), &[101])];
    let older = id_of(&world);
    let effects = world.decide(&written_outcome(None));
    assert!(effects.contains(&Effect::Override(older)));
    assert!(effects.contains(&Effect::Emit(Subject::CredentialInvalidated(older))));

    let spoil: [fn(&mut World); 5] = [
        |world| world.credential.credential.is_override = false,
        |world| world.credential.credential.card_function = CardFunction::Staff,
        |world| world.neighbours[0].credential.card_function = CardFunction::Staff,
        |world| world.neighbours[0].credential.issue_number = 105,
        |world| world.neighbours[0].credential.ends_at = Some(rows::NOW),
    ];
    for spoil in spoil {
        let mut spoilt = granted();
        spoilt.neighbours = world.neighbours.clone();
        spoil(&mut spoilt);
        let effects = spoilt.decide(&written_outcome(None));
        assert!(!effects.contains(&Effect::Override(older)));
    }
}

#[test]
fn a_card_written_into_the_time_of_an_encoded_override_is_void_and_told_so_once() {
    let told = |change: fn(&mut World)| {
        let mut world = granted();
        world.is_locked_out = true;
        change(&mut world);
        let id = world.id();
        let effects = world.decide(&written_outcome(None));
        let count = |wanted: Effect| effects.iter().filter(|effect| **effect == wanted).count();
        (
            count(Effect::Override(id)),
            count(Effect::Emit(Subject::CredentialInvalidated(id))),
        )
    };
    assert_eq!(told(|_| {}), (1, 1));
    assert_eq!(
        told(|world| world.credential.credential.issued_at = Some(rows::NOW)),
        (1, 1)
    );
    let deleted: fn(&mut World) = |world| {
        world.credential.credential.deleted_at = Some(rows::NOW);
    };
    assert_eq!(told(deleted), (1, 1), "before it was ever valid");
    let invalidated_when_deleted: fn(&mut World) = |world| {
        world.credential.credential.issued_at = Some(rows::NOW);
        world.credential.credential.deleted_at = Some(rows::NOW);
    };
    assert_eq!(told(invalidated_when_deleted), (1, 0));
    let known: fn(&mut World) = |world| {
        world.credential.credential.issued_at = Some(rows::NOW);
        world.credential.credential.is_overridden = true;
    };
    assert_eq!(told(known), (0, 0));
    let staff: fn(&mut World) =
        |world| world.credential.credential.card_function = CardFunction::Staff;
    assert_eq!(told(staff), (0, 0));
}

#[test]
fn one_card_overwritten_and_overridden_is_told_once() {
    let mut world = granted();
    let before = rows::with_rooms(issued(rows::credential(2)), &[101]);
    let told = Effect::Emit(Subject::CredentialInvalidated(
        before.credential.acs_credential_id,
    ));
    world.on_card = vec![before.clone()];
    world.neighbours = vec![before];
    let effects = world.decide(&written_outcome(Some(2)));
    assert_eq!(effects.iter().filter(|effect| **effect == told).count(), 1);
}

#[test]
fn a_card_written_without_leave_is_not_believed() {
    let mut without = granted();
    without.grant = None;
    let mut another_card = granted();
    another_card.grant.as_mut().unwrap().uid = Some("04FFFFFF".to_owned());
    let mut released = granted();
    released.grant.as_mut().unwrap().state = GrantState::Released;
    for world in [without, another_card, released] {
        assert_eq!(
            world.decide(&written_outcome(None)),
            [
                Effect::Record(OutcomeKind::Written),
                Effect::Fail(attempt_error::written_without_leave()),
            ]
        );
    }
}

#[test]
fn a_card_found_blank_discards_what_was_on_it_before_the_scan_began_and_tells_once() {
    let mut world = granted();
    world.attempt.kind = Kind::Scan;
    world.attempt.acs_credential_id = None;
    let known = rows::with_rooms(issued(rows::credential(2)), &[101]);
    let id = known.credential.acs_credential_id;
    world.on_card = vec![known];
    let blank = Outcome::Scanned(Scanned {
        uid: CARD.to_owned(),
        technology: "mifare_classic_1k".to_owned(),
        condition: CardCondition::Blank,
        credential: None,
        key_version: None,
    });
    let effects = world.decide(&blank);
    assert!(effects.contains(&Effect::Discard(id)));
    assert!(effects.contains(&Effect::Emit(Subject::CredentialInvalidated(id))));

    let spoil: [fn(&mut World); 5] = [
        |world| world.attempt.status = Status::Error,
        |world| world.on_card[0].credential.issued_at = Some(rows::NOW.after(SECOND)),
        |world| world.on_card[0].credential.card_uid = Some("04FFFFFF".to_owned()),
        |world| world.on_card[0].credential.is_overwritten = true,
        |world| world.on_card[0].credential.is_discarded = true,
    ];
    for spoil in spoil {
        let mut spoilt = granted();
        spoilt.attempt = world.attempt.clone();
        spoilt.on_card = world.on_card.clone();
        spoil(&mut spoilt);
        assert!(!spoilt.decide(&blank).contains(&Effect::Discard(id)));
    }
}

#[test]
fn what_a_lock_server_tells_for_a_uid_and_is_none_is_left_out() {
    let mut world = granted();
    world.attempt.card_order = Some("{}".to_owned());
    world.grant.as_mut().unwrap().uid = None;
    for (told, kept) in [(CARD, Some(CARD)), ("04a1b2c3", None), ("card 7", None)] {
        let uid = Some(told.to_owned());
        let effects = world.decide(&Outcome::Issued { uid });
        let kept = kept.map(str::to_owned);
        assert!(
            effects.contains(&Effect::Issue { uid: kept }),
            "{effects:?}"
        );
    }
}
