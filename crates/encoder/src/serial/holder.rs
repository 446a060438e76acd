//! Which program has a port open, from what `/proc` shows of the others.

use std::fs;
use std::path::Path;

/// The program that has a port open, as far as this user may see. This program itself counts only where asked: what
/// it holds is no obstacle that a person could remove.
pub(super) fn of(path: &Path, count_own: bool) -> Option<String> {
    let node = fs::canonicalize(path).ok()?;
    let own = std::process::id();
    fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok())
        .filter(|&id| id != own || count_own)
        .find(|&id| has_open(id, &node))
        .map(|id| {
            if id == own {
                return "this program itself".to_owned();
            }
            let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
            format!("{} (process {id})", name.trim())
        })
}

/// Programs that take serial ports unasked, by the names that the kernel shows, and how they are kept off.
const GRABBERS: &[(&str, &str)] = &[
    (
        "ModemManager",
        "it asks every new port whether it is a modem and lets go after some seconds; a udev rule with \
         ENV{ID_MM_DEVICE_IGNORE}=\"1\" keeps it off",
    ),
    (
        // Arduino IDE issue 1788: it steals CH340 and CP210x.
        "brltty",
        "it takes some adapters for braille displays; remove the package brltty if there is none",
    ),
];

/// What to do about a holder.
pub(super) fn remedy(holder: &str) -> &'static str {
    GRABBERS
        .iter()
        .find(|(name, _)| holder.starts_with(name))
        .map_or("close that program", |(_, remedy)| remedy)
}

/// Whoever has the near end of terminals open emulates them, and keeps the far end open too without being in the way.
fn has_open(process: u32, node: &Path) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{process}/fd")) else {
        return false;
    };
    let targets: Vec<_> = files
        .flatten()
        .filter_map(|file| fs::read_link(file.path()).ok())
        .collect();
    let emulates =
        || node.starts_with("/dev/pts") && targets.iter().any(|target| target.ends_with("ptmx"));
    targets.iter().any(|target| target == node) && !emulates()
}
