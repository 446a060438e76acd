//! What is wrong with a key file, and what to do. Nothing of a key is repeated.

use std::path::PathBuf;

use card::InvalidKeyRing;

/// A key file that cannot be used, or could not be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// There is none.
    #[error(
        "there is no key file {0}; copy that of another PC of the site there, or make the first one with `cardbridge keys generate`"
    )]
    Missing(PathBuf),
    /// The system does not let it be read.
    #[error("the key file {path} cannot be read; check its owner and the rights on its folder")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A folder, a device, a pipe.
    #[error("{0} is no file; name the key file itself")]
    NotAFile(PathBuf),
    /// Others may read it.
    #[error(
        "the key file {0} may be read by other users; run `chmod 600 {0}`, and roll the key if anybody may have read it"
    )]
    Exposed(PathBuf),
    /// Too long, or no text.
    #[error("{0} is no key file: it is no text, or longer than 64 KiB; name the key file itself")]
    NoKeyFile(PathBuf),
    /// One line of it is wrong.
    #[error("the key file {path}, line {line}: {problem}; {remedy}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// The lines are right, but not together.
    #[error("the key file {path} does not hold together")]
    Ring {
        /// The file.
        path: PathBuf,
        /// Why not, and what to do.
        source: InvalidKeyRing,
    },
    /// A new one would take the place of something.
    #[error(
        "{0} is there already and was left as it is; roll the key in it with `cardbridge keys roll`, or name another file with --file"
    )]
    Exists(PathBuf),
    /// The system does not let it be written.
    #[error(
        "the key file {path} could not be written and is as it was; check its folder, the disk, and that this user may write there"
    )]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Two commands at a time.
    #[error("the key file {0} is being changed by another command; look at it and try again")]
    BeingChanged(PathBuf),
    /// The operating system has no random bytes.
    #[error("the operating system gave no random bytes, so no key was made; try again")]
    NoRandomness,
    /// Version 255 is there.
    #[error(
        "the key file {0} holds version 255, the last there can be; a site that needs more starts anew with `cardbridge keys generate`"
    )]
    NoMoreVersions(PathBuf),
    /// What new cards are made with cannot go.
    #[error(
        "version {version} is the newest in {path}, with which cards are made; add its successor with `cardbridge keys roll` before you drop it"
    )]
    NewestVersion {
        /// The file.
        path: PathBuf,
        /// The version.
        version: u8,
    },
    /// It is not there.
    #[error(
        "there is no version {version} in {path}; `cardbridge keys show-id` lists those there are"
    )]
    NoSuchVersion {
        /// The file.
        path: PathBuf,
        /// The version.
        version: u8,
    },
}

impl KeyFileError {
    /// A name for programs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Missing(_) | Self::Unreadable { .. } => "key_file_unreadable",
            Self::Exposed(_) => "key_file_exposed",
            Self::NotAFile(_) | Self::NoKeyFile(_) | Self::Line { .. } | Self::Ring { .. } => {
                "key_file_invalid"
            }
            Self::Exists(_) => "key_file_exists",
            Self::Unwritten { .. } | Self::NoRandomness => "key_file_not_written",
            Self::BeingChanged(_) => "key_file_busy",
            Self::NoMoreVersions(_) | Self::NewestVersion { .. } | Self::NoSuchVersion { .. } => {
                "invalid_key_version"
            }
        }
    }
}
