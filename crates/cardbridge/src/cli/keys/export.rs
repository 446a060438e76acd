//! What a lock maker's tool is given: read and tag masters by version, never a write master, never the site key.

use std::io::ErrorKind;
use std::path::Path;

use bridge::key_file::write_new_secret;
use card::{LockMasters, SiteKeys};
use serde::Serialize;
use serde_json::json;

use super::super::failure::Failure;
use super::super::output::Output;

/// The file (docs/operating.md, "What the locks get").
#[derive(Serialize)]
struct LockFile {
    site_mark: String,
    /// Newest first.
    keys: Vec<LockKey>,
}

#[derive(Serialize)]
struct LockKey {
    version: u8,
    read: String,
    tag: String,
}

impl LockFile {
    fn new(keys: &SiteKeys) -> Self {
        let lock_keys = keys.lock_keys();
        let key = |masters: LockMasters<'_>| LockKey {
            version: masters.version.get(),
            read: hex::encode_upper(masters.read),
            tag: hex::encode_upper(masters.tag),
        };
        Self {
            site_mark: hex::encode_upper(lock_keys.site_mark().bytes()),
            keys: lock_keys.expose().map(key).collect(),
        }
    }
}

const WARNING: &str = "Whoever has this file can read the site's cards and, with blank cards of his own, make new ones, \
                       until the key is rolled and every lock visited: delete it once the locks have it.";

pub(super) fn run(keys: &SiteKeys, out: Option<&Path>, output: Output) -> Result<(), Failure> {
    let file = LockFile::new(keys);
    let text = || {
        serde_json::to_string_pretty(&file).map_err(|error| {
            Failure::because(
                "internal_error",
                "the masters cannot be written as JSON",
                &error,
            )
        })
    };
    let Some(path) = out else {
        let text = text()?;
        output.progress(WARNING);
        return output.result(&file, || text);
    };
    write_new_secret(path, &format!("{}\n", text()?)).map_err(|error| refused(path, &error))?;
    let versions: Vec<u8> = file.keys.iter().map(|key| key.version).collect();
    let result = json!({
        "file": path.display().to_string(),
        "site_mark": file.site_mark,
        "versions": versions,
        "warning": WARNING,
    });
    output.result(&result, || format!("{}\n{WARNING}", path.display()))
}

fn refused(path: &Path, error: &std::io::Error) -> Failure {
    let path = path.display();
    if error.kind() == ErrorKind::AlreadyExists {
        let message = format!(
            "{path} is there already and was left as it is; delete it, or give --out another name"
        );
        return Failure::new("file_exists", message);
    }
    let message = format!(
        "{path} could not be written, and nothing is left of it; check its folder, the disk, and that this user may write \
         there"
    );
    Failure::because("file_not_written", message, error)
}
