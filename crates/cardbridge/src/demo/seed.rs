//! The site that a demo begins with: a workspace, rooms, common doors, an API key and a site key.

use card::{CommonDoorNumber, Door, DoorNumber, KeyVersion, SiteKey, SiteKeys};
use hub::{Admin, DoorCategory};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::DemoError;
use super::store::{StateError, StateFolder};

/// The encoders, by their names in the lab.
pub(super) const ENCODERS: [&str; 2] = ["front-desk", "back-office"];
/// More than a card of the format `rfid48` holds, so that its bounds can be tried: 33 rooms in a row, 28 common doors,
/// and 7 doors beside them (docs/card-format.md).
const ROOMS: std::ops::RangeInclusive<u16> = 101..=150;
const COMMON_DOORS: [&str; 30] = [
    "Main entrance",
    "Pool",
    "Gym",
    "Garage",
    "Garden gate",
    "Bicycle cellar",
    "Laundry",
    "Library",
    "Lounge",
    "Sauna",
    "Roof terrace",
    "Business centre",
    "Conference room 1",
    "Conference room 2",
    "Conference room 3",
    "Ski room",
    "Play room",
    "Luggage room",
    "Lift A",
    "Lift B",
    "Lift C",
    "Stairs north",
    "Stairs south",
    "Corridor 1 north",
    "Corridor 1 south",
    "Corridor 2 north",
    "Corridor 2 south",
    "Side entrance",
    "Tennis court",
    "Boat house",
];
/// Where the seed is kept; it holds the key of a site that has no real door.
const FILE: &str = "demo.json";

/// What makes two runs of a demo the same site.
#[derive(Serialize, Deserialize)]
pub(super) struct Seed {
    pub(super) workspace_id: Uuid,
    pub(super) acs_system_id: Uuid,
    pub(super) api_key: String,
    site_key: [u8; 32],
}

impl Seed {
    /// The seed of the run before, else a new one with everything on the hub.
    pub(super) async fn load_or_make(
        admin: &Admin,
        state: &StateFolder,
    ) -> Result<Self, DemoError> {
        if let Some(text) = state.read(FILE)? {
            let foreign = |_| StateError::Foreign {
                path: state.path().join(FILE),
            };
            return Ok(serde_json::from_str(&text).map_err(foreign)?);
        }
        let seed = Self::make(admin).await?;
        let text = serde_json::to_string(&seed).expect("ids and keys are valid JSON");
        state.write(FILE, &text)?;
        Ok(seed)
    }

    async fn make(admin: &Admin) -> Result<Self, DemoError> {
        let mut site_key = [0; 32];
        getrandom::fill(&mut site_key).map_err(StateError::Randomness)?;
        let workspace_id = admin.create_workspace("Demo").await?;
        let acs_system_id = admin
            .create_site(workspace_id, "Hotel Example", "UTC")
            .await?;
        for room in ROOMS {
            let name = room.to_string();
            admin
                .add_entrance(acs_system_id, &name, DoorCategory::Guest)
                .await?;
        }
        for name in COMMON_DOORS {
            admin
                .add_entrance(acs_system_id, name, DoorCategory::Common)
                .await?;
        }
        Ok(Self {
            workspace_id,
            acs_system_id,
            api_key: admin.create_api_key(workspace_id, "Demo").await?,
            site_key,
        })
    }

    pub(super) fn site_keys(&self) -> SiteKeys {
        SiteKeys::new(KeyVersion::FIRST, SiteKey::new(self.site_key))
    }
}

/// Every entrance of the site, as its lock knows it.
pub(super) async fn doors(admin: &Admin, site: Uuid) -> Result<Vec<(Uuid, Door)>, DemoError> {
    let mut doors = Vec::new();
    for (id, _) in admin.entrances(site).await? {
        if let Some(door) = admin.door(id).await? {
            doors.extend(door_on_cards(door).map(|door| (id, door)));
        }
    }
    Ok(doors)
}

/// `None` for a number that no card can hold, which the hub does not give.
fn door_on_cards(door: hub::Door) -> Option<Door> {
    match door {
        hub::Door::Guest(number) => DoorNumber::new(number.into()).ok().map(Door::Guest),
        hub::Door::Common(bit) => CommonDoorNumber::new(bit.into()).ok().map(Door::Common),
    }
}
