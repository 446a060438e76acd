//! A host of its own process: this program, started once more to run the same test, which opens the device by the
//! rig's settings instead of making a rig.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::bench::{chain, selector};
use super::desk::Desk;
use super::outcome::failed;
use super::{Bench, Unmet, Verdict, session};
use crate::{Abandoned, Driver, Makes, Opening, Settings, Value};

/// Which test is played, which part, and with which settings.
const TEST: &str = "CARDBRIDGE_CONFORMANCE_TEST";
const PART: &str = "CARDBRIDGE_CONFORMANCE_PART";
const SETTINGS: &str = "CARDBRIDGE_CONFORMANCE_SETTINGS";

/// Marks what the host says among what the test program says.
const SAYS: &str = "conformance host: ";

/// How long a host waits for an answer of its driver; the process that started it has its own patience.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a host is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// It selects the card that lies there, says so, and waits to be killed.
    Hold,
    /// It encodes and scans the card, and looks through everything that was written down of it.
    Session,
    /// The same, and the session may fail.
    SpoiledSession,
}

impl Part {
    const ALL: [Self; 3] = [Self::Hold, Self::Session, Self::SpoiledSession];

    fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Session => "session",
            Self::SpoiledSession => "spoiled session",
        }
    }
}

/// A running host. Ends at the latest when it is dropped, or when the process that started it ends.
pub(super) struct Host {
    child: Child,
    said: Receiver<String>,
    /// Its end is the host's.
    _stdin: Option<ChildStdin>,
}

impl Host {
    /// Starts this program again for one part.
    pub(super) fn start(bench: &Bench<'_>, part: Part) -> Verdict<Self> {
        let program = std::env::current_exe().or_else(|error| {
            failed(format!("this program does not know where it lies: {error}"))
        })?;
        let started = Command::new(program)
            .args(["--exact", bench.test, "--nocapture", "--test-threads=1"])
            .env(TEST, bench.test)
            .env(PART, part.name())
            .env(SETTINGS, write_settings(&bench.rig.settings()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => return failed(format!("this program cannot be started again: {error}")),
        };
        let (says, said) = channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if let Some((_, said)) = line.split_once(SAYS)
                        && says.send(said.to_owned()).is_err()
                    {
                        return;
                    }
                }
            });
        }
        Ok(Self {
            _stdin: child.stdin.take(),
            child,
            said,
        })
    }

    /// The next thing that the host says.
    pub(super) fn says(&mut self, patience: Duration) -> Verdict<String> {
        // It waits for its driver as long as this process would, and starts before.
        self.said
            .recv_timeout(2 * patience + PATIENCE)
            .or_else(|_| failed("a host of its own process ended, or said nothing in time"))
    }

    /// Kills it with signal 9 and waits until it is gone, with all that it had open.
    pub(super) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // Both fail only when it has ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.end();
    }
}

/// Plays the part that this process was started for, if it was; says whether.
pub(super) fn play(test: &str, driver: &Arc<dyn Driver>) -> bool {
    if std::env::var(TEST).as_deref() != Ok(test) {
        return false;
    }
    let part = std::env::var(PART).unwrap_or_default();
    let settings = read_settings(&std::env::var(SETTINGS).unwrap_or_default());
    let Some(part) = Part::ALL.into_iter().find(|known| known.name() == part) else {
        say(&format!("there is no part {part}"));
        return true;
    };
    let played = match part {
        Part::Hold => hold(driver, settings),
        Part::Session => session::is_clean(driver, settings, true),
        Part::SpoiledSession => session::is_clean(driver, settings, false),
    };
    match played {
        Ok(()) => {}
        Err(Unmet::Failed(what)) => say(&what),
        Err(Unmet::Skipped(skip)) => say(&skip.to_string()),
    }
    true
}

fn hold(driver: &Arc<dyn Driver>, settings: Settings) -> Verdict {
    let opening = Opening {
        settings,
        recorder: None,
    };
    let desk = open(driver, opening)?;
    if desk.makes() == Makes::Host
        && let Err(error) = desk.select_resting()?
    {
        return failed(chain(&error));
    }
    say("holds");
    // Until it is killed, or who started it has ended.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    Ok(())
}

/// Opens the device in this process.
pub(super) fn open(driver: &Arc<dyn Driver>, opening: Opening) -> Verdict<Desk> {
    let selector = selector(driver.as_ref(), &opening.settings)?;
    Desk::open(driver, &selector, opening, &Abandoned::default(), PATIENCE)?
        .or_else(|error| failed(chain(&error)))
}

/// Tells the process that started this one, past whatever keeps a test's output.
pub(super) fn say(what: &str) {
    let what = what.replace('\n', " ");
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "\n{SAYS}{what}");
    let _ = stdout.flush();
}

/// One line for each key: its type, its name, its value. No value of a setting has a line break.
fn write_settings(settings: &Settings) -> String {
    let line = |(key, value): (&str, &Value)| match value {
        Value::Text(text) => format!("text {key} {text}\n"),
        Value::Integer(number) => format!("integer {key} {number}\n"),
        Value::Boolean(is_so) => format!("boolean {key} {is_so}\n"),
    };
    settings.iter().map(line).collect()
}

fn read_settings(text: &str) -> Settings {
    let value = |line: &str| {
        let mut parts = line.splitn(3, ' ');
        let (kind, key, value) = (parts.next()?, parts.next()?, parts.next()?);
        let value = match kind {
            "integer" => Value::Integer(value.parse().ok()?),
            "boolean" => Value::Boolean(value.parse().ok()?),
            _ => Value::Text(value.to_owned()),
        };
        Some((key.to_owned(), value))
    };
    text.lines().filter_map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_reach_a_host_as_they_are() {
        let settings: Settings = [
            ("port", Value::Text("/dev/serial/by-id/a b c".to_owned())),
            ("baud", Value::Integer(-3)),
            ("probe", Value::Boolean(true)),
            ("empty", Value::Text(String::new())),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
        assert_eq!(read_settings(&write_settings(&settings)), settings);
    }
}
