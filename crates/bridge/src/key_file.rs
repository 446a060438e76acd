//! The site's key file: read, made, rolled. It is never written in place, and nothing of a key is ever printed or put
//! into an error.
//!
//! Lines: `# comment`; either one line of 64 hex digits, which is version 1, or `key 1 <64 hex digits>`,
//! `key 2 <64 hex digits>`…; and `site-mark B543`, which may be left out while version 1 is there.

mod error;
mod lines;
#[cfg(test)]
mod tests;

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use card::{KeyVersion, SiteKeys};
use rustix::fs::{FlockOperation, OFlags, flock};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

pub use error::KeyFileError;
use lines::Lines;

/// The longest file that is read, in bytes: 255 versions with room for comments.
const MAX_LENGTH: usize = 64 * 1024;

/// A key file that holds together.
pub struct KeyFile {
    path: PathBuf,
    file: File,
    lines: Lines,
    keys: SiteKeys,
}

impl KeyFile {
    /// Reads a key file.
    ///
    /// # Errors
    /// When it cannot be read, other users may read it, or what it says is no ring of keys.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let unreadable = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound => KeyFileError::Missing(path.to_owned()),
            _ => KeyFileError::Unreadable {
                path: path.to_owned(),
                source,
            },
        };
        // Opened first and judged by what was opened. Not blocking, or a named pipe would hold the reader for ever.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(path)
            .map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(KeyFileError::NotAFile(path.to_owned()));
        }
        if is_exposed(path, &metadata) {
            return Err(KeyFileError::Exposed(path.to_owned()));
        }
        let text = read_text(&file, path).map_err(unreadable)??;
        let (lines, keys) = Lines::parse(text, path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            lines,
            keys,
        })
    }

    /// Makes the key file of a new site, with mode 0600. What is there already is never touched.
    ///
    /// # Errors
    /// When something is there, or the file cannot be written; there is no part of one then.
    pub fn create(path: &Path) -> Result<Self, KeyFileError> {
        if std::fs::symlink_metadata(path).is_ok() {
            return Err(KeyFileError::Exists(path.to_owned()));
        }
        let text = Lines::of_new_site(&random_key()?);
        match write_new_secret(path, &text) {
            Ok(()) => Self::read(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(KeyFileError::Exists(path.to_owned()))
            }
            Err(source) => Err(unwritten(path, source)),
        }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The keys that it holds.
    #[must_use]
    pub fn keys(&self) -> &SiteKeys {
        &self.keys
    }

    /// Adds the next version, a new random key. Comments, mode and owner stay.
    ///
    /// # Errors
    /// When there is no further version, or the file cannot be replaced; it is as it was then.
    pub fn roll(&self) -> Result<Self, KeyFileError> {
        let newest = self.keys.newest().get();
        let next = newest
            .checked_add(1)
            .and_then(KeyVersion::new)
            .ok_or_else(|| KeyFileError::NoMoreVersions(self.path.clone()))?;
        let text = self.lines.with(next, &random_key()?, self.keys.site_mark());
        self.replace(&text)
    }

    /// Takes an old version out; the site mark stays. Cards that were prepared under it are nobody's from then on.
    ///
    /// # Errors
    /// When it is the newest or not there, or the file cannot be replaced; it is as it was then.
    pub fn drop_version(&self, version: KeyVersion) -> Result<Self, KeyFileError> {
        let path = || self.path.clone();
        let number = version.get();
        if version == self.keys.newest() {
            return Err(KeyFileError::NewestVersion {
                path: path(),
                version: number,
            });
        }
        if !self.keys.versions().any(|held| held == version) {
            return Err(KeyFileError::NoSuchVersion {
                path: path(),
                version: number,
            });
        }
        let text = self.lines.without(version, self.keys.site_mark());
        self.replace(&text)
    }

    /// Puts a new file in the place of this one, in one step: whoever reads it sees the one or the other.
    fn replace(&self, text: &str) -> Result<Self, KeyFileError> {
        let failed = |source| unwritten(&self.path, source);
        // A link stays a link.
        let path = std::fs::canonicalize(&self.path).map_err(failed)?;
        let locked = flock(&self.file, FlockOperation::NonBlockingLockExclusive);
        let here = std::fs::metadata(&path).map_err(failed)?;
        let read = self.file.metadata().map_err(failed)?;
        if locked.is_err() || (here.dev(), here.ino()) != (read.dev(), read.ino()) {
            return Err(KeyFileError::BeingChanged(self.path.clone()));
        }
        let staged = staged(&path, text).map_err(failed)?;
        take_after(staged.as_file(), &read).map_err(failed)?;
        staged.persist(&path).map_err(|error| failed(error.error))?;
        sync_folder(&path).map_err(failed)?;
        Self::read(&self.path)
    }
}

/// Writes `text` beside `path` for a user who may read it alone, durably, under a name that is gone if it is not moved.
fn staged(path: &Path, text: &str) -> std::io::Result<NamedTempFile> {
    let mut staged = tempfile::Builder::new()
        .prefix(".cardbridge-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder(path))?;
    staged.write_all(text.as_bytes())?;
    staged.as_file().sync_all()?;
    Ok(staged)
}

/// Writes a file of secrets that must not be there yet, with mode 0600, whole or not at all.
///
/// # Errors
/// What the system said; `AlreadyExists` when something is there.
pub fn write_new_secret(path: &Path, text: &str) -> std::io::Result<()> {
    staged(path, text)?
        .persist_noclobber(path)
        .map_err(|error| error.error)?;
    sync_folder(path)
}

fn unwritten(path: &Path, source: std::io::Error) -> KeyFileError {
    KeyFileError::Unwritten {
        path: path.to_owned(),
        source,
    }
}

/// Gives a file the mode and the owner of another.
fn take_after(file: &File, like: &Metadata) -> std::io::Result<()> {
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
        std::os::unix::fs::fchown(file, Some(like.uid()), Some(like.gid()))?;
    }
    file.set_permissions(Permissions::from_mode(like.mode() & 0o7777))?;
    file.sync_all()
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Makes a rename in the folder of `path` durable.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    File::open(folder(path))?.sync_all()
}

/// Whether other users may read it. Of a systemd credential the group bits are the mask of an access list for the
/// service's user, in a folder that is closed to everybody else (systemd.exec(5), "Credentials").
fn is_exposed(path: &Path, metadata: &Metadata) -> bool {
    let is_credential = path.starts_with("/run/credentials");
    let others = if is_credential { 0o007 } else { 0o077 };
    metadata.mode() & others != 0
}

fn read_text(file: &File, path: &Path) -> std::io::Result<Result<Zeroizing<String>, KeyFileError>> {
    // As long as it may get, so that it never moves and leaves a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_LENGTH + 1));
    file.take(MAX_LENGTH as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_LENGTH {
        return Ok(Err(KeyFileError::NoKeyFile(path.to_owned())));
    }
    Ok(match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(KeyFileError::NoKeyFile(path.to_owned())),
    })
}

/// 32 random bytes of the operating system, as hex digits.
fn random_key() -> Result<Zeroizing<String>, KeyFileError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|_| KeyFileError::NoRandomness)?;
    let mut digits = Zeroizing::new(vec![0; 64]);
    hex::encode_to_slice(*bytes, &mut digits).expect("32 bytes are 64 digits");
    let text = std::str::from_utf8(&digits).expect("hex digits are ASCII");
    Ok(Zeroizing::new(text.to_owned()))
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyFile")
            .field("path", &self.path)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
