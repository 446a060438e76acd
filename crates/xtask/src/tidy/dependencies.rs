//! Which crate may know which: the arrows of ARCHITECTURE.md, as two tables.

use crate::tidy::files::{TrackedFile, text_of};
use crate::tidy::{Finding, line_where};
use crate::workspace::{Dependency, Package, Workspace};

const RULE: &str = "dependencies run one way";

/// What a member may name among its siblings.
struct Siblings {
    /// In the product.
    product: &'static [&'static str],
    /// In its tests, besides.
    tests: &'static [&'static str],
}

/// `*` stands for every member but xtask.
const EVERYONE: &[&str] = &["*"];

/// The siblings that the member in `directory` may name; `None` for a member that nobody thought of.
fn siblings(directory: &str) -> Option<Siblings> {
    let (product, tests): (&[_], &[_]) = match directory {
        "crates/card" | "crates/protocol" | "crates/emulator" | "crates/xtask" => (&[], &[]),
        "crates/encoder" => (&["card"], &[]),
        "crates/bridge" => (&["card", "encoder", "protocol"], &[]),
        // So the metadata proves that the hub cannot even name a key.
        "crates/hub" => (&["protocol"], &[]),
        "crates/cardbridge" => (EVERYONE, &[]),
        "drivers/all" => (&["card", "encoder", "driver-*"], &[]),
        _ if directory.starts_with("drivers/") => (&["card", "encoder"], &["emulator"]),
        _ if directory.starts_with("tests/") => (EVERYONE, &[]),
        _ => return None,
    };
    Some(Siblings { product, tests })
}

/// The list of drivers. Everything else takes a `Registry` value.
const DRIVER_LIST: &str = "driver-all";
const MAY_NAME_THE_DRIVER_LIST: &[&str] = &["crates/cardbridge", "tests/hil"];

/// Packages that never end up in a member, by any path.
struct Banned {
    member: fn(&str) -> bool,
    packages: &'static [&'static str],
    why: &'static str,
}

const BANNED: &[Banned] = &[
    Banned {
        member: |directory| directory.starts_with("drivers/"),
        packages: &["tokio", "axum", "serde_json"],
        why: "drivers are blocking code and never see tokio, axum or JSON",
    },
    Banned {
        member: |directory| matches!(directory, "crates/card" | "crates/encoder"),
        packages: &["tokio", "axum", "serde_json"],
        why: "cards and encoders are blocking code without JSON; the bridge converts",
    },
    Banned {
        member: |directory| directory == "crates/card",
        packages: &["serde"],
        why: "the types of card are not serialisable; the bridge converts",
    },
    Banned {
        member: |directory| directory == "crates/emulator",
        packages: &["tokio", "axum"],
        why: "emulators are threads",
    },
];

/// They bind to the operating system without a C library.
const NEEDS_NO_C_LIBRARY: &[&str] = &["linux-raw-sys", "windows-sys"];

/// Every dependency that points the wrong way.
pub(super) fn check(workspace: &Workspace, files: &[TrackedFile]) -> Vec<Finding> {
    let members: Vec<_> = workspace.members().map(|it| it.name.as_str()).collect();
    workspace
        .members()
        .flat_map(|member| {
            let breach = Breach {
                workspace,
                files,
                member,
            };
            let mut findings = breach.among_siblings(&members);
            findings.extend(breach.banned());
            findings.extend(breach.c_libraries());
            findings
        })
        .collect()
}

/// Looks for the breaches of one member.
struct Breach<'a> {
    workspace: &'a Workspace,
    files: &'a [TrackedFile],
    member: &'a Package,
}

impl Breach<'_> {
    fn among_siblings(&self, members: &[&str]) -> Vec<Finding> {
        let directory = self.workspace.directory(self.member);
        let Some(allowed) = siblings(&directory) else {
            let remedy = "say in xtask's tidy/dependencies.rs which siblings this member may name";
            return vec![self.finding("[package]", remedy.to_owned())];
        };
        let dependencies = self.member.dependencies.iter();
        dependencies
            .filter(|dependency| members.contains(&dependency.name.as_str()))
            .filter(|dependency| !is_allowed(&directory, &allowed, dependency))
            .map(|it| {
                let tests = if it.is_for_tests() {
                    " in its tests"
                } else {
                    ""
                };
                let remedy = format!("{} must not depend on {}{tests}", self.member.name, it.name);
                self.finding(&it.name, remedy)
            })
            .collect()
    }

    fn banned(&self) -> Vec<Finding> {
        let directory = self.workspace.directory(self.member);
        let bans: Vec<_> = BANNED
            .iter()
            .filter(|ban| (ban.member)(&directory))
            .collect();
        if bans.is_empty() {
            return Vec::new();
        }
        let tree = self.workspace.tree(self.member);
        bans.iter()
            .flat_map(|ban| {
                tree.iter()
                    .filter(|(package, _)| ban.packages.contains(&package.name.as_str()))
                    .map(|(_, chain)| self.finding_on(chain, ban.why))
            })
            .collect()
    }

    /// xtask is built before it can install any.
    fn c_libraries(&self) -> Vec<Finding> {
        if self.member.name != "xtask" {
            return Vec::new();
        }
        self.workspace
            .tree(self.member)
            .iter()
            .filter(|(package, _)| {
                let name = package.name.as_str();
                let is_binding = name.ends_with("-sys") && !NEEDS_NO_C_LIBRARY.contains(&name);
                is_binding || package.links.is_some()
            })
            .map(|(_, chain)| {
                self.finding_on(chain, "xtask must build before any C library is installed")
            })
            .collect()
    }

    /// `chain` begins with the member; what comes next is in its manifest.
    fn finding_on(&self, chain: &str, why: &str) -> Finding {
        let direct = chain.split(" → ").nth(1).unwrap_or_default();
        self.finding(direct, format!("{why}: break the chain {chain}"))
    }

    fn finding(&self, word: &str, remedy: String) -> Finding {
        let path = self.workspace.manifest(self.member);
        let text = text_of(self.files, &path);
        Finding {
            line: line_where(text, |line| names(line, word)),
            path,
            rule: RULE,
            remedy,
        }
    }
}

/// Whether a manifest's line is the entry of `word`: `word = …` or `word.workspace = …`.
fn names(line: &str, word: &str) -> bool {
    line.trim_start()
        .strip_prefix(word)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ' ', '=']))
}

fn is_allowed(directory: &str, allowed: &Siblings, dependency: &Dependency) -> bool {
    let name = dependency.name.as_str();
    if name == "xtask" {
        return false;
    }
    if name == DRIVER_LIST {
        return MAY_NAME_THE_DRIVER_LIST.contains(&directory);
    }
    let matches = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *pattern,
    };
    allowed.product.iter().any(matches)
        || dependency.is_for_tests() && allowed.tests.iter().any(matches)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::example::{Example, foreign, member, workspace};

    /// A workspace in good order, with `changed` in place of its namesakes.
    fn with(changed: Vec<Example>) -> Workspace {
        let mut examples = vec![
            member("crates/card", "card"),
            member("crates/encoder", "encoder").needs(&["card"]),
            member("crates/emulator", "emulator"),
            member("crates/protocol", "protocol"),
            member("crates/bridge", "bridge").needs(&["card", "encoder", "protocol"]),
            member("crates/hub", "hub").needs(&["protocol", "tokio"]),
            member("crates/cardbridge", "cardbridge").needs(&[
                "hub",
                "bridge",
                "emulator",
                "driver-all",
            ]),
            member("crates/xtask", "xtask").needs(&["clap"]),
            member("drivers/pn532", "driver-pn532").needs(&["card", "encoder", "dev:emulator"]),
            member("drivers/all", "driver-all").needs(&["encoder", "driver-pn532"]),
            member("tests/e2e", "e2e").needs(&[
                "dev:cardbridge",
                "dev:emulator",
                "dev:driver-pn532",
            ]),
            foreign("tokio"),
            foreign("serde_json"),
            foreign("clap"),
        ];
        for example in changed {
            examples.retain(|it| it.name != example.name);
            examples.push(example);
        }
        workspace(&examples)
    }

    #[track_caller]
    fn assert_breaches(changed: Vec<Example>, expected: &[&str]) {
        let findings = check(&with(changed), &[]);
        let remedies: Vec<_> = findings.iter().map(|it| it.remedy.as_str()).collect();
        assert_eq!(remedies, expected);
    }

    #[test]
    fn a_workspace_in_good_order_has_no_breach() {
        assert_breaches(vec![], &[]);
    }

    #[test]
    fn the_hub_cannot_name_a_key() {
        assert_breaches(
            vec![member("crates/hub", "hub").needs(&["protocol", "card"])],
            &["hub must not depend on card"],
        );
    }

    #[test]
    fn a_driver_sees_the_emulator_only_in_its_tests() {
        assert_breaches(
            vec![member("drivers/pn532", "driver-pn532").needs(&["card", "encoder", "emulator"])],
            &["driver-pn532 must not depend on emulator"],
        );
    }

    #[test]
    fn the_product_and_the_emulator_know_nothing_of_each_other() {
        assert_breaches(
            vec![
                member("crates/emulator", "emulator").needs(&["card"]),
                member("crates/encoder", "encoder").needs(&["card", "dev:emulator"]),
            ],
            &[
                "emulator must not depend on card",
                "encoder must not depend on emulator in its tests",
            ],
        );
    }

    #[test]
    fn only_the_binary_and_the_rigs_name_the_list_of_drivers() {
        assert_breaches(
            vec![
                member("crates/bridge", "bridge").needs(&["card", "driver-all"]),
                member("tests/e2e", "e2e").needs(&["dev:driver-all"]),
                member("tests/hil", "hil").needs(&["driver-all"]),
            ],
            &[
                "bridge must not depend on driver-all",
                "e2e must not depend on driver-all in its tests",
            ],
        );
    }

    #[test]
    fn a_driver_never_sees_tokio_whatever_brings_it() {
        assert_breaches(
            vec![
                member("drivers/pn532", "driver-pn532").needs(&["encoder", "serial", "dev:tokio"]),
                foreign("serial").needs(&["tokio"]),
                member("drivers/all", "driver-all").needs(&["encoder"]),
            ],
            &[
                "drivers are blocking code and never see tokio, axum or JSON: \
               break the chain driver-pn532 → serial → tokio",
            ],
        );
    }

    #[test]
    fn xtask_builds_before_any_c_library_is_installed() {
        assert_breaches(
            vec![
                member("crates/xtask", "xtask").needs(&["clap", "windows-sys", "usb", "zstd"]),
                foreign("windows-sys"),
                foreign("usb").needs(&["libusb1-sys"]),
                foreign("libusb1-sys"),
                foreign("zstd").links("zstd"),
            ],
            &[
                "xtask must build before any C library is installed: break the chain xtask → zstd",
                "xtask must build before any C library is installed: break the chain xtask → usb → libusb1-sys",
            ],
        );
    }

    #[test]
    fn a_new_member_needs_a_rule() {
        assert_breaches(
            vec![member("crates/console", "console")],
            &["say in xtask's tidy/dependencies.rs which siblings this member may name"],
        );
    }

    #[test]
    fn a_finding_points_at_the_line_of_the_manifest() {
        let changed = vec![member("crates/hub", "hub").needs(&["protocol", "card"])];
        let manifest =
            "[package]\nname = \"hub\"\n[dependencies]\ncardinal = \"1\"\ncard.workspace = true\n";
        let findings = check(
            &with(changed),
            &[TrackedFile::new("crates/hub/Cargo.toml", manifest)],
        );
        assert_eq!(
            findings[0].to_string(),
            "crates/hub/Cargo.toml:5: dependencies run one way: hub must not depend on card"
        );
    }
}
