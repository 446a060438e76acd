//! `cardbridge encode`: a card for a door, made at the encoder PC.

use bridge::{Config, Encoded, LocalEncode};
use clap::Args;
use encoder::Registry;
use jiff::Timestamp;
use protocol::link::Phase;

use super::configuration::ConfigArgument;
use super::failure::Failure;
use super::output::Output;
use super::scan::credential_in_words;
use super::shutdown::Shutdown;
use super::standalone::{self, Standalone};
use super::{daemon, parse, run};

/// Encode the card on an encoder for one or more doors.
///
/// Without a [hub] in the configuration this PC decides by itself, and rooms are made as they are named. With a [hub]
/// the hub decides, so the daemon must run and be linked to it.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// A door by its name, such as 101; may be given several times.
    #[arg(long = "door", value_name = "DOOR", required = true)]
    doors: Vec<String>,
    /// Until when the card opens, with its zone, such as 2026-12-24T11:00+01:00.
    #[arg(long, value_name = "TIME", value_parser = parse::moment)]
    ends_at: Timestamp,
    /// From when the card opens; now, if not given.
    #[arg(long, value_name = "TIME", value_parser = parse::moment)]
    starts_at: Option<Timestamp>,
    /// End the cards that were made for these rooms before; otherwise it joins them if there are any.
    #[arg(long = "override")]
    overrides: bool,
    /// The encoder by its name; may be left out when there is only one.
    #[arg(long, value_name = "NAME")]
    encoder: Option<String>,
    /// Print one JSON object: {"uid", "technology", "credential", "acs_credential_id", "action_attempt_id"}.
    #[arg(long)]
    pub(super) json: bool,
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let registry = driver_all::registry();
    let config = arguments.config.read(&registry)?;
    let mut progress = daemon::tell(output, arguments.encoder.as_deref());
    let wish = arguments.wish()?;
    let encoded = match daemon::connect(&config).await? {
        Some(daemon) => daemon.encode(wish, &mut progress).await?,
        None if config.hub.is_some() => return Err(without_daemon()),
        None => alone(config, registry, wish, &mut progress).await?,
    };
    output.result(&encoded, || in_words(&encoded, &arguments.doors))
}

const INTERRUPTED: &str = "a signal stopped the encode; a card that was being written was finished first, and \
                           `cardbridge scan` tells what is on it";

fn without_daemon() -> Failure {
    Failure::new(
        "daemon_not_running",
        "this PC has a [hub], which alone decides about cards, and its daemon does not run, so nothing was written; \
         start `cardbridge run` with the same configuration and try again",
    )
}

/// Encodes with a bridge and a decider of its own.
async fn alone(
    mut config: Config,
    registry: Registry,
    wish: LocalEncode,
    progress: &mut (dyn FnMut(Phase) + Send),
) -> Result<Encoded, Failure> {
    let shutdown = Shutdown::on_signals()?;
    let standalone = Standalone::start(&mut config).await?;
    let bridge = run::start(config, registry).await?;
    let work = async {
        standalone::linked(&bridge).await?;
        Ok(bridge.encode(wish, progress).await?)
    };
    let encoded = shutdown.before(work, INTERRUPTED).await;
    // A card that is being written when the signal comes is finished in here.
    bridge.stop().await;
    standalone.stop().await;
    encoded
}

impl Arguments {
    fn wish(&self) -> Result<LocalEncode, Failure> {
        let starts_at = self.starts_at.unwrap_or_else(Timestamp::now);
        if self.ends_at <= starts_at {
            return Err(Failure::wrong_input(
                "invalid_input",
                "the card would end before it begins to open; give a later --ends-at",
            ));
        }
        Ok(LocalEncode {
            encoder: self.encoder.clone(),
            doors: self.doors.clone(),
            starts_at: self.starts_at,
            ends_at: Some(self.ends_at),
            overrides: self.overrides.then_some(true),
        })
    }
}

fn in_words(encoded: &Encoded, doors: &[String]) -> String {
    let mut lines = vec![format!(
        "Card {}, {}, opens {}.",
        encoded.uid,
        encoded.technology,
        doors.join(", ")
    )];
    lines.extend(credential_in_words(&encoded.credential));
    lines.join("\n")
}
