//! `cargo xtask ci`: what must pass before a change lands. A step that stops does not keep the next from running.

use crate::run::Invocation;
use crate::setup::{self, tools};
use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{test, tidy};

/// fmt, tidy, clippy, doc, deny, test.
pub(crate) fn everything(workspace: &Workspace, steps: &mut Steps) {
    steps.run("fmt", &Invocation::cargo(&["fmt", "--all", "--check"]));
    steps.check("tidy", "cargo xtask tidy", || tidy::check(workspace));
    deny(workspace, steps);
    if steps
        .check("packages", "cargo xtask setup", || {
            setup::for_building(workspace)
        })
        .is_none()
    {
        for name in ["clippy", "doc", "tests"] {
            steps.not_run(name, "the workspace cannot be built here");
        }
        return;
    }
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ];
    steps.run("clippy", &Invocation::cargo(&clippy));
    let doc = Invocation::cargo(&["doc", "--workspace", "--no-deps"]);
    steps.run("doc", &doc.variable("RUSTDOCFLAGS", "--deny warnings"));
    test::tests(workspace, steps);
}

/// Licences, bans and sources are judged by what is in the tree. Advisories need a database from the network;
/// without it that part is skipped, and said to be.
fn deny(workspace: &Workspace, steps: &mut Steps) {
    let again = "cargo deny check licenses bans sources";
    let Some(deny) = steps.check("deny", again, || {
        let deny = tools::deny(workspace)?;
        let check = [
            "check",
            "--hide-inclusion-graph",
            "licenses",
            "bans",
            "sources",
        ];
        deny.clone().arguments(check).run().map(|()| deny)
    }) else {
        return;
    };
    match deny.clone().arguments(["fetch", "db"]).output() {
        Ok(_) => {
            steps.run(
                "advisories",
                &deny.arguments(["check", "--disable-fetch", "advisories"]),
            );
        }
        Err(error) => steps.skip("cargo deny check advisories", format!("{error:#}")),
    }
}
