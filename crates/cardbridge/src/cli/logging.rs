//! Where the log goes: to stderr, so that stdout holds results only. No filter, whoever gives it, lets a secret in.

use std::io;

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::failure::Failure;

/// How each line of the log looks.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object on each line.
    Json,
}

/// How the targets of this project's own crates begin. They keep secrets out of every level.
const OWN: [&str; 8] = [
    "bridge",
    "card",
    "cardbridge",
    "driver_",
    "emulator",
    "encoder",
    "hub",
    "protocol",
];

/// The most that is ever logged. Below `info` libraries print what passes through them: tungstenite, for one, the whole
/// request that opens the link, the bridge's token included.
fn ceiling() -> Targets {
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_targets(OWN.map(|own| (own, LevelFilter::TRACE)))
}

/// The environment variable that stands in for `--log`.
const VARIABLE: &str = "CARDBRIDGE_LOG";

/// Starts the log. `filter` is what somebody asked for on the command line, if anybody did.
pub(crate) fn start(
    filter: Option<String>,
    default: &str,
    format: LogFormat,
) -> Result<(), Failure> {
    let filter = filter.or_else(|| std::env::var(VARIABLE).ok());
    let filter = EnvFilter::try_new(filter.as_deref().unwrap_or(default)).map_err(|error| {
        Failure::wrong_input(
            "invalid_log_filter",
            format!(
                "this is no filter for the log: {error}; write for instance --log info,bridge=debug"
            ),
        )
    })?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()));
    // Both must let an entry through, so the filter can only narrow what the ceiling leaves.
    let log = tracing_subscriber::registry().with(ceiling()).with(filter);
    let started = match format {
        LogFormat::Text => log.with(lines).try_init(),
        LogFormat::Json => log.with(lines.json()).try_init(),
    };
    started
        .map_err(|error| Failure::new("no_log", format!("the log could not be started: {error}")))
}
