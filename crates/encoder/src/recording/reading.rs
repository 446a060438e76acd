//! Reads a recording back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Direction, HEADING};

/// What passed on a wire, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// Every piece, oldest first.
    pub pieces: Vec<Piece>,
}

/// What passed at once in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The line of the recording, from 1.
    pub line: usize,
    /// When, counted from the beginning of the recording.
    pub at: Duration,
    /// Which way.
    pub direction: Direction,
    /// The bytes; `None` for one that the recording keeps to itself.
    pub bytes: Vec<Option<u8>>,
}

/// A recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be read.
    #[error("the recording {path} cannot be read; check the path and its owner")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It does not begin as a recording does.
    #[error(
        "line 1: this is no recording of this version; a recording begins with `{HEADING}`, and `cardbridge tap` makes one"
    )]
    NoRecording,
    /// A line has not the three parts of one.
    #[error("line {line}: a line is `SECONDS > BYTES` or `SECONDS < BYTES`; correct or remove it")]
    Malformed {
        /// The line, from 1.
        line: usize,
    },
    /// A time is none.
    #[error("line {line}: `{text}` is no time in seconds; correct or remove the line")]
    WrongTime {
        /// The line, from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// Bytes are none.
    #[error(
        "line {line}: `{text}` is no byte; bytes are pairs of hex digits, or `??` for one that was left out"
    )]
    WrongByte {
        /// The line, from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
}

impl Recording {
    /// Reads a recording from a file.
    ///
    /// # Errors
    /// The file cannot be read, or is no recording; with the line that is wrong.
    pub fn read_file(path: &Path) -> Result<Self, RecordingError> {
        let unreadable = |source| RecordingError::Unreadable {
            path: path.to_owned(),
            source,
        };
        Self::read(&std::fs::read_to_string(path).map_err(unreadable)?)
    }

    /// Reads a recording from its text. Lines that begin with `#` are remarks.
    ///
    /// # Errors
    /// Names the line that is wrong.
    pub fn read(text: &str) -> Result<Self, RecordingError> {
        let mut lines = (1..).zip(text.lines());
        if lines.next().map(|(_, line)| line.trim_end()) != Some(HEADING) {
            return Err(RecordingError::NoRecording);
        }
        let pieces = lines
            .filter(|(_, text)| !text.starts_with('#') && !text.trim().is_empty())
            .map(|(line, text)| piece(line, text))
            .collect::<Result<_, _>>()?;
        Ok(Self { pieces })
    }
}

fn piece(line: usize, text: &str) -> Result<Piece, RecordingError> {
    let mut parts = text.split_ascii_whitespace();
    let (Some(at), Some(arrow), Some(hex), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(RecordingError::Malformed { line });
    };
    let direction = match arrow {
        ">" => Direction::ToDevice,
        "<" => Direction::FromDevice,
        _ => return Err(RecordingError::Malformed { line }),
    };
    let wrong_time = || RecordingError::WrongTime {
        line,
        text: at.to_owned(),
    };
    let seconds: f64 = at.parse().map_err(|_| wrong_time())?;
    let at = Duration::try_from_secs_f64(seconds).map_err(|_| wrong_time())?;
    let bytes = hex
        .as_bytes()
        .chunks(2)
        .map(|digits| byte(line, digits))
        .collect::<Result<_, _>>()?;
    Ok(Piece {
        line,
        at,
        direction,
        bytes,
    })
}

fn byte(line: usize, digits: &[u8]) -> Result<Option<u8>, RecordingError> {
    let digit = |at: usize| {
        let digit = digits.get(at).copied().map(char::from)?;
        u8::try_from(digit.to_digit(16)?).ok()
    };
    match (digits, digit(0), digit(1)) {
        (b"??", ..) => Ok(None),
        (_, Some(high), Some(low)) => Ok(Some(high << 4 | low)),
        _ => Err(RecordingError::WrongByte {
            line,
            text: String::from_utf8_lossy(digits).into_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Recorder, Secrets};
    use super::*;

    #[test]
    fn what_was_recorded_is_read_back() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let recorder = Recorder::to(file.reopen().unwrap(), Secrets::Masked).unwrap();
        let secret = 1..2;
        recorder.note(
            Direction::ToDevice,
            &[0xD4, 0x40],
            std::slice::from_ref(&secret),
        );
        recorder.note(Direction::FromDevice, &[0x00], &[]);
        let recording = Recording::read_file(file.path()).unwrap();
        let told: Vec<_> = recording
            .pieces
            .iter()
            .map(|piece| (piece.line, piece.direction, piece.bytes.clone()))
            .collect();
        assert_eq!(
            told,
            [
                (2, Direction::ToDevice, vec![Some(0xD4), None]),
                (3, Direction::FromDevice, vec![Some(0x00)]),
            ]
        );
    }

    #[test]
    fn remarks_and_empty_lines_are_passed_over_and_counted() {
        let text = format!("{HEADING}\n# by hand\n\n0.5 < ff\n");
        let recording = Recording::read(&text).unwrap();
        assert_eq!(recording.pieces[0].line, 4);
        assert_eq!(recording.pieces[0].at, Duration::from_millis(500));
        assert_eq!(recording.pieces[0].bytes, [Some(0xFF)]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (rest, told) in [
            ("", ""),
            ("0.0 > 00\n0.0 >\n", "line 3: a line is"),
            ("0.0 = 00\n", "line 2: a line is"),
            ("0.0 > 00 11\n", "line 2: a line is"),
            ("soon > 00\n", "line 2: `soon` is no time"),
            ("-1 > 00\n", "line 2: `-1` is no time"),
            ("NaN > 00\n", "line 2: `NaN` is no time"),
            ("0.0 > 0\n", "line 2: `0` is no byte"),
            ("0.0 > 00xy\n", "line 2: `xy` is no byte"),
            ("0.0 > 00?\n", "line 2: `?` is no byte"),
            ("0.0 > é\n", "line 2: `é` is no byte"),
        ] {
            let read = Recording::read(&format!("{HEADING}\n{rest}"));
            match read {
                Ok(_) => assert_eq!(told, "", "{rest}"),
                Err(error) => assert!(error.to_string().starts_with(told), "{rest}: {error}"),
            }
        }
        assert!(matches!(
            Recording::read("# cardbridge recording 2\n"),
            Err(RecordingError::NoRecording)
        ));
    }
}
