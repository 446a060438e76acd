//! What is wrong with a configuration, where, and what to write instead.

use std::path::PathBuf;

use crate::key_file::KeyFileError;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(
        "the configuration {path} cannot be read; check that it exists and that this user may read it"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{path}, line {line}: {problem}; {remedy}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
        /// What to write instead.
        remedy: String,
    },
    /// The key file that it names cannot be used.
    #[error("{path}, line {line}: the site key cannot be read")]
    KeyFile {
        /// The configuration.
        path: PathBuf,
        /// The line that names the key file, from 1.
        line: usize,
        /// What is wrong with the key file, and what to do.
        source: KeyFileError,
    },
    /// Something is missing altogether.
    #[error("{path}: {problem}; {remedy}")]
    Missing {
        /// The file.
        path: PathBuf,
        /// What is missing.
        problem: String,
        /// What to write.
        remedy: String,
    },
}
