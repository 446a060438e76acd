//! The product as a newcomer starts it: `cardbridge demo --json`.

use serde_json::{Value, json};

use crate::{Api, Lab, Process, cardbridge};

/// A demo under way: hub, bridge and lab in one process.
#[derive(Debug)]
pub struct Demo {
    /// Its process.
    pub process: Process,
    /// The line that it printed.
    pub line: String,
    /// What the line says.
    pub whereabouts: Value,
    /// Its hub, with the key of its workspace.
    pub api: Api,
    /// Its lab.
    pub lab: Lab,
}

impl Demo {
    /// Starts one that waits this long for a card (`2s`), and returns when it is ready.
    ///
    /// # Panics
    /// It does not get ready.
    #[must_use]
    pub fn start(card_deadline: &str) -> Self {
        let arguments = ["demo", "--json", "--card-deadline", card_deadline];
        let mut process = Process::start(cardbridge(arguments));
        let whereabouts = process.json_line();
        let text = |key: &str| {
            let text = whereabouts[key].as_str();
            text.unwrap_or_else(|| panic!("no {key} in {whereabouts}"))
        };
        Self {
            api: Api::new(text("endpoint"), text("api_key")),
            lab: Lab::new(text("lab")),
            line: format!("{whereabouts}\n"),
            process,
            whereabouts,
        }
    }

    /// The site.
    #[must_use]
    pub fn acs_system_id(&self) -> &str {
        self.whereabouts["acs_system_id"]
            .as_str()
            .unwrap_or_default()
    }

    /// The id of the encoder that the lab calls so.
    ///
    /// # Panics
    /// There is none.
    pub async fn encoder(&self, name: &str) -> String {
        let encoders = self.lab.encoders().await;
        let found = encoders.iter().find(|encoder| encoder["name"] == name);
        let id = found.and_then(|encoder| encoder["acs_encoder_id"].as_str());
        id.unwrap_or_else(|| panic!("no {name} in {encoders:?}"))
            .to_owned()
    }

    /// The id of the first door of a category, `guest` or `common`.
    ///
    /// # Panics
    /// There is none.
    pub async fn door(&self, category: &str) -> String {
        let parameters = json!({"acs_system_id": self.acs_system_id()});
        let entrances = self.api.post("/acs/entrances/list", parameters).await;
        let entrances = entrances.ok("acs_entrances");
        let found = entrances.as_array().and_then(|entrances| {
            entrances
                .iter()
                .find(|it| it["visionline_metadata"]["door_category"] == category)
        });
        let id = found.and_then(|entrance| entrance["acs_entrance_id"].as_str());
        id.unwrap_or_else(|| panic!("no {category} door in {entrances}"))
            .to_owned()
    }

    /// A new credential of a new user for the first room; its id.
    pub async fn credential(&self) -> String {
        let user = self.api.user(self.acs_system_id()).await;
        let room = self.door("guest").await;
        self.api.credential(&user, &[&room]).await
    }
}
