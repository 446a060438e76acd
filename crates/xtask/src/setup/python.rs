//! Virtual environments with pinned packages, and the official Python SDK in one of them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::programs;
use crate::run::Invocation;
use crate::setup::{Variable, directory, stamped};
use crate::workspace::Workspace;

/// Debian's own Python, to which its Python packages belong. The one on `PATH` may be another.
pub(crate) const DEBIAN: &str = "/usr/bin/python3";

/// The pinned packages of the rung.
const REQUIREMENTS: &str = "tests/clients/python/requirements.txt";

/// The official Python SDK; the variables that tell tests where it is.
///
/// # Errors
/// When there is no Python, no list of requirements, or the registry cannot be reached.
pub(crate) fn sdk(workspace: &Workspace) -> anyhow::Result<Vec<Variable>> {
    let file = workspace.root.join(REQUIREMENTS);
    let requirements =
        fs::read_to_string(&file).with_context(|| format!("could not read {REQUIREMENTS}"))?;
    let pins: Vec<_> = pins(&requirements).collect();
    let programs = environment(workspace, "python", &pins)?;
    Ok(vec![(
        "CARDBRIDGE_TEST_PYTHON",
        programs.join("python").into(),
    )])
}

/// A virtual environment that holds exactly `pins` (`name==version`) and what they ask for; the directory of its
/// programs.
///
/// # Errors
/// When there is no Python that can make one, or the registry cannot be reached.
pub(crate) fn environment(
    workspace: &Workspace,
    name: &str,
    pins: &[&str],
) -> anyhow::Result<PathBuf> {
    let python = interpreter().context("no Python here can make virtual environments")?;
    let version = Invocation::new(&python).argument("--version").output()?;
    let directory = directory(workspace).join(name);
    let source = format!("{} {version}{}\n", python.display(), pins.join("\n"));
    let programs = directory.join("bin");
    stamped::make_once(&directory, &source, || {
        let first = pins.first().unwrap_or(&name);
        eprintln!(
            "installing {first} and what it asks for into {}",
            directory.display()
        );
        let make = Invocation::new(&python).arguments(["-m", "venv"]);
        make.argument(&directory).output()?;
        let list = directory.join("requirements.txt");
        fs::write(&list, pins.join("\n"))?;
        Invocation::new(programs.join("python"))
            .arguments(["-m", "pip", "install", "--disable-pip-version-check"])
            .arguments(["--retries", "2", "--timeout", "60", "--requirement"])
            .argument(&list)
            .output()
            .with_context(|| format!("Python's registry did not give {first}"))
            .map(drop)
    })?;
    Ok(programs)
}

/// The Python on `PATH`, else Debian's, whichever can make virtual environments.
pub(crate) fn interpreter() -> Option<PathBuf> {
    let on_path = programs::find("python3");
    let candidates = on_path.into_iter().chain([Path::new(DEBIAN).to_owned()]);
    candidates.into_iter().find(|python| {
        Invocation::new(python)
            .arguments(["-c", "import ensurepip, venv"])
            .succeeds()
    })
}

/// The lines of a requirements file that name a package.
fn pins(requirements: &str) -> impl Iterator<Item = &str> {
    requirements
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_empty_lines_are_no_pins() {
        let file = "# The SDK\nseam==3.18.0\n\nhttpx==0.28.1  # what it asks for\n";
        assert_eq!(
            pins(file).collect::<Vec<_>>(),
            ["seam==3.18.0", "httpx==0.28.1"]
        );
    }
}
