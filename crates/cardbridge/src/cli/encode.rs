//! `cardbridge encode`: a card for doors, made at the encoder PC, or shown before it is made.

mod preview;

use std::time::Duration;

use bridge::{Config, Encoded, LocalEncode};
use clap::{Args, ValueEnum};
use encoder::Registry;
use jiff::Timestamp;
use protocol::link::{self, Phase};

use super::configuration::ConfigArgument;
use super::failure::Failure;
use super::output::Output;
use super::scan::credential_in_words;
use super::shutdown::Shutdown;
use super::standalone::{self, Standalone};
use super::{daemon, parse, run};

/// Encode the card on an encoder for one or more doors.
///
/// Without a [hub] in the configuration this PC decides by itself, and doors are made as they are named. With a [hub] the
/// hub decides, so the daemon must run and be linked to it.
///
/// Up to 33 rooms with consecutive numbers take no more place on a card than one, and so do the first 28 common doors of a
/// site. Of further doors an rfid48 holds 7, a TLCode as many as the card has room for.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("doors_given").args(["doors", "rooms", "common_doors"]).required(true).multiple(true))]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// A door by its name, such as 101; may be given several times.
    #[arg(long = "door", value_name = "DOOR")]
    doors: Vec<String>,
    /// Consecutive rooms, such as 101-105; may be given several times.
    #[arg(long, value_name = "FIRST-LAST", value_parser = parse::rooms)]
    rooms: Vec<parse::Rooms>,
    /// A common door by its name, such as Pool; may be given several times. Only with it a door that is not known yet
    /// becomes a common one.
    #[arg(long = "common-door", value_name = "DOOR")]
    common_doors: Vec<String>,
    /// Until when the card opens, with its zone, such as 2026-12-24T11:00+01:00.
    #[arg(long, value_name = "TIME", value_parser = parse::moment)]
    ends_at: Timestamp,
    /// From when the card opens; now, if not given.
    #[arg(long, value_name = "TIME", value_parser = parse::moment)]
    starts_at: Option<Timestamp>,
    /// End the cards that were made for these rooms before; otherwise it joins them if there are any.
    #[arg(long = "override", conflicts_with = "staff")]
    overrides: bool,
    /// A card for staff: it opens its doors whatever guests' cards they have seen.
    #[arg(long)]
    staff: bool,
    /// In which format; without it the first that holds the doors.
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// The encoder by its name; may be left out when there is only one.
    #[arg(long, value_name = "NAME")]
    encoder: Option<String>,
    /// Write nothing: show every block, page, file or key that would be changed, before and after. Keys, and the tag that
    /// makes an image valid, are shown as ••.
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run, how long to wait for a card.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse::card_wait, requires = "dry_run")]
    card_deadline: Duration,
    /// Print one JSON object: {"uid", "technology", "credential", "acs_credential_id", "action_attempt_id"}; with
    /// --dry-run {"uid", "technology", "condition", "held", "credential", "key_version", "changes": [{"location",
    /// "before", "after"}]}. A lock server tells the UID perhaps, and neither technology nor credential: null.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// 48 bytes, on every technology.
    #[value(name = "rfid48")]
    Rfid48,
    /// As long as its doors need, on cards that have the room.
    #[value(name = "TLCode")]
    TlCode,
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let registry = driver_all::registry();
    let config = arguments.config.read(&registry)?;
    let mut progress = daemon::tell(output, arguments.encoder.as_deref());
    let wish = arguments.wish()?;
    if arguments.dry_run {
        let wait = arguments.card_deadline;
        let preview = preview::run(config, registry, wish, wait, &mut progress).await?;
        return output.result(&preview, || preview::in_words(&preview));
    }
    let encoded = match daemon::connect(&config).await? {
        Some(daemon) => daemon.encode(wish, &mut progress).await?,
        None if config.hub.is_some() => return Err(without_daemon()),
        None => alone(config, registry, wish, &mut progress).await?,
    };
    output.result(&encoded, || in_words(&encoded, &arguments.names()))
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
    /// The doors as they were named, common ones last.
    fn names(&self) -> Vec<String> {
        let mut names = self.places();
        names.extend(self.common_doors.iter().cloned());
        names
    }

    /// Doors and rooms.
    fn places(&self) -> Vec<String> {
        let rooms = self.rooms.iter().flat_map(|rooms| rooms.0.iter());
        self.doors.iter().chain(rooms).cloned().collect()
    }

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
            doors: self.places(),
            common_doors: self.common_doors.clone(),
            format: self.format.map(|format| match format {
                Format::Rfid48 => link::CardFormat::Rfid48,
                Format::TlCode => link::CardFormat::TLCode,
            }),
            function: if self.staff {
                link::CardFunction::Staff
            } else {
                link::CardFunction::Guest
            },
            starts_at: self.starts_at,
            ends_at: Some(self.ends_at),
            overrides: self.overrides.then_some(true),
        })
    }
}

fn in_words(encoded: &Encoded, doors: &[String]) -> String {
    let uid = encoded.uid.iter().map(|uid| format!(" {uid}"));
    let technology = encoded.technology.iter().map(|name| format!(", {name},"));
    let card: String = uid.chain(technology).collect();
    let mut lines = vec![format!("Card{card} opens {}.", doors.join(", "))];
    match &encoded.credential {
        Some(credential) => lines.extend(credential_in_words(credential)),
        None => lines.push("  made by the lock server".to_owned()),
    }
    lines.join("\n")
}
