//! Makes the seeds of the fuzz targets anew: from the golden vectors, the golden files of the link, and sessions on
//! emulated cards. What fuzzing has found besides lies beside them under other names and stays.

mod answers;
mod servers;
mod session;

use std::fs;
use std::path::{Path, PathBuf};

/// Where the seed of that name belongs.
fn write(target: &str, name: &str, bytes: &[u8]) {
    let folder = repository().join("fuzz/corpus").join(target);
    fs::create_dir_all(&folder).expect("the folder of a corpus can be made");
    fs::write(folder.join(name), bytes).expect("a seed can be written");
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn main() {
    answers::write_all();
    servers::write_all();
    session::write_all();
}
