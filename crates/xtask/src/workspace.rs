//! The workspace as cargo sees it: `cargo metadata`, read once. Knows no rules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

use crate::run::Invocation;

/// What `cargo metadata --format-version 1` says, as far as it is used here.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    /// Where the root manifest is.
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

/// A package of this workspace or of a registry.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    id: String,
    /// Its name in its manifest.
    pub(crate) name: String,
    /// The C library it links to, if any.
    pub(crate) links: Option<String>,
    /// What its manifest asks for.
    pub(crate) dependencies: Vec<Dependency>,
    manifest_path: PathBuf,
}

/// One entry of a manifest's dependency tables.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The package's name, whatever it is called here.
    pub(crate) name: String,
    kind: Option<Kind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Normal,
    Build,
    Dev,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Debug, Deserialize)]
struct EdgeKind {
    kind: Option<Kind>,
}

impl Dependency {
    /// Whether only tests, examples and benches see it.
    pub(crate) fn is_for_tests(&self) -> bool {
        self.kind == Some(Kind::Dev)
    }
}

impl Workspace {
    /// Asks cargo about the workspace that the current directory is in.
    ///
    /// # Errors
    /// When cargo cannot read the manifests or fetch a package.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let text = Invocation::cargo(&["metadata", "--format-version", "1"]).output()?;
        Self::parse(&text)
    }

    /// # Errors
    /// When `text` is not the output of `cargo metadata --format-version 1`.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        serde_json::from_str(text).context("`cargo metadata` wrote something unexpected")
    }

    /// The packages of this workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The manifest of `member`, relative to the root.
    pub(crate) fn manifest(&self, member: &Package) -> String {
        let path = &member.manifest_path;
        let path = path.strip_prefix(&self.root).unwrap_or(path);
        path.display().to_string()
    }

    /// The directory of `member`, relative to the root.
    pub(crate) fn directory(&self, member: &Package) -> String {
        let manifest = self.manifest(member);
        let directory = Path::new(&manifest).parent();
        directory.map_or_else(String::new, |it| it.display().to_string())
    }

    /// Every package that ends up in a build of `package`, by any path, tests left aside. Each with the chain that
    /// leads to it, `package` first.
    pub(crate) fn tree(&self, package: &Package) -> Vec<(&Package, String)> {
        let packages: BTreeMap<_, _> = self.packages.iter().map(|it| (&it.id, it)).collect();
        let nodes: BTreeMap<_, _> = self.resolve.nodes.iter().map(|it| (&it.id, it)).collect();
        let mut tree = Vec::new();
        let mut seen = BTreeSet::from([&package.id]);
        let mut open = vec![(&package.id, package.name.clone())];
        while let Some((id, chain)) = open.pop() {
            for edge in nodes.get(id).into_iter().flat_map(|node| &node.deps) {
                let is_built = edge.dep_kinds.iter().any(|it| it.kind != Some(Kind::Dev));
                let Some(found) = packages.get(&edge.pkg) else {
                    continue;
                };
                if is_built && seen.insert(&edge.pkg) {
                    let chain = format!("{chain} → {}", found.name);
                    tree.push((*found, chain.clone()));
                    open.push((&edge.pkg, chain));
                }
            }
        }
        tree
    }
}

#[cfg(test)]
pub(crate) mod example {
    //! Small workspaces to try rules on.

    use serde_json::json;

    use super::Workspace;

    /// A package of an example.
    pub(crate) struct Example {
        /// Its directory; `""` for a package from a registry.
        pub(crate) directory: &'static str,
        pub(crate) name: &'static str,
        pub(crate) links: Option<&'static str>,
        /// Names, with `dev:` or `build:` before those that are not ordinary dependencies.
        pub(crate) dependencies: Vec<&'static str>,
    }

    /// A member without dependencies.
    pub(crate) fn member(directory: &'static str, name: &'static str) -> Example {
        Example {
            directory,
            name,
            links: None,
            dependencies: Vec::new(),
        }
    }

    /// A package from a registry.
    pub(crate) fn foreign(name: &'static str) -> Example {
        member("", name)
    }

    impl Example {
        pub(crate) fn needs(mut self, dependencies: &[&'static str]) -> Self {
            self.dependencies = dependencies.to_vec();
            self
        }

        pub(crate) fn links(mut self, library: &'static str) -> Self {
            self.links = Some(library);
            self
        }
    }

    /// What cargo would say of these packages.
    pub(crate) fn workspace(examples: &[Example]) -> Workspace {
        let split = |dependency: &'static str| match dependency.split_once(':') {
            Some((kind, name)) => (Some(kind), name),
            None => (None, dependency),
        };
        let packages: Vec<_> = examples
            .iter()
            .map(|it| {
                let dependencies: Vec<_> = it
                    .dependencies
                    .iter()
                    .map(|it| split(it))
                    .map(|(kind, name)| json!({ "name": name, "kind": kind }))
                    .collect();
                json!({
                    "id": it.name, "name": it.name, "links": it.links, "dependencies": dependencies,
                    "manifest_path": format!("/checkout/{}/Cargo.toml", it.directory),
                })
            })
            .collect();
        let nodes: Vec<_> = examples
            .iter()
            .map(|it| {
                let edges: Vec<_> = it
                    .dependencies
                    .iter()
                    .map(|it| split(it))
                    .map(|(kind, name)| json!({ "pkg": name, "dep_kinds": [{ "kind": kind, "target": null }] }))
                    .collect();
                json!({ "id": it.name, "deps": edges })
            })
            .collect();
        let members: Vec<_> = examples
            .iter()
            .filter(|it| !it.directory.is_empty())
            .map(|it| it.name)
            .collect();
        let metadata = json!({
            "workspace_root": "/checkout", "target_directory": "/checkout/target",
            "packages": packages, "workspace_members": members, "resolve": { "nodes": nodes },
        });
        Workspace::parse(&metadata.to_string()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::example::{foreign, member, workspace};
    use super::*;

    #[test]
    fn a_tree_follows_what_is_built_and_names_the_way() {
        let workspace = workspace(&[
            member("crates/hub", "hub").needs(&["axum", "dev:reqwest", "build:cc"]),
            foreign("axum").needs(&["tokio"]),
            foreign("tokio").needs(&["axum"]),
            foreign("reqwest"),
            foreign("cc"),
        ]);
        let hub = workspace.members().next().unwrap();
        let mut chains: Vec<_> = workspace
            .tree(hub)
            .into_iter()
            .map(|(_, chain)| chain)
            .collect();
        chains.sort();
        assert_eq!(chains, ["hub → axum", "hub → axum → tokio", "hub → cc"]);
    }

    #[test]
    fn this_workspace_can_be_read() {
        let workspace = Workspace::load().unwrap();
        let xtask = workspace.members().find(|it| it.name == "xtask").unwrap();
        assert_eq!(workspace.directory(xtask), "crates/xtask");
        assert_eq!(workspace.manifest(xtask), "crates/xtask/Cargo.toml");
    }
}
