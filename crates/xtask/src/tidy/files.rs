//! The files of a checkout: what git tracks, and what is new and not ignored, so that a rule speaks before the commit.

use std::fs;
use std::path::Path;

use crate::run::Invocation;

/// A file of the checkout.
pub(super) struct TrackedFile {
    /// Relative to the root, with `/`.
    pub(super) path: String,
    /// Its content, when that is UTF-8.
    pub(super) text: Option<String>,
}

/// Every file that git tracks or would add, in git's order.
pub(super) fn tracked(root: &Path) -> anyhow::Result<Vec<TrackedFile>> {
    let listing = Invocation::new("git")
        .arguments([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .directory(root)
        .output()?;
    let paths = listing.split('\0').filter(|path| !path.is_empty());
    let files = paths.filter_map(|path| {
        // A tracked file that was deleted and not yet committed is not there any more.
        let content = fs::read(root.join(path)).ok()?;
        Some(TrackedFile {
            path: path.to_owned(),
            text: String::from_utf8(content).ok(),
        })
    });
    Ok(files.collect())
}

#[cfg(test)]
impl TrackedFile {
    /// A file of an example.
    pub(super) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: Some(text.to_owned()),
        }
    }
}

/// The text of the file at `path`; empty when there is none.
pub(super) fn text_of<'a>(files: &'a [TrackedFile], path: &str) -> &'a str {
    let file = files.iter().find(|file| file.path == path);
    file.and_then(|file| file.text.as_deref())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_files_are_seen_and_ignored_or_deleted_ones_are_not() {
        let checkout = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let git = Invocation::new("git").arguments(["-c", "init.defaultBranch=main"]);
            git.arguments(arguments)
                .directory(checkout.path())
                .output()
                .unwrap();
        };
        git(&["init", "--quiet"]);
        for (path, content) in [
            (".gitignore", &b"/target/\n"[..]),
            ("kept", b"text"),
            ("binary", &[0xFF, 0xFE]),
            ("deleted", b""),
        ] {
            fs::write(checkout.path().join(path), content).unwrap();
        }
        git(&["add", "kept", "deleted"]);
        fs::remove_file(checkout.path().join("deleted")).unwrap();
        fs::create_dir(checkout.path().join("target")).unwrap();
        fs::write(checkout.path().join("target/built"), "").unwrap();

        let mut files = tracked(checkout.path()).unwrap();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let found: Vec<_> = files
            .iter()
            .map(|it| (it.path.as_str(), it.text.is_some()))
            .collect();
        assert_eq!(
            found,
            [(".gitignore", true), ("binary", false), ("kept", true)]
        );
    }
}
