//! Reading a bridge's configuration file for the verbs that work with one.

use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use bridge::config::SiteKeySource;
use bridge::{Config, ConfigError};
use clap::Args;
use encoder::Registry;

use super::failure::Failure;

/// Which configuration, and which encoder of it.
#[derive(Debug, Args)]
pub(super) struct ConfigArgument {
    /// The configuration of this PC's bridge, a TOML file.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/cardbridge/bridge.toml"
    )]
    config: PathBuf,
}

/// Makes the state directory where it is missing, for this user alone, before anything is opened in it.
pub(super) fn make_state_directory(config: &Config) -> Result<(), Failure> {
    let directory = &config.state_directory;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| {
            let what = format!(
                "the state_dir {} cannot be made; name another one in the configuration, or make it for this user",
                directory.display()
            );
            Failure::because("state_dir_unavailable", what, &error)
        })
}

impl ConfigArgument {
    /// Reads the file. What is wrong with it is said with its line.
    pub(super) fn read(&self, registry: &Registry) -> Result<Config, Failure> {
        Config::read(&self.config, registry).map_err(|error| failure(&error))
    }

    /// Where it says that the site's keys stand.
    pub(super) fn site_key_source(&self) -> Result<SiteKeySource, Failure> {
        Config::site_key_source(&self.config).map_err(|error| failure(&error))
    }
}

fn failure(error: &ConfigError) -> Failure {
    let kind = match error {
        ConfigError::Unreadable { .. } => "configuration_unreadable",
        _ => "configuration_invalid",
    };
    Failure::from_error(kind, error).into_wrong_input()
}
