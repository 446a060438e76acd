//! `cargo xtask test`: the rungs of the test ladder that can run on this machine.

use crate::run::Invocation;
use crate::rungs;
use crate::setup::{self, Prepared, tools};
use crate::skipped_cases::{self, SkippedCases};
use crate::steps::Steps;
use crate::tidy;
use crate::workspace::Workspace;

/// Tidy, then every test.
pub(crate) fn everything(workspace: &Workspace, steps: &mut Steps) {
    steps.check("tidy", "cargo xtask tidy", || tidy::check(workspace));
    tests(workspace, steps);
}

/// Set-up, build, doc tests, and every other test whose rung can run here.
pub(crate) fn tests(workspace: &Workspace, steps: &mut Steps) {
    let Some((prepared, nextest)) = build(workspace, steps) else {
        return;
    };
    let doc_tests = Invocation::cargo(&["test", "--workspace", "--doc"]);
    steps.run("doc tests", &doc_tests);
    let rungs: Vec<_> = prepared.skipped.iter().map(|(rung, _)| *rung).collect();
    let filter = rungs::all_but(&rungs);
    let arguments = filter.iter().flat_map(|it| ["--filterset", it]);
    run(workspace, steps, nextest.arguments(arguments));
    for (rung, reason) in prepared.skipped {
        steps.skip(rung, reason);
    }
}

/// Set-up, build, then only the tests that nextest's `arguments` choose, whether their rung can run here or not.
pub(crate) fn chosen(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    if let Some((_, nextest)) = build(workspace, steps) {
        run(workspace, steps, nextest.arguments(arguments));
    }
}

/// Runs tests. The conformance cases that a rig had to skip passed as tests, so they are told at the end.
fn run(workspace: &Workspace, steps: &mut Steps, nextest: Invocation) {
    let list = SkippedCases::below(&workspace.target);
    let nextest = nextest.variable(skipped_cases::VARIABLE, list.path());
    let mut skipped = Vec::new();
    steps.check("tests", &nextest.to_string(), || {
        list.clear()?;
        let ended = nextest.run();
        skipped = list.read()?;
        ended
    });
    for (cases, reason) in skipped {
        steps.skip(cases, reason);
    }
}

/// Set-up alone: what it found is said, so that a test can be run by hand.
pub(crate) fn set_up_alone(workspace: &Workspace, steps: &mut Steps) {
    let Some((prepared, _)) = set_up(workspace, steps) else {
        return;
    };
    for (name, value) in &prepared.environment {
        eprintln!("{name}={}", value.display());
    }
    for (rung, reason) in prepared.skipped {
        steps.skip(rung, reason);
    }
}

/// What the tests will find, and the command that runs them; `None` when they cannot be built here.
fn build(workspace: &Workspace, steps: &mut Steps) -> Option<(Prepared, Invocation)> {
    let Some((prepared, nextest)) = set_up(workspace, steps) else {
        steps.not_run("tests", "the set-up stopped");
        return None;
    };
    // Binaries and tests in one build: the tests start the binaries, and see the same features.
    let build = Invocation::cargo(&["build", "--workspace", "--all-targets"]);
    if !steps.run("build", &build) {
        steps.not_run("tests", "the build stopped");
        return None;
    }
    let nextest = nextest.arguments(["run", "--workspace"]);
    let nextest = prepared
        .environment
        .iter()
        .fold(nextest, |nextest, (name, value)| {
            nextest.variable(name, value)
        });
    Some((prepared, nextest))
}

/// What the tests will find, and the program that runs them.
fn set_up(workspace: &Workspace, steps: &mut Steps) -> Option<(Prepared, Invocation)> {
    steps.check("setup", "cargo xtask setup", || {
        Ok((setup::for_testing(workspace)?, tools::nextest(workspace)?))
    })
}
