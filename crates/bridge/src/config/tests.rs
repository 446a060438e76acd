//! Good files are taken; bad ones are refused with line, key and remedy.

use std::error::Error as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use encoder::{
    Changed, Driver, Encoder, Error, ErrorKind, Listing, Opening, Probing, Registry, Selector,
    Settings, SettingsError,
};

use super::{Config, ConfigError, SiteKeySource};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A driver that knows `port` and opens nothing.
struct Wired;

impl Driver for Wired {
    fn name(&self) -> &'static str {
        "wired"
    }
    fn configure(&self, settings: &Settings) -> Result<Selector, SettingsError> {
        settings.only(&["port"])?;
        let port = settings
            .text("port")?
            .ok_or_else(|| SettingsError::missing("port", "write the port's path"))?;
        Ok(Selector::Port(PathBuf::from(port)))
    }
    fn list(&self, _: Probing, _: &[Selector]) -> Vec<Listing> {
        Vec::new()
    }
    fn look_up(&self, _: &Selector) -> Listing {
        unreachable!("reading a configuration looks nothing up")
    }
    fn open(&self, _: &Selector, _: &Opening) -> Result<Encoder, Error> {
        Err(Error::new(ErrorKind::Absent))
    }
    fn watch(&self, _: &[(Selector, Settings)], _: Changed) -> Result<Box<dyn Send>, Error> {
        Ok(Box::new(Arc::new(())))
    }
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(
        text,
        Path::new("/etc/cardbridge/bridge.toml"),
        &Registry::new().with(Wired),
    )
}

fn refusal(text: &str) -> String {
    parse(text)
        .expect_err("the configuration is wrong")
        .to_string()
}

#[test]
fn a_whole_configuration_is_taken() {
    let config = parse(&format!(
        "[hub]\nurl = \"https://hub.example.com/\"\ntoken = \"t0ken\"\n[site]\nkey = \"{KEY}\"\n\
         [bridge]\nname = \"Front Desk PC\"\nstate_dir = \"state\"\npersonalise_blank = false\ndiscover = false\nprobe = true\n\
         [[encoder]]\ndriver = \"wired\"\nport = \"/dev/ttyUSB0\"\nname = \"Front Desk\"\nrecord = \"wire\"\n"
    ))
    .unwrap();
    assert_eq!(config.name, "Front Desk PC");
    assert_eq!(config.state_directory, Path::new("/etc/cardbridge/state"));
    assert_eq!(
        config.socket,
        Path::new("/etc/cardbridge/state/cardbridge.sock")
    );
    assert!(!config.personalise_blank && !config.discover);
    assert_eq!(config.probing, Probing::Allowed);
    let record = config.encoders[0].record.as_deref();
    assert_eq!(record, Some(Path::new("/etc/cardbridge/wire")));
    assert_eq!(config.keys.newest().get(), 1);
    let hub = config.hub.unwrap();
    assert_eq!(
        (hub.url.to_string().as_str(), hub.token.expose()),
        ("https://hub.example.com", "t0ken")
    );
    assert_eq!(config.encoders[0].name.as_deref(), Some("Front Desk"));
    assert_eq!(
        config.encoders[0].selector,
        Selector::Port("/dev/ttyUSB0".into())
    );
}

#[test]
fn a_site_key_is_all_that_a_bridge_without_a_hub_needs() {
    let config = parse(&format!("[site]\nkey = \"{KEY}\"\n")).unwrap();
    assert!(config.hub.is_none() && config.encoders.is_empty());
    assert!(config.discover && config.personalise_blank);
    assert_eq!(config.probing, Probing::Forbidden);
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_a_remedy() {
    let site = format!("[site]\nkey = \"{KEY}\"\n");
    let cases = [
        ("[site\n", "line 1:", "docs/operating.md"),
        ("", "[site] section is missing", "add [site]"),
        ("[site]\n", "has no `key_file`", "cardbridge keys generate"),
        (
            "[site]\nkey = \"abc\"\n",
            "line 2: a site key has 32 bytes",
            "correct the site key",
        ),
        (
            "[site]\nkey = \"0000000000000000000000000000000000000000000000000000000000000000\"\n",
            "line 2: a site key of zeros",
            "keys generate",
        ),
        (
            &format!("{site}[hub]\nurl = \"https://hub.example.com\"\ntoken = \"seam_a_b\"\n"),
            "this token is an API key",
            "admin init",
        ),
        (
            &format!("{site}[[encoder]]\ndriver = \"wired\"\nport = \"/a\"\nname = \"\"\n"),
            "line 4: this encoder's name is empty",
            "leave `name` out",
        ),
        (
            "[site]\nkey = 7\n",
            "line 2: `key` must be text",
            "change its value",
        ),
        (
            &format!("{site}kee = 1\n"),
            "line 3: [site] has no setting `kee`",
            "it knows key, key_file",
        ),
        (
            &format!("{site}[hubb]\n"),
            "line 3: the file has no setting `hubb`",
            "it knows hub, site, bridge, encoder",
        ),
        (
            &format!("{site}[hub]\nurl = \"http://hub.example.com\"\ntoken = \"t\"\n"),
            "line 4: plain http",
            "[hub] url",
        ),
        (
            &format!("{site}[hub]\nurl = \"https://hub.example.com\"\n"),
            "[hub] has no `token_file`",
            "admin init",
        ),
        (
            &format!("{site}[[encoder]]\nport = \"/dev/x\"\n"),
            "[encoder] has no `driver`",
            "write one of wired",
        ),
        (
            &format!("{site}[[encoder]]\ndriver = \"wird\"\n"),
            "line 4: there is no driver `wird`",
            "write one of wired",
        ),
        (
            &format!("{site}[[encoder]]\ndriver = \"wired\"\n\nprot = \"/dev/x\"\n"),
            "line 6: this driver has no setting `prot`",
            "it knows port",
        ),
        (
            &format!(
                "{site}[[encoder]]\ndriver = \"wired\"\nport = \"/a\"\n[[encoder]]\nport = \"/a\"\ndriver = \"wired\"\n"
            ),
            "line 7: this encoder has the device",
            "of its own",
        ),
        (
            &format!("{site}[encoder]\ndriver = \"wired\"\n"),
            "line 3: `encoder` is not a list",
            "two brackets",
        ),
    ];
    for (text, problem, remedy) in cases {
        let refusal = refusal(text);
        assert!(
            refusal.starts_with("/etc/cardbridge/bridge.toml"),
            "{refusal}"
        );
        assert!(
            refusal.contains(problem) && refusal.contains(remedy),
            "{text:?} was refused with {refusal:?}"
        );
    }
}

#[test]
fn a_refusal_never_repeats_a_key() {
    let almost = &KEY[1..];
    let refusal = refusal(&format!("[site]\nkey = \"{almost}\"\n"));
    assert!(!refusal.contains(almost), "{refusal}");
}

#[test]
fn what_is_wrong_with_the_key_file_is_told_with_the_line_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.key");
    std::fs::write(&path, format!("{KEY}\n")).unwrap();
    let read = || {
        let origin = folder.path().join("bridge.toml");
        Config::parse(
            "[site]\nkey_file = \"site.key\"\n",
            &origin,
            &Registry::new(),
        )
    };
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refusal = read().unwrap_err();
    assert!(refusal.to_string().contains("line 2:"), "{refusal}");
    let cause = refusal.source().unwrap().to_string();
    assert!(cause.contains("chmod 600"), "{cause}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(read().unwrap().keys.newest().get(), 1);
    let second = "key 2 ".to_owned() + &"5f".repeat(32);
    std::fs::write(&path, format!("key 1 {KEY}\n{second}\n")).unwrap();
    assert_eq!(read().unwrap().keys.newest().get(), 2);
}

#[test]
fn where_the_keys_stand_is_known_before_there_is_a_key_file() {
    let folder = tempfile::tempdir().unwrap();
    let origin = folder.path().join("bridge.toml");
    let source = |text: &str| {
        std::fs::write(&origin, text).unwrap();
        Config::site_key_source(&origin)
    };
    let found = source("[site]\nkey_file = \"site.key\"\n[[encoder]]\ndriver = \"any\"\n");
    let expected = folder.path().join("site.key");
    assert!(matches!(found, Ok(SiteKeySource::File(path)) if path == expected));
    let here = source(&format!("[site]\nkey = \"{KEY}\"\n")).unwrap();
    assert!(matches!(here, SiteKeySource::Configuration(_)));
    assert!(
        source("[bridge]\n")
            .unwrap_err()
            .to_string()
            .contains("[site]")
    );
}
