//! Times that were measured, and how they are shown.

use std::fmt;
use std::time::Duration;

/// Times of the same thing, measured again and again.
#[derive(Debug, Clone, Default)]
pub struct Spread(Vec<Duration>);

impl Spread {
    /// One more.
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The longest; zero of none.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.0.iter().copied().max().unwrap_or_default()
    }

    /// The one that so many hundredths of all do not exceed; zero of none.
    fn percentile(&self, hundredths: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = (sorted.len() * hundredths).div_ceil(100).saturating_sub(1);
        sorted.get(at).copied().unwrap_or_default()
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |time: Duration| time.as_millis();
        write!(
            f,
            "median {} ms, 95 % {} ms, longest {} ms ({} times)",
            millis(self.percentile(50)),
            millis(self.percentile(95)),
            millis(self.longest()),
            self.count()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_a_time_that_was_measured() {
        let mut spread = Spread::default();
        assert_eq!(spread.percentile(50), Duration::ZERO);
        for ms in [30, 10, 20, 40] {
            spread.add(Duration::from_millis(ms));
        }
        assert_eq!(spread.percentile(50), Duration::from_millis(20));
        assert_eq!(spread.percentile(95), Duration::from_millis(40));
        assert_eq!(spread.longest(), Duration::from_millis(40));
        assert_eq!(
            spread.to_string(),
            "median 20 ms, 95 % 40 ms, longest 40 ms (4 times)"
        );
    }
}
