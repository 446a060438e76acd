//! Links in Markdown lead to files that are there.

use std::collections::BTreeSet;

use crate::tidy::Finding;
use crate::tidy::files::TrackedFile;

/// Links to files that do not exist in the checkout.
pub(super) fn check(files: &[TrackedFile]) -> Vec<Finding> {
    let places = places(files);
    let documents = files.iter().filter(|file| file.path.ends_with(".md"));
    documents
        .flat_map(|file| {
            let links = links(file.text.as_deref().unwrap_or_default());
            links
                .into_iter()
                .map(move |(line, link)| (file, line, link))
        })
        .filter(|(file, _, link)| !leads_somewhere(&places, &file.path, link))
        .map(|(file, line, link)| Finding {
            path: file.path.clone(),
            line,
            rule: "links lead somewhere",
            remedy: format!("`{link}` is not in the checkout: mend the link or add the file"),
        })
        .collect()
}

/// Every file and every directory on the way to one; `""` is the root.
fn places(files: &[TrackedFile]) -> BTreeSet<&str> {
    let mut places = BTreeSet::from([""]);
    for file in files {
        let mut path = file.path.as_str();
        while places.insert(path) {
            path = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        }
    }
    places
}

/// The targets of `[text](target)` and `[label]: target` outside code, each with its line.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    let mut fence: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        let start = line.trim_start();
        if let Some(mark) = ["```", "~~~"]
            .into_iter()
            .find(|mark| start.starts_with(mark))
        {
            match fence {
                None => fence = Some(mark),
                Some(open) if open == mark => fence = None,
                Some(_) => {}
            }
            continue;
        }
        if fence.is_none() {
            let line = without_code(line);
            let targets = inline_targets(&line).chain(definition_target(&line));
            links.extend(targets.map(|target| (index + 1, target.to_owned())));
        }
    }
    links
}

/// `line` without what stands between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("``")
}

fn inline_targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|after| {
        let target = match after.strip_prefix('<') {
            Some(bracketed) => bracketed.split('>').next()?,
            None => after.split([')', ' ']).next()?,
        };
        (!target.is_empty()).then_some(target)
    })
}

fn definition_target(line: &str) -> Option<&str> {
    let (label, target) = line.trim_start().split_once("]: ")?;
    let is_footnote = label.starts_with("[^");
    (label.starts_with('[') && !is_footnote).then(|| target.split_whitespace().next())?
}

/// Whether `link`, written in the document at `from`, leads to a place in the checkout, or out of it on purpose (a URL).
fn leads_somewhere(places: &BTreeSet<&str>, from: &str, link: &str) -> bool {
    let path = link.split('#').next().unwrap_or_default();
    let is_elsewhere = path.contains("://") || path.starts_with("mailto:");
    path.is_empty()
        || is_elsewhere
        || resolved(from, path).is_some_and(|it| places.contains(it.as_str()))
}

/// `path` as seen from the directory of `from`; `None` when it leaves the checkout.
fn resolved(from: &str, path: &str) -> Option<String> {
    let directory = from.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut parts: Vec<_> = directory
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    if path.starts_with('/') {
        return None;
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_broken(document: &str, expected: &[&str]) {
        let files = [
            TrackedFile::new("docs/link.md", document),
            TrackedFile::new("docs/api.md", ""),
            TrackedFile::new("README.md", ""),
            TrackedFile::new("crates/card/src/lib.rs", ""),
        ];
        let findings = check(&files);
        let found: Vec<_> = findings
            .iter()
            .map(|it| it.remedy.split('`').nth(1).unwrap())
            .collect();
        assert_eq!(found, expected, "{document}");
    }

    #[test]
    fn links_to_files_and_directories_lead_somewhere() {
        assert_broken(
            "[a](api.md) [b](../README.md#top) ![c](<../crates/card>) [d](../crates/card/src/) [e](..)",
            &[],
        );
        assert_broken(
            "[a](#here) [b](https://seam.example/docs) [c](mailto:a@b.example)",
            &[],
        );
        assert_broken("[a]: api.md \"The API\"\n[^1]: not a link", &[]);
    }

    #[test]
    fn a_link_to_nothing_is_found() {
        assert_broken(
            "[a](README.md) and [b](api.md) and [c](../gone.md \"gone\")",
            &["README.md", "../gone.md"],
        );
        assert_broken("[a]: gone.md", &["gone.md"]);
        assert_broken("[a](../../outside.md)", &["../../outside.md"]);
        assert_broken("[a](/docs/api.md)", &["/docs/api.md"]);
    }

    #[test]
    fn code_has_no_links() {
        assert_broken(
            "`[a](gone.md)`\n```\n[a](gone.md)\n~~~\n```\n[b](gone2.md)",
            &["gone2.md"],
        );
    }
}
