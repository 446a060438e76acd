//! Whether a bridge gets leave to write (DESIGN invariants 1 and 2). Pure.

use protocol::link::{AskGrant, AttemptError};

use crate::attempt_error;
use crate::decisions::site_keys::SiteKeys;
use crate::id::GrantId;
use crate::moment::Moment;
use crate::store::attempts::{Attempt, Kind, Status};
use crate::store::credentials::Credential;
use crate::store::grants::{Grant, GrantState};

/// All that an ask is judged by.
#[derive(Debug)]
pub(crate) struct Circumstances<'a> {
    /// The attempt, if it is one of the asking bridge.
    pub(crate) attempt: Option<&'a Attempt>,
    pub(crate) credential: Option<&'a Credential>,
    pub(crate) site_keys: SiteKeys,
    /// The grant that the attempt already has.
    pub(crate) own: Option<&'a Grant>,
    /// What binds the credential to a card.
    pub(crate) of_credential: &'a [Grant],
    /// What binds anything to this card.
    pub(crate) on_card: &'a [Grant],
}

/// The answer to an ask.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// The grant that was given before.
    Again(GrantId),
    /// A new grant.
    Grant,
    /// No.
    Deny(AttemptError),
}

/// Judges an ask.
pub(crate) fn decide(state: &Circumstances<'_>, ask: &AskGrant, now: Moment) -> Verdict {
    let (Some(attempt), Some(credential)) = (state.attempt, state.credential) else {
        return Verdict::Deny(attempt_error::attempt_unknown());
    };
    if attempt.kind != Kind::Encode || attempt.fence != ask.fence {
        return Verdict::Deny(attempt_error::attempt_unknown());
    }
    if attempt.status != Status::Pending {
        return Verdict::Deny(attempt_error::attempt_over());
    }
    // Who makes the card was settled when the attempt began: a lock server makes one that nobody knows yet.
    let names_its_card = match &ask.uid {
        Some(uid) => !attempt.is_order() && is_uid(uid),
        None => attempt.is_order(),
    };
    if !names_its_card || !is_digest(&ask.digest) {
        return Verdict::Deny(attempt_error::wrong_report());
    }
    if let Some(own) = state.own {
        let is_same =
            own.state == GrantState::Open && own.uid == ask.uid && own.digest == ask.digest;
        return if is_same {
            Verdict::Again(own.grant_id)
        } else {
            Verdict::Deny(attempt_error::ask_changed())
        };
    }
    if credential.is_deleted() {
        return Verdict::Deny(attempt_error::credential_deleted());
    }
    if let Some(error) = attempt_error::site_keys(state.site_keys) {
        return Verdict::Deny(error);
    }
    if let Some(ended_at) = credential.ends_at.filter(|end| *end <= now) {
        return Verdict::Deny(attempt_error::credential_ended(ended_at));
    }
    let bound_elsewhere = state
        .of_credential
        .iter()
        .find(|grant| grant.state != GrantState::Released && !is_same_card(grant, ask));
    if let Some(held) = bound_elsewhere {
        let known = ask.uid.as_ref().and(held.uid.as_deref());
        return Verdict::Deny(attempt_error::cannot_be_reissued(known));
    }
    if state
        .on_card
        .iter()
        .any(|grant| grant.state == GrantState::Open)
    {
        return Verdict::Deny(attempt_error::card_in_other_hands());
    }
    Verdict::Grant
}

/// Whether the card that leave is asked for is surely the one that the grant was given for. A card that a lock server
/// made or will make is never known to be the same.
fn is_same_card(grant: &Grant, ask: &AskGrant) -> bool {
    ask.uid.is_some() && grant.uid == ask.uid
}

/// Upper-case hex of 4, 7 or 10 bytes (ISO/IEC 14443-3).
pub(super) fn is_uid(uid: &str) -> bool {
    matches!(uid.len(), 8 | 14 | 20)
        && uid
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
}

/// 64 hex digits.
fn is_digest(digest: &str) -> bool {
    digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::rows;

    const CARD: &str = "04A1B2C3";
    const OTHER_CARD: &str = "04FFFFFF";

    fn ask(uid: &str) -> AskGrant {
        AskGrant {
            attempt_id: rows::uuid(1),
            fence: 1,
            uid: Some(uid.to_owned()),
            digest: "ab".repeat(32),
        }
    }

    fn deny_kind(verdict: Verdict) -> String {
        match verdict {
            Verdict::Deny(error) => error.kind,
            other => panic!("expected a denial, got {other:?}"),
        }
    }

    struct World {
        attempt: Attempt,
        credential: Credential,
        site_keys: SiteKeys,
        grants: Vec<Grant>,
    }

    fn world() -> World {
        let credential = rows::credential(1);
        World {
            attempt: rows::encode(1, &rows::encoder(1), &credential),
            credential,
            site_keys: SiteKeys::Newest,
            grants: Vec::new(),
        }
    }

    impl World {
        fn decide(&self, ask: &AskGrant) -> Verdict {
            let own = self
                .grants
                .iter()
                .find(|grant| grant.action_attempt_id == self.attempt.action_attempt_id);
            let pick = |keep: &dyn Fn(&Grant) -> bool| -> Vec<Grant> {
                self.grants
                    .iter()
                    .filter(|grant| keep(grant))
                    .cloned()
                    .collect()
            };
            decide(
                &Circumstances {
                    attempt: Some(&self.attempt),
                    credential: Some(&self.credential),
                    site_keys: self.site_keys,
                    own,
                    of_credential: &pick(&|grant| {
                        grant.acs_credential_id == self.credential.acs_credential_id
                    }),
                    on_card: &pick(&|grant| grant.uid == ask.uid),
                },
                ask,
                rows::NOW,
            )
        }
    }

    #[test]
    fn a_fresh_card_is_granted_and_the_same_ask_gets_the_same_grant() {
        let mut world = world();
        assert_eq!(world.decide(&ask(CARD)), Verdict::Grant);
        let grant = rows::grant(7, &world.attempt, CARD, GrantState::Open);
        world.grants.push(grant.clone());
        assert_eq!(world.decide(&ask(CARD)), Verdict::Again(grant.grant_id));
        let other_digest = AskGrant {
            digest: "cd".repeat(32),
            ..ask(CARD)
        };
        for changed in [ask(OTHER_CARD), other_digest] {
            assert_eq!(deny_kind(world.decide(&changed)), "encoding_interrupted");
        }
    }

    #[test]
    fn a_credential_holds_one_card_whatever_became_of_it() {
        for (state, kind) in [
            (GrantState::Written, Some("credential_cannot_be_reissued")),
            (GrantState::Doubtful, Some("credential_cannot_be_reissued")),
            (GrantState::Open, Some("credential_cannot_be_reissued")),
            (GrantState::Released, None),
        ] {
            let mut world = world();
            let before = rows::encode(2, &rows::encoder(1), &world.credential);
            world
                .grants
                .push(rows::grant(7, &before, OTHER_CARD, state));
            match kind {
                Some(kind) => assert_eq!(deny_kind(world.decide(&ask(CARD))), kind),
                None => assert_eq!(world.decide(&ask(CARD)), Verdict::Grant),
            }
        }
    }

    #[test]
    fn the_same_card_may_be_encoded_again_once_its_outcome_is_known() {
        for (state, verdict) in [
            (GrantState::Written, Some(Verdict::Grant)),
            (GrantState::Doubtful, Some(Verdict::Grant)),
            (GrantState::Open, None),
        ] {
            let mut world = world();
            let before = rows::encode(2, &rows::encoder(1), &world.credential);
            world.grants.push(rows::grant(7, &before, CARD, state));
            match verdict {
                Some(verdict) => assert_eq!(world.decide(&ask(CARD)), verdict),
                None => assert_eq!(deny_kind(world.decide(&ask(CARD))), "uncategorized_error"),
            }
        }
    }

    #[test]
    fn a_card_that_another_attempt_may_be_writing_is_denied() {
        let mut world = world();
        let stranger = rows::encode(2, &rows::encoder(2), &rows::credential(2));
        world
            .grants
            .push(rows::grant(7, &stranger, CARD, GrantState::Open));
        assert_eq!(deny_kind(world.decide(&ask(CARD))), "uncategorized_error");
        world.grants[0].state = GrantState::Written;
        assert_eq!(world.decide(&ask(CARD)), Verdict::Grant);
    }

    #[test]
    fn an_ended_or_foreign_attempt_gets_nothing() {
        let mut ended = world();
        ended.attempt.status = Status::Error;
        assert_eq!(
            deny_kind(ended.decide(&ask(CARD))),
            "action_attempt_expired"
        );

        let mut stale = world();
        stale.attempt.fence = 2;
        assert_eq!(deny_kind(stale.decide(&ask(CARD))), "uncategorized_error");

        for site_keys in [SiteKeys::Differ, SiteKeys::Behind { has: 1, newest: 2 }] {
            let mut stranger = world();
            stranger.site_keys = site_keys;
            assert_eq!(
                deny_kind(stranger.decide(&ask(CARD))),
                "uncategorized_error"
            );
        }

        let mut deleted = world();
        deleted.credential.deleted_at = Some(rows::NOW);
        assert_eq!(deny_kind(deleted.decide(&ask(CARD))), "credential_deleted");

        let mut over = world();
        over.credential.ends_at = Some(rows::NOW);
        assert_eq!(deny_kind(over.decide(&ask(CARD))), "uncategorized_error");
    }

    #[test]
    fn what_is_no_uid_is_not_granted() {
        for uid in ["", "04a1b2c3", "04A1B2C", "04A1B2C3FF", "XYZWXYZW"] {
            assert_eq!(
                deny_kind(world().decide(&ask(uid))),
                "uncategorized_error",
                "{uid}"
            );
        }
    }
}
