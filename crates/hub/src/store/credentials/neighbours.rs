//! Few rows by which issue numbers are decided, however long the history of a door is.

use std::collections::BTreeSet;

use super::{Credential, CredentialWithDoors, json_list, select, with_doors};
use crate::id::CredentialId;
use crate::issue_number::Wish;
use crate::moment::Moment;
use crate::store::Db;

pub(super) const NAMED: &str =
    select!("WHERE c.acs_credential_id IN (SELECT value FROM json_each(?1)) ORDER BY c.seq");
pub(super) const OF_STAYS: &str =
    select!("WHERE c.stay_id IN (SELECT value FROM json_each(?1)) ORDER BY c.seq");
pub(super) const HIGHEST_AT_DOORS: &str = select!(
    "WHERE c.acs_credential_id IN (SELECT acs_credential_id FROM credential_entrances \
     WHERE acs_entrance_id IN (SELECT value FROM json_each(?1))) \
     AND (?2 IS NULL OR c.starts_at < ?2) AND (?3 IS NULL OR +c.stay_id <> ?3) \
     ORDER BY c.issue_number DESC, c.seq LIMIT 1"
);
pub(super) const LOWEST_AFTER: &str = select!(
    "WHERE c.acs_credential_id IN (SELECT acs_credential_id FROM credential_entrances \
     WHERE acs_entrance_id IN (SELECT value FROM json_each(?1))) \
     AND c.starts_at >= ?2 AND (?3 IS NULL OR +c.stay_id <> ?3) AND c.card_function = 'guest' \
     AND c.deleted_at IS NULL AND NOT c.is_overridden AND NOT c.is_overwritten AND NOT c.is_discarded \
     ORDER BY c.issue_number, c.seq LIMIT 1"
);
pub(super) const VALID_AT_DOORS: &str = select!(
    "WHERE c.acs_credential_id IN (SELECT acs_credential_id FROM credential_entrances \
     WHERE acs_entrance_id IN (SELECT value FROM json_each(?1))) \
     AND c.issued_at IS NOT NULL AND c.deleted_at IS NULL AND NOT c.is_overridden AND NOT c.is_overwritten \
     AND NOT c.is_discarded AND (c.ends_at IS NULL OR c.ends_at > ?2) ORDER BY c.seq"
);
pub(super) const LOCKED_OUT: &str = select!(
    "WHERE c.acs_credential_id IN (SELECT acs_credential_id FROM credential_entrances \
     WHERE acs_entrance_id IN (SELECT value FROM json_each(?1))) \
     AND c.issue_number < ?2 AND NOT c.is_overridden AND (c.ends_at IS NULL OR c.ends_at > ?3) ORDER BY c.seq"
);

/// An override whose card has what the hub has, so that its number is the one on the card.
pub(super) const LOCKS_OUT: &str = "SELECT EXISTS (SELECT 1 FROM credentials c WHERE c.acs_credential_id IN \
     (SELECT acs_credential_id FROM credential_entrances WHERE acs_entrance_id IN (SELECT value FROM json_each(?1))) \
     AND c.is_override AND c.card_function = 'guest' AND c.issued_at IS NOT NULL AND c.written_revision = c.revision \
     AND c.issue_number > ?2 AND (?3 IS NULL OR c.starts_at < ?3))";

/// What the issue number of a credential is decided by: on the guest doors of the wish the credential with the highest
/// number among those that start before it ends, the one with the lowest number after it, and the valid ones that have
/// not ended; those that are named, of whatever site; and all of the stays of the valid and named ones. `own_stay` is
/// the stay of a credential that is changed: it does not count as one on the doors.
pub(crate) async fn before(
    db: &mut Db,
    wish: &Wish,
    named: &[CredentialId],
    own_stay: Option<CredentialId>,
    now: Moment,
) -> sqlx::Result<Vec<CredentialWithDoors>> {
    let doors = json_list(wish.guest_doors.iter().map(|door| door.0));
    let mut found: Vec<Credential> = sqlx::query_as(VALID_AT_DOORS)
        .bind(&doors)
        .bind(now)
        .fetch_all(&mut *db)
        .await?;
    let named: Vec<Credential> = sqlx::query_as(NAMED)
        .bind(json_list(named.iter().map(|id| id.0)))
        .fetch_all(&mut *db)
        .await?;
    found.extend(named);
    let stays: BTreeSet<_> = found
        .iter()
        .map(|credential| credential.stay_id.0)
        .chain(own_stay.map(|stay| stay.0))
        .collect();
    let of_stays: Vec<Credential> = sqlx::query_as(OF_STAYS)
        .bind(json_list(stays.into_iter()))
        .fetch_all(&mut *db)
        .await?;
    found.extend(of_stays);
    for statement in [HIGHEST_AT_DOORS, LOWEST_AFTER] {
        let one: Option<Credential> = sqlx::query_as(statement)
            .bind(&doors)
            .bind(wish.ends_at)
            .bind(own_stay)
            .fetch_optional(&mut *db)
            .await?;
        found.extend(one);
    }
    found.sort_by_key(|credential| credential.seq);
    found.dedup_by_key(|credential| credential.seq);
    with_doors(db, found).await
}

/// An override with all that joined it.
pub(crate) async fn of_stay(
    db: &mut Db,
    stay: CredentialId,
) -> sqlx::Result<Vec<CredentialWithDoors>> {
    let found = sqlx::query_as(OF_STAYS)
        .bind(json_list(std::iter::once(stay.0)))
        .fetch_all(&mut *db)
        .await?;
    with_doors(db, found).await
}

/// The credentials whose guest doors this one takes over when it is an override: those with a lower issue number that
/// end after it starts and were not taken over before.
pub(crate) async fn locked_out_by(
    db: &mut Db,
    newer: &CredentialWithDoors,
) -> sqlx::Result<Vec<CredentialWithDoors>> {
    let found = sqlx::query_as(LOCKED_OUT)
        .bind(json_list(newer.guest_doors().iter().map(|door| door.0)))
        .bind(newer.credential.issue_number)
        .bind(newer.credential.starts_at)
        .fetch_all(&mut *db)
        .await?;
    with_doors(db, found).await
}

/// Whether an override with a higher number that starts before this one ends was encoded for one of its guest doors.
pub(crate) async fn is_locked_out(
    db: &mut Db,
    credential: &CredentialWithDoors,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(LOCKS_OUT)
        .bind(json_list(
            credential.guest_doors().iter().map(|door| door.0),
        ))
        .bind(credential.credential.issue_number)
        .bind(credential.credential.ends_at)
        .fetch_one(db)
        .await
}
