//! Nothing that holds only on one machine: no absolute paths of a checkout or a home, no package registries by host
//! (whoever builds this may use a mirror).

use crate::tidy::Finding;

/// Spelled in parts, or this file would be a finding.
const PATHS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
];

const REGISTRIES: &[&str] = &[
    concat!("registry.", "npmjs.org"),
    concat!("registry.", "yarnpkg.com"),
    concat!("py", "pi.org"),
    concat!("files.", "pythonhosted.org"),
    concat!("deb.", "debian.org"),
    concat!("security.", "debian.org"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("proxy.", "golang.org"),
];

/// Lines of `text` that name a place.
pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut find = |rule, remedy| {
            let (path, line) = (path.to_owned(), index + 1);
            findings.push(Finding {
                path,
                line,
                rule,
                remedy,
            });
        };
        if let Some(place) = PATHS.iter().find(|place| has_absolute(line, place)) {
            find(
                "no path of one machine",
                format!(
                    "write what lies under `{place}` relative to the checkout or as an argument"
                ),
            );
        }
        if let Some(host) = REGISTRIES.iter().find(|host| line.contains(**host)) {
            find(
                "no package registry by host",
                format!("leave {host} to the configuration of the package client"),
            );
        }
    }
    findings
}

/// Whether `line` has a path that begins with `place`, and not just somewhere in the middle of another path or a URL.
fn has_absolute(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|it| !it.is_alphanumeric() && !"~._-/*}$>)]".contains(it))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found() {
        for line in [
            "cd HERE",
            "let a = \"HERE\";",
            "(HERE)",
            "a:HERE",
            "=HERE/b",
        ] {
            let line = line.replace("HERE", concat!("/ho", "me/someone"));
            assert_eq!(check("a", &line).len(), 1, "{line}");
        }
    }

    #[test]
    fn a_part_of_another_path_is_not() {
        for line in [
            "~HERE",
            "$DIRHERE",
            "https://host.exampleHERE",
            "../HERE",
            "{root}HERE",
        ] {
            let line = line.replace("HERE", concat!("/wo", "rk/a"));
            assert_eq!(check("a", &line), [], "{line}");
        }
    }

    #[test]
    fn a_registry_is_found_with_its_line() {
        let text = format!(
            "{{\n  \"resolved\": \"https://{}/seam\"\n}}",
            concat!("registry.", "npmjs.org")
        );
        assert_eq!(check("package-lock.json", &text)[0].line, 2);
    }
}
