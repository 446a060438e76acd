//! `cardbridge encode --dry-run`: what an encode would change on the card, and nothing of it done.

use std::time::Duration;

use bridge::{Config, LocalEncode, PlaceChange, Preview};
use encoder::Registry;
use protocol::link::{CardCondition, Phase};

use super::super::failure::Failure;
use super::super::scan::credential_in_words;
use super::super::shutdown::Shutdown;
use super::super::standalone::{self, Standalone};
use super::super::{daemon, run};
use super::without_daemon;

/// How many bytes of a long content stand on one line.
const ROW: usize = 16;

pub(super) async fn run(
    config: Config,
    registry: Registry,
    wish: LocalEncode,
    wait: Duration,
    progress: &mut (dyn FnMut(Phase) + Send),
) -> Result<Preview, Failure> {
    match daemon::connect(&config).await? {
        Some(daemon) => Ok(daemon.preview(wish, wait, progress).await?),
        None if config.hub.is_some() => Err(without_daemon()),
        None => alone(config, registry, wish, wait, progress).await,
    }
}

async fn alone(
    mut config: Config,
    registry: Registry,
    wish: LocalEncode,
    wait: Duration,
    progress: &mut (dyn FnMut(Phase) + Send),
) -> Result<Preview, Failure> {
    let shutdown = Shutdown::on_signals()?;
    let standalone = Standalone::start(&mut config).await?;
    let bridge = run::start(config, registry).await?;
    let work = async {
        standalone::linked(&bridge).await?;
        Ok(bridge.preview(wish, wait, progress).await?)
    };
    let told = "a signal stopped the dry run; nothing was written";
    let preview = shutdown.before(work, told).await;
    bridge.stop().await;
    standalone.stop().await;
    preview
}

pub(super) fn in_words(preview: &Preview) -> String {
    let condition = match preview.condition {
        CardCondition::Blank => "It is blank and would be prepared for this site.",
        CardCondition::Ours => "It holds a credential of this site.",
        _ => "It is prepared for this site and holds no valid credential.",
    };
    let mut lines = vec![format!(
        "Card {}, {}. {condition} Nothing was written.",
        preview.uid, preview.technology
    )];
    if preview.changes.is_empty() {
        lines.push("It holds this credential already; nothing would be written.".to_owned());
    } else {
        lines.push(format!(
            "It would hold, under key version {}:",
            preview.key_version
        ));
    }
    lines.extend(credential_in_words(&preview.credential));
    lines.extend(preview.changes.iter().flat_map(change_in_words));
    lines.join("\n")
}

fn change_in_words(change: &PlaceChange) -> Vec<String> {
    let before = change.before.as_deref().unwrap_or("not read");
    let mut lines = vec![change.location.clone()];
    lines.extend(rows("before", before));
    lines.extend(rows("after ", &change.after));
    lines
}

/// A content, cut into rows of some bytes; a byte has two characters.
fn rows(name: &str, content: &str) -> Vec<String> {
    let characters: Vec<char> = content.chars().collect();
    let rows = characters.chunks(2 * ROW).enumerate();
    rows.map(|(at, row)| {
        let name = if at == 0 { name } else { "      " };
        format!("  {name}  {}", row.iter().collect::<String>())
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_shows_before_and_after_below_each_other_in_rows_of_sixteen_bytes() {
        let change = PlaceChange {
            location: "file 1 of application 314243".to_owned(),
            before: None,
            after: "AB".repeat(16) + "••",
        };
        let expected = [
            "file 1 of application 314243",
            "  before  not read",
            &format!("  after   {}", "AB".repeat(16)),
            "          ••",
        ];
        assert_eq!(change_in_words(&change), expected);
    }
}
