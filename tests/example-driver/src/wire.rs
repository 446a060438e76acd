//! The connection to a box: one request, one answer, within its time. The one place that touches the socket.

use std::io::{ErrorKind, Read, Write};
use std::ops::Range;
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

    fn note(&self, direction: Direction, line: &[u8]) {
        let Some(recorder) = &self.recorder else {
            return;
        };
        let secret = secret_in(line);
        recorder.note(direction, line, std::slice::from_ref(&secret));
    }
}

/// What may follow the number of a line that has no key and no block in it.
const PUBLIC: &[&str] = &[
    "SELECT", "CARD", "NONE", "SEVERAL", "OFF", "OK", "NO", "GONE", "BUSY", "READ",
];

/// What of a line a recording keeps to itself: all behind the number, unless it arrived whole and is known to be public.
/// Two lines that were torn and run into one may have a block anywhere.
fn secret_in(line: &[u8]) -> Range<usize> {
    let is_public = |text: &str| PUBLIC.contains(&text.split(' ').next().unwrap_or_default());
    match line::decode(line.trim_ascii_end()) {
        Some((_, text)) if is_public(text) => 0..0,
        _ => line.len().min(3)..line.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        let secret = secret_in(line.as_bytes());
        let (before, after) = (&line[..secret.start], &line[secret.end..]);
        format!("{before}{}{after}", "?".repeat(secret.len()))
    }

    #[test]
    fn keys_and_blocks_are_kept_out_of_a_recording() {
        for public in ["SELECT", "CARD 0004 08 04A1B2C3", "READ 04", "OK"] {
            let line = line::encode(7, public);
            assert_eq!(shown(&line), line);
            assert_eq!(shown(line.trim_end()), line.trim_end());
        }
        for secret in ["AUTH 04 A A0A1A2A3A4A5", "DATA 0001", "WRITE 04 0001"] {
            let shown = shown(&line::encode(7, secret));
            assert!(shown.trim_matches('?').eq("07 "), "{shown}");
        }
    }

    #[test]
    fn a_line_that_was_torn_is_secret_whatever_it_names() {
        for torn in ["07 DATA 000108 OK*A5", "OK", "", "07 OK*00"] {
            let number = &torn[..torn.len().min(3)];
            assert_eq!(shown(torn).trim_matches('?'), number, "{torn}");
        }
    }
}
