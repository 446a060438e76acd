//! The only place that prints: results on stdout, as words or as one JSON object, and failures.

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
        if self.json {
            let object = json!({"error": {"type": failure.kind, "message": failure.message}});
            let _ = writeln!(io::stdout(), "{object}");
        }
        let _ = writeln!(io::stderr(), "cardbridge: {}", failure.message);
        failure.exit_code()
    }
}
