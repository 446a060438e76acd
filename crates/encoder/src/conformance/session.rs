//! A whole session in a process of its own, and everything that was written down of it, looked through for secrets.

use std::fmt::{self, Write as _};
use std::io;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use card::{ClassicCommand, Command, Effect, Type2Command};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::Verdict;
use super::host::{open, say};
use super::outcome::{ensure, failed};
use super::site::{keys, site_key_in_plain};
use super::work::{Job, encode, scan_with};
use crate::{Driver, Opening, Recorder, Secrets, Settings};

/// What is said when nothing was found.
pub(super) const CLEAN: &str = "clean";

/// Bytes below this many different values are no secret that could be known again: zeros, transport keys.
const LEAST_VARIETY: usize = 3;

/// Encodes and scans the card that lies there, then looks through what the program said and recorded.
pub(super) fn is_clean(
    driver: &Arc<dyn Driver>,
    settings: Settings,
    must_succeed: bool,
) -> Verdict {
    let (log, recording) = (Text::default(), Text::default());
    // This process runs nothing else.
    if tracing::subscriber::set_global_default(Everything(log.clone())).is_err() {
        return failed("this test program listens to its log already");
    }
    let recorder = Recorder::to(recording.clone(), Secrets::Masked)
        .or_else(|error| failed(format!("no recording could be begun: {error}")))?;
    let heading = recording.take_copy().len();
    let mut secrets = vec![site_key_in_plain().to_vec()];
    let went = session(driver, settings, recorder, &mut secrets);
    if must_succeed {
        went?;
        ensure(recording.take_copy().len() > heading, || {
            "the driver recorded nothing of a whole session".to_owned()
        })?;
    }
    secrets.retain(|secret| variety(secret) >= LEAST_VARIETY);
    ensure(secrets.len() > 2 || !must_succeed, || {
        "a session used no keys and wrote nothing".to_owned()
    })?;
    for (what, text) in [("the log", &log), ("a masked recording", &recording)] {
        let text = text.take_copy();
        if let Some(nth) = secrets.iter().position(|secret| tells(&text, secret)) {
            let length = secrets[nth].len();
            return failed(format!("{what} has a secret of {length} bytes in it"));
        }
    }
    say(CLEAN);
    Ok(())
}

fn session(
    driver: &Arc<dyn Driver>,
    settings: Settings,
    recorder: Recorder,
    secrets: &mut Vec<Vec<u8>>,
) -> Verdict {
    let opening = Opening {
        settings,
        recorder: Some(recorder),
    };
    let desk = open(driver, opening)?;
    let mut collect = |command: &Command, effect: Effect| {
        secrets.extend(secrets_of(command, effect));
        Ok(ControlFlow::Continue(()))
    };
    // The second is written beside the first, or over it.
    for room in [107, 109] {
        if let Err(ended) = encode(&desk, &Job::for_room(room), &mut collect)?.result {
            return failed(format!("a card could not be encoded: {ended}"));
        }
    }
    if let Err(ended) = scan_with(&desk, &keys(), &mut collect)? {
        return failed(format!("a card could not be scanned: {ended}"));
    }
    desk.close()
}

/// What of a command nobody may read: keys, passwords, the bytes of a credential.
fn secrets_of(command: &Command, effect: Effect) -> Vec<Vec<u8>> {
    match command {
        Command::Classic(ClassicCommand::Authenticate { key, .. }) => vec![key.expose().to_vec()],
        Command::Classic(ClassicCommand::Write { data, .. }) if effect == Effect::Commits => {
            vec![data.expose().to_vec()]
        }
        // A trailer: key A, four bytes of rights, key B.
        Command::Classic(ClassicCommand::Write { data, .. }) => {
            let trailer = data.expose();
            vec![trailer[..6].to_vec(), trailer[10..].to_vec()]
        }
        Command::Type2(Type2Command::PasswordAuthenticate { password }) => {
            vec![password.expose().to_vec()]
        }
        Command::Type2(Type2Command::Write { data, .. }) if effect == Effect::Commits => {
            vec![data.expose().to_vec()]
        }
        // Of these a card of files gets ciphertext only; its keys are never sent.
        _ => Vec::new(),
    }
}

fn variety(bytes: &[u8]) -> usize {
    let mut bytes = bytes.to_vec();
    bytes.sort_unstable();
    bytes.dedup();
    bytes.len()
}

/// Whether a text has these bytes in it: as they are, or in one of the ways in which programs print bytes.
fn tells(text: &[u8], secret: &[u8]) -> bool {
    let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
    if has(secret) {
        return true;
    }
    let joined = |print: fn(&u8) -> String, between: &str| {
        let printed: Vec<_> = secret.iter().map(print).collect();
        printed.join(between)
    };
    let hex = |byte: &u8| format!("{byte:02x}");
    let lower = text.to_ascii_lowercase();
    let has = |part: String| {
        lower
            .windows(part.len())
            .any(|window| window == part.as_bytes())
    };
    ["", " ", ":", "-", ", "]
        .into_iter()
        .any(|between| has(joined(hex, between)))
        || has(joined(|byte| format!("0x{byte:02x}"), ", "))
        || has(joined(u8::to_string, ", "))
        || has(joined(u8::to_string, ","))
}

/// What is written down; clones are the same.
#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Text {
    fn take_copy(&self) -> Vec<u8> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes down every event and every span of the program, at every level.
struct Everything(Text);

impl Everything {
    fn note(&self, record: impl FnOnce(&mut Line)) {
        let mut line = Line(String::new());
        record(&mut line);
        // Memory takes everything.
        let _ = io::Write::write_all(&mut self.0.clone(), format!("{}\n", line.0).as_bytes());
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.note(|line| span.record(line));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.note(|line| values.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.note(|line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

#[cfg(test)]
mod tests {
    use super::{tells, variety};

    const KEY: [u8; 6] = [0xA0, 0x0B, 0xC1, 0x0D, 0xE2, 0xFF];

    #[test]
    fn a_secret_is_found_however_it_is_printed() {
        for text in [
            format!("{KEY:?}"),
            format!("{KEY:02X?}"),
            "[0xa0, 0x0b, 0xc1, 0x0d, 0xe2, 0xff]".to_owned(),
            "key A00BC10DE2FF for 04A1B2C3".to_owned(),
            "a0 0b c1 0d e2 ff".to_owned(),
            "A0:0B:C1:0D:E2:FF".to_owned(),
        ] {
            assert!(tells(text.as_bytes(), &KEY), "{text}");
        }
        assert!(tells(&[&[1, 2][..], &KEY, &[3]].concat(), &KEY));
    }

    #[test]
    fn other_bytes_are_not_taken_for_it() {
        assert!(!tells(b"A00BC10DE2FE 0BC10DE2FF", &KEY));
        assert!(!tells(b"", &KEY));
        assert_eq!(variety(&[0xFF; 6]), 1);
        assert_eq!(variety(&KEY), 6);
    }
}
