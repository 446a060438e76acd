//! `cardbridge scan`: what is on a card, without any hub.

mod lock_server;

use std::time::Duration;

use bridge::{Config, Found};
use clap::Args;
use encoder::Registry;
use protocol::link::{CardCondition, CardFormat, CardFunction, Scanned, ScannedCredential};

use super::configuration::ConfigArgument;
use super::failure::Failure;
use super::output::Output;
use super::shutdown::Shutdown;
use super::{daemon, parse, run};

/// Read the card on an encoder and say what is on it. Nothing is written.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// The encoder by its name; may be left out when there is only one.
    #[arg(long, value_name = "NAME")]
    encoder: Option<String>,
    /// How long to wait for a card.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse::card_wait)]
    card_deadline: Duration,
    /// Print one JSON object: {"uid", "technology", "condition", "credential", "key_version"}; where a lock server reads
    /// the card {"uid", "card"}, and of a guest's {"rooms", "is_checked_in", "copy", "is_one_shot", "granted",
    /// "starts_at", "ends_at", "operator"} too.
    #[arg(long)]
    pub(super) json: bool,
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let registry = driver_all::registry();
    let config = arguments.config.read(&registry)?;
    let mut progress = daemon::tell(output, arguments.encoder.as_deref());
    let found = match daemon::connect(&config).await? {
        Some(daemon) => {
            let encoder = arguments.encoder.clone();
            daemon
                .scan(encoder, arguments.card_deadline, &mut progress)
                .await?
        }
        None => alone(config, registry, &arguments, &mut progress).await?,
    };
    output.result(&found, || match &found {
        Found::Card(scanned) => in_words(scanned),
        Found::ServerCard(card) => lock_server::in_words(card),
    })
}

/// Scans with a bridge of its own. It does not dial the hub: nobody expects jobs to be done by a scan.
async fn alone(
    mut config: Config,
    registry: Registry,
    arguments: &Arguments,
    progress: &mut (dyn FnMut(protocol::link::Phase) + Send),
) -> Result<Found, Failure> {
    config.hub = None;
    let shutdown = Shutdown::on_signals()?;
    let bridge = run::start(config, registry).await?;
    let work = async {
        let encoder = arguments.encoder.as_deref();
        Ok(bridge
            .scan(encoder, arguments.card_deadline, progress)
            .await?)
    };
    let scanned = shutdown
        .before(work, "a signal stopped the scan; nothing was written")
        .await;
    bridge.stop().await;
    scanned
}

fn in_words(scanned: &Scanned) -> String {
    let condition = match scanned.condition {
        CardCondition::Blank => "It is blank.",
        CardCondition::Ours => "It holds a credential of this site.",
        CardCondition::Torn => "It is prepared for this site and holds no valid credential.",
        CardCondition::Foreign => "It belongs to somebody else and will not be written.",
        CardCondition::Unsupported => "It is of a kind that cannot hold a credential here.",
    };
    let mut lines = vec![format!(
        "Card {}, {}. {condition}",
        scanned.uid, scanned.technology
    )];
    lines.extend(scanned.credential.iter().flat_map(credential_in_words));
    lines.extend(
        scanned
            .key_version
            .map(|version| format!("  sealed under key version {version}")),
    );
    lines.join("\n")
}

/// A credential as it stands on a card.
pub(super) fn credential_in_words(credential: &ScannedCredential) -> Vec<String> {
    let function = match credential.function {
        CardFunction::Guest => "guest",
        CardFunction::Staff => "staff",
    };
    let format = match credential.format {
        CardFormat::Rfid48 => "rfid48",
        CardFormat::TLCode => "TLCode",
    };
    let end = match credential.ends_at {
        Some(end) => end.to_string(),
        None => "for ever".to_owned(),
    };
    vec![
        format!(
            "  credential {} ({function}, {format}), issue {}",
            credential.number, credential.issue_number
        ),
        format!("  good from {} until {end}", credential.starts_at),
        format!("  doors by number: {}", doors_in_words(credential)),
    ]
}

fn doors_in_words(credential: &ScannedCredential) -> String {
    let first = credential.first_room;
    let rooms = match credential.room_count {
        0 => None,
        1 => Some(format!("guest {first}")),
        count => Some(format!("guest {first}–{}", first + u16::from(count) - 1)),
    };
    let common = credential
        .common_doors
        .iter()
        .map(|bit| format!("common {bit}"));
    let additional = credential.additional_doors.iter().map(|door| {
        let kind = if door.is_guest { "guest" } else { "common" };
        format!("{kind} {}", door.number)
    });
    let all: Vec<_> = rooms.into_iter().chain(common).chain(additional).collect();
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use protocol::link::{AdditionalDoor, CardFormat};

    use super::*;

    #[test]
    fn a_card_is_told_with_what_it_opens() {
        let scanned = Scanned {
            uid: "04A1B2C3".to_owned(),
            technology: "mifare_classic_1k".to_owned(),
            condition: CardCondition::Ours,
            key_version: Some(2),
            credential: Some(ScannedCredential {
                number: 7,
                format: CardFormat::Rfid48,
                function: CardFunction::Guest,
                starts_at: "2026-11-22T14:00:00Z".parse().unwrap(),
                ends_at: None,
                issue_number: 3_625_000,
                first_room: 101,
                room_count: 2,
                common_doors: vec![0],
                additional_doors: vec![AdditionalDoor {
                    number: 200,
                    is_guest: true,
                }],
            }),
        };
        assert_eq!(
            in_words(&scanned),
            "Card 04A1B2C3, mifare_classic_1k. It holds a credential of this site.\n  \
             credential 7 (guest, rfid48), issue 3625000\n  \
             good from 2026-11-22T14:00:00Z until for ever\n  \
             doors by number: guest 101–102, common 0, guest 200\n  \
             sealed under key version 2"
        );
    }
}
