//! An encoder PC: the configuration of a bridge with its site key and its journal, in a folder of its own.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::cardbridge;

/// The key of a site without real doors.
const SITE_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The folder of a bridge. Removed on drop.
#[derive(Debug)]
pub struct EncoderPc {
    folder: TempDir,
}

impl EncoderPc {
    /// Writes a configuration with a site key, a state directory, and these sections besides.
    ///
    /// # Panics
    /// The files cannot be written.
    #[must_use]
    pub fn new(sections: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut key = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(folder.path().join("site.key"))
            .expect("a file can be made");
        key.write_all(SITE_KEY.as_bytes())
            .expect("a file can be written");
        fs::create_dir(folder.path().join("state")).expect("a folder can be made");
        let text = format!(
            "[site]\nkey_file = \"site.key\"\n[bridge]\nname = \"Test PC\"\nstate_dir = \"state\"\n{sections}"
        );
        let pc = Self { folder };
        fs::write(pc.config(), text).expect("a file can be written");
        pc
    }

    /// The same with one encoder, a PN532 at a serial port.
    #[must_use]
    pub fn with_pn532(sections: &str, name: &str, port: &Path) -> Self {
        Self::new(&format!(
            // Readers that happen to be on this machine are none of the test's business.
            "discover = false\n{sections}[[encoder]]\ndriver = \"pn532\"\nport = \"{}\"\nname = \"{name}\"\n",
            port.display()
        ))
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("bridge.toml")
    }

    /// The key file of the site.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.folder.path().join("site.key")
    }

    /// `cardbridge VERB --config FILE`; the verb may have one of its own behind it, as in `keys roll`.
    #[must_use]
    pub fn command(&self, verb: &str) -> Command {
        let mut command = cardbridge(verb.split(' ').chain(["--config"]));
        command.arg(self.config());
        command
    }
}
