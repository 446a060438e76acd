//! `cardbridge demo`: hub, bridge and lab in one process, and what to do with them.

use std::path::PathBuf;
use std::time::Duration;

use cardbridge::demo::{Demo, DemoSettings, Whereabouts};
use clap::Args;

use super::failure::Failure;
use super::output::Output;
use super::parse;
use super::shutdown::Shutdown;

/// Try the whole product on this machine, with emulated encoders and cards.
///
/// Starts a hub, a bridge and a lab on free loopback ports, with a site of fifty rooms and two encoders, and prints what
/// to do next. Everything is forgotten at the end, unless --state-dir keeps it. Stops on Ctrl-C.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How long an encode or a scan waits for a card.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse::card_wait)]
    card_deadline: Duration,
    /// Where to keep database, journal and keys for the next time.
    #[arg(long, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,
    /// Print one line of JSON as soon as the encoders are online: {"endpoint", "api_key", "workspace_id",
    /// "acs_system_id", "acs_encoder_ids", "lab", "console", "bridge_page"}.
    #[arg(long)]
    pub(super) json: bool,
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let shutdown = Shutdown::on_signals()?;
    let settings = DemoSettings {
        card_wait: arguments.card_deadline,
        state_directory: arguments.state_dir,
    };
    let started = tokio::select! {
        started = Demo::start(settings, driver_all::registry()) => started,
        () = shutdown.clone().told() => return Ok(()),
    };
    let demo = started.map_err(|error| Failure::from_error("demo_not_started", &error))?;
    let shown = output.result(demo.whereabouts(), || in_words(demo.whereabouts()));
    if shown.is_ok() {
        shutdown.told().await;
    }
    demo.stop().await;
    shown
}

/// Commands that can be pasted as they are.
fn in_words(at: &Whereabouts) -> String {
    let Whereabouts {
        endpoint,
        api_key,
        acs_system_id,
        lab,
        ..
    } = at;
    let encoder = at
        .acs_encoder_ids
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    format!(
        r#"A hub, a bridge and a lab with two encoders run on this machine.

  API   {endpoint}
  key   {api_key}
  lab   {lab}

Put a blank card on the front desk's encoder, and read it over the API:

curl -X PUT {lab}/encoders/front-desk/card -d '{{"technology":"mifare_classic_1k","uid":"04A1B2C3"}}'
curl {endpoint}/acs/encoders/scan_credential -H 'Authorization: Bearer {api_key}' \
  -H 'Content-Type: application/json' -d '{{"acs_encoder_id":"{encoder}"}}'
curl {endpoint}/action_attempts/list -H 'Authorization: Bearer {api_key}'

Encode it for the first room with the official Python SDK (pip install seam):

python3 - <<'PYTHON'
from datetime import datetime, timedelta, timezone
from seam import Seam
seam = Seam(api_key="{api_key}", endpoint="{endpoint}")
room = seam.acs.entrances.list(acs_system_id="{acs_system_id}")[0]
guest = seam.acs.users.create(acs_system_id="{acs_system_id}", full_name="Ada Lovelace")
credential = seam.acs.credentials.create(acs_user_id=guest.acs_user_id, access_method="card",
    allowed_acs_entrance_ids=[room.acs_entrance_id],
    ends_at=(datetime.now(timezone.utc) + timedelta(days=1)).isoformat())
encoded = seam.acs.encoders.encode_credential(acs_encoder_id="{encoder}",
    acs_credential_id=credential.acs_credential_id)
print(encoded.status, "- now show the card to the lock of room", room.display_name)
print(f"curl '{lab}/locks/{{room.acs_entrance_id}}/decision?uid=04A1B2C3'")
PYTHON

Stop with Ctrl-C."#
    )
}
