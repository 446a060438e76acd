//! `cargo xtask soak`: what is too long for a test, and prints figures instead of passing or failing by them.

use crate::run::Invocation;
use crate::setup;
use crate::steps::Steps;
use crate::workspace::Workspace;

/// Sets up, builds, and runs one soak; its report goes to stderr like everything that xtask says.
pub(crate) fn soak(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    let prepared = steps.check("setup", "cargo xtask setup", || {
        setup::for_testing(workspace)
    });
    if prepared.is_none() {
        return steps.not_run("soak", "the set-up stopped");
    }
    let build = Invocation::cargo(&["build", "--package", "cardbridge", "--package", "soak"]);
    if !steps.run("build", &build) {
        return steps.not_run("soak", "the build stopped");
    }
    let soak = Invocation::cargo(&["run", "--package", "soak", "--"]).arguments(arguments);
    steps.run("soak", &soak);
}
