//! Good files are taken, bad ones refused by their line; a file that is changed is whole before and after.

use std::os::unix::fs::symlink;

use super::*;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// The site mark of [`KEY`] (docs/card-format.md, "A worked example").
const MARK: &str = "site-mark B543";

/// A key file in a folder of its own.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn with(text: impl AsRef<[u8]>) -> Self {
        let place = Self::new();
        std::fs::write(place.path(), text).unwrap();
        place.set_mode(0o600);
        place
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("site.key")
    }

    fn set_mode(&self, mode: u32) {
        std::fs::set_permissions(self.path(), Permissions::from_mode(mode)).unwrap();
    }

    fn mode(&self) -> u32 {
        std::fs::metadata(self.path()).unwrap().mode() & 0o7777
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    fn read(&self) -> Result<KeyFile, KeyFileError> {
        KeyFile::read(&self.path())
    }

    fn refusal(&self) -> String {
        self.read().unwrap_err().to_string()
    }

    /// Everything in the folder: what a command leaves behind would show.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn key(version: u8, byte: &str) -> String {
    format!("key {version} {}", byte.repeat(32))
}

fn versions(file: &KeyFile) -> Vec<u8> {
    let mut versions: Vec<u8> = file.keys().versions().map(KeyVersion::get).collect();
    versions.reverse();
    versions
}

#[test]
fn a_bare_key_is_version_1_and_lines_say_their_version() {
    for (text, expected) in [
        (KEY.to_owned(), vec![1]),
        (format!("\n # a site\n\n{KEY}  # the first\r\n"), vec![1]),
        (
            format!("{MARK}\nkey 1 {KEY}\n{}\n", key(2, "a5")),
            vec![1, 2],
        ),
        (format!("{}\n{MARK}\n", key(7, "A5")), vec![7]),
    ] {
        let file = Place::with(&text).read().unwrap();
        assert_eq!(versions(&file), expected, "{text}");
        assert_eq!(file.keys().site_mark().bytes(), [0xB5, 0x43], "{text}");
    }
}

#[test]
fn a_bad_line_is_named_by_its_number_with_a_remedy_and_without_what_it_says() {
    let first = format!("key 1 {KEY}\n");
    let almost = &KEY[1..];
    let cases = [
        (format!("{first}{almost}\n"), 2, "64 hex digits"),
        (
            format!("{first}key 2 {almost}g\n"),
            2,
            "copy the line again",
        ),
        (format!("{first}key 0 {KEY}\n"), 2, "1 to 255"),
        (format!("{first}key 256 {KEY}\n"), 2, "1 to 255"),
        (format!("{first}key +2 {KEY}\n"), 2, "1 to 255"),
        (format!("{first}key {KEY}\n"), 2, "write it as `key 1`"),
        (format!("{first}kee 2 {KEY}\n"), 2, "begin the line with #"),
        (
            format!("{first}key 2 {} {}\n", &KEY[..32], &KEY[32..]),
            2,
            "without spaces",
        ),
        (format!("{first}{}\n", key(1, "a5")), 2, "a second time"),
        (
            format!("{first}key 2 {}\n", KEY.to_uppercase()),
            2,
            "another version",
        ),
        (
            format!("{first}{}\n", "a5".repeat(32)),
            2,
            "needs its version",
        ),
        (
            format!("{KEY}\n\n{}\n", key(2, "a5")),
            3,
            "needs its version",
        ),
        (format!("{first}{}\n", key(2, "00")), 2, "zeros"),
        (format!("{first}site-mark B5\n"), 2, "4 hex digits"),
        (format!("{MARK}\n{MARK}\n{first}"), 2, "second site mark"),
    ];
    for (text, line, told) in cases {
        let refusal = Place::with(&text).refusal();
        let place = format!("site.key, line {line}: ");
        assert!(
            refusal.contains(&place) && refusal.contains(told),
            "{text}{refusal}"
        );
        assert!(!refusal.contains(&KEY[20..30]), "{refusal}");
    }
}

#[test]
fn lines_that_are_no_ring_together_are_refused_with_the_reason() {
    let cause = |text: &str| {
        let error = Place::with(text).read().unwrap_err();
        assert_eq!(error.kind(), "key_file_invalid");
        std::error::Error::source(&error).unwrap().to_string()
    };
    assert!(cause("# nothing\n").contains("keys generate"));
    assert!(cause(&key(2, "a5")).contains("site mark is not known"));
    assert!(cause(&format!("site-mark 0000\nkey 1 {KEY}")).contains("remove the mark"));
}

#[test]
fn what_is_no_key_file_is_refused_at_once() {
    let place = Place::with([0xFF, 0xFE, 0x00]);
    assert!(place.refusal().contains("is no key file"));
    let place = Place::with("#".repeat(MAX_LENGTH + 1));
    assert!(place.refusal().contains("is no key file"));
    let place = Place::new();
    assert!(place.refusal().contains("keys generate"));
    std::fs::create_dir(place.path()).unwrap();
    assert!(place.refusal().contains("is no file"));
    assert!(KeyFile::read(Path::new("/dev/zero")).is_err());
    // A pipe that nobody writes to would otherwise be waited for.
    let place = Place::new();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path(), mode).unwrap();
    assert!(place.refusal().contains("is no file"));
}

#[test]
fn a_key_file_is_this_users_alone_and_a_systemd_credential_may_have_an_access_list() {
    let place = Place::with(KEY);
    for (mode, refused) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
        place.set_mode(mode);
        let read = place.read();
        assert_eq!(read.is_err(), refused, "{mode:o}");
        if let Err(error) = read {
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }
    place.set_mode(0o440);
    let metadata = std::fs::metadata(place.path()).unwrap();
    assert!(is_exposed(&place.path(), &metadata));
    let credential = Path::new("/run/credentials/cardbridge.service/site.key");
    assert!(!is_exposed(credential, &metadata));
    place.set_mode(0o444);
    assert!(is_exposed(
        credential,
        &std::fs::metadata(place.path()).unwrap()
    ));
}

#[test]
fn a_new_key_is_random_has_mode_0600_and_takes_the_place_of_nothing() {
    let (one, other) = (Place::new(), Place::new());
    let made = KeyFile::create(&one.path()).unwrap();
    let second = KeyFile::create(&other.path()).unwrap();
    assert_ne!(
        made.keys().check_values().next(),
        second.keys().check_values().next()
    );
    assert_eq!((one.mode(), versions(&made)), (0o600, vec![1]));
    assert_eq!(one.names(), ["site.key"]);

    let before = one.text();
    let refused = KeyFile::create(&one.path()).unwrap_err();
    assert_eq!(refused.kind(), "key_file_exists");
    assert_eq!(one.text(), before);
    let place = Place::new();
    symlink("nowhere", place.path()).unwrap();
    assert_eq!(
        KeyFile::create(&place.path()).unwrap_err().kind(),
        "key_file_exists"
    );
    let nowhere = place.folder.path().join("no/such/folder");
    assert_eq!(
        KeyFile::create(&nowhere).unwrap_err().kind(),
        "key_file_not_written"
    );
}

#[test]
fn rolling_adds_a_version_and_keeps_comments_mode_mark_and_the_older_keys() {
    let place = Place::with(format!("# Hotel\n{KEY} # from the safe\n# end"));
    place.set_mode(0o400);
    let rolled = place.read().unwrap().roll().unwrap();
    assert_eq!(versions(&rolled), [1, 2]);
    let text = place.text();
    let kept = format!("# Hotel\n{MARK}\nkey 1 {KEY} # from the safe\n# end\nkey 2 ");
    assert!(text.starts_with(&kept), "{text}");
    assert_eq!((place.mode(), place.names().len()), (0o400, 1));
    let again = rolled.roll().unwrap();
    assert_eq!(versions(&again), [1, 2, 3]);
    assert!(
        place.text().starts_with(&text),
        "what was there stays as it was"
    );

    let last = Place::with(format!("{MARK}\n{}\n", key(255, "a5")))
        .read()
        .unwrap();
    assert!(matches!(last.roll(), Err(KeyFileError::NoMoreVersions(_))));
}

#[test]
fn an_old_version_is_dropped_and_the_site_mark_stays() {
    let place = Place::with(format!("# Hotel\nkey 1 {KEY}\n{}\n", key(2, "a5")));
    let version = |number| KeyVersion::new(number).unwrap();
    let file = place.read().unwrap();
    let mark = file.keys().site_mark();
    let refused = file.drop_version(version(2)).unwrap_err();
    assert!(matches!(
        refused,
        KeyFileError::NewestVersion { version: 2, .. }
    ));
    let refused = file.drop_version(version(3)).unwrap_err();
    assert!(matches!(
        refused,
        KeyFileError::NoSuchVersion { version: 3, .. }
    ));
    let dropped = file.drop_version(version(1)).unwrap();
    assert_eq!(versions(&dropped), [2]);
    assert_eq!(dropped.keys().site_mark(), mark);
    assert_eq!(place.text(), format!("# Hotel\n{MARK}\n{}\n", key(2, "a5")));
}

#[test]
fn rolling_through_a_link_leaves_the_link() {
    let place = Place::with(KEY);
    let link = place.folder.path().join("link");
    symlink("site.key", &link).unwrap();
    let rolled = KeyFile::read(&link).unwrap().roll().unwrap();
    assert_eq!(versions(&rolled), [1, 2]);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(versions(&place.read().unwrap()), [1, 2]);
}

#[test]
fn of_two_commands_that_change_the_file_at_a_time_one_is_told_so() {
    let place = Place::with(KEY);
    let (one, other) = (place.read().unwrap(), place.read().unwrap());
    one.roll().unwrap();
    let text = place.text();
    assert!(matches!(other.roll(), Err(KeyFileError::BeingChanged(_))));
    assert_eq!(place.text(), text);
}

#[test]
fn no_key_shows_itself() {
    let file = Place::with(KEY).read().unwrap();
    let shown = format!("{file:?}");
    assert!(!shown.contains(&KEY[..8]), "{shown}");
}
