//! A job came to its end: attempt, grant, credentials and events in one commit, then the bridge is told (DESIGN §6).

use protocol::link::{Outcome, OutcomeReport, Scanned, ServerCard};

use jiff::tz::TimeZone;

use super::connect::LinkError;
use crate::core::Core;
use crate::decisions::outcome::{Circumstances, Effect, decide};
use crate::decisions::scan::{self, Known};
use crate::id::{AttemptId, BridgeId};
use crate::moment::Moment;
use crate::resources;
use crate::store::attempts::{self, Attempt, End};
use crate::store::credentials::{self, CredentialWithDoors};
use crate::store::grants::{self, Grant, GrantState};
use crate::store::sites::{self, Site};
use crate::store::{Db, bridges, entrances, events, users};

/// What became of a reported outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Committed, now or before: the bridge may forget it.
    Committed,
    /// The hub has no such attempt, so nothing was kept: only the bridge's journal knows what is on that card.
    AttemptUnknown,
}

impl Core {
    /// Commits an outcome, if it is one of an attempt of this bridge.
    pub(crate) async fn take_outcome(
        &self,
        bridge: BridgeId,
        generation: u64,
        report: &OutcomeReport,
        now: Moment,
    ) -> Result<Taken, LinkError> {
        let mut db = self.store.begin().await?;
        if !bridges::is_current(&mut db, bridge, generation).await? {
            return Err(LinkError::Replaced);
        }
        let attempt = attempts::get(&mut db, AttemptId(report.attempt_id))
            .await?
            .filter(|attempt| attempt.bridge_id == bridge && attempt.fence == report.fence);
        let Some(attempt) = attempt else {
            // A hub restored from a backup, or a bridge that was given another hub's journal. A hub that knows the
            // attempt may come back, so the bridge must keep the outcome.
            tracing::warn!(
                attempt = %report.attempt_id, fence = report.fence, %bridge,
                "an outcome of an attempt that is not known here; the bridge keeps it and sends it at each connection"
            );
            return Ok(Taken::AttemptUnknown);
        };
        let effects = judge(&mut db, &attempt, &report.outcome).await?;
        apply(&mut db, &attempt, &effects, now).await?;
        db.commit().await?;
        self.attempts_ended();
        Ok(Taken::Committed)
    }
}

async fn judge(db: &mut Db, attempt: &Attempt, outcome: &Outcome) -> sqlx::Result<Vec<Effect>> {
    let site = attempt.acs_system_id;
    let grant: Option<Grant> = grants::of_attempt(db, attempt.action_attempt_id).await?;
    let mut credential: Option<CredentialWithDoors> = None;
    let mut card_grants = Vec::new();
    let mut on_card = Vec::new();
    let mut neighbours = Vec::new();
    let mut is_locked_out = false;
    if let Some(id) = attempt.acs_credential_id {
        credential = credentials::get(db, id).await?;
    }
    // The card that was made, where it is known which, and the number that was read on it before.
    let made = match outcome {
        Outcome::Written {
            uid, held_number, ..
        } => Some((Some(uid), held_number)),
        Outcome::Issued { uid } => Some((uid.as_ref(), &None)),
        _ => None,
    };
    if let (Some(credential), Some((uid, held_number))) = (&credential, made) {
        if let Some(uid) = uid {
            card_grants = grants::on_card(db, site, uid).await?;
            on_card = credentials::on_card(db, site, uid).await?;
        }
        if let Some(number) = held_number
            && !on_card
                .iter()
                .any(|known| known.credential.number == *number)
        {
            on_card.extend(credentials::by_number(db, site, *number).await?);
        }
        neighbours = credentials::locked_out_by(db, credential).await?;
        is_locked_out = credentials::is_locked_out(db, credential).await?;
    }
    if let Outcome::Scanned(scanned) = outcome {
        on_card = credentials::on_card(db, site, &scanned.uid).await?;
    }
    let circumstances = Circumstances {
        attempt,
        credential: credential.as_ref(),
        grant: grant.as_ref(),
        card_grants: &card_grants,
        on_card: &on_card,
        neighbours: &neighbours,
        is_locked_out,
    };
    Ok(decide(&circumstances, outcome))
}

async fn apply(
    db: &mut Db,
    attempt: &Attempt,
    effects: &[Effect],
    now: Moment,
) -> sqlx::Result<()> {
    let site = sites::get(db, attempt.acs_system_id)
        .await?
        .ok_or(sqlx::Error::RowNotFound)?;
    let id = attempt.action_attempt_id;
    for effect in effects {
        match effect {
            Effect::Record(kind) => attempts::set_outcome(db, id, *kind).await?,
            Effect::Grant(state) => {
                if let Some(grant) = grants::of_attempt(db, id).await? {
                    grants::set_state(db, grant.grant_id, *state).await?;
                }
            }
            Effect::Issue { uid } => {
                let credential = attempt.acs_credential_id.ok_or(sqlx::Error::RowNotFound)?;
                let revision = attempt.credential_revision;
                credentials::set_issued(db, credential, uid.as_deref(), revision, now).await?;
                if let Some(uid) = uid {
                    grants::settle_doubts(db, credential, uid).await?;
                }
            }
            Effect::NameCard { uid } => {
                if let Some(grant) = grants::of_attempt(db, id).await? {
                    grants::set_uid(db, grant.grant_id, uid).await?;
                }
            }
            Effect::Overwrite(credential) => credentials::set_overwritten(db, *credential).await?,
            Effect::Override(credential) => credentials::set_overridden(db, *credential).await?,
            Effect::Discard(credential) => credentials::set_discarded(db, *credential).await?,
            Effect::Emit(subject) => events::emit(db, &site, *subject, now).await?,
            Effect::SucceedWithCredential => {
                let end = credential_result(db, attempt).await?;
                attempts::end(db, id, &end, now).await?;
            }
            Effect::SucceedWithScan(scanned) => {
                let end = scan_result(db, attempt, scanned, now).await?;
                attempts::end(db, id, &end, now).await?;
            }
            Effect::SucceedWithServerCard(card) => {
                let end = server_card_result(db, &site, card).await?;
                attempts::end(db, id, &end, now).await?;
            }
            Effect::Fail(error) => {
                attempts::end(db, id, &End::Error(error.clone()), now).await?;
            }
        }
    }
    Ok(())
}

/// The credential as it is now, frozen.
async fn credential_result(db: &mut Db, attempt: &Attempt) -> sqlx::Result<End> {
    let id = attempt.acs_credential_id.ok_or(sqlx::Error::RowNotFound)?;
    let credential = credentials::get(db, id)
        .await?
        .ok_or(sqlx::Error::RowNotFound)?;
    frozen(&resources::credential(&credential))
}

async fn scan_result(
    db: &mut Db,
    attempt: &Attempt,
    scanned: &Scanned,
    now: Moment,
) -> sqlx::Result<End> {
    let site = attempt.acs_system_id;
    let mut known = None;
    let mut believed = None;
    match &scanned.credential {
        Some(read) => {
            if let Some(found) = credentials::by_number(db, site, read.number).await? {
                known = Some(Known {
                    holder: holder(db, &found).await?,
                    issued_cards: credentials::issued_of_stay(db, found.credential.stay_id).await?,
                    credential: found,
                });
            }
        }
        None => {
            let newest = grants::on_card(db, site, &scanned.uid).await?;
            if let Some(grant) = newest.iter().max_by_key(|grant| grant.seq) {
                believed = credentials::get(db, grant.acs_credential_id).await?;
            }
        }
    }
    let doors = entrances::of_site(db, site).await?;
    let circumstances = scan::Circumstances {
        known: known.as_ref(),
        believed: believed.as_ref(),
        entrances: &doors,
    };
    frozen(&scan::result(scanned, &circumstances, now))
}

async fn server_card_result(db: &mut Db, site: &Site, card: &ServerCard) -> sqlx::Result<End> {
    let mut known = None;
    if let Some(uid) = &card.uid {
        let grants = grants::on_card(db, site.acs_system_id, uid).await?;
        let written = grants
            .iter()
            .filter(|grant| grant.state == GrantState::Written);
        if let Some(newest) = written.max_by_key(|grant| grant.seq) {
            known = credentials::get(db, newest.acs_credential_id).await?;
        }
    }
    let doors = entrances::of_site(db, site.acs_system_id).await?;
    let time_zone =
        TimeZone::get(&site.time_zone).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let circumstances = scan::lock_server::Circumstances {
        known: known.as_ref(),
        entrances: &doors,
        time_zone: &time_zone,
    };
    frozen(&scan::lock_server::result(card, &circumstances))
}

/// The name of whose credential it is.
async fn holder(db: &mut Db, found: &CredentialWithDoors) -> sqlx::Result<Option<String>> {
    let credential = &found.credential;
    let Some(id) = credential.acs_user_id else {
        return Ok(None);
    };
    let user = users::get_in(db, credential.workspace_id, id).await?;
    Ok(user.map(|user| user.full_name))
}

fn frozen(result: &impl serde::Serialize) -> sqlx::Result<End> {
    serde_json::to_value(result)
        .map(End::Success)
        .map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::rows;
    use crate::settings::HubSettings;

    #[tokio::test]
    async fn a_report_of_an_older_connection_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let settings = HubSettings::new(folder.path().join("hub.sqlite"));
        let core = std::sync::Arc::new(Core::open(settings).await.unwrap());
        let admin = crate::Admin::new(std::sync::Arc::clone(&core));
        let workspace = admin.create_workspace("Grand Hotel").await.unwrap();
        let site = admin.create_site(workspace, "Main", "UTC").await.unwrap();
        admin.create_bridge_token(site, "front desk").await.unwrap();
        let bridge = bridges::all(&mut core.store.read().await.unwrap())
            .await
            .unwrap()[0];
        let report = OutcomeReport {
            attempt_id: rows::uuid(1),
            fence: 1,
            ended_at: rows::NOW.timestamp(),
            outcome: Outcome::Unwritten {
                error: crate::attempt_error::bridge_disconnected(),
            },
        };
        let taken = core.take_outcome(bridge, 7, &report, rows::NOW).await;
        assert!(matches!(taken, Err(LinkError::Replaced)));
    }
}
