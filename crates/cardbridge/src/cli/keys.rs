//! `cardbridge keys`: makes, shows, rolls and exports a site's key. The key itself is never printed.

mod export;

use std::path::PathBuf;

use bridge::config::SiteKeySource;
use bridge::key_file::{KeyFile, KeyFileError};
use card::{KeyVersion, SiteKeys};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::configuration::ConfigArgument;
use super::failure::Failure;
use super::output::Output;

/// Make, compare, roll and export the key of a site.
///
/// The key file lies on every encoder PC of the site. Whoever has it can make cards for every door: keep it mode 0600,
/// with one copy in a safe. No verb prints it.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make the key of a new site, in a file that is not there yet.
    Generate {
        #[command(flatten)]
        place: Place,
    },
    /// Show what tells one key from another and may be seen by anybody: versions, check values, site mark.
    ///
    /// Two PCs of a site must show the same check value for each version that both have.
    ShowId {
        #[command(flatten)]
        place: Place,
    },
    /// Write what the locks of the site need: the site mark, and for each version the masters that read and check cards.
    ///
    /// With it cards can be read, and new ones made by whoever writes to a blank of his own: carry it like a key, and
    /// delete it once the locks have it. Without --out it goes to stdout.
    ExportForLock {
        #[command(flatten)]
        place: Place,
        /// Where to write it, with mode 0600; nothing may be there yet.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Add the next version of the key, or take an old one out.
    ///
    /// The file is replaced in one step, and a daemon that runs goes on with what it has read until it is restarted.
    Roll {
        #[command(flatten)]
        place: Place,
        /// Take this version out instead. Cards that were prepared under it are then nobody's.
        #[arg(long, value_name = "VERSION", value_parser = version)]
        drop: Option<KeyVersion>,
    },
}

/// Which key file.
#[derive(Debug, Args)]
struct Place {
    #[command(flatten)]
    config: ConfigArgument,
    /// The key file; without it the one that the configuration names.
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn json(&self) -> bool {
        match &self.verb {
            Verb::Generate { place }
            | Verb::ShowId { place }
            | Verb::ExportForLock { place, .. }
            | Verb::Roll { place, .. } => place.json,
        }
    }
}

pub(crate) fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    match arguments.verb {
        Verb::Generate { place } => {
            let made = KeyFile::create(&place.key_file()?)?;
            let shown = Shown::of_file(&made);
            output.result(&shown, || shown.with(AFTER_GENERATE))
        }
        Verb::ShowId { place } => {
            let shown = place.shown()?;
            output.result(&shown, || shown.in_words())
        }
        Verb::ExportForLock { place, out } => export::run(&place.keys()?, out.as_deref(), output),
        Verb::Roll { place, drop } => {
            let file = KeyFile::read(&place.key_file()?)?;
            let (rolled, next) = match drop {
                None => (file.roll()?, AFTER_ROLL),
                Some(version) => (file.drop_version(version)?, AFTER_DROP),
            };
            let shown = Shown::of_file(&rolled);
            output.result(&shown, || shown.with(next))
        }
    }
}

const AFTER_GENERATE: &str = "\
Next:
  1. Put a copy where no thief and no fire finds both, such as a safe.
  2. Name the file as key_file in the [site] section of the configuration, and give it to the daemon's user (chown).
  3. Copy it to every other encoder PC of the site, mode 0600; `cardbridge keys show-id` must show the same there.
  4. `cardbridge keys export-for-lock` writes what the locks need.";

const AFTER_ROLL: &str = "\
Cards are made with the newest version as soon as a daemon that has it starts. In this order:
  1. Copy the file to every other encoder PC of the site and into the safe; restart no daemon yet.
  2. Visit the locks with `cardbridge keys export-for-lock`; until then they do not open to new cards.
  3. Restart `cardbridge run` on all encoder PCs; the hub stops encodes on a PC that lacks the newest version.
  4. Once no card of an old version is in use any more, drop it with `cardbridge keys roll --drop VERSION` on every PC,
     and from the locks. Cards that were prepared under it cannot be encoded again.";

const AFTER_DROP: &str = "\
Copy the file to every other encoder PC of the site and into the safe, restart `cardbridge run` there and here, and visit
the locks with `cardbridge keys export-for-lock`.";

impl Place {
    /// The key file, which need not be there.
    fn key_file(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.file {
            return Ok(path.clone());
        }
        match self.config.site_key_source()? {
            SiteKeySource::File(path) => Ok(path),
            SiteKeySource::Configuration(_) => Err(Failure::wrong_input(
                "no_key_file",
                "the site key stands in the configuration itself; move its 64 digits to a file with mode 0600 and write \
                 key_file in place of key, or name a file with --file",
            )),
        }
    }

    fn keys(&self) -> Result<SiteKeys, Failure> {
        if self.file.is_none()
            && let SiteKeySource::Configuration(keys) = self.config.site_key_source()?
        {
            return Ok(keys);
        }
        Ok(KeyFile::read(&self.key_file()?)?.keys().clone())
    }

    fn shown(&self) -> Result<Shown, Failure> {
        let file = match &self.file {
            Some(path) => Some(path.clone()),
            None => match self.config.site_key_source()? {
                SiteKeySource::File(path) => Some(path),
                SiteKeySource::Configuration(_) => None,
            },
        };
        let path = file.map(|path| path.display().to_string());
        Ok(Shown::new(path, &self.keys()?))
    }
}

/// What may be seen of a site's keys.
#[derive(Debug, Serialize)]
struct Shown {
    /// `None` when the key stands in the configuration.
    file: Option<String>,
    site_mark: String,
    /// Oldest first.
    keys: Vec<ShownKey>,
    /// What new cards are made with.
    newest: u8,
}

#[derive(Debug, Serialize)]
struct ShownKey {
    version: u8,
    check_value: String,
}

impl Shown {
    fn of_file(file: &KeyFile) -> Self {
        Self::new(Some(file.path().display().to_string()), file.keys())
    }

    fn new(file: Option<String>, keys: &SiteKeys) -> Self {
        let key = |(version, check): (KeyVersion, [u8; 8])| ShownKey {
            version: version.get(),
            check_value: hex::encode_upper(check),
        };
        Self {
            file,
            site_mark: hex::encode_upper(keys.site_mark().bytes()),
            keys: keys.check_values().map(key).collect(),
            newest: keys.newest().get(),
        }
    }

    fn in_words(&self) -> String {
        let mut lines = vec![
            self.file
                .clone()
                .unwrap_or_else(|| "in the configuration".to_owned()),
            format!("  site mark {}", self.site_mark),
        ];
        lines.extend(self.keys.iter().map(|key| {
            let newest = if key.version == self.newest {
                ", cards are made with it"
            } else {
                ""
            };
            format!(
                "  version {}: check value {}{newest}",
                key.version, key.check_value
            )
        }));
        lines.join("\n")
    }

    fn with(&self, next: &str) -> String {
        format!("{}\n\n{next}", self.in_words())
    }
}

impl From<KeyFileError> for Failure {
    fn from(error: KeyFileError) -> Self {
        Self::from_error(error.kind(), &error)
    }
}

fn version(text: &str) -> Result<KeyVersion, String> {
    text.parse()
        .ok()
        .and_then(KeyVersion::new)
        .ok_or_else(|| "write a version from 1 to 255".to_owned())
}
