//! The rungs of the test ladder that need software by others, and which tests belong to each.
//!
//! A rung that cannot run is left out by name and reported with its reason; it never passes silently.

use std::fmt;

/// Tests that need one piece of software by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rung {
    /// Private instances of the real pcscd over virtual readers.
    Pcscd,
    /// OpenSC's tools, through pcscd.
    Opensc,
    /// Python's PC/SC binding, through pcscd.
    Pyscard,
    /// libnfc's tools, on a pty.
    Libnfc,
    /// libfreefare's tools, on a pty.
    Libfreefare,
    /// Scripts that use pinned Python packages: the official SDK against the whole system, the reader of the card format.
    Python,
    /// The official JavaScript SDK against the whole system.
    Javascript,
}

impl Rung {
    /// nextest's filter expression for the integration tests of this rung.
    ///
    /// A test belongs to a rung by its name. One that is named otherwise is run, and fails, where its software is missing.
    fn filter(self) -> &'static str {
        match self {
            Rung::Pcscd => "test(/pcsc/) | package(driver-pcsc)",
            Rung::Opensc => "test(/opensc/)",
            Rung::Pyscard => "test(/pyscard/)",
            Rung::Libnfc => "test(/libnfc|nfc_list|nfc_mfclassic/)",
            Rung::Libfreefare => "test(/freefare|mifare_classic_(format|write|read)/)",
            Rung::Python => "test(/python/)",
            Rung::Javascript => "test(/javascript/)",
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rung::Pcscd => "tests behind the real pcscd",
            Rung::Opensc => "tests with OpenSC",
            Rung::Pyscard => "tests with pyscard",
            Rung::Libnfc => "tests with libnfc",
            Rung::Libfreefare => "tests with libfreefare",
            Rung::Python => "tests in Python (the official SDK and others)",
            Rung::Javascript => "tests in JavaScript (the official SDK)",
        })
    }
}

/// nextest's filter expression for everything but the integration tests of `rungs`.
pub(crate) fn all_but(rungs: &[Rung]) -> Option<String> {
    let filters: Vec<_> = rungs.iter().map(|rung| rung.filter()).collect();
    (!filters.is_empty()).then(|| format!("not (kind(test) & ({}))", filters.join(" | ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_out_when_every_rung_can_run() {
        assert_eq!(all_but(&[]), None);
    }

    #[test]
    fn only_the_tests_of_rungs_that_cannot_run_are_left_out() {
        assert_eq!(
            all_but(&[Rung::Opensc, Rung::Python]).as_deref(),
            Some("not (kind(test) & (test(/opensc/) | test(/python/)))")
        );
    }
}
