//! Directories that are made once for what they are made from, and made anew when that changes.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// Lies in a finished directory; its content is what the directory was made from.
const STAMP: &str = ".made-from";

/// Makes `directory` with `make` unless it was already made from exactly `source`.
/// One that was left half made is thrown away first.
///
/// # Errors
/// When `make` fails or the directory cannot be written.
pub(crate) fn make_once(
    directory: &Path,
    source: &str,
    make: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let stamp = directory.join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|found| found == source) {
        return Ok(());
    }
    let anew = || {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        fs::create_dir_all(directory)
    };
    anew().with_context(|| format!("could not make {}", directory.display()))?;
    make()?;
    fs::write(&stamp, source).with_context(|| format!("could not write {}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn a_directory_is_made_once_and_again_when_its_source_changes() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("tool");
        let mut made = Vec::new();
        for source in ["v1", "v1", "v2"] {
            make_once(&directory, source, || {
                assert!(directory.read_dir().unwrap().next().is_none(), "left-overs");
                fs::write(directory.join("content"), source).unwrap();
                made.push(source);
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(made, ["v1", "v2"]);
        assert_eq!(fs::read_to_string(directory.join("content")).unwrap(), "v2");
    }

    #[test]
    fn a_directory_that_was_left_half_made_is_made_again() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("tool");
        make_once(&directory, "v1", || bail!("the network went away")).unwrap_err();
        let mut made = false;
        make_once(&directory, "v1", || {
            made = true;
            Ok(())
        })
        .unwrap();
        assert!(made);
    }
}
