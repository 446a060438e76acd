//! An encode or a scan begins: the attempt, its fence and its deadline in one commit.

use protocol::link::{self, AttemptError, OfferRefusal};

use crate::attempt_error;
use crate::core::Core;
use crate::decisions::admission::{self, Admission, Desk};
use crate::decisions::{card_image, card_order, site_keys};
use crate::id::{AttemptId, CredentialId, EncoderId, WorkspaceId};
use crate::moment::Moment;
use crate::store::attempts::{self, Attempt, Kind, Status};
use crate::store::credentials::{self, Credential, CredentialWithDoors};
use crate::store::encoders::{self, Encoder};
use crate::store::{Db, bridges, sites};

/// Why no attempt was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("acs_encoder not found")]
    EncoderNotFound(EncoderId),
    #[error("acs_credential not found")]
    CredentialNotFound(CredentialId),
    #[error("the credential and the encoder belong to different sites")]
    OtherSite,
    #[error("too many cards wait at this encoder; try again when it is free")]
    Busy,
    #[error("this credential is being encoded on another encoder; wait until that attempt ends")]
    EncodingElsewhere,
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl Core {
    /// Begins to encode a credential; the same request while it is pending gets the same attempt.
    pub(crate) async fn begin_encode(
        &self,
        workspace: WorkspaceId,
        encoder: EncoderId,
        credential: CredentialId,
        now: Moment,
    ) -> Result<Attempt, Refusal> {
        let mut db = self.store.begin().await?;
        let encoder = encoders::get_in(&mut db, workspace, encoder)
            .await?
            .ok_or(Refusal::EncoderNotFound(encoder))?;
        let credential = credentials::get(&mut db, credential)
            .await?
            .filter(|found| found.credential.workspace_id == workspace)
            .ok_or(Refusal::CredentialNotFound(credential))?;
        if credential.credential.acs_system_id != encoder.acs_system_id {
            return Err(Refusal::OtherSite);
        }
        let attempt = self
            .admit(&mut db, &encoder, Some(&credential), now)
            .await?;
        db.commit().await?;
        self.after_begin(&attempt).await?;
        Ok(attempt)
    }

    /// Begins to scan a card.
    pub(crate) async fn begin_scan(
        &self,
        workspace: WorkspaceId,
        encoder: EncoderId,
        now: Moment,
    ) -> Result<Attempt, Refusal> {
        let mut db = self.store.begin().await?;
        let encoder = encoders::get_in(&mut db, workspace, encoder)
            .await?
            .ok_or(Refusal::EncoderNotFound(encoder))?;
        let attempt = self.admit(&mut db, &encoder, None, now).await?;
        db.commit().await?;
        self.after_begin(&attempt).await?;
        Ok(attempt)
    }

    /// Makes the attempt inside a transaction; [`Core::after_begin`] follows its commit.
    pub(super) async fn admit(
        &self,
        db: &mut Db,
        encoder: &Encoder,
        found: Option<&CredentialWithDoors>,
        now: Moment,
    ) -> Result<Attempt, Refusal> {
        let credential = found.map(|found| &found.credential);
        let bridge = bridges::get(db, encoder.bridge_id)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        let desk = Desk {
            encoder,
            presence: self.dispatch.presence(encoder.bridge_id),
            site_keys: site_keys::judge(&bridge),
            pending: attempts::pending_on_encoder(db, encoder.acs_encoder_id).await?,
            queue_limit: self.settings.queue_limit,
        };
        let mut existing = None;
        let admission = match credential {
            Some(credential) => {
                existing =
                    attempts::pending_of_credential(db, credential.acs_credential_id).await?;
                admission::admit_encode(&desk, credential, existing.as_ref(), now)
            }
            None => admission::admit_scan(&desk),
        };
        let mut attempt = blank_attempt(encoder, credential, now);
        let written = match found {
            Some(found) => Some(written(db, encoder, found).await?),
            None => None,
        };
        let admission = match (admission, &written) {
            (Admission::Begin { .. }, Some(Err(error))) => Admission::EndAtOnce(error.clone()),
            (admission, _) => admission,
        };
        match admission {
            Admission::Existing => {
                return existing.ok_or(Refusal::Database(sqlx::Error::RowNotFound));
            }
            Admission::Busy => return Err(Refusal::Busy),
            Admission::EncodingElsewhere => return Err(Refusal::EncodingElsewhere),
            Admission::EndAtOnce(error) => {
                attempt.status = Status::Error;
                attempt.error_type = Some(error.kind);
                attempt.error_message = Some(error.message);
            }
            Admission::Begin { places_before } => {
                attempt.fence = encoders::take_fence(db, encoder.acs_encoder_id).await?;
                attempt.deadline = now.after(admission::time_limit(&self.settings, places_before));
                match written {
                    Some(Ok(Written::Image(image))) => attempt.image = Some(frozen(&image)?),
                    Some(Ok(Written::Order(order))) => attempt.card_order = Some(frozen(&order)?),
                    Some(Err(_)) | None => {}
                }
            }
        }
        attempts::insert(db, &attempt).await?;
        Ok(attempt)
    }

    /// Hands a committed attempt on. The bridge may have been given up between its admission and its commit.
    pub(super) async fn after_begin(&self, attempt: &Attempt) -> sqlx::Result<()> {
        if attempt.status != Status::Pending {
            return Ok(());
        }
        self.attempt_began(attempt.bridge_id);
        if self.dispatch.presence(attempt.bridge_id) == admission::Presence::Gone {
            self.end_ungranted(attempt.bridge_id, Moment::now()).await?;
        }
        Ok(())
    }
}

/// What is to be on the card, for whoever makes it.
enum Written {
    Image(link::Credential),
    Order(link::Order),
}

/// What an encode is to write, or why that cannot be.
async fn written(
    db: &mut Db,
    encoder: &Encoder,
    found: &CredentialWithDoors,
) -> sqlx::Result<Result<Written, AttemptError>> {
    if !encoder.is_issuing {
        return Ok(card_image::for_the_card(found)
            .map(Written::Image)
            .map_err(|_| attempt_error::refused(OfferRefusal::InvalidCredential)));
    }
    let site = sites::get(db, encoder.acs_system_id)
        .await?
        .ok_or(sqlx::Error::RowNotFound)?;
    Ok(card_order::for_the_server(found, &site.time_zone)
        .map(Written::Order)
        .map_err(|why| attempt_error::not_for_a_lock_server(&why)))
}

fn frozen(content: &impl serde::Serialize) -> sqlx::Result<String> {
    serde_json::to_string(content).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

fn blank_attempt(encoder: &Encoder, credential: Option<&Credential>, now: Moment) -> Attempt {
    Attempt {
        seq: 0,
        action_attempt_id: AttemptId::new(),
        workspace_id: encoder.workspace_id,
        acs_system_id: encoder.acs_system_id,
        bridge_id: encoder.bridge_id,
        acs_encoder_id: encoder.acs_encoder_id,
        kind: if credential.is_some() {
            Kind::Encode
        } else {
            Kind::Scan
        },
        acs_credential_id: credential.map(|credential| credential.acs_credential_id),
        credential_revision: credential.map(|credential| credential.revision),
        image: None,
        card_order: None,
        fence: 0,
        status: Status::Pending,
        created_at: now,
        deadline: now,
        result: None,
        error_type: None,
        error_message: None,
        outcome: None,
    }
}
