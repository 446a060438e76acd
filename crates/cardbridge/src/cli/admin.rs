//! `cardbridge admin`: what is set up straight on the database, since nobody has a key yet.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use hub::{Admin, AdminError, DoorCategory, HubSettings};
use serde::Serialize;
use uuid::Uuid;

use super::failure::Failure;
use super::hub::open;
use super::output::Output;
use super::parse::{self, Rooms};

/// Set up a hub straight on its database, also while it is served.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Init(Init),
    AddBridge(AddBridge),
    // Its --version is the key's.
    #[command(disable_version_flag = true)]
    ForgetSiteKey(ForgetSiteKey),
}

/// Let another encoder PC join a site, and print the token for its [hub], which nobody can print again. The name of a
/// PC that has joined already gives that one a new token in place of the old.
#[derive(Debug, Args)]
struct AddBridge {
    /// The hub's database, one file.
    #[arg(long, value_name = "FILE")]
    database: PathBuf,
    /// The site's acs_system_id.
    #[arg(long, value_name = "ID")]
    site: Uuid,
    /// What to call the bridge that the token is for.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Print one JSON object: {"bridge_token"}.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Joined {
    bridge_token: String,
}

/// Forget one version of a site's key that a PC with a wrong key told first. Stop cardbridge on that PC before, and
/// restart it on the others after: the first that connects sets the version anew.
#[derive(Debug, Args)]
struct ForgetSiteKey {
    /// The hub's database, one file.
    #[arg(long, value_name = "FILE")]
    database: PathBuf,
    /// The site's acs_system_id.
    #[arg(long, value_name = "ID")]
    site: Uuid,
    /// Which version of the key.
    #[arg(long, value_name = "NUMBER")]
    version: u8,
    /// Print one JSON object: {"forgotten": version}.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Forgotten {
    forgotten: u8,
}

/// Make a workspace with a site and its doors, and print the API key and the bridge's token, which nobody can print
/// again.
#[derive(Debug, Args)]
struct Init {
    /// The hub's database, one file; made when it is missing.
    #[arg(long, value_name = "FILE")]
    database: PathBuf,
    /// What to call the workspace.
    #[arg(long, value_name = "NAME", default_value = "Workspace")]
    workspace: String,
    /// What to call the site.
    #[arg(long, value_name = "NAME", default_value = "Site")]
    site: String,
    /// The site's time zone, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = parse::time_zone)]
    time_zone: String,
    /// A room; may be given several times.
    #[arg(long = "room", value_name = "ROOM")]
    rooms: Vec<String>,
    /// Consecutive rooms, such as 101-110; may be given several times.
    #[arg(long = "rooms", value_name = "FIRST-LAST", value_parser = parse::rooms)]
    ranges: Vec<Rooms>,
    /// A door for many, such as "Main entrance"; may be given several times.
    #[arg(long = "common-door", value_name = "NAME")]
    common_doors: Vec<String>,
    /// What to call the bridge that the token is for.
    #[arg(long, value_name = "NAME", default_value = "Front Desk PC")]
    bridge: String,
    /// Print one JSON object: {"workspace_id", "acs_system_id", "api_key", "bridge_token", "entrances"}.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Made {
    workspace_id: Uuid,
    acs_system_id: Uuid,
    api_key: String,
    bridge_token: String,
    entrances: Vec<MadeEntrance>,
}

#[derive(Debug, Serialize)]
struct MadeEntrance {
    acs_entrance_id: Uuid,
    name: String,
}

impl Arguments {
    pub(super) fn json(&self) -> bool {
        match &self.verb {
            Verb::Init(init) => init.json,
            Verb::AddBridge(add) => add.json,
            Verb::ForgetSiteKey(forget) => forget.json,
        }
    }
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    match arguments.verb {
        Verb::Init(init) => {
            let doors = init.doors()?;
            let hub = open(HubSettings::new(&init.database)).await?;
            let made = init.make(&hub.admin(), doors).await.map_err(failure)?;
            output.result(&made, || in_words(&made))
        }
        Verb::AddBridge(add) => {
            let hub = open(HubSettings::new(&add.database)).await?;
            let token = hub
                .admin()
                .create_bridge_token(add.site, &add.name)
                .await
                .map_err(failure)?;
            let joined = Joined {
                bridge_token: token,
            };
            output.result(&joined, || {
                let token = &joined.bridge_token;
                format!("Keep this; nobody can print it again.\n[hub] token     {token}")
            })
        }
        Verb::ForgetSiteKey(forget) => {
            let hub = open(HubSettings::new(&forget.database)).await?;
            let forgotten = forget.version;
            hub.admin()
                .forget_site_key(forget.site, forgotten)
                .await
                .map_err(failure)?;
            output.result(&Forgotten { forgotten }, || {
                format!(
                    "Version {forgotten} of the site key is forgotten. Restart cardbridge on a PC that has the right key."
                )
            })
        }
    }
}

impl Init {
    /// Every door with its kind, rooms first. A name that is given twice is refused before anything is made.
    fn doors(&self) -> Result<Vec<(&str, DoorCategory)>, Failure> {
        let rooms = self.rooms.iter();
        let rooms = rooms.chain(self.ranges.iter().flat_map(|Rooms(names)| names));
        let rooms = rooms.map(|room| (room.as_str(), DoorCategory::Guest));
        let common = self.common_doors.iter();
        let common = common.map(|door| (door.as_str(), DoorCategory::Common));
        let doors: Vec<_> = rooms.chain(common).collect();
        let mut names = BTreeSet::new();
        match doors.iter().find(|(name, _)| !names.insert(*name)) {
            None => Ok(doors),
            Some((name, _)) => Err(Failure::wrong_input(
                "not_set_up",
                format!("two doors are called {name}; give each a name of its own"),
            )),
        }
    }

    async fn make(
        &self,
        admin: &Admin,
        doors: Vec<(&str, DoorCategory)>,
    ) -> Result<Made, AdminError> {
        let workspace_id = admin.create_workspace(&self.workspace).await?;
        let acs_system_id = admin
            .create_site(workspace_id, &self.site, &self.time_zone)
            .await?;
        let mut entrances = Vec::new();
        for (name, category) in doors {
            entrances.push(MadeEntrance {
                acs_entrance_id: admin.add_entrance(acs_system_id, name, category).await?,
                name: name.to_owned(),
            });
        }
        let api_key = admin.create_api_key(workspace_id, "First key").await?;
        let bridge_token = admin
            .create_bridge_token(acs_system_id, &self.bridge)
            .await?;
        Ok(Made {
            workspace_id,
            acs_system_id,
            api_key,
            bridge_token,
            entrances,
        })
    }
}

fn failure(error: AdminError) -> Failure {
    let failure = Failure::from_error("not_set_up", &error);
    match error {
        AdminError::BadName
        | AdminError::NameTaken(_)
        | AdminError::UnknownTimeZone(_)
        | AdminError::UnknownSite(_)
        | AdminError::UnknownSiteKey { .. }
        | AdminError::TooManyDoors => failure.into_wrong_input(),
        _ => failure,
    }
}

fn in_words(made: &Made) -> String {
    format!(
        "workspace_id    {}\nacs_system_id   {}\nentrances       {}\n\n\
         Keep these two; nobody can print them again.\n\
         API key         {}\n[hub] token     {}",
        made.workspace_id,
        made.acs_system_id,
        made.entrances.len(),
        made.api_key,
        made.bridge_token
    )
}
