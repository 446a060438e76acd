//! The folder of a demo: temporary, or one that is kept for the next time.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The system refuses.
    #[error("the demo cannot keep its state in {path}; name another folder with --state-dir")]
    Unusable {
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Another demo has it.
    #[error("another demo runs on {path}; stop it, or name another folder with --state-dir")]
    InUse {
        /// Where.
        path: PathBuf,
    },
    /// What an earlier demo left there makes no sense.
    #[error("{path} was not written by a demo; name another folder with --state-dir")]
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers, so there is no site key")]
    Randomness(#[source] getrandom::Error),
}

/// A folder that only this user can read, held by this process alone.
#[derive(Debug)]
pub(super) struct StateFolder {
    path: PathBuf,
    /// Removes a temporary folder at the end.
    _temporary: Option<TempDir>,
    _lock: File,
}

impl StateFolder {
    /// Takes the given folder, or makes a temporary one.
    pub(super) fn open(given: Option<&Path>) -> Result<Self, StateError> {
        let temporary = match given {
            Some(_) => None,
            None => Some(
                tempfile::Builder::new()
                    .prefix("cardbridge-demo-")
                    .tempdir()
                    .map_err(|source| StateError::Unusable {
                        path: std::env::temp_dir(),
                        source,
                    })?,
            ),
        };
        let path = match (&temporary, given) {
            (Some(folder), _) => folder.path().to_owned(),
            (None, Some(path)) => std::path::absolute(path).map_err(unusable(path))?,
            (None, None) => unreachable!("a folder is given or temporary"),
        };
        make_folder(&path)?;
        let lock = hold(&path)?;
        Ok(Self {
            path,
            _temporary: temporary,
            _lock: lock,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A folder inside, made when it is missing.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, StateError> {
        let path = self.path.join(name);
        make_folder(&path)?;
        Ok(path)
    }

    /// The text of a file inside, if it exists.
    pub(super) fn read(&self, name: &str) -> Result<Option<String>, StateError> {
        let path = self.path.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StateError::Unusable { path, source }),
        }
    }

    /// Writes a file that only this user can read.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), StateError> {
        let path = self.path.join(name);
        let write = || {
            let mut options = File::options();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)?;
            io::Write::write_all(&mut file, text.as_bytes())
        };
        write().map_err(unusable(&path))
    }
}

fn make_folder(path: &Path) -> Result<(), StateError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(unusable(path))
}

fn hold(path: &Path) -> Result<File, StateError> {
    let lock = File::create(path.join("lock")).map_err(unusable(path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StateError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(unusable(path)(error)),
    }
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    |source| StateError::Unusable { path, source }
}
