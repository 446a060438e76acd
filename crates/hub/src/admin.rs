//! What is set up by a local command and not over the API: workspaces, sites, doors, keys and tokens.

use std::sync::Arc;

use protocol::link::HIGHEST_DOOR;
use uuid::Uuid;

use crate::auth::{NewToken, TokenKind};
use crate::core::Core;
use crate::doors::{Door, DoorCategory};
use crate::id::{AccountId, EntranceId, SiteId, WorkspaceId};
use crate::moment::Moment;
use crate::store::entrances::{self, Entrance};
use crate::store::events::{self, Subject};
use crate::store::sites::{self, Site};
use crate::store::workspaces::{self, Workspace};
use crate::store::{Db, bridges, encoders};

const LONGEST_NAME: usize = 200;

/// Administers a hub. Works on the database, also while another process serves it.
#[derive(Debug, Clone)]
pub struct Admin {
    core: Arc<Core>,
}

/// Why something was not set up. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The name is empty or too long.
    #[error("a name has 1 to {LONGEST_NAME} characters")]
    BadName,
    /// Another one has that name.
    #[error("there is already one named {0}; choose another name")]
    NameTaken(String),
    /// There is no such workspace.
    #[error("there is no workspace {0}")]
    UnknownWorkspace(Uuid),
    /// There is no such site.
    #[error("there is no site {0}")]
    UnknownSite(Uuid),
    /// Not a time zone.
    #[error("{0} is not an IANA time zone; write one like Europe/Berlin")]
    UnknownTimeZone(String),
    /// Cards have no more numbers.
    #[error("a site has at most {HIGHEST_DOOR} doors of a kind; make another site")]
    TooManyDoors,
    /// No bridge told that version of the site's key.
    #[error("no PC of this site told version {version} of its key; they told {known:?}")]
    UnknownSiteKey {
        /// The one that was asked for.
        version: u8,
        /// Those that there are.
        known: Vec<u8>,
    },
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers")]
    Randomness(#[source] getrandom::Error),
    /// The database failed.
    #[error("the database failed; check the disk and the file's permissions")]
    Database(#[from] sqlx::Error),
}

/// An encoder as the hub has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncoderListing {
    /// Its id in the API.
    pub acs_encoder_id: Uuid,
    /// How its bridge knows it.
    pub identity: String,
    /// What people call it.
    pub display_name: String,
    /// What its bridge said last.
    pub is_online: bool,
}

impl Admin {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Makes a workspace; returns its id.
    pub async fn create_workspace(&self, name: &str) -> Result<Uuid, AdminError> {
        check_name(name)?;
        let workspace = Workspace {
            workspace_id: WorkspaceId::new(),
            name: name.to_owned(),
        };
        let mut db = self.core.store.begin().await?;
        workspaces::insert(&mut db, &workspace, Moment::now()).await?;
        db.commit().await?;
        Ok(workspace.workspace_id.0)
    }

    /// All workspaces by id and name.
    pub async fn workspaces(&self) -> Result<Vec<(Uuid, String)>, AdminError> {
        let found = workspaces::all(&mut *self.core.store.read().await?).await?;
        Ok(found
            .into_iter()
            .map(|workspace| (workspace.workspace_id.0, workspace.name))
            .collect())
    }

    /// Makes a site; returns its `acs_system_id`. The time zone is an IANA name.
    pub async fn create_site(
        &self,
        workspace: Uuid,
        name: &str,
        time_zone: &str,
    ) -> Result<Uuid, AdminError> {
        check_name(name)?;
        check_time_zone(time_zone)?;
        let now = Moment::now();
        let mut db = self.core.store.begin().await?;
        if workspaces::get(&mut db, WorkspaceId(workspace))
            .await?
            .is_none()
        {
            return Err(AdminError::UnknownWorkspace(workspace));
        }
        let site = Site {
            acs_system_id: SiteId::new(),
            workspace_id: WorkspaceId(workspace),
            connected_account_id: AccountId::new(),
            name: name.to_owned(),
            time_zone: time_zone.to_owned(),
            created_at: now,
        };
        sites::insert(&mut db, &site, self.core.settings.first_credential_number).await?;
        events::emit(&mut db, &site, Subject::SiteAdded, now).await?;
        db.commit().await?;
        Ok(site.acs_system_id.0)
    }

    /// The sites of a workspace by id and name.
    pub async fn sites(&self, workspace: Uuid) -> Result<Vec<(Uuid, String)>, AdminError> {
        let mut db = self.core.store.read().await?;
        let found = sites::list(&mut db, WorkspaceId(workspace), None, None).await?;
        Ok(found
            .into_iter()
            .map(|site| (site.acs_system_id.0, site.name.clone()))
            .collect())
    }

    /// Adds a door to a site; returns its `acs_entrance_id`. Rooms get the numbers 1 to 32767 and common doors the bits
    /// 0 to 27 in the order in which they are added.
    pub async fn add_entrance(
        &self,
        site: Uuid,
        name: &str,
        category: DoorCategory,
    ) -> Result<Uuid, AdminError> {
        let mut db = self.core.store.begin().await?;
        let site = site_of(&mut db, site).await?;
        let entrance = insert_entrance(&mut db, &site, name, category, Moment::now()).await?;
        db.commit().await?;
        Ok(entrance.acs_entrance_id.0)
    }

    /// How locks and cards know an entrance; `None` when there is no such entrance.
    pub async fn door(&self, acs_entrance_id: Uuid) -> Result<Option<Door>, AdminError> {
        let mut db = self.core.store.read().await?;
        let found = entrances::get(&mut db, EntranceId(acs_entrance_id)).await?;
        Ok(found.map(|entrance| entrance.door()))
    }

    /// The doors of a site by id and name, in the order in which they were added.
    pub async fn entrances(&self, site: Uuid) -> Result<Vec<(Uuid, String)>, AdminError> {
        let mut db = self.core.store.read().await?;
        let found = entrances::of_site(&mut db, SiteId(site)).await?;
        Ok(found
            .into_iter()
            .map(|door| (door.acs_entrance_id.0, door.name))
            .collect())
    }

    /// The encoders of a site, those that its bridges ever told.
    pub async fn encoders(&self, site: Uuid) -> Result<Vec<EncoderListing>, AdminError> {
        let mut db = self.core.store.read().await?;
        let found = encoders::of_site(&mut db, SiteId(site)).await?;
        Ok(found
            .into_iter()
            .map(|encoder| EncoderListing {
                acs_encoder_id: encoder.acs_encoder_id.0,
                identity: encoder.identity,
                display_name: encoder.display_name,
                is_online: encoder.is_online,
            })
            .collect())
    }

    /// Makes an API key of a workspace. It is shown once: the database has only its hash.
    pub async fn create_api_key(&self, workspace: Uuid, name: &str) -> Result<String, AdminError> {
        check_name(name)?;
        let key = NewToken::new(TokenKind::ApiKey).map_err(AdminError::Randomness)?;
        let mut db = self.core.store.begin().await?;
        let workspace_id = WorkspaceId(workspace);
        if workspaces::get(&mut db, workspace_id).await?.is_none() {
            return Err(AdminError::UnknownWorkspace(workspace));
        }
        workspaces::insert_key(
            &mut db,
            workspace_id,
            name,
            &key.short,
            &key.hash,
            Moment::now(),
        )
        .await?;
        db.commit().await?;
        Ok(key.token)
    }

    /// Makes the token with which a bridge of a site connects. It is shown once. A second token of the same name is for
    /// the same bridge and replaces the first.
    pub async fn create_bridge_token(&self, site: Uuid, name: &str) -> Result<String, AdminError> {
        check_name(name)?;
        let token = NewToken::new(TokenKind::Bridge).map_err(AdminError::Randomness)?;
        let mut db = self.core.store.begin().await?;
        let site = site_of(&mut db, site).await?;
        let (short, hash) = (&token.short, &token.hash);
        bridges::upsert(
            &mut db,
            site.acs_system_id,
            name,
            short,
            hash,
            Moment::now(),
        )
        .await?;
        db.commit().await?;
        Ok(token.token)
    }

    /// Forgets the check value of one version of a site's key, for a site that a PC with a wrong key told it first. The
    /// next PC that connects with that version sets it anew, so the wrong one has to be off by then; those that are
    /// connected are judged again when they connect again.
    pub async fn forget_site_key(&self, site: Uuid, version: u8) -> Result<(), AdminError> {
        let mut db = self.core.store.begin().await?;
        let site = site_of(&mut db, site).await?;
        if !sites::remove_site_key(&mut db, site.acs_system_id, version).await? {
            let known = sites::site_keys(&mut db, site.acs_system_id).await?;
            let known = known.iter().map(|key| key.version).collect();
            return Err(AdminError::UnknownSiteKey { version, known });
        }
        db.commit().await?;
        Ok(())
    }
}

async fn site_of(db: &mut Db, site: Uuid) -> Result<Site, AdminError> {
    sites::get(db, SiteId(site))
        .await?
        .ok_or(AdminError::UnknownSite(site))
}

/// Adds a door inside a transaction.
pub(crate) async fn insert_entrance(
    db: &mut Db,
    site: &Site,
    name: &str,
    category: DoorCategory,
    now: Moment,
) -> Result<Entrance, AdminError> {
    check_name(name)?;
    if entrances::by_name(db, site.acs_system_id, name)
        .await?
        .is_some()
    {
        return Err(AdminError::NameTaken(name.to_owned()));
    }
    let highest = entrances::highest_door(db, site.acs_system_id, category).await?;
    let first = match category {
        DoorCategory::Guest => 1,
        DoorCategory::Common => 0,
    };
    let door = highest.map_or(first, |door| door + 1);
    if door > HIGHEST_DOOR {
        return Err(AdminError::TooManyDoors);
    }
    let id = EntranceId::new();
    entrances::insert(db, site.acs_system_id, id, name, category, door, now).await?;
    events::emit(db, site, Subject::EntranceAdded(id), now).await?;
    Ok(entrances::get(db, id)
        .await?
        .ok_or(sqlx::Error::RowNotFound)?)
}

fn check_name(name: &str) -> Result<(), AdminError> {
    let is_fine = !name.trim().is_empty() && name.chars().count() <= LONGEST_NAME;
    if is_fine {
        Ok(())
    } else {
        Err(AdminError::BadName)
    }
}

/// A host without time zone data is asked for the shape of the name only.
fn check_time_zone(name: &str) -> Result<(), AdminError> {
    let is_shaped = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte));
    let database = jiff::tz::db();
    let is_known = database.is_definitively_empty() || database.get(name).is_ok();
    if is_shaped && is_known {
        Ok(())
    } else {
        Err(AdminError::UnknownTimeZone(name.to_owned()))
    }
}
