//! How a case ended.

use std::borrow::Cow;
use std::fmt;

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The driver does what it must.
    Passed,
    /// It does not; a sentence says what it did instead.
    Failed(String),
    /// The rig cannot show it.
    Skipped(Skip),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Failed(what) => write!(f, "failed: {what}"),
            Self::Skipped(skip) => write!(f, "skipped: {skip}"),
        }
    }
}

/// Why a rig cannot do something: a clause for a person (`PC/SC hides all cards but one`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip(Cow<'static, str>);

impl Skip {
    /// A reason.
    #[must_use]
    pub fn because(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a case did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmet {
    /// See [`Outcome::Failed`].
    Failed(String),
    /// See [`Outcome::Skipped`].
    Skipped(Skip),
}

impl From<Skip> for Unmet {
    fn from(skip: Skip) -> Self {
        Self::Skipped(skip)
    }
}

/// What a case gives, so that `?` ends it.
pub type Verdict<T = ()> = Result<T, Unmet>;

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Ok(()) => Self::Passed,
            Err(Unmet::Failed(what)) => Self::Failed(what),
            Err(Unmet::Skipped(skip)) => Self::Skipped(skip),
        }
    }
}

/// Ends a case as failed.
pub(super) fn failed<T>(what: impl Into<String>) -> Verdict<T> {
    Err(Unmet::Failed(what.into()))
}

/// Ends a case as failed unless something holds.
pub(super) fn ensure(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { failed(what()) }
}
