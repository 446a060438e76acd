//! The one task that ends what is due: attempts past their deadline, and those of bridges that are given up. It sleeps
//! until the next of both and is woken when one may have come nearer; it never polls.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::core::Core;
use crate::moment::Moment;

/// After a database error: how long until the next try.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// Runs until it is aborted.
pub(crate) async fn run(core: Arc<Core>) {
    loop {
        let next = match end_what_is_due(&core).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "deadlines could not be looked at; trying again");
                Some(Instant::now() + AFTER_ERROR)
            }
        };
        let woken = core.deadlines.notified();
        match next {
            Some(at) => {
                tokio::select! {
                    () = tokio::time::sleep_until(at) => {}
                    () = woken => {}
                }
            }
            None => woken.await,
        }
    }
}

/// Ends what is due and says when there is more.
async fn end_what_is_due(core: &Core) -> sqlx::Result<Option<Instant>> {
    core.end_expired(Moment::now()).await?;
    for bridge in core.dispatch.take_given_up(Instant::now()) {
        if let Err(error) = core.end_ungranted(bridge, Moment::now()).await {
            core.dispatch.expect([bridge]);
            return Err(error);
        }
    }
    let next_deadline =
        crate::store::attempts::next_deadline(&mut *core.store.read().await?).await?;
    let next_deadline = next_deadline.map(|at| Instant::now() + Moment::now().until(at));
    Ok([next_deadline, core.dispatch.next_grace_end()]
        .into_iter()
        .flatten()
        .min())
}
