//! The one task that ends what is due: attempts past their deadline, and those of bridges that are given up. It sleeps
//! until the next of both and is woken when one may have come nearer. It polls only while the database cannot be
//! written, and so finds out when it can again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::core::Core;
use crate::id::BridgeId;
use crate::moment::Moment;
use crate::store::{attempts, bridges};

/// After a database error: how long until the next try.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// Runs until it is aborted.
pub(crate) async fn run(core: Arc<Core>) {
    let mut failed_before = false;
    loop {
        let ended = end_what_is_due(&core).await;
        let fails = ended.is_err();
        let next = match ended {
            Ok(next) => next,
            Err(error) => {
                if !failed_before {
                    tracing::error!(%error, "deadlines could not be looked at; trying until they can");
                }
                Some(Instant::now() + AFTER_ERROR)
            }
        };
        failed_before = fails;
        let due = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = core.deadlines.notified() => {}
            () = core.store.write_health.failed() => {}
        }
    }
}

/// Ends what is due and says when there is more.
async fn end_what_is_due(core: &Core) -> sqlx::Result<Option<Instant>> {
    if core.store.write_health.is_failing() {
        core.store.try_to_write().await?;
    }
    core.end_expired(Moment::now()).await?;
    let given_up = core.dispatch.take_given_up(Instant::now());
    if let Err(error) = end_lost(core, &given_up).await {
        core.dispatch.expect(given_up);
        return Err(error);
    }
    let next_deadline = attempts::next_deadline(&mut *core.store.read().await?).await?;
    let next_deadline = next_deadline.map(|at| Instant::now() + Moment::now().until(at));
    Ok([next_deadline, core.dispatch.next_grace_end()]
        .into_iter()
        .flatten()
        .min())
}

/// Ends what bridges that are given up had no leave for. What begins from here on sees that they are gone.
async fn end_lost(core: &Core, given_up: &[BridgeId]) -> sqlx::Result<()> {
    if given_up.is_empty() {
        return Ok(());
    }
    let busy = bridges::with_pending_attempts(&mut *core.store.read().await?).await?;
    for bridge in busy.iter().filter(|bridge| given_up.contains(bridge)) {
        core.end_ungranted(*bridge, Moment::now()).await?;
    }
    core.encoders_released();
    Ok(())
}
