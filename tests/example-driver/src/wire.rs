//! The connection to a box: one request, one answer, within its time. The one place that touches the socket.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use encoder::{Direction, Recorder};
use zeroize::Zeroizing;

use crate::error::TextboxError;
use crate::line;

/// The box answers within 100 ms; a busy PC gets ten times that.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);
/// The longest line of the document, with room: what is longer is noise.
const LONGEST_LINE: usize = 128;

/// A connection to a box.
pub(crate) struct Wire {
    stream: UnixStream,
    recorder: Option<Recorder>,
    number: u8,
    received: Zeroizing<Vec<u8>>,
}

impl Wire {
    /// Connects. That the box serves somebody else shows when it is asked for the first time.
    pub(crate) fn connect(path: &Path, recorder: Option<Recorder>) -> Result<Self, TextboxError> {
        let stream = UnixStream::connect(path).map_err(TextboxError::Unreachable)?;
        stream
            .set_write_timeout(Some(ANSWER_LIMIT))
            .map_err(TextboxError::Unreachable)?;
        Ok(Self {
            stream,
            recorder,
            number: 0,
            received: Zeroizing::default(),
        })
    }

    /// Asks, and waits for the answer to this very request: what was spoiled on the way, or belongs to a request that
    /// was given up, is passed over.
    pub(crate) fn ask(&mut self, text: &str) -> Result<Zeroizing<String>, TextboxError> {
        self.number = self.number.wrapping_add(1);
        let request = Zeroizing::new(line::encode(self.number, text));
        self.note(Direction::ToDevice, request.as_bytes());
        self.stream
            .write_all(request.as_bytes())
            .map_err(TextboxError::Broken)?;
        let until = Instant::now() + ANSWER_LIMIT;
        loop {
            let line = self.next_line(until)?;
            self.note(Direction::FromDevice, &line);
            match line::decode(&line) {
                Some((_, "BUSY")) => return Err(TextboxError::Held),
                Some((number, text)) if number == self.number => {
                    return Ok(Zeroizing::new(text.to_owned()));
                }
                _ => {}
            }
        }
    }

    fn next_line(&mut self, until: Instant) -> Result<Zeroizing<Vec<u8>>, TextboxError> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let rest = self.received.split_off(end + 1);
                let mut line = std::mem::replace(&mut *self.received, rest);
                line.truncate(end);
                return Ok(Zeroizing::new(line));
            }
            if self.received.len() > LONGEST_LINE {
                self.received.clear();
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(TextboxError::Silent);
            }
            self.stream
                .set_read_timeout(Some(left))
                .map_err(TextboxError::Broken)?;
            let mut buffer = Zeroizing::new([0; LONGEST_LINE]);
            match self.stream.read(&mut *buffer) {
                Ok(0) => return Err(TextboxError::Broken(ErrorKind::UnexpectedEof.into())),
                Ok(count) => self.received.extend(&buffer[..count]),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                        return Err(TextboxError::Silent);
                    }
                    ErrorKind::Interrupted => {}
                    _ => return Err(TextboxError::Broken(error)),
                },
            }
        }
    }

    /// Writes down what passes. All of a line that has a key or a block in it is secret but for its first word.
    fn note(&self, direction: Direction, line: &[u8]) {
        let Some(recorder) = &self.recorder else {
            return;
        };
        let names_a_secret = |word: &[u8]| line.windows(word.len()).any(|part| part == word);
        let is_public = [
            &b"SELECT"[..],
            b"CARD",
            b"NONE",
            b"SEVERAL",
            b"OFF",
            b"OK",
            b"READ",
        ];
        let secret = if is_public.into_iter().any(names_a_secret) {
            0..0
        } else {
            3..line.len()
        };
        recorder.note(direction, line, std::slice::from_ref(&secret));
    }
}
