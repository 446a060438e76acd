//! Attempts that end without a report: past their deadline, with a lost bridge, or refused by it (DESIGN invariant 6).

use protocol::link::{AttemptError, FromHub, OfferRefusal};

use super::connect::LinkError;
use crate::attempt_error;
use crate::core::Core;
use crate::id::{AttemptId, BridgeId};
use crate::moment::Moment;
use crate::store::attempts::{self, Attempt, End, Status};
use crate::store::grants::{self, GrantState};
use crate::store::{Db, bridges};

impl Core {
    /// Ends what is past its deadline. A grant that was given stays until its outcome comes.
    pub(crate) async fn end_expired(&self, now: Moment) -> sqlx::Result<()> {
        let mut db = self.store.begin().await?;
        let expired = attempts::past_deadline(&mut db, now).await?;
        if expired.is_empty() {
            return Ok(());
        }
        for attempt in &expired {
            let grant = grants::of_attempt(&mut db, attempt.action_attempt_id).await?;
            let error = match grant.filter(|grant| grant.state != GrantState::Released) {
                Some(grant) => attempt_error::expired_after_grant(grant.uid.as_deref()),
                None => attempt_error::expired_before_grant(),
            };
            attempts::end(&mut db, attempt.action_attempt_id, &End::Error(error), now).await?;
        }
        db.commit().await?;
        self.tell_ended(&expired);
        Ok(())
    }

    /// Ends what a bridge that is given up had no leave to write for.
    pub(crate) async fn end_ungranted(&self, bridge: BridgeId, now: Moment) -> sqlx::Result<()> {
        let mut db = self.store.begin().await?;
        let lost = attempts::ungranted_of_bridge(&mut db, bridge).await?;
        for attempt in &lost {
            let end = End::Error(attempt_error::bridge_disconnected());
            attempts::end(&mut db, attempt.action_attempt_id, &end, now).await?;
        }
        db.commit().await?;
        self.tell_ended(&lost);
        Ok(())
    }

    /// A bridge does not take an offer. After a grant that cannot be: it is ignored then, the outcome or the deadline
    /// decides.
    pub(crate) async fn offer_refused(
        &self,
        bridge: BridgeId,
        generation: u64,
        attempt: AttemptId,
        reason: OfferRefusal,
        now: Moment,
    ) -> Result<(), LinkError> {
        let mut db = self.store.begin().await?;
        if !bridges::is_current(&mut db, bridge, generation).await? {
            return Err(LinkError::Replaced);
        }
        end_unless_granted(
            &mut db,
            bridge,
            attempt,
            attempt_error::refused(reason),
            now,
        )
        .await?;
        db.commit().await?;
        self.attempts_ended();
        Ok(())
    }

    pub(super) fn tell_ended(&self, ended: &[Attempt]) {
        for attempt in ended {
            let attempt_id = attempt.action_attempt_id.0;
            self.dispatch
                .say(attempt.bridge_id, FromHub::Cancel { attempt_id });
        }
        if !ended.is_empty() {
            self.attempts_ended();
        }
    }
}

async fn end_unless_granted(
    db: &mut Db,
    bridge: BridgeId,
    attempt: AttemptId,
    error: AttemptError,
    now: Moment,
) -> sqlx::Result<()> {
    let Some(found) = attempts::get(db, attempt).await? else {
        return Ok(());
    };
    let is_granted = grants::of_attempt(db, attempt)
        .await?
        .is_some_and(|grant| grant.state != GrantState::Released);
    if found.bridge_id != bridge || found.status != Status::Pending || is_granted {
        tracing::warn!(%attempt, %bridge, "an offer was refused that is not open; ignored");
        return Ok(());
    }
    attempts::end(db, attempt, &End::Error(error), now).await?;
    Ok(())
}
