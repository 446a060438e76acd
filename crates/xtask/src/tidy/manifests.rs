//! Every member takes its lints from the workspace. Cargo's metadata does not say, so the manifest is read.

use crate::tidy::Finding;
use crate::tidy::files::{TrackedFile, text_of};
use crate::workspace::Workspace;

/// Members without `[lints] workspace = true`.
pub(super) fn check(workspace: &Workspace, files: &[TrackedFile]) -> Vec<Finding> {
    workspace
        .members()
        .map(|member| workspace.manifest(member))
        .filter(|path| !takes_the_lints(text_of(files, path)))
        .map(|path| Finding {
            path,
            line: 1,
            rule: "one set of lints",
            remedy: "add `[lints]` with `workspace = true`".to_owned(),
        })
        .collect()
}

fn takes_the_lints(manifest: &str) -> bool {
    let mut table = "";
    manifest.lines().map(str::trim).any(|line| {
        if line.starts_with('[') {
            table = line;
        }
        let line = line.replace(' ', "");
        match table {
            "[lints]" => line == "workspace=true",
            "" => line == "lints.workspace=true",
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::example::{member, workspace};

    #[test]
    fn a_member_takes_its_lints_from_the_workspace() {
        for (manifest, expected) in [
            (
                "[package]\nname = \"hub\"\n\n[lints]\nworkspace = true\n",
                true,
            ),
            ("lints.workspace = true\n[package]\nname = \"hub\"\n", true),
            ("[package]\nname = \"hub\"\n", false),
            ("[lints.rust]\nunsafe_code = \"forbid\"\n", false),
            ("[lints]\n[dependencies.card]\nworkspace = true\n", false),
        ] {
            assert_eq!(takes_the_lints(manifest), expected, "{manifest}");
        }
    }

    #[test]
    fn a_member_with_lints_of_its_own_is_named() {
        let workspace = workspace(&[member("crates/hub", "hub"), member("crates/card", "card")]);
        let files = [
            TrackedFile::new("crates/hub/Cargo.toml", "[lints]\nworkspace = true\n"),
            TrackedFile::new("crates/card/Cargo.toml", "[package]\n"),
        ];
        let findings = check(&workspace, &files);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].path, "crates/card/Cargo.toml");
    }
}
