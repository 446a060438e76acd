//! For what can only be asked for again and again, as the API's contract has it for attempts.

use std::time::{Duration, Instant};

/// Longer than any wait for a card, and than any start, in these tests.
const LIMIT: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_millis(30);

/// Asks until there is what was asked for.
///
/// # Panics
/// It never comes. `what` then says what was missing.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    let mut pace = tokio::time::interval(EVERY);
    loop {
        pace.tick().await;
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "in {LIMIT:?} {what} never came");
    }
}

/// Waits for what announces itself.
///
/// # Panics
/// It never does. `what` then says what was missing.
pub async fn within<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, event).await {
        Ok(seen) => seen,
        Err(_) => panic!("in {LIMIT:?} {what} never came"),
    }
}
