//! The folder in which an encoder's sessions are recorded: a file for each time it is opened, the oldest ones removed.
//! Whatever is wrong with it, the encoder works without.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use encoder::{Recorder, Secrets};
use jiff::Timestamp;

/// The longest recording, in bytes. A session of an hour takes less than one megabyte.
const LONGEST: u64 = 64 * 1024 * 1024;
/// How many recordings of an encoder are kept.
const KEPT: usize = 20;
/// What their names end in.
const EXTENSION: &str = "recording";

/// Where one encoder's sessions are recorded. Clones tell of the same recording.
#[derive(Debug, Clone)]
pub(crate) struct Recordings {
    folder: PathBuf,
    /// What the names of its files begin with.
    prefix: String,
    current: Arc<Mutex<Option<PathBuf>>>,
}

impl Recordings {
    /// Recordings of the encoder of that name.
    pub(crate) fn new(folder: PathBuf, name: &str) -> Self {
        let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
        let prefix = name.to_lowercase().chars().map(plain).collect();
        Self {
            folder,
            prefix,
            current: Arc::default(),
        }
    }

    /// The file that is being written, or was last.
    pub(crate) fn current(&self) -> Option<PathBuf> {
        self.lock().clone()
    }

    /// Begins the next recording; `None` when the folder cannot be used. Touches the disk: not for async threads.
    pub(crate) fn begin(&self, now: Timestamp) -> Option<Recorder> {
        match self.create(now) {
            Ok((recorder, path)) => {
                *self.lock() = Some(path);
                Some(recorder)
            }
            Err(error) => {
                tracing::warn!(
                    folder = %self.folder.display(), %error,
                    "an encoder's sessions cannot be recorded; it works without"
                );
                None
            }
        }
    }

    fn create(&self, now: Timestamp) -> io::Result<(Recorder, PathBuf)> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)?;
        self.make_room()?;
        // Sorts by time, and has no character that some file system refuses.
        let time = now.strftime("%Y%m%dT%H%M%S%.6fZ");
        let path = self
            .folder
            .join(format!("{}_{time}.{EXTENSION}", self.prefix));
        let recorder = Recorder::create(&path, Secrets::Masked)?.limited_to(LONGEST);
        Ok((recorder, path))
    }

    /// Removes the oldest recordings of this encoder, so that one more may be kept.
    fn make_room(&self) -> io::Result<()> {
        let mut own: Vec<PathBuf> = std::fs::read_dir(&self.folder)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| self.is_own(path))
            .collect();
        own.sort();
        let surplus = (own.len() + 1).saturating_sub(KEPT);
        own.iter().take(surplus).try_for_each(std::fs::remove_file)
    }

    fn is_own(&self, path: &Path) -> bool {
        let begins = path
            .file_stem()
            .and_then(|stem| stem.to_str()?.rsplit_once('_'))
            .is_some_and(|(prefix, _)| prefix == self.prefix);
        begins && path.extension().is_some_and(|ending| ending == EXTENSION)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<PathBuf>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use encoder::Direction;

    use super::*;

    fn second(at: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + at).unwrap()
    }

    #[test]
    fn each_opening_begins_a_file_that_only_its_owner_may_read() {
        let home = tempfile::tempdir().unwrap();
        let recordings = Recordings::new(home.path().join("wire"), "Front Desk / 2");
        assert_eq!(recordings.current(), None);
        let recorder = recordings.begin(second(0)).unwrap();
        let first = recordings.current().unwrap();
        recorder.note(Direction::ToDevice, &[0x55], &[]);
        recordings.begin(second(1)).unwrap();
        assert_ne!(recordings.current().unwrap(), first);
        let name = first.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("front-desk---2_2026"), "{name}");
        let mode = std::fs::metadata(&first).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(std::fs::read_to_string(&first).unwrap().contains("> 55"));
    }

    #[test]
    fn the_oldest_of_this_encoder_go_and_nothing_else_does() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().to_owned();
        let other = Recordings::new(folder.clone(), "Front Desk 2");
        other.begin(second(0)).unwrap();
        let notes = folder.join("front-desk_notes.txt");
        std::fs::write(&notes, "mine").unwrap();
        let recordings = Recordings::new(folder.clone(), "Front Desk");
        let paths: Vec<_> = (0..25)
            .map(|at| {
                recordings.begin(second(at)).unwrap();
                recordings.current().unwrap()
            })
            .collect();
        let kept: Vec<_> = paths.iter().filter(|path| path.exists()).collect();
        assert_eq!(kept, paths[5..].iter().collect::<Vec<_>>());
        assert!(notes.exists() && other.current().unwrap().exists());
    }

    #[test]
    fn a_folder_that_cannot_be_used_costs_the_recording_only() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let recordings = Recordings::new(file.path().join("wire"), "Front Desk");
        assert!(recordings.begin(second(0)).is_none());
        assert_eq!(recordings.current(), None);
    }
}
