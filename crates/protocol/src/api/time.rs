//! How the API writes an instant.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant: RFC 3339 in UTC with three decimals, `2026-11-22T01:02:03.000Z`.
///
/// Finer parts are cut, so that what was answered can be compared with what is answered later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(Timestamp);

impl Time {
    /// The instant itself.
    pub fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl From<Timestamp> for Time {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_always_has_three_decimals() {
        for (given, written) in [
            ("2026-11-22T01:02:03Z", "2026-11-22T01:02:03.000Z"),
            ("2026-11-22T03:02:03.0456+02:00", "2026-11-22T01:02:03.045Z"),
        ] {
            let time = Time::from(given.parse::<Timestamp>().unwrap());
            assert_eq!(time.to_string(), written);
            assert_eq!(
                serde_json::to_value(time).unwrap(),
                serde_json::json!(written)
            );
        }
    }
}
