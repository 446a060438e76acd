//! Puts in place what building and testing need: Debian packages, then tools and SDKs from Python's and npm's
//! registries under `target/tools`. A second run finds everything there and is instant.
//!
//! Never writes outside `target/` except through `apt-get`, and never asks for a password.

mod javascript;
mod packages;
mod python;
mod stamped;
pub(crate) mod tools;

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::run::Invocation;
use crate::rungs::Rung;
use crate::setup::packages::Need;
use crate::workspace::Workspace;

/// A variable that tells tests where a thing is.
type Variable = (&'static str, OsString);

/// What tests can count on.
#[derive(Default)]
pub(crate) struct Prepared {
    /// Where things are.
    pub(crate) environment: Vec<Variable>,
    /// The rungs that cannot run here, each once, with the reason.
    pub(crate) skipped: Vec<(Rung, String)>,
}

/// The packages without which the workspace does not compile.
///
/// # Errors
/// When one is missing and cannot be installed: then with the command that installs it.
pub(crate) fn for_building(workspace: &Workspace) -> anyhow::Result<()> {
    let _turn = one_at_a_time(workspace)?;
    let missing = packages::install(|need| need == Need::Build);
    if missing.is_empty() {
        return Ok(());
    }
    bail!(packages::remedy(&missing))
}

/// Everything that building and testing use. What only tests use and cannot be had costs its rungs, not the run.
///
/// # Errors
/// When the workspace would not compile: then with the command that installs all that is missing.
pub(crate) fn for_testing(workspace: &Workspace) -> anyhow::Result<Prepared> {
    let _turn = one_at_a_time(workspace)?;
    let missing = packages::install(|_| true);
    if missing.iter().any(|it| it.needed_by.contains(&Need::Build)) {
        bail!(packages::remedy(&missing));
    }
    let mut prepared = Prepared::default();
    for package in &missing {
        for need in package.needed_by {
            if let Need::Rung(rung) = need {
                prepared.skip(*rung, packages::remedy(&[package]));
            }
        }
    }
    if let Err(error) = private_mounts() {
        for rung in [Rung::Pcscd, Rung::Opensc, Rung::Pyscard] {
            prepared.skip(rung, format!("{error:#}"));
        }
    }
    prepared.install(Rung::Python, || python::sdk(workspace));
    prepared.install(Rung::Javascript, || javascript::sdk(workspace));
    Ok(prepared)
}

/// `target/tools`: what was fetched for this checkout; may be deleted at any time.
fn directory(workspace: &Workspace) -> PathBuf {
    workspace.target.join("tools")
}

impl Prepared {
    fn skip(&mut self, rung: Rung, reason: String) {
        if self.skipped.iter().all(|(skipped, _)| *skipped != rung) {
            self.skipped.push((rung, reason));
        }
    }

    fn install(&mut self, rung: Rung, sdk: impl FnOnce() -> anyhow::Result<Vec<Variable>>) {
        match sdk() {
            Ok(variables) => self.environment.extend(variables),
            Err(error) => self.skip(rung, format!("{error:#}")),
        }
    }
}

/// Tests give each pcscd a `/run/pcscd` of its own, in a mount namespace made without privileges.
fn private_mounts() -> anyhow::Result<()> {
    Invocation::new("unshare")
        .arguments(["--user", "--map-root-user", "--mount", "true"])
        .output()
        .context("private mounts are not allowed here (a sandbox, or sysctl kernel.apparmor_restrict_unprivileged_userns)")
        .map(drop)
}

/// Waits for another set-up of the same checkout to end. Held until dropped.
fn one_at_a_time(workspace: &Workspace) -> anyhow::Result<File> {
    let path = directory(workspace).join("lock");
    let lock = open(&path).with_context(|| format!("could not create {}", path.display()))?;
    if let Err(TryLockError::WouldBlock) = lock.try_lock() {
        eprintln!("another set-up of this checkout is at work: waiting for its end");
    }
    lock.lock()
        .with_context(|| format!("could not lock {}", path.display()))?;
    Ok(lock)
}

fn open(path: &Path) -> std::io::Result<File> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    File::create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rung_is_skipped_once_for_its_first_reason() {
        let mut prepared = Prepared::default();
        prepared.skip(Rung::Pcscd, "pcscd is missing".into());
        prepared.install(Rung::Python, || bail!("no route to the registry"));
        prepared.skip(Rung::Pcscd, "no private mounts".into());
        assert_eq!(
            prepared.skipped,
            [
                (Rung::Pcscd, "pcscd is missing".to_owned()),
                (Rung::Python, "no route to the registry".to_owned()),
            ]
        );
    }
}
