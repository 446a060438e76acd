//! `cardbridge hub`: the API, served.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use hub::{Hub, HubSettings};
use serde::Serialize;

use super::failure::Failure;
use super::lab::{listen, local_address};
use super::output::Output;
use super::parse;
use super::shutdown::Shutdown;

/// Serve the API, and the links of the bridges, until SIGTERM or Ctrl-C.
///
/// It speaks plain HTTP. Beyond this machine put a proxy that ends TLS before it, and give the address that clients see
/// as --public-url. `cardbridge admin init` makes the first workspace and its key.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The database, one file; made when it is missing.
    #[arg(long, value_name = "FILE")]
    database: PathBuf,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The address under which clients reach the hub, such as https://hub.example.com.
    #[arg(long, value_name = "URL", value_parser = parse::public_url)]
    public_url: Option<String>,
    /// How long an encode or a scan waits for a card.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse::card_wait)]
    card_deadline: Duration,
    /// Print one line of JSON as soon as the hub answers: {"endpoint"}.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Serialize)]
struct Ready {
    endpoint: String,
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let shutdown = Shutdown::on_signals()?;
    let hub = open(HubSettings {
        public_url: arguments.public_url,
        card_wait: arguments.card_deadline,
        ..HubSettings::new(arguments.database)
    })
    .await?;
    let listener = listen(arguments.listen).await?;
    let endpoint = format!("http://{}", local_address(&listener)?);
    let ready = Ready { endpoint };
    output.result(&ready, || format!("The hub answers at {}", ready.endpoint))?;
    hub.serve(listener, shutdown.told())
        .await
        .map_err(|error| Failure::from_error("hub_failed", &error))
}

/// Opens a hub's database.
pub(super) async fn open(settings: HubSettings) -> Result<Hub, Failure> {
    Hub::open(settings)
        .await
        .map_err(|error| Failure::from_error("database_unavailable", &error))
}
