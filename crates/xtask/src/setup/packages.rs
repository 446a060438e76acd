//! Debian packages: one table of what is needed and for what; installs what is missing where it may.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::programs;
use crate::run::Invocation;
use crate::rungs::Rung;
use crate::setup::python;

/// What fails without a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The workspace does not compile.
    Build,
    /// Pinned tools from Python's registry cannot be installed.
    Tools,
    /// These tests cannot run.
    Rung(Rung),
}

/// One package, by Debian's name.
#[derive(Debug)]
pub(crate) struct Package {
    name: &'static str,
    purpose: &'static str,
    sign: Sign,
    /// Whatever fails without it.
    pub(crate) needed_by: &'static [Need],
}

/// How to see that it is there, wherever it came from: a distribution's package is not the only way.
#[derive(Debug)]
enum Sign {
    /// A program that can be found.
    Program(&'static str),
    /// A file or directory.
    File(&'static str),
    /// A library that pkg-config knows.
    Library(&'static str),
    /// A module of Debian's own Python, which is the one its packages belong to.
    DebianPython(&'static str),
    /// A Python that can make virtual environments.
    Venv,
}

const PCSC: &[Need] = &[
    Need::Rung(Rung::Pcscd),
    Need::Rung(Rung::Opensc),
    Need::Rung(Rung::Pyscard),
];

/// Everything that comes from Debian.
const PACKAGES: &[Package] = &[
    Package {
        name: "pkg-config",
        purpose: "finds C libraries",
        sign: Sign::Program("pkg-config"),
        needed_by: &[Need::Build],
    },
    Package {
        name: "libpcsclite-dev",
        purpose: "the PC/SC driver links to it",
        sign: Sign::Library("libpcsclite"),
        needed_by: &[Need::Build],
    },
    Package {
        name: "python3-venv",
        purpose: "holds pinned tools and Python packages",
        sign: Sign::Venv,
        needed_by: &[Need::Tools, Need::Rung(Rung::Python)],
    },
    Package {
        name: "pcscd",
        purpose: "the PC/SC daemon",
        sign: Sign::Program("pcscd"),
        needed_by: PCSC,
    },
    Package {
        name: "vsmartcard-vpcd",
        purpose: "virtual readers under pcscd",
        sign: Sign::File("/usr/lib/pcsc/drivers/serial/libifdvpcd.so"),
        needed_by: PCSC,
    },
    Package {
        name: "util-linux",
        purpose: "a private /run/pcscd for each pcscd",
        sign: Sign::Program("unshare"),
        needed_by: PCSC,
    },
    Package {
        name: "mount",
        purpose: "puts that /run/pcscd in place",
        sign: Sign::Program("mount"),
        needed_by: PCSC,
    },
    Package {
        name: "opensc",
        purpose: "opensc-tool reads virtual cards",
        sign: Sign::Program("opensc-tool"),
        needed_by: &[Need::Rung(Rung::Opensc)],
    },
    Package {
        name: "python3-pyscard",
        purpose: "pyscard reads virtual cards",
        sign: Sign::DebianPython("smartcard"),
        needed_by: &[Need::Rung(Rung::Pyscard)],
    },
    Package {
        name: "openssl",
        purpose: "the 2K3DES with which pyscard's script opens an Ultralight C",
        sign: Sign::Program("openssl"),
        needed_by: &[Need::Rung(Rung::Pyscard)],
    },
    Package {
        name: "libnfc-bin",
        purpose: "nfc-list, nfc-mfclassic and nfc-mfultralight drive the emulated PN532",
        sign: Sign::Program("nfc-mfclassic"),
        needed_by: &[Need::Rung(Rung::Libnfc)],
    },
    Package {
        name: "libfreefare-bin",
        purpose: "mifare-classic-format and its kin write virtual cards",
        sign: Sign::Program("mifare-classic-format"),
        needed_by: &[Need::Rung(Rung::Libfreefare)],
    },
];

impl Sign {
    fn is_seen(&self) -> bool {
        match self {
            Sign::Program(program) => programs::find(program).is_some(),
            Sign::File(path) => Path::new(path).exists(),
            Sign::Library(library) => Invocation::new("pkg-config")
                .arguments(["--exists", library])
                .succeeds(),
            Sign::DebianPython(module) => Invocation::new(python::DEBIAN)
                .arguments(["-c", &format!("import {module}")])
                .succeeds(),
            Sign::Venv => python::interpreter().is_some(),
        }
    }
}

/// Installs what is missing of the packages that `wanted` needs; returns those that still are.
pub(crate) fn install(wanted: impl Fn(Need) -> bool) -> Vec<&'static Package> {
    let missing: Vec<_> = PACKAGES
        .iter()
        .filter(|it| it.needed_by.iter().any(|need| wanted(*need)) && !it.sign.is_seen())
        .collect();
    if missing.is_empty() {
        return missing;
    }
    let Some(apt_get) = apt_get() else {
        return missing;
    };
    for package in &missing {
        eprintln!("installing {}: {}", package.name, package.purpose);
    }
    // A stale list names package files that are gone. Without a network the cache may still have them.
    let _ = apt_get.clone().argument("update").run();
    let install = apt_get.arguments(["install", "--yes", "--no-install-recommends"]);
    let names = missing.iter().map(|package| package.name);
    if install.clone().arguments(names).run().is_err() {
        // One package that this release does not have must not cost the others.
        for package in &missing {
            let _ = install.clone().argument(package.name).run();
        }
    }
    missing
        .into_iter()
        .filter(|package| !package.sign.is_seen())
        .collect()
}

/// What is missing, what for, and the command that installs it, in one line.
pub(crate) fn remedy(missing: &[&Package]) -> String {
    let what: Vec<_> = missing
        .iter()
        .map(|it| format!("{} ({})", it.name, it.purpose))
        .collect();
    let names: Vec<_> = missing.iter().map(|it| it.name).collect();
    format!(
        "missing {}: run `sudo apt-get update && sudo apt-get install -y {}`, or what your distribution has instead",
        what.join(", "),
        names.join(" ")
    )
}

/// `apt-get` as root, or through a sudo that asks nothing; `None` where there is neither.
fn apt_get() -> Option<Invocation> {
    programs::find("apt-get")?;
    let quiet = [
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "--quiet=2",
        "-o=Dpkg::Use-Pty=0",
        "-o=DPkg::Lock::Timeout=120",
    ];
    if is_root() {
        return Some(Invocation::new("env").arguments(quiet));
    }
    let sudo = Invocation::new("sudo").argument("--non-interactive");
    sudo.clone()
        .argument("true")
        .succeeds()
        .then(|| sudo.argument("env").arguments(quiet))
}

/// `/proc/self` belongs to the effective user.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_installed_is_named_with_one_command() {
        let missing: Vec<_> = PACKAGES
            .iter()
            .filter(|it| it.needed_by.contains(&Need::Build))
            .collect();
        assert_eq!(
            remedy(&missing),
            "missing pkg-config (finds C libraries), libpcsclite-dev (the PC/SC driver links to it): \
             run `sudo apt-get update && sudo apt-get install -y pkg-config libpcsclite-dev`, \
             or what your distribution has instead"
        );
    }

    #[test]
    fn a_thing_is_seen_by_its_effect() {
        assert!(Sign::Program("sh").is_seen());
        assert!(!Sign::Program("no-such-program-here").is_seen());
        assert!(Sign::File("/proc/self").is_seen());
        assert!(!Sign::File("/no/such/file").is_seen());
        assert!(!Sign::Library("no-such-library").is_seen());
        assert!(!Sign::DebianPython("no_such_module").is_seen());
    }
}
