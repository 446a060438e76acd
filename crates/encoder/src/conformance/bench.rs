//! A driver with its rig, and a case run on it as a test.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use super::desk::Desk;
use super::outcome::failed;
use super::{Case, Outcome, Rig, Skip, Verdict, cases, host};
use crate::{Abandoned, Access, Changed, Driver, Makes, Opening, Selector};

/// Names a file to which every skipped case is added, one line each: package, test and reason, parted by tabs. A runner
/// that hides what passing tests print sets it, and shows them (`cargo xtask test`).
const SKIPS: &str = "CARDBRIDGE_CONFORMANCE_SKIPS";

/// Where a case runs.
pub struct Bench<'a> {
    /// The driver under test.
    pub(super) driver: Arc<dyn Driver>,
    /// Its device and cards.
    pub(super) rig: &'a dyn Rig,
    /// The name of the running test, to start this program again with.
    pub(super) test: &'a str,
    /// The threads that cases gave up.
    pub(super) abandoned: Abandoned,
}

impl<'a> Bench<'a> {
    /// A bench. `test` is what makes this program run the same test when it is started with `--exact` and that.
    #[must_use]
    pub fn new(driver: Arc<dyn Driver>, rig: &'a dyn Rig, test: &'a str) -> Self {
        Self {
            driver,
            rig,
            test,
            abandoned: Abandoned::default(),
        }
    }

    /// The device, as the rig's settings name it.
    pub(super) fn selector(&self) -> Verdict<Selector> {
        selector(self.driver.as_ref(), &self.rig.settings())
    }

    /// Opens the device on a thread of its own; it must come to be open.
    pub(super) fn open(&self) -> Verdict<Desk> {
        match self.try_open()? {
            Ok(desk) => Ok(desk),
            Err(error) => failed(format!(
                "the encoder could not be opened: {}",
                chain(&error)
            )),
        }
    }

    /// The same, or an error of the driver's.
    pub(super) fn try_open(&self) -> Verdict<Result<Desk, crate::Error>> {
        let opening = Opening {
            settings: self.rig.settings(),
            recorder: None,
        };
        Desk::open(
            &self.driver,
            &self.selector()?,
            opening,
            &self.abandoned,
            self.rig.patience(),
        )
    }

    /// Begins to follow whether the device is there.
    pub(super) fn presence(&self) -> Verdict<Presence> {
        let (told, changes) = channel();
        let changed: Changed = Arc::new(move || told.send(()).unwrap_or_default());
        let entry = (self.selector()?, self.rig.settings());
        let watch = self
            .driver
            .watch(&[entry], changed)
            .or_else(|error| failed(format!("the device cannot be watched: {}", chain(&error))))?;
        Ok(Presence {
            changes,
            _watch: watch,
        })
    }

    /// Opens an encoder through which the host makes the card; a case that makes no sense for the other kind is
    /// skipped for this reason.
    pub(super) fn open_block(&self, otherwise: &'static str) -> Verdict<Desk> {
        let desk = self.open()?;
        match desk.makes() {
            Makes::Host => Ok(desk),
            Makes::Server => Err(Skip::because(otherwise).into()),
        }
    }
}

/// The driver's word on whether the device is there.
pub(super) struct Presence {
    changes: Receiver<()>,
    _watch: Box<dyn Send>,
}

impl Presence {
    /// Waits until the device is seen to be there, or not. A change that the driver does not tell fails the case.
    pub(super) fn becomes(&self, bench: &Bench<'_>, is_there: bool) -> Verdict {
        let end = Instant::now() + bench.rig.patience();
        let selector = bench.selector()?;
        // It is told before it is looked at: who lists devices does so when something was told, and not before.
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let is_told = self.changes.recv_timeout(left).is_ok();
            let access = bench.driver.look_up(&selector).access;
            if !is_told {
                let verb = if is_there { "came" } else { "went" };
                return failed(format!(
                    "the device {verb}, and nothing told of it: it is {access:?}"
                ));
            }
            if (access == Access::Accessible) == is_there {
                return Ok(());
            }
        }
    }
}

/// The device that settings name.
pub(super) fn selector(driver: &dyn Driver, settings: &crate::Settings) -> Verdict<Selector> {
    driver
        .configure(settings)
        .or_else(|error| failed(format!("the driver refuses the rig's settings: {error}")))
}

/// An error with its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// Runs one case as a test: panics with its sentence if it failed, and says why it was skipped.
///
/// `rig` is not called in a process that a case started; there `driver` is all that is needed.
///
/// # Panics
/// The case failed, or there is none of that name; or it was skipped and that could not be said.
pub fn check<R: Rig>(
    test: &str,
    case: &str,
    driver: impl Driver + 'static,
    rig: impl FnOnce() -> Result<R, Skip>,
) {
    let driver: Arc<dyn Driver> = Arc::new(driver);
    if host::play(test, &driver) {
        return;
    }
    let case: Case = cases()
        .into_iter()
        .find(|known| known.name() == case)
        .unwrap_or_else(|| panic!("there is no case {case}"));
    let outcome = match rig() {
        Ok(rig) => case.run(&Bench::new(driver, &rig, test)),
        Err(skip) => Outcome::Skipped(skip),
    };
    match outcome {
        Outcome::Passed => {}
        Outcome::Failed(what) => panic!("{what}"),
        Outcome::Skipped(skip) => tell_skipped(test, &skip)
            .unwrap_or_else(|error| panic!("nobody could be told of a skipped case: {error}")),
    }
}

/// Says that a case was skipped, past the capture of the test's output, and adds it to the list of skipped cases.
fn tell_skipped(test: &str, skip: &Skip) -> io::Result<()> {
    writeln!(io::stdout(), "{test}: skipped: {skip}")?;
    let Some(list) = std::env::var_os(SKIPS) else {
        return Ok(());
    };
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    let reason = skip.to_string().replace(['\t', '\n'], " ");
    // In one piece, as other tests add theirs.
    let line = format!("{package}\t{test}\t{reason}\n");
    let mut list = OpenOptions::new().create(true).append(true).open(list)?;
    list.write_all(line.as_bytes())
}
