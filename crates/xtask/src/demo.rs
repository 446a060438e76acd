//! `cargo xtask demo`: builds the product and becomes its demo, so that stdout and Ctrl-C are the demo's own.

use crate::run::Invocation;
use crate::setup;
use crate::workspace::Workspace;

/// Sets up, builds, and becomes `cardbridge demo`. Returns only when that fails.
pub(crate) fn become_demo(workspace: &Workspace, arguments: &[String]) -> anyhow::Error {
    if let Err(error) = setup::for_building(workspace) {
        return error;
    }
    Invocation::cargo(&["run", "--package", "cardbridge", "--", "demo"])
        .arguments(arguments)
        .become_it()
}
