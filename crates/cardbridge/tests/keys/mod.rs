//! `cardbridge keys` as a process: files and their modes, what is printed and what never is, what cannot be done.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::process::cardbridge;
use crate::{configuration, run, stderr};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A folder with a key file that may be there.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn with(text: &str) -> Self {
        let site = Self::new();
        std::fs::write(site.path(), text).unwrap();
        set_mode(&site.path(), 0o600);
        site
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("site.key")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    fn keys(&self, verb: &str, arguments: &[&str]) -> Output {
        let mut keys = cardbridge();
        keys.args(["keys", verb, "--file"]).arg(self.path());
        keys.args(arguments).output().unwrap()
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[track_caller]
fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How a verb that asked for JSON failed.
#[track_caller]
fn failed(output: &Output) -> (i32, String) {
    let failure: Value = serde_json::from_slice(&output.stdout).unwrap();
    let kind = failure["error"]["type"].as_str().unwrap().to_owned();
    (output.status.code().unwrap(), kind)
}

/// Every key of the file must be missing in what was said.
#[track_caller]
fn says_no_key(site: &Site, output: &Output) {
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        stderr(output)
    );
    for line in site.text().lines().filter(|line| !line.starts_with('#')) {
        let digits = line.split_whitespace().last().unwrap_or_default();
        assert!(
            digits.len() != 64 || !said.contains(&digits[..16]),
            "{said}"
        );
    }
}

#[test]
fn a_generated_key_lies_in_a_file_of_mode_0600_and_is_never_made_twice() {
    let site = Site::new();
    let made = site.keys("generate", &[]);
    assert!(made.status.success(), "{made:?}");
    assert_eq!(mode(&site.path()), 0o600);
    says_no_key(&site, &made);
    let said = String::from_utf8(made.stdout).unwrap();
    assert!(
        said.contains("check value") && said.contains("a safe"),
        "{said}"
    );

    let before = site.text();
    let again = site.keys("generate", &["--json"]);
    assert_eq!(failed(&again), (1, "key_file_exists".to_owned()));
    assert!(stderr(&again).contains("keys roll"), "{}", stderr(&again));
    assert_eq!(site.text(), before);
    for taken in ["link", "directory"] {
        let site = Site::new();
        match taken {
            "link" => symlink("nowhere", site.path()).unwrap(),
            _ => std::fs::create_dir(site.path()).unwrap(),
        }
        let refused = site.keys("generate", &["--json"]);
        assert_eq!(
            failed(&refused),
            (1, "key_file_exists".to_owned()),
            "{taken}"
        );
    }
}

#[test]
fn the_configuration_says_where_the_key_file_is_to_be() {
    let (folder, path) = configuration("[site]\nkey_file = \"secrets/site.key\"\n");
    let generate = || run(&["keys", "generate", "--json", "--config", &path]);
    let (code, kind) = failed(&generate());
    assert_eq!((code, kind.as_str()), (1, "key_file_not_written"));
    std::fs::create_dir(folder.path().join("secrets")).unwrap();
    let made = json(&generate());
    assert!(made["file"].as_str().unwrap().ends_with("secrets/site.key"));
    let shown = json(&run(&["keys", "show-id", "--json", "--config", &path]));
    assert_eq!(made, shown);

    let (_folder, path) = configuration(&format!("[site]\nkey = \"{KEY}\"\n"));
    let shown = json(&run(&["keys", "show-id", "--json", "--config", &path]));
    assert_eq!(
        (&shown["file"], &shown["site_mark"]),
        (&Value::Null, &"B543".into())
    );
    let refused = run(&["keys", "roll", "--json", "--config", &path]);
    assert_eq!(failed(&refused), (2, "no_key_file".to_owned()));
    assert!(stderr(&refused).contains("key_file in place of key"));
}

#[test]
fn show_id_tells_versions_check_values_and_the_mark_of_the_format_page() {
    let site = Site::with(KEY);
    let shown = json(&site.keys("show-id", &["--json"]));
    let expected = serde_json::json!({
        "file": site.path(),
        "site_mark": "B543",
        "keys": [{"version": 1, "check_value": "F7E573EC21C16322"}],
        "newest": 1,
    });
    assert_eq!(shown, expected);
    let words = site.keys("show-id", &[]);
    says_no_key(&site, &words);
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(
        words.contains("version 1: check value F7E573EC21C16322"),
        "{words}"
    );
}

#[test]
fn a_lock_gets_read_and_tag_masters_and_nothing_that_writes() {
    let site = Site::with(KEY);
    let out = site.folder.path().join("locks.json");
    let export = || {
        site.keys(
            "export-for-lock",
            &["--json", "--out", out.to_str().unwrap()],
        )
    };
    let told = json(&export());
    assert!(told["warning"].as_str().unwrap().contains("delete it"));
    assert_eq!(
        (mode(&out), &told["versions"]),
        (0o600, &serde_json::json!([1]))
    );
    let text = std::fs::read_to_string(&out).unwrap();
    let exported: Value = serde_json::from_str(&text).unwrap();
    // The masters of docs/card-format.md, "A worked example".
    let expected = serde_json::json!({
        "site_mark": "B543",
        "keys": [{
            "version": 1,
            "read": "A90944B2F6C0CADC1A28C9277A5C7193",
            "tag": "3CA42517AAA40AFECBB6131E0B8C8E37",
        }],
    });
    assert_eq!(exported, expected);
    assert!(!text.contains("AA2C461D"), "the write master");
    assert_eq!(failed(&export()), (1, "file_exists".to_owned()));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), text);

    let printed = site.keys("export-for-lock", &[]);
    assert!(stderr(&printed).contains("delete it"));
    assert_eq!(
        serde_json::from_slice::<Value>(&printed.stdout).unwrap(),
        expected
    );
}

#[test]
fn rolling_appends_a_version_and_drop_takes_an_old_one_out() {
    let site = Site::with(&format!("# Hotel\n{KEY}\n"));
    set_mode(&site.path(), 0o400);
    let rolled = site.keys("roll", &[]);
    assert!(rolled.status.success(), "{rolled:?}");
    says_no_key(&site, &rolled);
    let said = String::from_utf8(rolled.stdout).unwrap();
    for step in ["every other encoder PC", "Visit the locks", "--drop"] {
        assert!(said.contains(step), "{said}");
    }
    assert!(
        site.text()
            .starts_with(&format!("# Hotel\nsite-mark B543\nkey 1 {KEY}\nkey 2 "))
    );
    assert_eq!(mode(&site.path()), 0o400);

    for (version, code, kind) in [
        ("2", 1, "invalid_key_version"),
        ("9", 1, "invalid_key_version"),
        ("0", 2, "invalid_input"),
    ] {
        let refused = site.keys("roll", &["--json", "--drop", version]);
        assert_eq!(failed(&refused), (code, kind.to_owned()), "{version}");
    }
    let dropped = json(&site.keys("roll", &["--json", "--drop", "1"]));
    assert_eq!(
        (&dropped["newest"], &dropped["site_mark"]),
        (&2.into(), &"B543".into())
    );
    assert!(!site.text().contains(KEY));
}

#[test]
fn a_file_that_is_no_secret_or_no_key_file_is_refused_by_every_verb() {
    let bad = Site::with(&format!("{KEY}\nkey 2 {}\n", &KEY[1..]));
    let open = Site::with(KEY);
    set_mode(&open.path(), 0o644);
    for verb in ["show-id", "export-for-lock", "roll"] {
        let refused = bad.keys(verb, &["--json"]);
        assert_eq!(failed(&refused), (1, "key_file_invalid".to_owned()));
        assert!(stderr(&refused).contains("line 2"), "{}", stderr(&refused));
        says_no_key(&bad, &refused);
        let refused = open.keys(verb, &["--json"]);
        assert_eq!(failed(&refused), (1, "key_file_exposed".to_owned()));
        assert!(stderr(&refused).contains("chmod 600"));
        let missing = Site::new().keys(verb, &["--json"]);
        assert_eq!(failed(&missing), (1, "key_file_unreadable".to_owned()));
    }
}

/// A command for which every write to a file fails, as on a disk without room.
fn without_room(site: &Site, verb: &str) -> Output {
    let program = cardbridge().get_program().to_owned();
    let mut shell = Command::new("sh");
    shell
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 0; exec \"$0\" keys \"$1\" --json --file \"$2\"",
        ])
        .arg(program)
        .arg(verb)
        .arg(site.path());
    shell.output().unwrap()
}

#[test]
fn without_room_on_the_disk_the_key_file_stays_as_it_was_and_nothing_is_left_beside_it() {
    let site = Site::with(KEY);
    assert_eq!(
        failed(&without_room(&site, "roll")),
        (1, "key_file_not_written".to_owned())
    );
    assert_eq!(site.text(), KEY);
    assert_eq!(std::fs::read_dir(site.folder.path()).unwrap().count(), 1);
    let empty = Site::new();
    let failed_to_make = failed(&without_room(&empty, "generate"));
    assert_eq!(failed_to_make, (1, "key_file_not_written".to_owned()));
    assert_eq!(std::fs::read_dir(empty.folder.path()).unwrap().count(), 0);
}
