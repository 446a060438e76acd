//! What an outcome changes (DESIGN invariants 5 and 6; §8). Pure.
//!
//! The bridge's report is the truth about the card. An attempt that has ended keeps its end; the credential and the
//! events follow the truth all the same. A report that was committed before changes nothing.

use protocol::link::{AttemptError, Outcome, Scanned};

use crate::attempt_error;
use crate::id::CredentialId;
use crate::moment::Moment;
use crate::store::attempts::{Attempt, Kind, OutcomeKind, Status};
use crate::store::credentials::{CardFunction, CredentialWithDoors};
use crate::store::events::Subject;
use crate::store::grants::{Grant, GrantState};

/// All that an outcome is judged by.
#[derive(Debug)]
pub(crate) struct Circumstances<'a> {
    pub(crate) attempt: &'a Attempt,
    /// The credential of an encode.
    pub(crate) credential: Option<&'a CredentialWithDoors>,
    /// The grant of the attempt.
    pub(crate) grant: Option<&'a Grant>,
    /// All grants on the card that was reported.
    pub(crate) card_grants: &'a [Grant],
    /// The credentials that the card held, may have held, or was read to hold.
    pub(crate) on_card: &'a [CredentialWithDoors],
    /// The credentials that share a guest door with the encoded one.
    pub(crate) neighbours: &'a [CredentialWithDoors],
}

/// One change, in the order in which it is to be made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Remember what was reported.
    Record(OutcomeKind),
    /// The attempt's grant.
    Grant(GrantState),
    /// The credential is on this card; doubts about it there are settled.
    Issue { uid: String },
    /// This credential's card holds another one now.
    Overwrite(CredentialId),
    /// This credential's doors were taken over.
    Override(CredentialId),
    /// Tell.
    Emit(Subject),
    /// The attempt ends with the credential as it is after all this.
    SucceedWithCredential,
    /// The attempt ends with what the scan found.
    SucceedWithScan(Box<Scanned>),
    /// The attempt ends with an error.
    Fail(AttemptError),
}

/// Judges an outcome.
pub(crate) fn decide(state: &Circumstances<'_>, outcome: &Outcome) -> Vec<Effect> {
    let kind = kind_of(outcome);
    let settles_a_doubt = state.attempt.outcome == Some(OutcomeKind::Unknown)
        && matches!(kind, OutcomeKind::Written | OutcomeKind::Unwritten);
    if state.attempt.outcome.is_some() && !settles_a_doubt {
        return Vec::new();
    }
    let mut effects = vec![Effect::Record(kind)];
    match (state.attempt.kind, outcome) {
        (
            Kind::Encode,
            Outcome::Written {
                uid, held_number, ..
            },
        ) => {
            written(state, uid, held_number.is_some(), &mut effects);
        }
        (Kind::Encode, Outcome::Unwritten { error }) => {
            if state
                .grant
                .is_some_and(|grant| grant.state != GrantState::Written)
            {
                effects.push(Effect::Grant(GrantState::Released));
            }
            effects.push(Effect::Fail(error.clone()));
        }
        (Kind::Encode, Outcome::Unknown { error, .. }) => {
            if state.grant.is_some() {
                effects.push(Effect::Grant(GrantState::Doubtful));
            }
            effects.push(Effect::Fail(error.clone()));
        }
        (Kind::Scan, Outcome::Scanned(scanned)) => {
            effects.push(match super::scan::refusal(scanned) {
                Some(error) => Effect::Fail(error),
                None => Effect::SucceedWithScan(Box::new(scanned.clone())),
            });
        }
        (Kind::Scan, Outcome::Unwritten { error }) => effects.push(Effect::Fail(error.clone())),
        (Kind::Encode, Outcome::Scanned(_))
        | (Kind::Scan, Outcome::Written { .. } | Outcome::Unknown { .. }) => {
            effects.push(Effect::Fail(attempt_error::wrong_report()));
        }
    }
    if state.attempt.status != Status::Pending {
        effects.retain(|effect| !ends_the_attempt(effect));
    }
    effects
}

fn kind_of(outcome: &Outcome) -> OutcomeKind {
    match outcome {
        Outcome::Written { .. } => OutcomeKind::Written,
        Outcome::Unwritten { .. } => OutcomeKind::Unwritten,
        Outcome::Unknown { .. } => OutcomeKind::Unknown,
        Outcome::Scanned(_) => OutcomeKind::Scanned,
    }
}

fn ends_the_attempt(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::SucceedWithCredential | Effect::SucceedWithScan(_) | Effect::Fail(_)
    )
}

fn written(state: &Circumstances<'_>, uid: &str, held_one: bool, effects: &mut Vec<Effect>) {
    let (Some(credential), Some(grant)) = (state.credential, state.grant) else {
        effects.push(Effect::Fail(attempt_error::written_without_leave()));
        return;
    };
    if grant.uid != uid || grant.state == GrantState::Released {
        effects.push(Effect::Fail(attempt_error::written_without_leave()));
        return;
    }
    effects.push(Effect::Grant(GrantState::Written));
    if is_superseded(grant, state.card_grants) {
        return;
    }
    let id = credential.credential.acs_credential_id;
    effects.push(Effect::Issue {
        uid: uid.to_owned(),
    });
    effects.push(Effect::Emit(if held_one {
        Subject::CredentialReissued(id)
    } else {
        Subject::CredentialIssued(id)
    }));
    for other in state.on_card {
        let other = &other.credential;
        if other.acs_credential_id == id || other.is_overwritten {
            continue;
        }
        effects.push(Effect::Overwrite(other.acs_credential_id));
        if other.is_valid() {
            effects.push(Effect::Emit(Subject::CredentialInvalidated(
                other.acs_credential_id,
            )));
        }
    }
    if credential.credential.is_override {
        take_over_doors(state, credential, effects);
    }
    effects.push(Effect::SucceedWithCredential);
}

/// A doubt that is settled late: the card has been written with something else since.
fn is_superseded(grant: &Grant, card_grants: &[Grant]) -> bool {
    card_grants.iter().any(|other| {
        other.grant_id != grant.grant_id
            && other.state == GrantState::Written
            && other.granted_at > grant.granted_at
    })
}

/// An override was encoded: guest cards with a lower issue number that have not ended before it starts are locked out.
fn take_over_doors(
    state: &Circumstances<'_>,
    credential: &CredentialWithDoors,
    effects: &mut Vec<Effect>,
) {
    let newer = &credential.credential;
    if newer.card_function == CardFunction::Staff {
        return;
    }
    for other in state.neighbours {
        let older = &other.credential;
        let is_taken_over = older.card_function == CardFunction::Guest
            && older.issue_number < newer.issue_number
            && !older.is_overridden
            && older
                .ends_at
                .is_none_or(|end: Moment| end > newer.starts_at);
        if !is_taken_over {
            continue;
        }
        effects.push(Effect::Override(older.acs_credential_id));
        let is_overwritten_just_now = effects.contains(&Effect::Overwrite(older.acs_credential_id));
        if older.is_valid() && !is_overwritten_just_now {
            effects.push(Effect::Emit(Subject::CredentialInvalidated(
                older.acs_credential_id,
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::rows;
    use crate::store::credentials::Credential;

    const CARD: &str = "04A1B2C3";

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
            uid: CARD.to_owned(),
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
                        uid: CARD.to_owned()
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
            uid: CARD.to_owned()
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
                    uid: CARD.to_owned()
                })
        );

        let newer = rows::encode(2, &rows::encoder(1), &rows::credential(6));
        let mut newer_grant = rows::grant(8, &newer, CARD, GrantState::Written);
        newer_grant.granted_at = rows::NOW.after(std::time::Duration::from_secs(1));
        world.card_grants.push(newer_grant);
        assert!(
            !world
                .decide(&written_outcome(None))
                .contains(&Effect::Issue {
                    uid: CARD.to_owned()
                })
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
        another_card.grant.as_mut().unwrap().uid = "04FFFFFF".to_owned();
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
}
