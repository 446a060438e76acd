//! What becomes of a credential after it was made.

use crate::id::{CredentialId, EntranceId};
use crate::moment::Moment;
use crate::store::Db;

use super::insert_doors;

/// A credential as it is to be from now on.
#[derive(Debug)]
pub(crate) struct Changed {
    /// Whether a card would be written differently.
    pub(crate) is_other_image: bool,
    pub(crate) starts_at: Moment,
    pub(crate) ends_at: Option<Moment>,
    pub(crate) display_name: String,
    pub(crate) issue_number: u32,
    pub(crate) is_override: bool,
    pub(crate) entrances: Vec<EntranceId>,
}

/// Replaces what is granted.
pub(crate) async fn set_changed(
    db: &mut Db,
    id: CredentialId,
    changed: &Changed,
    now: Moment,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE credentials SET starts_at = ?1, ends_at = ?2, display_name = ?3, issue_number = ?4, is_override = ?5, \
         revision = revision + (?6 IS NOT NULL), changed_at = COALESCE(?6, changed_at) WHERE acs_credential_id = ?7",
    )
    .bind(changed.starts_at)
    .bind(changed.ends_at)
    .bind(&changed.display_name)
    .bind(changed.issue_number)
    .bind(changed.is_override)
    .bind(changed.is_other_image.then_some(now))
    .bind(id)
    .execute(&mut *db)
    .await?;
    sqlx::query("DELETE FROM credential_entrances WHERE acs_credential_id = ?")
        .bind(id)
        .execute(&mut *db)
        .await?;
    insert_doors(db, id, &changed.entrances).await
}

/// Gives the joiners of an override its number, and no earlier start than its own. One that was overridden has had its
/// turn: a new number would take its doors back.
pub(crate) async fn set_followers(
    db: &mut Db,
    stay: CredentialId,
    number: u32,
    begin: Moment,
    now: Moment,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE credentials SET issue_number = ?1, \
         starts_at = CASE WHEN starts_at < ?4 THEN ?5 ELSE starts_at END, \
         revision = revision + 1, changed_at = ?2 \
         WHERE stay_id = ?3 AND acs_credential_id <> ?3 AND deleted_at IS NULL AND NOT is_overridden \
         AND (issue_number <> ?1 OR starts_at < ?4)",
    )
    .bind(number)
    .bind(now)
    .bind(stay)
    .bind(begin.to_the_minute())
    .bind(begin)
    .execute(db)
    .await?;
    Ok(())
}

/// It is on this card from now on, in this state or a newer one. A lock server may not tell which card that is.
pub(crate) async fn set_issued(
    db: &mut Db,
    id: CredentialId,
    uid: Option<&str>,
    revision: Option<i64>,
    now: Moment,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE credentials SET issued_at = ?, card_uid = ?, written_revision = ?, is_overwritten = 0, \
         is_discarded = 0 WHERE acs_credential_id = ?",
    )
    .bind(now)
    .bind(uid)
    .bind(revision)
    .bind(id)
    .execute(db)
    .await?;
    Ok(())
}

/// An override for one of its guest doors was encoded.
pub(crate) async fn set_overridden(db: &mut Db, id: CredentialId) -> sqlx::Result<()> {
    sqlx::query("UPDATE credentials SET is_overridden = 1 WHERE acs_credential_id = ?")
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

/// Its card was encoded with another credential.
pub(crate) async fn set_overwritten(db: &mut Db, id: CredentialId) -> sqlx::Result<()> {
    sqlx::query("UPDATE credentials SET is_overwritten = 1 WHERE acs_credential_id = ?")
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

/// Its card was found wiped.
pub(crate) async fn set_discarded(db: &mut Db, id: CredentialId) -> sqlx::Result<()> {
    sqlx::query("UPDATE credentials SET is_discarded = 1 WHERE acs_credential_id = ?")
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

/// It is cancelled.
pub(crate) async fn set_deleted(db: &mut Db, id: CredentialId, now: Moment) -> sqlx::Result<()> {
    sqlx::query("UPDATE credentials SET deleted_at = ? WHERE acs_credential_id = ?")
        .bind(now)
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}
