//! The only place that prints: results on stdout, as words or as one JSON object, and failures.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

use super::failure::Failure;

/// How results are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// How somebody wants results whose command line cannot be read.
    pub(crate) fn asked_for(mut arguments: impl Iterator<Item = OsString>) -> Self {
        Self::new(arguments.any(|argument| argument == "--json"))
    }

    /// Shows the help or the version that was asked for, or why the command line cannot be read.
    pub(crate) fn instead_of_a_verb(self, told: &clap::Error) -> ExitCode {
        // In colour where it is seen. That nobody reads it changes nothing about it.
        let _ = told.print();
        if !told.use_stderr() {
            return ExitCode::SUCCESS;
        }
        let failure = Failure::from(told);
        self.failure_object(&failure);
        failure.exit_code()
    }

    /// Shows a result: one line of JSON, or words.
    pub(crate) fn result(
        self,
        result: &impl Serialize,
        words: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let text = if self.json {
            serde_json::to_string(result).map_err(|error| {
                Failure::because(
                    "internal_error",
                    "the result cannot be shown as JSON",
                    &error,
                )
            })?
        } else {
            words()
        };
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}")
            .and_then(|()| stdout.flush())
            .map_err(|error| {
                Failure::because("stdout_closed", "the result could not be printed", &error)
            })
    }

    /// Tells a person how far a verb is. Quiet when a program reads.
    pub(crate) fn progress(self, sentence: &str) {
        if !self.json {
            let _ = writeln!(io::stderr(), "{sentence}");
        }
    }

    /// Shows why a verb failed. That nobody reads it changes nothing about it.
    pub(crate) fn failure(self, failure: &Failure) -> ExitCode {
        self.failure_object(failure);
        let _ = writeln!(io::stderr(), "cardbridge: {}", failure.message);
        failure.exit_code()
    }

    fn failure_object(self, failure: &Failure) {
        if self.json {
            let object = json!({"error": {"type": failure.kind, "message": failure.message}});
            let _ = writeln!(io::stdout(), "{object}");
        }
    }
}
