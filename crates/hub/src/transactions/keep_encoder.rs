//! What a bridge says of an encoder is kept. An encoder that carries its identity along belongs to one bridge of its site
//! at a time: the present holder keeps it; once that one does not present it as online any more, it moves with its id and
//! its fences to the bridge that does (DESIGN §4).

use protocol::link::{
    BridgeSnapshot, EncoderFence, EncoderState, HeldEncoder, IdentityScope, RegisteredEncoder,
};

use super::connect::{LinkError, raise_fences};
use crate::core::Core;
use crate::decisions::admission::Presence;
use crate::id::BridgeId;
use crate::moment::Moment;
use crate::store::bridges::{self, Bridge};
use crate::store::encoders::Encoder;
use crate::store::events::Subject;
use crate::store::{Db, attempts, encoders, events, sites};

/// What became of an encoder that a bridge told.
#[derive(Debug)]
pub(crate) enum Kept {
    /// It is that bridge's.
    Registered(RegisteredEncoder),
    /// It is another bridge's.
    Held(HeldEncoder),
}

impl Core {
    /// Keeps what a bridge says of one encoder.
    pub(crate) async fn take_encoder(
        &self,
        bridge: BridgeId,
        generation: u64,
        state: &EncoderState,
        fences: &[EncoderFence],
        now: Moment,
    ) -> Result<Kept, LinkError> {
        let mut db = self.store.begin().await?;
        if !bridges::is_current(&mut db, bridge, generation).await? {
            return Err(LinkError::Replaced);
        }
        let known = bridges::get(&mut db, bridge)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        let kept = match self.keep(&mut db, &known, state, now).await? {
            Some(held) => Kept::Held(held),
            None => {
                // For one that came from another bridge: the fences of the hello found nothing to raise.
                raise_fences(&mut db, bridge, fences).await?;
                let encoder = encoders::by_identity(&mut db, bridge, &state.identity)
                    .await?
                    .ok_or(sqlx::Error::RowNotFound)?;
                Kept::Registered(RegisteredEncoder {
                    identity: encoder.identity,
                    acs_encoder_id: encoder.acs_encoder_id.0,
                })
            }
        };
        db.commit().await?;
        // Only its holder lets go of it: a link that is woken by a release tells again what others keep from it.
        let is_holder = matches!(kept, Kept::Registered(_));
        if is_holder && !state.is_online && state.identity_scope == IdentityScope::Site {
            self.encoders_released();
        }
        Ok(kept)
    }

    /// Keeps the encoders of a snapshot in place of what was told before; returns those that are another bridge's.
    pub(super) async fn keep_all(
        &self,
        db: &mut Db,
        bridge: &Bridge,
        snapshot: &BridgeSnapshot,
        now: Moment,
    ) -> sqlx::Result<Vec<HeldEncoder>> {
        encoders::set_all_absent(db, bridge.bridge_id).await?;
        let mut held = Vec::new();
        for state in &snapshot.encoders {
            held.extend(self.keep(db, bridge, state, now).await?);
        }
        Ok(held)
    }

    /// Keeps what a bridge says of an encoder, unless another one has it.
    async fn keep(
        &self,
        db: &mut Db,
        bridge: &Bridge,
        state: &EncoderState,
        now: Moment,
    ) -> sqlx::Result<Option<HeldEncoder>> {
        let mut state = state.clone();
        if state.identity_scope == IdentityScope::Site
            && let Some(found) =
                encoders::of_the_site(db, bridge.acs_system_id, &state.identity).await?
            && found.bridge_id != bridge.bridge_id
        {
            let own = encoders::by_identity(db, bridge.bridge_id, &state.identity).await?;
            if own.is_some() {
                // It told the same identity as one of that PC before, and attempts were made of it: two encoders that
                // have both been used cannot become one.
                state.identity_scope = IdentityScope::Computer;
            } else if let Some(reason) = self.why_held(db, &found, &state).await? {
                let identity = state.identity;
                return Ok(Some(HeldEncoder { identity, reason }));
            } else {
                tracing::info!(
                    encoder = %found.acs_encoder_id, from = %found.bridge_id, to = %bridge.bridge_id,
                    "an encoder moved to another PC"
                );
                encoders::move_to(db, found.acs_encoder_id, bridge.bridge_id).await?;
            }
        }
        let site = bridge.acs_system_id;
        let added = encoders::upsert(db, bridge.bridge_id, site, &state, now).await?;
        if let Some(id) = added {
            let site = sites::get(db, site)
                .await?
                .ok_or(sqlx::Error::RowNotFound)?;
            events::emit(db, &site, Subject::EncoderAdded(id), now).await?;
        }
        Ok(None)
    }

    /// Why its holder keeps an encoder that another bridge told, for the people there; `None` when it does not.
    async fn why_held(
        &self,
        db: &mut Db,
        encoder: &Encoder,
        told: &EncoderState,
    ) -> sqlx::Result<Option<String>> {
        let holder = bridges::name(db, encoder.bridge_id).await?;
        let presents =
            encoder.is_online && self.dispatch.presence(encoder.bridge_id) == Presence::Present;
        Ok(if presents {
            Some(format!(
                "The encoder PC {holder} has an encoder of the same identity and keeps it until it is unplugged there. \
                 If these are two devices, give one of them an entry that names its port."
            ))
        } else if attempts::pending_on_encoder(db, encoder.acs_encoder_id).await? > 0 {
            Some(format!(
                "It was plugged in at the encoder PC {holder}, where a job of it has not ended yet; it is this PC's after that."
            ))
        } else if !told.is_online {
            Some(format!(
                "It was plugged in at the encoder PC {holder} last; it is this PC's once it is plugged in here."
            ))
        } else {
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use protocol::link::{Hello, SiteKeyCheck};

    use super::*;
    use crate::decisions::rows;
    use crate::settings::HubSettings;

    /// A link that is woken by a release tells the encoders again that others keep from it. Were that a release, two PCs
    /// that know one encoder would keep the hub busy for ever.
    #[tokio::test]
    async fn only_the_holder_of_an_encoder_lets_go_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let settings = HubSettings::new(folder.path().join("hub.sqlite"));
        let core = std::sync::Arc::new(Core::open(settings).await.unwrap());
        let admin = crate::Admin::new(std::sync::Arc::clone(&core));
        let workspace = admin.create_workspace("Grand Hotel").await.unwrap();
        let site = admin.create_site(workspace, "Main", "UTC").await.unwrap();
        for name in ["front desk", "back office"] {
            admin.create_bridge_token(site, name).await.unwrap();
        }
        let hello = Hello {
            version: "0.1.0".to_owned(),
            name: "pc".to_owned(),
            site_keys: vec![SiteKeyCheck {
                version: 1,
                check: "0123456789abcdef".to_owned(),
            }],
            hub_id: None,
            fences: Vec::new(),
        };
        let travelling = |is_online| EncoderState {
            identity: "pn532:serial:A1".to_owned(),
            identity_scope: IdentityScope::Site,
            display_name: "Front Desk".to_owned(),
            driver: "pn532".to_owned(),
            is_online,
            is_issuing: false,
            reason: None,
        };
        let found = bridges::all(&mut core.store.read().await.unwrap()).await;
        let mut links = Vec::new();
        for bridge in found.unwrap() {
            let welcome = core.take_hello(bridge, &hello, rows::NOW).await.unwrap();
            let link = core.dispatch.register(bridge, welcome.generation).unwrap();
            links.push((bridge, welcome.generation, link));
        }
        let releases = core.releases();
        let (holder, other) = ((links[0].0, links[0].1), (links[1].0, links[1].1));
        for (bridge, is_online, is_kept, is_release) in [
            (holder, true, true, false),
            (other, true, false, false),
            (other, false, false, false),
            (holder, false, true, true),
        ] {
            let before = *releases.borrow();
            let state = travelling(is_online);
            let kept = core.take_encoder(bridge.0, bridge.1, &state, &[], rows::NOW);
            assert_eq!(matches!(kept.await.unwrap(), Kept::Registered(_)), is_kept);
            assert_eq!(*releases.borrow() != before, is_release);
        }
    }
}
