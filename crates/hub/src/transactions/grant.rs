//! A bridge asks for leave to write: judged and committed in one transaction (DESIGN invariant 2).

use protocol::link::{AskGrant, GrantAnswer, GrantDecision};

use super::connect::LinkError;
use crate::core::Core;
use crate::decisions::grant::{Circumstances, Verdict, decide};
use crate::decisions::site_keys;
use crate::id::{AttemptId, BridgeId, CredentialId, GrantId};
use crate::moment::Moment;
use crate::store::grants::{self, Grant, GrantState};
use crate::store::{attempts, bridges, credentials};

impl Core {
    /// Answers an ask. An equal ask gets an equal answer.
    pub(crate) async fn ask_grant(
        &self,
        bridge: BridgeId,
        generation: u64,
        ask: &AskGrant,
        now: Moment,
    ) -> Result<GrantAnswer, LinkError> {
        let mut db = self.store.begin().await?;
        if !bridges::is_current(&mut db, bridge, generation).await? {
            return Err(LinkError::Replaced);
        }
        let asking = bridges::get(&mut db, bridge)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        let attempt = attempts::get(&mut db, AttemptId(ask.attempt_id))
            .await?
            .filter(|attempt| attempt.bridge_id == bridge);
        let credential_id = attempt
            .as_ref()
            .and_then(|attempt| attempt.acs_credential_id);
        let mut credential = None;
        let mut of_credential = Vec::new();
        if let Some(id) = credential_id {
            credential = credentials::get(&mut db, id).await?;
            of_credential = grants::of_credential(&mut db, id).await?;
        }
        let on_card = match &ask.uid {
            Some(uid) => grants::on_card(&mut db, asking.acs_system_id, uid).await?,
            None => Vec::new(),
        };
        let verdict = decide(
            &Circumstances {
                attempt: attempt.as_ref(),
                credential: credential.as_ref().map(|found| &found.credential),
                site_keys: site_keys::judge(&asking),
                own: grants::of_attempt(&mut db, AttemptId(ask.attempt_id))
                    .await?
                    .as_ref(),
                of_credential: &of_credential,
                on_card: &on_card,
            },
            ask,
            now,
        );
        let decision = match (verdict, credential_id) {
            (Verdict::Again(grant_id), _) => GrantDecision::Granted {
                grant_id: grant_id.0,
            },
            (Verdict::Grant, Some(credential_id)) => {
                let grant = new_grant(ask, credential_id, now);
                grants::insert(&mut db, asking.acs_system_id, &grant).await?;
                GrantDecision::Granted {
                    grant_id: grant.grant_id.0,
                }
            }
            (Verdict::Grant, None) => GrantDecision::Denied {
                error: crate::attempt_error::attempt_unknown(),
            },
            (Verdict::Deny(error), _) => GrantDecision::Denied { error },
        };
        db.commit().await?;
        Ok(GrantAnswer {
            attempt_id: ask.attempt_id,
            decision,
        })
    }
}

fn new_grant(ask: &AskGrant, credential: CredentialId, now: Moment) -> Grant {
    Grant {
        seq: 0,
        grant_id: GrantId::new(),
        action_attempt_id: AttemptId(ask.attempt_id),
        acs_credential_id: credential,
        uid: ask.uid.clone(),
        digest: ask.digest.clone(),
        state: GrantState::Open,
        granted_at: now,
    }
}
