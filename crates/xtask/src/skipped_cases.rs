//! The cases of the driver conformance kit that a rig could not show. As tests they pass, and nextest hides what passing
//! tests print; so each adds a line to a file, from which the summary tells them.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Names the file to the tests (`encoder::conformance`).
pub(crate) const VARIABLE: &str = "CARDBRIDGE_CONFORMANCE_SKIPS";

/// The list of one run.
pub(crate) struct SkippedCases(PathBuf);

impl SkippedCases {
    /// The list of a build directory.
    pub(crate) fn below(target: &Path) -> Self {
        Self(target.join("skipped-conformance-cases"))
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Forgets the cases of an earlier run.
    pub(crate) fn clear(&self) -> anyhow::Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{} is in the way", self.0.display()))
            }
            _ => Ok(()),
        }
    }

    /// What was skipped, and why. Without a file, nothing was.
    pub(crate) fn read(&self) -> anyhow::Result<Vec<(String, String)>> {
        match fs::read_to_string(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            list => told(&list.with_context(|| format!("{} cannot be read", self.0.display()))?),
        }
    }
}

/// The cases of each package by their reasons, each reason with its count.
fn told(list: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut cases: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in list.lines() {
        let [package, test, reason] = line.splitn(3, '\t').collect::<Vec<_>>()[..] else {
            anyhow::bail!("a skipped conformance case is not told in three parts: {line}");
        };
        let test = test.strip_prefix("conformance::").unwrap_or(test);
        cases.entry((package, reason)).or_default().push(test);
    }
    let tell = |((package, reason), mut tests): ((&str, &str), Vec<&str>)| {
        tests.sort_unstable();
        let count = tests.len();
        let noun = if count == 1 { "case" } else { "cases" };
        let names = tests.join(", ");
        let what = format!("{count} conformance {noun} of {package} ({names})");
        (what, reason.to_owned())
    };
    Ok(cases.into_iter().map(tell).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_cases_are_told_by_package_and_reason_with_their_count() {
        let list = "driver-pcsc\tconformance::two_cards\tone card only\n\
                    driver-b\tsalto::cable\tno cable\n\
                    driver-pcsc\tconformance::late\tno wire\n\
                    driver-b\tonity::cable\tno cable\n";
        let told = told(list).unwrap();
        let lines: Vec<_> = told
            .iter()
            .map(|(what, why)| format!("{what}: {why}"))
            .collect();
        assert_eq!(
            lines,
            [
                "2 conformance cases of driver-b (onity::cable, salto::cable): no cable",
                "1 conformance case of driver-pcsc (late): no wire",
                "1 conformance case of driver-pcsc (two_cards): one card only",
            ]
        );
    }

    #[test]
    fn a_line_that_is_torn_is_an_error_and_not_a_case_less() {
        assert!(told("driver-pcsc\tconformance::two_ca").is_err());
    }

    #[test]
    fn a_run_without_skipped_cases_tells_none_of_the_run_before() {
        let target = tempfile::tempdir().unwrap();
        let list = SkippedCases::below(target.path());
        list.clear().unwrap();
        assert!(list.read().unwrap().is_empty());
        fs::write(list.path(), "driver-pcsc\tlate\tno wire\n").unwrap();
        assert_eq!(list.read().unwrap().len(), 1);
        list.clear().unwrap();
        assert!(list.read().unwrap().is_empty());
    }
}
