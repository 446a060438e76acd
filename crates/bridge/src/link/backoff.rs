//! How long to wait before the next try: full jitter, so that a thousand bridges do not come back at once.

use std::time::Duration;

const BASE: Duration = Duration::from_millis(250);
const CAP: Duration = Duration::from_secs(30);

/// The waits between tries: random between zero and a bound that doubles up to 30 s.
pub(super) struct Backoff {
    bound: Duration,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { bound: BASE }
    }

    /// The next wait.
    pub(super) fn next(&mut self) -> Duration {
        let bound = self.bound;
        self.bound = (bound * 2).min(CAP);
        bound.mul_f64(fraction())
    }
}

/// A random number from 0 up to 1. Without randomness every wait is the longest one.
fn fraction() -> f64 {
    getrandom::u32().map_or(1.0, |number| {
        f64::from(number) / (f64::from(u32::MAX) + 1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_never_pass_it() {
        let mut backoff = Backoff::new();
        for round in 0..20 {
            let bound = BASE.saturating_mul(1 << round).min(CAP);
            assert!(backoff.next() <= bound, "round {round}");
        }
        assert_eq!(backoff.bound, CAP);
    }
}
