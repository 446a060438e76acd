//! A credential is deleted: it is encoded no more. What has leave to write runs to its true end; the card keeps what it
//! has until it is overridden, overwritten or past its end.

use super::begin::Refusal;
use crate::attempt_error;
use crate::core::Core;
use crate::id::{CredentialId, WorkspaceId};
use crate::moment::Moment;
use crate::store::attempts::{self, End};
use crate::store::events::{self, Subject};
use crate::store::grants::{self, GrantState};
use crate::store::{credentials, sites};

impl Core {
    /// Deletes a credential, and ends its encode unless that may be writing already.
    pub(crate) async fn delete_credential(
        &self,
        workspace: WorkspaceId,
        id: CredentialId,
        now: Moment,
    ) -> Result<(), Refusal> {
        let mut db = self.store.begin().await?;
        let credential = credentials::get_in(&mut db, workspace, id)
            .await?
            .ok_or(Refusal::CredentialNotFound(id))?
            .credential;
        let site = sites::get(&mut db, credential.acs_system_id)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        credentials::set_deleted(&mut db, id, now).await?;
        if credential.is_valid() {
            events::emit(&mut db, &site, Subject::CredentialInvalidated(id), now).await?;
        }
        events::emit(&mut db, &site, Subject::CredentialDeleted(id), now).await?;
        let mut ended = Vec::new();
        if let Some(attempt) = attempts::pending_of_credential(&mut db, id).await? {
            let grant = grants::of_attempt(&mut db, attempt.action_attempt_id).await?;
            if grant.is_none_or(|grant| grant.state == GrantState::Released) {
                let end = End::Error(attempt_error::credential_deleted());
                attempts::end(&mut db, attempt.action_attempt_id, &end, now).await?;
                ended.push(attempt);
            }
        }
        db.commit().await?;
        self.tell_ended(&ended);
        Ok(())
    }
}
