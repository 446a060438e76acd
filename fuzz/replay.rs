//! Replays the seeds of a fuzz target in ordinary tests. Each crate with targets takes this file in by its path; nothing
//! but the standard library is known here.

use std::fs;
use std::path::Path;

/// Runs the body of a target on every seed; at least half of them must mean something to it.
///
/// # Panics
/// When the corpus is missing or of no use, and when the body panics.
pub(crate) fn replay(target: &str, body: impl Fn(&[u8]) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let seeds: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    let of_use = seeds
        .iter()
        .filter(|path| body(&fs::read(path).unwrap()))
        .count();
    assert!(
        of_use > 0 && of_use * 2 >= seeds.len(),
        "{of_use} of {} seeds of {target} mean anything to it; make them anew as docs/fuzzing.md says",
        seeds.len()
    );
}
