//! What a written card changes: the credential on it, those that it held before, and those whose doors it takes over.

use super::{Circumstances, Effect};
use crate::attempt_error;
use crate::moment::Moment;
use crate::store::credentials::{CardFunction, CredentialWithDoors};
use crate::store::events::Subject;
use crate::store::grants::{Grant, GrantState};

/// Appends the changes in the order in which they are to be made; the last one ends the attempt.
pub(super) fn effects(
    state: &Circumstances<'_>,
    uid: &str,
    held_one: bool,
    effects: &mut Vec<Effect>,
) {
    let (Some(credential), Some(grant)) = (state.credential, state.grant) else {
        effects.push(Effect::Fail(attempt_error::written_without_leave()));
        return;
    };
    if grant.uid.as_deref() != Some(uid) || grant.state == GrantState::Released {
        effects.push(Effect::Fail(attempt_error::written_without_leave()));
        return;
    }
    effects.push(Effect::Grant(GrantState::Written));
    if !is_superseded(grant, state.card_grants) {
        issue(state, credential, Some(uid), held_one, effects);
    }
    effects.push(Effect::SucceedWithCredential);
}

/// A lock server made the card. What the card held before nobody has read.
pub(super) fn issued_by_server(
    state: &Circumstances<'_>,
    uid: Option<&str>,
    effects: &mut Vec<Effect>,
) {
    let leave = state
        .grant
        .filter(|grant| state.attempt.is_order() && grant.state != GrantState::Released);
    let (Some(credential), Some(grant)) = (state.credential, leave) else {
        effects.push(Effect::Fail(attempt_error::written_without_leave()));
        return;
    };
    effects.push(Effect::Grant(GrantState::Written));
    if let Some(uid) = uid {
        effects.push(Effect::NameCard {
            uid: uid.to_owned(),
        });
    }
    if !is_superseded(grant, state.card_grants) {
        issue(state, credential, uid, false, effects);
    }
    effects.push(Effect::SucceedWithCredential);
}

/// A doubt that is settled late: the card has been written with something else since. Judged by commit order: a clock
/// may have been set back in between.
fn is_superseded(grant: &Grant, card_grants: &[Grant]) -> bool {
    card_grants
        .iter()
        .any(|other| other.state == GrantState::Written && other.seq > grant.seq)
}

fn issue(
    state: &Circumstances<'_>,
    credential: &CredentialWithDoors,
    uid: Option<&str>,
    held_one: bool,
    effects: &mut Vec<Effect>,
) {
    let id = credential.credential.acs_credential_id;
    effects.push(Effect::Issue {
        uid: uid.map(str::to_owned),
    });
    effects.push(Effect::Emit(if held_one {
        Subject::CredentialReissued(id)
    } else {
        Subject::CredentialIssued(id)
    }));
    let before = &credential.credential;
    // It was changed, or made, to reach into the time of an override that was encoded already.
    let is_locked_out =
        state.is_locked_out && before.card_function == CardFunction::Guest && !before.is_overridden;
    if is_locked_out {
        effects.push(Effect::Override(id));
    }
    // It was void before it was ever valid, and this is the first time that it shows.
    let shows_now = !before.is_issued() && (before.is_overridden || before.is_deleted());
    if shows_now || (is_locked_out && !before.is_deleted()) {
        effects.push(Effect::Emit(Subject::CredentialInvalidated(id)));
    }
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
