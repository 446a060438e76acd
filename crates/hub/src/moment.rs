//! An instant as the store keeps it: whole milliseconds since 1970 UTC. Reads no clock but in [`Moment::now`], which
//! only the edges (routes, link, deadlines) call, and in [`Moment::or_now`]; decisions are told the time.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Sqlite, Type};

const MILLIS_PER_MINUTE: i64 = 60_000;

/// An instant in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment(i64);

impl Moment {
    /// Milliseconds since 1970 UTC.
    #[cfg(test)]
    pub(crate) const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The hub's clock.
    pub(crate) fn now() -> Self {
        Timestamp::now().into()
    }

    /// This, or the clock's time if that is later: for what was told the time and then waited for its turn to write.
    pub(crate) fn or_now(self) -> Self {
        self.max(Self::now())
    }

    /// This much earlier.
    pub(crate) fn before(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// This much later.
    pub(crate) fn after(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long until then; zero when it is past.
    pub(crate) fn until(self, later: Self) -> Duration {
        Duration::from_millis(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }

    /// Cut to the minute, which is what fits on a card.
    pub(crate) fn to_the_minute(self) -> Self {
        Self(self.0.div_euclid(MILLIS_PER_MINUTE) * MILLIS_PER_MINUTE)
    }

    /// Whether a credential from here to `end` opens for a minute at least, as cards tell the time.
    pub(crate) fn is_a_minute_before(self, end: Self) -> bool {
        self.minutes() < end.minutes()
    }

    /// Whole minutes since 1970.
    pub(crate) fn minutes(self) -> i64 {
        self.0.div_euclid(MILLIS_PER_MINUTE)
    }

    /// For the wire.
    pub(crate) fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }
}

impl From<Timestamp> for Moment {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp.as_millisecond())
    }
}

impl From<Moment> for protocol::api::Time {
    fn from(moment: Moment) -> Self {
        moment.timestamp().into()
    }
}

impl Type<Sqlite> for Moment {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }

    fn compatible(info: &SqliteTypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(info)
    }
}

impl Encode<'_, Sqlite> for Moment {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<'_, Sqlite>>::encode_by_ref(&self.0, buffer)
    }
}

impl<'r> Decode<'r, Sqlite> for Moment {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(<i64 as Decode<'r, Sqlite>>::decode(value)?))
    }
}
