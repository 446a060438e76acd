//! A bridge connects: its generation, fences and site key, then what it believes and what it has to do (DESIGN §7).

use std::collections::HashSet;
use std::time::Duration;

use protocol::link::{
    Action, BridgeSnapshot, EncoderFence, HeldEncoder, Hello, HubSnapshot, JobState, Offer,
    RegisteredEncoder, Welcome,
};
use uuid::Uuid;

use crate::attempt_error;
use crate::core::Core;
use crate::decisions::{card_image, site_keys};
use crate::id::BridgeId;
use crate::moment::Moment;
use crate::store::attempts::{self, Attempt, End, Kind};
use crate::store::bridges;
use crate::store::credentials;
use crate::store::{Db, encoders, sites};

/// Why a message of a bridge could not be taken; its link is closed then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("a newer connection of this bridge is open")]
    Replaced,
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("a message breaks the protocol: {0}")]
    Protocol(&'static str),
}

/// Offers for one bridge and how far in the order of attempts they reach.
#[derive(Debug)]
pub(crate) struct Offers {
    pub(crate) offers: Vec<Offer>,
    pub(crate) up_to: i64,
}

impl Core {
    /// Takes a hello and raises the link generation.
    pub(crate) async fn take_hello(
        &self,
        bridge: BridgeId,
        hello: &Hello,
        now: Moment,
    ) -> Result<Welcome, LinkError> {
        let mut db = self.store.begin().await?;
        let known = bridges::get(&mut db, bridge)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        let site = sites::get(&mut db, known.acs_system_id)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        hello
            .check_site_keys()
            .map_err(|_| LinkError::Protocol("the list of site keys in the hello is none"))?;
        let of_site = sites::site_keys(&mut db, site.acs_system_id).await?;
        let additions = site_keys::additions(&of_site, &hello.site_keys);
        if additions.is_none() {
            tracing::warn!(%bridge, name = hello.name, "the site key differs from the site's; encodes stop there");
        }
        for key in additions.iter().flatten() {
            sites::add_site_key(&mut db, site.acs_system_id, key).await?;
        }
        let generation = bridges::connect(
            &mut db,
            bridge,
            &hello.name,
            &hello.version,
            additions.is_some(),
            hello.site_keys.last().map_or(0, |key| key.version),
        )
        .await?;
        raise_fences(&mut db, bridge, self.own_fences(hello)).await?;
        let connected = bridges::get(&mut db, bridge)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        let problem = attempt_error::site_keys(site_keys::judge(&connected));
        db.commit().await?;
        Ok(Welcome {
            hub_id: self.hub_id.0,
            bridge_id: bridge.0,
            generation,
            acs_system_id: site.acs_system_id.0,
            time_zone: site.time_zone,
            now: now.timestamp(),
            site_key_problem: problem.map(|error| error.message),
        })
    }

    /// The fences of a hello that were counted under this database.
    pub(crate) fn own_fences<'a>(&self, hello: &'a Hello) -> &'a [EncoderFence] {
        if hello.hub_id == Some(self.hub_id.0) {
            &hello.fences
        } else {
            &[]
        }
    }

    /// Believes a bridge's snapshot in place of what was believed before. What was asked for at the encoder PC and is not
    /// among its jobs has nobody who waits for it, and whoever puts the next card there expects another one: it ends
    /// before anything is offered. The fences of the hello are for encoders that
    /// this database, restored from a backup, had forgotten. Returns the encoders that are another bridge's.
    pub(crate) async fn take_snapshot(
        &self,
        bridge: BridgeId,
        generation: u64,
        snapshot: &BridgeSnapshot,
        fences: &[EncoderFence],
        now: Moment,
    ) -> Result<Vec<HeldEncoder>, LinkError> {
        let mut db = self.store.begin().await?;
        if !bridges::is_current(&mut db, bridge, generation).await? {
            return Err(LinkError::Replaced);
        }
        let known = bridges::get(&mut db, bridge)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        let held = self.keep_all(&mut db, &known, snapshot, now).await?;
        raise_fences(&mut db, bridge, fences).await?;
        let abandoned = end_abandoned(&mut db, bridge, &snapshot.jobs, now).await?;
        db.commit().await?;
        if abandoned {
            self.attempts_ended();
        }
        self.encoders_released();
        Ok(held)
    }

    /// The hub's snapshot for a bridge that told these jobs, and how far its offers reach.
    pub(crate) async fn snapshot_for(
        &self,
        bridge: BridgeId,
        held: Vec<HeldEncoder>,
        told: &[Uuid],
        now: Moment,
    ) -> Result<(HubSnapshot, i64), LinkError> {
        let mut db = self.store.read().await?;
        let encoders = encoders::of_bridge(&mut db, bridge)
            .await?
            .into_iter()
            .map(|encoder| RegisteredEncoder {
                identity: encoder.identity,
                acs_encoder_id: encoder.acs_encoder_id.0,
            })
            .collect();
        let Offers { offers, up_to } = self.offers(&mut db, bridge, 0, now).await?;
        let pending: HashSet<Uuid> = offers.iter().map(|offer| offer.attempt_id).collect();
        let cancelled = told
            .iter()
            .copied()
            .filter(|id| !pending.contains(id))
            .collect();
        let snapshot = HubSnapshot {
            encoders,
            held,
            offers,
            cancelled,
        };
        Ok((snapshot, up_to))
    }

    /// What came after the attempts that were handed over already, in fence order.
    pub(crate) async fn new_offers(
        &self,
        bridge: BridgeId,
        after: i64,
        now: Moment,
    ) -> Result<Offers, LinkError> {
        let mut db = self.store.read().await?;
        self.offers(&mut db, bridge, after, now).await
    }

    /// How long an attempt may take from the moment that the bridge begins to write, or orders the card from a lock
    /// server, which then waits for the card by itself.
    fn after_the_beginning(&self, attempt: &Attempt) -> Duration {
        let card_wait = if attempt.is_order() {
            self.settings.card_wait
        } else {
            Duration::ZERO
        };
        card_wait + self.settings.write_bound
    }

    async fn offers(
        &self,
        db: &mut Db,
        bridge: BridgeId,
        after: i64,
        now: Moment,
    ) -> Result<Offers, LinkError> {
        let encoders = encoders::of_bridge(db, bridge).await?;
        let mut offers = Vec::new();
        let mut up_to = after;
        for attempt in attempts::pending_of_bridge(db, bridge, after).await? {
            up_to = attempt.seq;
            let encoder = encoders
                .iter()
                .find(|encoder| encoder.acs_encoder_id == attempt.acs_encoder_id)
                .ok_or(sqlx::Error::RowNotFound)?;
            let action = action(db, &attempt).await?;
            offers.push(Offer {
                attempt_id: attempt.action_attempt_id.0,
                identity: encoder.identity.clone(),
                fence: attempt.fence,
                card_wait_ms: millis(self.settings.card_wait),
                expires_in_ms: millis(
                    now.until(attempt.deadline)
                        .saturating_sub(self.after_the_beginning(&attempt)),
                ),
                action,
            });
        }
        Ok(Offers { offers, up_to })
    }
}

pub(super) async fn raise_fences(
    db: &mut Db,
    bridge: BridgeId,
    fences: &[EncoderFence],
) -> sqlx::Result<()> {
    for fence in fences {
        encoders::raise_fence(db, bridge, &fence.identity, fence.fence).await?;
    }
    Ok(())
}

/// Ends what was asked for at a PC that knows nothing of it; says whether there was any.
async fn end_abandoned(
    db: &mut Db,
    bridge: BridgeId,
    jobs: &[JobState],
    now: Moment,
) -> sqlx::Result<bool> {
    let mut any = false;
    for attempt in attempts::local_of_bridge(db, bridge).await? {
        let id = attempt.action_attempt_id;
        if jobs.iter().all(|job| job.attempt_id != id.0) {
            let end = End::Error(attempt_error::request_abandoned());
            any |= attempts::end(db, id, &end, now).await?;
        }
    }
    Ok(any)
}

async fn action(db: &mut Db, attempt: &Attempt) -> Result<Action, LinkError> {
    let id = match (attempt.kind, attempt.acs_credential_id) {
        (Kind::Scan, _) => return Ok(Action::Scan),
        (Kind::Encode, id) => id.ok_or(sqlx::Error::RowNotFound)?,
    };
    if let Some(order) = &attempt.card_order {
        return Ok(Action::Issue(thawed(order)?));
    }
    if let Some(image) = &attempt.image {
        return Ok(Action::Encode(thawed(image)?));
    }
    let found = credentials::get(db, id)
        .await?
        .ok_or(sqlx::Error::RowNotFound)?;
    let image = card_image::for_the_card(&found)
        .map_err(|_| LinkError::Protocol("a credential was kept that does not fit on a card"))?;
    Ok(Action::Encode(image))
}

fn thawed<T: serde::de::DeserializeOwned>(json: &str) -> sqlx::Result<T> {
    serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
