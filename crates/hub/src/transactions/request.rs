//! Somebody at the encoder PC asks for a card: credential and attempt in one commit. The same request gets the same
//! answer.

use protocol::link::{self, AttemptError, RequestAnswer, RequestEncode, RequestResult};

use super::begin::Refusal;
use super::connect::LinkError;
use super::new_credential::{self, Order};
use super::not_granted::NotGranted;
use crate::core::Core;
use crate::decisions::card_image;
use crate::doors::{CardFormat, DoorCategory};
use crate::id::{AttemptId, BridgeId};
use crate::issue_number::Mode;
use crate::moment::Moment;
use crate::resources;
use crate::store::bridges::{self, Bridge};
use crate::store::credentials::{CardFunction, CredentialWithDoors};
use crate::store::encoders::Encoder;
use crate::store::entrances::{self, Entrance};
use crate::store::sites::{self, Site};
use crate::store::{Db, encoders, requests};

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("there is no encoder {0} on this PC")]
    UnknownEncoder(String),
    #[error("there is no door {name} at this site; there are {}", known.join(", "))]
    UnknownDoor { name: String, known: Vec<String> },
    #[error("{0} is a room of this site and no common door; name it as a door")]
    NotCommon(String),
    #[error("name at least one door")]
    NoDoors,
    #[error("the end must lie in the future, and at least a minute after the start")]
    EndsTooEarly,
    #[error(transparent)]
    NoDoorNumber(#[from] crate::admin::AdminError),
    #[error(transparent)]
    NotGranted(#[from] NotGranted),
    #[error(transparent)]
    NotBegun(#[from] Refusal),
    #[error("{}", .0.message)]
    EndsAtOnce(AttemptError),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl Core {
    /// Takes or refuses a request.
    pub(crate) async fn take_request(
        &self,
        bridge: BridgeId,
        generation: u64,
        request: &RequestEncode,
        now: Moment,
    ) -> Result<RequestAnswer, LinkError> {
        let mut db = self.store.begin().await?;
        if !bridges::is_current(&mut db, bridge, generation).await? {
            return Err(LinkError::Replaced);
        }
        let before = requests::answer(&mut db, bridge, request.request_id).await?;
        if let Some(result) = before.and_then(|json| serde_json::from_str(&json).ok()) {
            return Ok(RequestAnswer {
                request_id: request.request_id,
                result,
            });
        }
        let asking = bridges::get(&mut db, bridge)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        let taken = self.make(&mut db, &asking, request, now).await;
        let result = match taken {
            Ok((attempt, result)) => {
                let json = serde_json::to_string(&result)
                    .map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
                requests::insert(&mut db, bridge, request.request_id, attempt, &json, now).await?;
                db.commit().await?;
                self.attempt_began(bridge);
                result
            }
            // Nothing of a refused request stays, so the next one is judged anew.
            Err(refusal) => RequestResult::Refused {
                error: refused(refusal)?,
            },
        };
        Ok(RequestAnswer {
            request_id: request.request_id,
            result,
        })
    }

    /// What a request would bring onto a card. Everything is done as for the request itself, and then not committed.
    pub(crate) async fn preview_request(
        &self,
        bridge: BridgeId,
        generation: u64,
        request: &RequestEncode,
        now: Moment,
    ) -> Result<RequestAnswer, LinkError> {
        let mut db = self.store.begin().await?;
        if !bridges::is_current(&mut db, bridge, generation).await? {
            return Err(LinkError::Replaced);
        }
        let asking = bridges::get(&mut db, bridge)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        let result = match self.credential(&mut db, &asking, request, now).await {
            Ok((_, credential)) => RequestResult::Previewed {
                credential: card_image::for_the_card(&credential).map_err(|_| {
                    LinkError::Protocol("a credential was made that does not fit on a card")
                })?,
            },
            Err(refusal) => RequestResult::Refused {
                error: refused(refusal)?,
            },
        };
        Ok(RequestAnswer {
            request_id: request.request_id,
            result,
        })
    }

    async fn make(
        &self,
        db: &mut Db,
        bridge: &Bridge,
        request: &RequestEncode,
        now: Moment,
    ) -> Result<(AttemptId, RequestResult), NotTaken> {
        let (encoder, credential) = self.credential(db, bridge, request, now).await?;
        let attempt = self.admit(db, &encoder, Some(&credential), now).await?;
        if let Some(error) = resources::attempt(&attempt).error {
            return Err(NotTaken::EndsAtOnce(error));
        }
        let taken = RequestResult::Taken {
            attempt_id: attempt.action_attempt_id.0,
            acs_credential_id: credential.credential.acs_credential_id.0,
        };
        Ok((attempt.action_attempt_id, taken))
    }

    /// The encoder and the credential that are asked for; the latter is made.
    async fn credential(
        &self,
        db: &mut Db,
        bridge: &Bridge,
        request: &RequestEncode,
        now: Moment,
    ) -> Result<(Encoder, CredentialWithDoors), NotTaken> {
        let site = sites::get(db, bridge.acs_system_id)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        let encoder = encoders::by_identity(db, bridge.bridge_id, &request.identity)
            .await?
            .ok_or_else(|| NotTaken::UnknownEncoder(request.identity.clone()))?;
        let starts_at = request.starts_at.map_or(now, Moment::from);
        let ends_at = request.ends_at.map(Moment::from);
        if ends_at.is_some_and(|end| end <= now || !starts_at.is_a_minute_before(end)) {
            return Err(NotTaken::EndsTooEarly);
        }
        let order = Order {
            user: None,
            entrances: self.doors(db, &site, request, now).await?,
            card_function: match request.function {
                None | Some(link::CardFunction::Guest) => CardFunction::Guest,
                Some(link::CardFunction::Staff) => CardFunction::Staff,
            },
            card_format: request.format.map(|format| match format {
                link::CardFormat::Rfid48 => CardFormat::Rfid48,
                link::CardFormat::TLCode => CardFormat::TlCode,
            }),
            starts_at: request.starts_at.map(Moment::from),
            ends_at,
            mode: match request.overrides {
                Some(true) => Mode::Override,
                Some(false) => Mode::JoinExisting,
                None => Mode::Auto,
            },
            auto_join: request.overrides.is_none().then_some(true),
        };
        let credential = new_credential::create(db, &site, order, now).await?;
        Ok((encoder, credential))
    }

    async fn doors(
        &self,
        db: &mut Db,
        site: &Site,
        request: &RequestEncode,
        now: Moment,
    ) -> Result<Vec<Entrance>, NotTaken> {
        let any = request.doors.iter().map(|name| (name, DoorCategory::Guest));
        let common = request
            .common_doors
            .iter()
            .map(|name| (name, DoorCategory::Common));
        let mut doors: Vec<Entrance> = Vec::new();
        for (name, category) in any.chain(common) {
            let door = match entrances::by_name(db, site.acs_system_id, name).await? {
                Some(door) => door,
                None if self.settings.create_missing_doors => {
                    crate::admin::insert_entrance(db, site, name, category, now).await?
                }
                None => {
                    let known = entrances::of_site(db, site.acs_system_id).await?;
                    return Err(NotTaken::UnknownDoor {
                        name: name.clone(),
                        known: known.into_iter().map(|door| door.name).collect(),
                    });
                }
            };
            if category == DoorCategory::Common && door.category != DoorCategory::Common {
                return Err(NotTaken::NotCommon(name.clone()));
            }
            if !doors
                .iter()
                .any(|known| known.acs_entrance_id == door.acs_entrance_id)
            {
                doors.push(door);
            }
        }
        if doors.is_empty() {
            return Err(NotTaken::NoDoors);
        }
        Ok(doors)
    }
}

/// A refusal for the person at the encoder PC; what the database did is for the log.
fn refused(refusal: NotTaken) -> Result<AttemptError, sqlx::Error> {
    let kind = match refusal {
        NotTaken::Database(error)
        | NotTaken::NotGranted(NotGranted::Database(error))
        | NotTaken::NotBegun(Refusal::Database(error))
        | NotTaken::NoDoorNumber(crate::admin::AdminError::Database(error)) => return Err(error),
        NotTaken::NotBegun(Refusal::Busy) => "encoder_busy",
        NotTaken::EndsAtOnce(error) => return Ok(error),
        _ => "invalid_input",
    };
    Ok(AttemptError {
        kind: kind.to_owned(),
        message: refusal.to_string(),
    })
}
