//! A hub of its own process, as an operator starts it: `cardbridge admin init`, then `cardbridge hub`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Api, Output, Process, cardbridge, until};

/// A hub under way, with one workspace and one site with the rooms 101 to 103.
#[derive(Debug)]
pub struct Hub {
    /// Its process.
    pub process: Process,
    /// The API with the key of the workspace.
    pub api: Api,
    /// The site.
    pub acs_system_id: String,
    endpoint: String,
    token: String,
    folder: TempDir,
}

impl Hub {
    /// Starts one on a free port that waits this long for a card (`3s`).
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start(card_deadline: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let made = init(&database(folder.path()), "Hotel Example");
        let database = database(folder.path());
        let mut hub = cardbridge(["hub", "--listen", "127.0.0.1:0", "--json"]);
        hub.args(["--card-deadline", card_deadline, "--database"])
            .arg(database);
        let mut process = Process::start(hub);
        let endpoint = text(&process.json_line(), "endpoint");
        Self {
            api: Api::new(&endpoint, text(&made, "api_key")),
            acs_system_id: text(&made, "acs_system_id"),
            token: text(&made, "bridge_token"),
            process,
            endpoint,
            folder,
        }
    }

    /// Makes another workspace with a site on the same hub; what `admin init` printed.
    #[must_use]
    pub fn another_workspace(&self) -> Value {
        init(&database(self.folder.path()), "Another Hotel")
    }

    /// The `[hub]` section for a bridge of the site.
    #[must_use]
    pub fn section(&self) -> String {
        let Self {
            endpoint, token, ..
        } = self;
        format!("[hub]\nurl = \"{endpoint}\"\ntoken = \"{token}\"\n")
    }

    /// The same for another PC of the site.
    #[must_use]
    pub fn section_of(&self, name: &str) -> String {
        let mut add = cardbridge(["admin", "add-bridge", "--json", "--name", name]);
        add.args(["--site", &self.acs_system_id, "--database"])
            .arg(database(self.folder.path()));
        let token = text(&Output::of(add).done(), "bridge_token");
        format!("[hub]\nurl = \"{}\"\ntoken = \"{token}\"\n", self.endpoint)
    }

    /// The encoder of that name, once its bridge has told of it; its id.
    ///
    /// # Panics
    /// It is not told of in time.
    pub async fn encoder(&self, name: &str) -> String {
        until("the encoder", async || {
            let parameters = json!({"acs_system_id": self.acs_system_id});
            let encoders = self.api.post("/acs/encoders/list", parameters).await;
            let encoders = encoders.ok("acs_encoders");
            let is_meant = |encoder: &&Value| encoder["display_name"] == name;
            let found = encoders.as_array()?.iter().find(is_meant)?;
            Some(text(found, "acs_encoder_id"))
        })
        .await
    }
}

fn database(folder: &Path) -> PathBuf {
    folder.join("hub.sqlite")
}

fn init(database: &Path, site: &str) -> Value {
    let mut init = cardbridge(["admin", "init", "--json", "--rooms", "101-103"]);
    init.args(["--common-door", "Main entrance", "--site", site]);
    init.arg("--database").arg(database);
    Output::of(init).done()
}

#[track_caller]
fn text(object: &Value, key: &str) -> String {
    object[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {object}"))
        .to_owned()
}
