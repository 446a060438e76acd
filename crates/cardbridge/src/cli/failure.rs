//! How a verb that could not be carried out ends: a type for programs, a sentence for people, an exit code for scripts.

use std::error::Error;
use std::process::ExitCode;

use clap::error::ErrorKind;

/// Why a verb could not be carried out.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: String,
    pub(crate) message: String,
    exit: Exit,
}

#[derive(Debug, Clone, Copy)]
enum Exit {
    CouldNot = 1,
    WrongInput = 2,
}

impl Failure {
    /// Something could not be done.
    pub(crate) fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            message: message.into(),
            exit: Exit::CouldNot,
        }
    }

    /// Something could not be done, and this is what stood behind it.
    pub(crate) fn because(
        kind: impl Into<String>,
        message: impl Into<String>,
        cause: &dyn Error,
    ) -> Self {
        let mut message = message.into();
        message.push_str(&format!(" ({})", told(cause)));
        Self::new(kind, message)
    }

    /// An error whose own text says what to do.
    pub(crate) fn from_error(kind: impl Into<String>, error: &dyn Error) -> Self {
        Self::new(kind, told(error))
    }

    /// What was given, on the command line or in a file, is wrong.
    pub(crate) fn wrong_input(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(kind, message).into_wrong_input()
    }

    /// The same, as the fault of what was given.
    pub(crate) fn into_wrong_input(self) -> Self {
        Self {
            exit: Exit::WrongInput,
            ..self
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }
}

/// A command line that cannot be read.
impl From<&clap::Error> for Failure {
    fn from(error: &clap::Error) -> Self {
        let message = match error.kind() {
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                "a verb is missing; --help lists them all".to_owned()
            }
            _ => reason(&error.to_string()),
        };
        Self::wrong_input("invalid_input", message)
    }
}

/// What clap has to say, on one line: without its heading, and without the usage that it puts behind.
fn reason(said: &str) -> String {
    let said = said.strip_prefix("error: ").unwrap_or(said);
    let end = ["\n\nUsage:", "\n\nFor more information"]
        .iter()
        .filter_map(|behind| said.find(behind))
        .min();
    let words: Vec<&str> = said[..end.unwrap_or(said.len())]
        .split_whitespace()
        .collect();
    words.join(" ")
}

/// An error with the causes behind it, on one line.
fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(" ({inner})"));
        cause = inner.source();
    }
    text
}
