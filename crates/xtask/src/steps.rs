//! The steps of a verb: each named and timed, all listed at the end, with what stopped and what was skipped.

use std::fmt::{Display, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::run::Invocation;

/// What was run so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<Step>,
    skipped: Vec<String>,
}

struct Step {
    name: String,
    outcome: Outcome,
    took: Duration,
}

enum Outcome {
    Passed,
    Stopped { why: String, again: String },
    NotRun { why: String },
}

impl Steps {
    /// Runs one command as a step. Whether it passed.
    pub(crate) fn run(&mut self, name: &str, invocation: &Invocation) -> bool {
        self.check(name, &invocation.to_string(), || invocation.run())
            .is_some()
    }

    /// Runs `step`, which `again` repeats. What it returned, when it passed.
    pub(crate) fn check<T>(
        &mut self,
        name: &str,
        again: &str,
        step: impl FnOnce() -> anyhow::Result<T>,
    ) -> Option<T> {
        eprintln!("==> {name}: {again}");
        let start = Instant::now();
        let result = step();
        let (outcome, value) = match result {
            Ok(value) => (Outcome::Passed, Some(value)),
            Err(error) => {
                let why = format!("{error:#}");
                eprintln!("{name}: {why}");
                let again = again.to_owned();
                (Outcome::Stopped { why, again }, None)
            }
        };
        self.done.push(Step {
            name: name.to_owned(),
            outcome,
            took: start.elapsed(),
        });
        value
    }

    /// Records a step that could not be tried because an earlier one stopped. It counts as a failure of the whole.
    pub(crate) fn not_run(&mut self, name: &str, why: &str) {
        self.done.push(Step {
            name: name.to_owned(),
            outcome: Outcome::NotRun {
                why: why.to_owned(),
            },
            took: Duration::ZERO,
        });
    }

    /// Records what this machine cannot do. The whole may pass without it, and says so in its last lines.
    pub(crate) fn skip(&mut self, what: impl Display, reason: impl Display) {
        self.skipped.push(format!("skipped: {what}: {reason}"));
    }

    /// Prints the summary; success when every step passed.
    pub(crate) fn finish(self) -> ExitCode {
        eprint!("{}", self.summary());
        if self
            .done
            .iter()
            .all(|step| matches!(step.outcome, Outcome::Passed))
        {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    /// The table of steps, then what stopped and how to see it again, then what was skipped.
    fn summary(&self) -> String {
        let width = self.done.iter().map(|it| it.name.len()).max().unwrap_or(0);
        let mut text = String::from("\n");
        let mut stops = String::new();
        for Step {
            name,
            outcome,
            took,
        } in &self.done
        {
            let seconds = took.as_secs_f64();
            let _ = match outcome {
                Outcome::Passed => writeln!(text, "{name:width$}  passed   {seconds:7.1} s"),
                Outcome::NotRun { why } => writeln!(text, "{name:width$}  not run  {why}"),
                Outcome::Stopped { why, again } => {
                    let why = why.lines().next().unwrap_or_default();
                    let _ = writeln!(stops, "stopped: {name}: {why}\n  again: {again}");
                    writeln!(text, "{name:width$}  STOPPED  {seconds:7.1} s")
                }
            };
        }
        text + &stops
            + &self
                .skipped
                .iter()
                .map(|line| format!("{line}\n"))
                .collect::<String>()
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn the_summary_names_every_step_then_the_stops_then_what_was_skipped() {
        let mut steps = Steps::default();
        steps.check("build", "cargo build", || Ok(()));
        steps.check("lint", "cargo clippy", || {
            Err::<(), _>(anyhow!("two lints\ndetails"))
        });
        steps.not_run("test", "the build stopped");
        steps.skip("tests with libnfc", "nfc-list is missing");
        for step in &mut steps.done {
            step.took = Duration::from_millis(1500);
        }
        assert_eq!(
            steps.summary(),
            "\n\
             build  passed       1.5 s\n\
             lint   STOPPED      1.5 s\n\
             test   not run  the build stopped\n\
             stopped: lint: two lints\n\
             \x20 again: cargo clippy\n\
             skipped: tests with libnfc: nfc-list is missing\n"
        );
    }

    #[test]
    fn a_step_that_stopped_or_was_not_run_fails_the_whole() {
        let code = |steps: Steps| format!("{:?}", steps.finish());
        let failure = format!("{:?}", ExitCode::FAILURE);

        let mut passed = Steps::default();
        passed.check("build", "cargo build", || Ok(()));
        passed.skip("tests with libnfc", "nfc-list is missing");
        assert_ne!(code(passed), failure);

        let mut stopped = Steps::default();
        stopped.check("build", "cargo build", || Err::<(), _>(anyhow!("no")));
        assert_eq!(code(stopped), failure);

        let mut not_run = Steps::default();
        not_run.not_run("test", "the build stopped");
        assert_eq!(code(not_run), failure);
    }
}
