//! Tells when a path appears or vanishes, for devices whose port is a file. Driven by inotify; never polls.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

use crate::{Changed, Error, ErrorKind};

/// Symbolic links followed from the path of a port. Udev makes one; more than a few is a loop.
pub(crate) const LINKS_FOLLOWED: usize = 8;

/// What of a directory matters. Attributes because udev gives the node its group only after it was made.
const EVENTS: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// Watches paths until it is dropped.
///
/// A path that is a symbolic link counts as changed with the link and with what it points to. A directory that is not
/// there yet (`/dev/serial` before the first adapter) is awaited from the nearest one that is.
pub struct PathWatch {
    ended: Arc<OwnedFd>,
}

impl PathWatch {
    /// Calls `changed` whenever one of the paths appeared, vanished, was replaced or got other permissions. It must
    /// return at once; one call may still be under way when the watch has been dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Unresponsive`] when the system gives no more inotify instances or threads.
    pub fn start(
        paths: impl IntoIterator<Item = PathBuf>,
        changed: Changed,
    ) -> Result<Self, Error> {
        Self::watch(paths, None, changed)
    }

    /// The same, also whenever a file of such a name did.
    pub(crate) fn with_names(
        paths: impl IntoIterator<Item = PathBuf>,
        names: Names,
        changed: Changed,
    ) -> Result<Self, Error> {
        Self::watch(paths, Some(names), changed)
    }

    fn watch(
        paths: impl IntoIterator<Item = PathBuf>,
        names: Option<Names>,
        changed: Changed,
    ) -> Result<Self, Error> {
        let refused = |error: std::io::Error| Error::with_source(ErrorKind::Unresponsive, error);
        let ended = Arc::new(
            eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
                .map_err(|errno| refused(errno.into()))?,
        );
        let mut watched = Watched {
            inotify: inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)
                .map_err(|errno| refused(errno.into()))?,
            paths: paths.into_iter().collect(),
            names,
            directories: BTreeMap::new(),
            entries: BTreeSet::new(),
        };
        watched.arm();
        let until = Arc::clone(&ended);
        std::thread::Builder::new()
            .name("port watch".to_owned())
            .spawn(move || watched.run(&until, &changed))
            .map_err(refused)?;
        Ok(Self { ended })
    }
}

impl Drop for PathWatch {
    fn drop(&mut self) {
        // An eventfd takes eight bytes as long as its counter is below its limit, and nobody else writes.
        let _ = rustix::io::write(&self.ended, &1_u64.to_ne_bytes());
    }
}

/// Files whose names begin alike, in one directory that stays.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) folder: PathBuf,
    pub(crate) prefixes: &'static [&'static str],
}

impl Names {
    fn contain(&self, directory: &Path, name: &OsStr) -> bool {
        let begins = |prefix: &&str| name.as_bytes().starts_with(prefix.as_bytes());
        self.folder == directory && self.prefixes.iter().any(begins)
    }
}

struct Watched {
    inotify: OwnedFd,
    paths: Vec<PathBuf>,
    names: Option<Names>,
    /// The directory behind each watch descriptor.
    directories: BTreeMap<i32, PathBuf>,
    /// The names that matter, each with its directory.
    entries: BTreeSet<(PathBuf, OsString)>,
}

impl Watched {
    fn run(mut self, ended: &OwnedFd, changed: &Changed) {
        loop {
            let mut fds = [
                PollFd::new(&self.inotify, PollFlags::IN),
                PollFd::new(ended, PollFlags::IN),
            ];
            match poll(&mut fds, None) {
                Ok(_) if !fds[1].revents().is_empty() => return,
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => {
                    return tracing::error!(%error, "serial ports are not watched any more");
                }
            }
            if self.something_happened() {
                self.arm();
                changed();
            }
        }
    }

    /// Reads every event that waits and says whether one concerns a watched path.
    fn something_happened(&self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(self.inotify.as_fd(), &mut buffer);
        let mut happened = false;
        // Ends with the error that nothing is left.
        while let Ok(event) = events.next() {
            let own = ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::QUEUE_OVERFLOW;
            happened |= event.events().intersects(own)
                || self
                    .directories
                    .get(&event.wd())
                    .zip(event.file_name())
                    .is_some_and(|(directory, name)| {
                        let name = OsStr::from_bytes(name.to_bytes());
                        let is_named = |names: &Names| names.contain(directory, name);
                        self.names.as_ref().is_some_and(is_named)
                            || self.entries.contains(&(directory.clone(), name.to_owned()))
                    });
        }
        happened
    }

    /// Watches what is to be watched now. What appears while it looks is seen in the next turn of its loop.
    fn arm(&mut self) {
        loop {
            let entries: BTreeSet<_> = self.paths.iter().flat_map(|path| steps(path)).collect();
            let wanted: BTreeSet<&PathBuf> = entries
                .iter()
                .map(|(directory, _)| directory)
                .chain(self.names.as_ref().map(|names| &names.folder))
                .collect();
            let mut directories = BTreeMap::new();
            for directory in wanted {
                match inotify::add_watch(&self.inotify, directory, EVENTS) {
                    Ok(descriptor) => drop(directories.insert(descriptor, directory.clone())),
                    // Gone again, or not ours to read; its parent is watched as soon as it is gone.
                    Err(error) => {
                        tracing::debug!(%error, directory = %directory.display(), "not watched")
                    }
                }
            }
            for stale in self
                .directories
                .keys()
                .filter(|key| !directories.contains_key(key))
            {
                // Fails when the directory itself is gone, which removed the watch.
                let _ = inotify::remove_watch(&self.inotify, *stale);
            }
            self.directories = directories;
            let settled = self.entries == entries;
            self.entries = entries;
            if settled {
                return;
            }
        }
    }
}

/// The directory entries on which the existence of a path hangs now: the entry itself and those of the links behind
/// it; of each whose directory is missing, the first missing part.
fn steps(path: &Path) -> Vec<(PathBuf, OsString)> {
    let mut steps = Vec::new();
    let mut path = path.to_owned();
    for _ in 0..LINKS_FOLLOWED {
        let Some(entry) = nearest_entry(&path) else {
            break;
        };
        steps.push(entry);
        let Ok(target) = std::fs::read_link(&path) else {
            break;
        };
        path = path.parent().unwrap_or(Path::new("/")).join(target);
    }
    steps
}

fn nearest_entry(path: &Path) -> Option<(PathBuf, OsString)> {
    let mut path = path;
    loop {
        let (parent, name) = (path.parent()?, path.file_name()?);
        if parent.is_dir() {
            return Some((parent.to_owned(), name.to_owned()));
        }
        path = parent;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::*;

    /// Generous: it only keeps a broken test from hanging.
    const LIMIT: Duration = Duration::from_secs(10);

    fn watch(path: &Path) -> (PathWatch, Receiver<()>) {
        let (tx, changes) = channel();
        let watch = PathWatch::start(
            [path.to_owned()],
            Arc::new(move || tx.send(()).unwrap_or_default()),
        )
        .unwrap();
        (watch, changes)
    }

    /// At least one change was told since the last look.
    fn told(changes: &Receiver<()>) {
        changes.recv_timeout(LIMIT).expect("a change");
    }

    /// Whatever is still to be told of the past is told.
    fn settle(changes: &Receiver<()>) {
        while changes.recv_timeout(Duration::from_millis(20)).is_ok() {}
    }

    #[test]
    fn a_port_that_appears_and_vanishes_is_told() {
        let home = tempfile::tempdir().unwrap();
        let port = home.path().join("ttyUSB0");
        let (_watch, changes) = watch(&port);
        fs::write(&port, "").unwrap();
        told(&changes);
        settle(&changes);
        fs::set_permissions(&port, fs::Permissions::from_mode(0o600)).unwrap();
        told(&changes);
        settle(&changes);
        fs::remove_file(&port).unwrap();
        told(&changes);
    }

    #[test]
    fn a_link_counts_with_what_it_points_to() {
        let (links, devices) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (link, device) = (links.path().join("front-desk"), devices.path().join("5"));
        symlink(&device, &link).unwrap();
        let (_watch, changes) = watch(&link);
        fs::write(&device, "").unwrap();
        told(&changes);
        settle(&changes);
        fs::remove_file(&device).unwrap();
        told(&changes);
        settle(&changes);
        fs::remove_file(&link).unwrap();
        told(&changes);
    }

    #[test]
    fn a_directory_that_is_not_there_yet_is_awaited_and_lost_again() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("serial/by-id");
        let port = directory.join("usb-adapter");
        let (_watch, changes) = watch(&port);
        for _ in 0..2 {
            fs::create_dir_all(&directory).unwrap();
            fs::write(&port, "").unwrap();
            told(&changes);
            settle(&changes);
            fs::remove_file(&port).unwrap();
            told(&changes);
            settle(&changes);
            fs::remove_dir_all(home.path().join("serial")).unwrap();
            told(&changes);
            settle(&changes);
        }
    }

    #[test]
    fn a_neighbour_is_none_of_its_business() {
        let home = tempfile::tempdir().unwrap();
        let (_watch, changes) = watch(&home.path().join("ttyUSB0"));
        fs::write(home.path().join("ttyUSB1"), "").unwrap();
        fs::write(home.path().join("ttyUSB0"), "").unwrap();
        told(&changes);
        settle(&changes);
        fs::write(home.path().join("ttyUSB2"), "").unwrap();
        assert!(changes.recv_timeout(Duration::from_millis(50)).is_err());
    }

    #[test]
    fn names_that_begin_alike_are_told_and_others_are_not() {
        let home = tempfile::tempdir().unwrap();
        let (tx, changes) = channel();
        let names = Names {
            folder: home.path().to_owned(),
            prefixes: &["ttyUSB", "ttyACM"],
        };
        let changed = Arc::new(move || tx.send(()).unwrap_or_default());
        let _watch = PathWatch::with_names([], names, changed).unwrap();
        for port in ["ttyUSB0", "ttyACM12"] {
            fs::write(home.path().join(port), "").unwrap();
            told(&changes);
            settle(&changes);
            fs::remove_file(home.path().join(port)).unwrap();
            told(&changes);
            settle(&changes);
        }
        fs::write(home.path().join("ttyS0"), "").unwrap();
        assert!(changes.recv_timeout(Duration::from_millis(50)).is_err());
    }

    #[test]
    fn dropping_it_ends_its_thread() {
        let home = tempfile::tempdir().unwrap();
        let (watch, changes) = watch(&home.path().join("ttyUSB0"));
        drop(watch);
        // The callback, and with it the sender, goes when the thread ends.
        assert_eq!(
            changes.recv_timeout(LIMIT),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected)
        );
    }
}
