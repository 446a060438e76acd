//! Who may have a reader that is refused to us: what `/proc` shows of other programs.
//!
//! pcscd tells nobody who its clients are. A process that has loaded its client library surely talks to it; of processes
//! of other users only the name is seen, and some names are known for it.

use std::fs;
use std::path::{Path, PathBuf};

/// pcsc-lite's client library, and what it loads.
const LIBRARY: &str = "libpcsclite";
/// As much of a program's name as the kernel keeps (proc(5), comm).
const COMM: usize = 15;

/// Programs that are known to keep a reader, by their names in `/proc`: what they belong to, and where that is known from.
const USUAL: [(&str, &str, &str); 12] = [
    ("scdaemon", "GnuPG", "drduh/YubiKey-Guide#277"),
    ("pkcs11-tool", "OpenSC", "OpenSC manual"),
    ("opensc-tool", "OpenSC", "OpenSC manual"),
    ("pkcs15-tool", "OpenSC", "OpenSC manual"),
    ("p11-kit-server", "p11-kit", "p11-kit manual"),
    ("pcsc_scan", "pcsc-tools", "pcsc_scan(1)"),
    (
        "nfc-list",
        "libnfc with its PC/SC driver",
        "nfc-tools/libnfc",
    ),
    ("lpac", "lpac", "estkme-group/lpac#253"),
    (
        "firefox",
        "a browser with a module for smart cards",
        "Mozilla, Security Devices",
    ),
    (
        "chrome",
        "a browser with a module for smart cards",
        "NSS, pkcs11.txt",
    ),
    (
        "chromium",
        "a browser with a module for smart cards",
        "NSS, pkcs11.txt",
    ),
    ("ykman", "YubiKey Manager", "Yubico/Yubico.NET.SDK#72"),
];

/// The processes of this computer. A value, so that a test can show others.
#[derive(Debug, Clone)]
pub(crate) struct Processes {
    proc: PathBuf,
    own: u32,
}

/// Who it may be. As a sentence without its end: what was found, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suspects(Vec<Suspect>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Suspect {
    process: u32,
    name: String,
    /// It has the library loaded, as opposed to a name that is known for it.
    is_sure: bool,
}

impl Default for Processes {
    fn default() -> Self {
        Self::at("/proc", std::process::id())
    }
}

impl Processes {
    pub(crate) fn at(proc: impl Into<PathBuf>, own: u32) -> Self {
        Self {
            proc: proc.into(),
            own,
        }
    }

    /// The programs that use PC/SC, as far as this user may see; this one and the service are not among them.
    pub(crate) fn suspects(&self) -> Suspects {
        let mut found: Vec<_> = fs::read_dir(&self.proc)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|process| *process != self.own)
            .filter_map(|process: u32| suspect(&self.proc.join(process.to_string()), process))
            .collect();
        if found.iter().any(|suspect| suspect.is_sure) {
            found.retain(|suspect| suspect.is_sure);
        }
        found.sort_by_key(|suspect| suspect.process);
        Suspects(found)
    }
}

fn suspect(folder: &Path, process: u32) -> Option<Suspect> {
    let name = fs::read_to_string(folder.join("comm"))
        .ok()?
        .trim()
        .to_owned();
    if name == "pcscd" {
        return None;
    }
    let is_sure = fs::read_to_string(folder.join("maps")).is_ok_and(|maps| maps.contains(LIBRARY));
    let is_usual = USUAL
        .iter()
        .any(|(usual, ..)| usual.get(..COMM).unwrap_or(usual) == name);
    (is_sure || is_usual).then_some(Suspect {
        process,
        name,
        is_sure,
    })
}

impl std::fmt::Display for Suspects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(first) = self.0.first() else {
            return f.write_str("close it; this user may not see which one it is, and scdaemon of GnuPG is a usual one");
        };
        f.write_str(if first.is_sure {
            "of the programs that this user may see these use PC/SC: "
        } else {
            "these are running and known for it: "
        })?;
        for (at, suspect) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{} (process {})", suspect.name, suspect.process)?;
            if let Some((_, of, _)) = USUAL.iter().find(|(usual, ..)| *usual == suspect.name) {
                write!(f, " of {of}")?;
            }
        }
        f.write_str("; close it")
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn running(processes: &[(u32, &str, Option<&str>)]) -> TempDir {
        let proc = tempfile::tempdir().unwrap();
        for (process, name, maps) in processes {
            let folder = proc.path().join(process.to_string());
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("comm"), format!("{name}\n")).unwrap();
            if let Some(maps) = maps {
                fs::write(folder.join("maps"), maps).unwrap();
            }
        }
        fs::create_dir(proc.path().join("sys")).unwrap();
        proc
    }

    const MAPS: &str =
        "7f00-7f01 r-xp 00000000 08:01 1 /usr/lib/x86_64-linux-gnu/libpcsclite.so.1.0.0\n";

    #[test]
    fn a_program_that_has_loaded_the_library_is_named() {
        let proc = running(&[
            (1, "systemd", Some("")),
            (7, "pcscd", Some(MAPS)),
            (40, "cardbridge", Some(MAPS)),
            (41, "vendor-tool", Some(MAPS)),
            (42, "scdaemon", None),
        ]);
        let suspects = Processes::at(proc.path(), 40).suspects();
        assert_eq!(
            suspects.to_string(),
            "of the programs that this user may see these use PC/SC: vendor-tool (process 41); close it"
        );
    }

    #[test]
    fn a_program_of_another_user_is_guessed_by_its_name() {
        let proc = running(&[(1, "systemd", None), (42, "scdaemon", None)]);
        let suspects = Processes::at(proc.path(), 40).suspects();
        assert_eq!(
            suspects.to_string(),
            "these are running and known for it: scdaemon (process 42) of GnuPG; close it"
        );
    }

    #[test]
    fn without_a_suspect_the_usual_one_is_told() {
        let proc = running(&[(1, "systemd", Some("")), (40, "cardbridge", Some(MAPS))]);
        let said = Processes::at(proc.path(), 40).suspects().to_string();
        assert!(
            said.starts_with("close it;") && said.contains("scdaemon of GnuPG"),
            "{said}"
        );
    }
}
