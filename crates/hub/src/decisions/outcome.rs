//! What an outcome changes (DESIGN invariants 5 and 6; §8). Pure.
//!
//! The bridge's report is the truth about the card. An attempt that has ended keeps its end; the credential and the
//! events follow the truth all the same. A report that was committed before changes nothing.

#[cfg(test)]
mod tests;
mod written;

use protocol::link::{AttemptError, CardCondition, Outcome, Scanned, ServerCard};

use super::grant::is_uid;
use crate::attempt_error;
use crate::id::CredentialId;
use crate::store::attempts::{Attempt, Kind, OutcomeKind, Status};
use crate::store::credentials::CredentialWithDoors;
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
    /// Whether an override with a higher number that overlaps the encoded one was encoded before.
    pub(crate) is_locked_out: bool,
}

/// One change, in the order in which it is to be made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Remember what was reported.
    Record(OutcomeKind),
    /// The attempt's grant.
    Grant(GrantState),
    /// The credential is on this card, where it is known which; doubts about it there are settled.
    Issue { uid: Option<String> },
    /// The attempt's grant was for this card, as the lock server tells now.
    NameCard { uid: String },
    /// This credential's card holds another one now.
    Overwrite(CredentialId),
    /// This credential's doors were taken over.
    Override(CredentialId),
    /// This credential's card was found wiped.
    Discard(CredentialId),
    /// Tell.
    Emit(Subject),
    /// The attempt ends with the credential as it is after all this.
    SucceedWithCredential,
    /// The attempt ends with what the scan found.
    SucceedWithScan(Box<Scanned>),
    /// The attempt ends with what a lock server read.
    SucceedWithServerCard(Box<ServerCard>),
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
            written::effects(state, uid, held_number.is_some(), &mut effects);
        }
        (Kind::Encode, Outcome::Issued { uid }) => {
            // Nobody gave leave for it, so what is no UID is as good as none.
            let uid = uid.as_deref().filter(|uid| is_uid(uid));
            written::issued_by_server(state, uid, &mut effects);
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
            if scanned.condition == CardCondition::Blank {
                discard(state, &scanned.uid, &mut effects);
            }
            effects.push(match super::scan::refusal(scanned) {
                Some(error) => Effect::Fail(error),
                None => Effect::SucceedWithScan(Box::new(scanned.clone())),
            });
        }
        (Kind::Scan, Outcome::Read(card)) => {
            effects.push(match super::scan::lock_server::refusal(card) {
                Some(error) => Effect::Fail(error),
                None => Effect::SucceedWithServerCard(Box::new(card.clone())),
            });
        }
        (Kind::Scan, Outcome::Unwritten { error }) => effects.push(Effect::Fail(error.clone())),
        (Kind::Encode, Outcome::Scanned(_) | Outcome::Read(_))
        | (
            Kind::Scan,
            Outcome::Written { .. } | Outcome::Issued { .. } | Outcome::Unknown { .. },
        ) => {
            effects.push(Effect::Fail(attempt_error::wrong_report()));
        }
    }
    if state.attempt.status != Status::Pending {
        effects.retain(|effect| !ends_the_attempt(effect));
    }
    effects
}

/// A card that held credentials of the site is as it was delivered: somebody wiped it. A report that comes late says
/// nothing of what was written since.
fn discard(state: &Circumstances<'_>, uid: &str, effects: &mut Vec<Effect>) {
    let scan = state.attempt;
    if scan.status != Status::Pending {
        return;
    }
    for known in state.on_card {
        let known = &known.credential;
        let was_here = known.card_uid.as_deref() == Some(uid)
            && known
                .issued_at
                .is_some_and(|issued| issued <= scan.created_at);
        if !was_here || known.is_overwritten || known.is_discarded {
            continue;
        }
        effects.push(Effect::Discard(known.acs_credential_id));
        if known.is_valid() {
            let subject = Subject::CredentialInvalidated(known.acs_credential_id);
            effects.push(Effect::Emit(subject));
        }
    }
}

fn kind_of(outcome: &Outcome) -> OutcomeKind {
    match outcome {
        Outcome::Written { .. } | Outcome::Issued { .. } => OutcomeKind::Written,
        Outcome::Unwritten { .. } => OutcomeKind::Unwritten,
        Outcome::Unknown { .. } => OutcomeKind::Unknown,
        Outcome::Scanned(_) | Outcome::Read(_) => OutcomeKind::Scanned,
    }
}

fn ends_the_attempt(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::SucceedWithCredential
            | Effect::SucceedWithScan(_)
            | Effect::SucceedWithServerCard(_)
            | Effect::Fail(_)
    )
}
