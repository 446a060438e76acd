//! The rules of this workspace that the compiler does not know, each a function from text to findings.
//!
//! Rules read `cargo metadata` and the files git knows; they never write and never run what they read.

mod dependencies;
mod documents;
mod files;
mod manifests;
mod names;
mod places;
mod rust_text;
mod sources;

use std::fmt;

use anyhow::{Context, bail};

use crate::tidy::files::TrackedFile;
use crate::workspace::Workspace;

/// One breach of one rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// Relative to the root of the checkout.
    path: String,
    /// From 1.
    line: usize,
    rule: &'static str,
    /// What to do about it.
    remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}",
            self.path, self.line, self.rule, self.remedy
        )
    }
}

/// Prints every finding in the checkout.
///
/// # Errors
/// When there is one.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let files =
        files::tracked(&workspace.root).context("could not read the files of this checkout")?;
    let mut findings = findings(workspace, &files);
    findings.sort();
    for finding in &findings {
        eprintln!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} breaches of this workspace's rules", findings.len());
    }
    Ok(())
}

fn findings(workspace: &Workspace, files: &[TrackedFile]) -> Vec<Finding> {
    let mut findings = dependencies::check(workspace, files);
    findings.extend(manifests::check(workspace, files));
    findings.extend(documents::check(files));
    findings.extend(sources::overlong(files));
    for file in files {
        findings.extend(names::of_file(&file.path));
        let Some(text) = &file.text else { continue };
        findings.extend(places::check(&file.path, text));
        if file.path.ends_with(".rs") {
            let code = rust_text::code_only(text);
            findings.extend(names::in_code(&file.path, &code));
            findings.extend(sources::check(&file.path, text, &code));
        }
    }
    findings
}

/// The line, from 1, of the first line of `text` that `is_it`; 1 when there is none.
fn line_where(text: &str, is_it: impl Fn(&str) -> bool) -> usize {
    text.lines().position(is_it).map_or(1, |index| index + 1)
}
