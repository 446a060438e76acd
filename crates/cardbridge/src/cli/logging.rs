//! Where the log goes: to stderr, so that stdout holds results only.

use std::io;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::failure::Failure;

/// How each line of the log looks.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object on each line.
    Json,
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
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()));
    let started = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    started
        .map_err(|error| Failure::new("no_log", format!("the log could not be started: {error}")))
}
