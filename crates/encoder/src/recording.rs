//! What passes on a wire, written to a file that people can read: one line for each piece, with its time, its
//! direction and its bytes.
//!
//! ```text
//! # cardbridge recording 1
//! 0.000000 > 5555000000000000
//! 0.001204 < 0000FF00FF00
//! 0.002310 > 0000FF0FF1D4400160????????????
//! ```
//!
//! `>` goes to the device. `??` is a byte that the recording keeps to itself, as it belongs to a key or to a credential.
//! Further lines that begin with `#` are remarks.

mod reading;
mod replay;

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub use reading::{Piece, Recording, RecordingError};
pub use replay::{Deviation, Replay};

/// The first line of every recording.
const HEADING: &str = "# cardbridge recording 1";
/// The last line of one that has no more room.
const FULL: &str = "# the recording stops here: it is as long as it may become";

/// Which way bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the program to the device.
    ToDevice,
    /// From the device to the program.
    FromDevice,
}

/// What a recording does with bytes that are secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// It leaves them out. What was left out of an answer cannot be replayed.
    Masked,
    /// It writes them down like any other: for test cards only.
    Plain,
}

/// Writes down what passes. Clones write to the same place.
#[derive(Clone)]
pub struct Recorder {
    shared: Arc<Mutex<Sink>>,
    secrets: Secrets,
    began: Instant,
}

struct Sink {
    write: Box<dyn Write + Send>,
    /// How many bytes may still be written.
    room: u64,
    /// It is full, or could not be written, which is told once.
    has_ended: bool,
}

impl Recorder {
    /// Begins a recording in a new file that only its owner may read.
    ///
    /// # Errors
    /// When the file is there already, or cannot be made.
    pub fn create(path: &Path, secrets: Secrets) -> std::io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        Self::to(file, secrets)
    }

    /// Begins a recording.
    ///
    /// # Errors
    /// When its first line cannot be written.
    pub fn to(mut write: impl Write + Send + 'static, secrets: Secrets) -> std::io::Result<Self> {
        writeln!(write, "{HEADING}")?;
        Ok(Self {
            shared: Arc::new(Mutex::new(Sink {
                write: Box::new(write),
                room: u64::MAX,
                has_ended: false,
            })),
            secrets,
            began: Instant::now(),
        })
    }

    /// Lets the recording grow by so many bytes from now on. Then it says in a remark that it stopped, and stops.
    #[must_use]
    pub fn limited_to(self, bytes: u64) -> Self {
        self.sink().room = bytes;
        self
    }

    /// Writes a remark for whoever reads it, such as a change of the line's speed. Never a secret.
    pub fn remark(&self, text: &str) {
        let text: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        self.sink().line(&format!("# {text}"));
    }

    /// Writes down bytes that pass now, of which some are secret. A recording that cannot be written goes on without:
    /// no job fails for it.
    pub fn note(&self, direction: Direction, bytes: &[u8], secret: &[Range<usize>]) {
        if bytes.is_empty() {
            return;
        }
        let arrow = match direction {
            Direction::ToDevice => '>',
            Direction::FromDevice => '<',
        };
        let mut line = format!("{:.6} {arrow} ", self.began.elapsed().as_secs_f64());
        for (at, byte) in bytes.iter().enumerate() {
            let is_masked =
                self.secrets == Secrets::Masked && secret.iter().any(|range| range.contains(&at));
            if is_masked {
                line.push_str("??");
            } else {
                line.push_str(&format!("{byte:02X}"));
            }
        }
        self.sink().line(&line);
    }

    fn sink(&self) -> MutexGuard<'_, Sink> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink {
    fn line(&mut self, line: &str) {
        if self.has_ended {
            return;
        }
        let length = line.len() as u64 + 1;
        self.has_ended = length > self.room;
        self.room = self.room.saturating_sub(length);
        let written = if self.has_ended {
            tracing::warn!("a recording is full and stops");
            writeln!(self.write, "{FULL}")
        } else {
            writeln!(self.write, "{line}")
        };
        if let Err(error) = written {
            self.has_ended = true;
            tracing::warn!(%error, "a recording cannot be written any more");
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(secrets: Secrets) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        let recorder = Recorder::to(file.reopen().unwrap(), secrets).unwrap();
        let secret = 2..4;
        recorder.note(
            Direction::ToDevice,
            &[0xD4, 0x40, 0xFF, 0xFF, 0x01],
            std::slice::from_ref(&secret),
        );
        recorder.note(Direction::FromDevice, &[], &[]);
        recorder.note(Direction::FromDevice, &[0xD5], &[]);
        let text = std::fs::read_to_string(file.path()).unwrap();
        // Without the times.
        text.lines()
            .map(|line| line.split_once(' ').unwrap().1.to_owned() + "\n")
            .collect()
    }

    #[test]
    fn secret_bytes_are_left_out_unless_asked_for() {
        assert_eq!(
            recorded(Secrets::Masked),
            "cardbridge recording 1\n> D440????01\n< D5\n"
        );
        assert_eq!(
            recorded(Secrets::Plain),
            "cardbridge recording 1\n> D440FFFF01\n< D5\n"
        );
    }

    #[test]
    fn a_recording_that_is_long_enough_says_so_and_stops() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let recorder = Recorder::to(file.reopen().unwrap(), Secrets::Masked)
            .unwrap()
            .limited_to(40);
        for _ in 0..4 {
            recorder.note(Direction::ToDevice, &[0x01; 8], &[]);
        }
        recorder.remark("too late");
        let text = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[1].ends_with("> 0101010101010101"), "{text}");
        assert_eq!(lines[2], FULL);
    }

    #[test]
    fn a_remark_stays_on_its_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let recorder = Recorder::to(file.reopen().unwrap(), Secrets::Masked).unwrap();
        recorder.remark("9600\n0.0 > 00");
        let recording = Recording::read_file(file.path()).unwrap();
        assert_eq!(recording, Recording::default());
    }

    #[test]
    fn a_recording_is_for_its_owner_and_replaces_nothing() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("session");
        Recorder::create(&path, Secrets::Masked).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(Recorder::create(&path, Secrets::Masked).is_err());
    }
}
