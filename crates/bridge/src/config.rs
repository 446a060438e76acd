//! The configuration file. A wrong one is refused with the line, the key, and what to write instead.

mod error;
mod hub_url;
mod parse;
mod reader;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use card::SiteKeys;
use encoder::{Probing, Registry, Selector, Settings};
use zeroize::Zeroizing;

pub use error::ConfigError;
pub use hub_url::{HubUrl, InvalidHubUrl};

/// Everything that a bridge is told by its file.
#[derive(Debug)]
pub struct Config {
    /// What the PC is called.
    pub name: String,
    /// Where the journal lives.
    pub state_directory: PathBuf,
    /// Where the local commands reach the daemon.
    pub socket: PathBuf,
    /// Whether the first encode of a blank card prepares it.
    pub personalise_blank: bool,
    /// Whether encoders that need no entry are used (PC/SC readers).
    pub discover: bool,
    /// Whether serial ports that nobody configured are asked what is behind them.
    pub probing: Probing,
    /// The hub; `None` works without one.
    pub hub: Option<HubConfig>,
    /// The site's keys.
    pub keys: SiteKeys,
    /// The encoders that have an entry.
    pub encoders: Vec<EncoderConfig>,
}

/// How to reach the hub.
#[derive(Debug, Clone)]
pub struct HubConfig {
    /// Where it is.
    pub url: HubUrl,
    /// By what it knows this bridge.
    pub token: Token,
}

/// Where the site's keys stand.
#[derive(Debug)]
pub enum SiteKeySource {
    /// In a [key file](crate::key_file::KeyFile), which need not be there yet.
    File(PathBuf),
    /// In the configuration itself, which holds one version at most.
    Configuration(SiteKeys),
}

/// One `[[encoder]]` entry.
#[derive(Debug, Clone)]
pub struct EncoderConfig {
    /// The driver's name; known to the registry that the file was read with.
    pub driver: String,
    /// What people call the encoder.
    pub name: Option<String>,
    /// Which device the driver makes of it.
    pub selector: Selector,
    /// The driver's own keys.
    pub settings: Settings,
    /// The folder in which its sessions are recorded.
    pub record: Option<PathBuf>,
}

/// A secret that the hub gave out. Zeroised, never printed.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// Takes a token.
    #[must_use]
    pub fn new(token: String) -> Self {
        Self(Zeroizing::new(token))
    }

    /// The token, for the wire only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// When the file cannot be read, or says something that a bridge cannot do.
    pub fn read(path: &Path, registry: &Registry) -> Result<Self, ConfigError> {
        Self::parse(&read_text(path)?, path, registry)
    }

    /// Where a configuration file says that the site's keys stand; of the rest only the form is looked at.
    ///
    /// # Errors
    /// When the file cannot be read, is no TOML, or says nothing of a site key.
    pub fn site_key_source(path: &Path) -> Result<SiteKeySource, ConfigError> {
        parse::site_key_source(&read_text(path)?, path)
    }

    /// Takes a configuration from text. Relative paths in it start from the folder of `origin`.
    ///
    /// # Errors
    /// When it says something that a bridge cannot do.
    pub fn parse(text: &str, origin: &Path, registry: &Registry) -> Result<Self, ConfigError> {
        parse::parse(text, origin, registry)
    }
}

fn read_text(path: &Path) -> Result<Zeroizing<String>, ConfigError> {
    std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })
}
