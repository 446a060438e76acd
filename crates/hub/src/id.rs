//! One type per kind of id, so that a site is never looked up where an encoder is meant. Stored as hyphenated text.

use std::fmt;

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Sqlite, Type};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(pub(crate) Uuid);

        impl $name {
            /// A new one; version 7, so that they sort by age.
            #[allow(dead_code, reason = "not every kind of id is made by the hub")]
            pub(crate) fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Type<Sqlite> for $name {
            fn type_info() -> SqliteTypeInfo {
                <String as Type<Sqlite>>::type_info()
            }
        }

        impl Encode<'_, Sqlite> for $name {
            fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
                <String as Encode<'_, Sqlite>>::encode(self.0.to_string(), buffer)
            }
        }

        impl<'r> Decode<'r, Sqlite> for $name {
            fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
                Ok(Self(<String as Decode<'r, Sqlite>>::decode(value)?.parse()?))
            }
        }
    )*};
}

ids! {
    /// A database of a hub.
    HubId,
    /// A workspace.
    WorkspaceId,
    /// The account of a site.
    AccountId,
    /// A site, which the API calls an access control system.
    SiteId,
    /// A door.
    EntranceId,
    /// A user of a site.
    UserId,
    /// A credential.
    CredentialId,
    /// A bridge.
    BridgeId,
    /// An encoder.
    EncoderId,
    /// An action attempt.
    AttemptId,
    /// The hub's leave to write.
    GrantId,
    /// An event.
    EventId,
}
