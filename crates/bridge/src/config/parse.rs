//! From TOML to a configuration, key by key, each with its line.

use std::path::{Path, PathBuf};

use card::{KeyVersion, SiteKey, SiteKeys};
use encoder::{Probing, Registry, SettingsError};
use toml::de::DeTable;

use super::reader::{File, Secret, Section};
use super::{Config, ConfigError, EncoderConfig, HubConfig, SiteKeySource, Token};
use crate::key_file::KeyFile;

pub(super) fn parse(text: &str, origin: &Path, registry: &Registry) -> Result<Config, ConfigError> {
    let file = File { text, path: origin };
    let mut top = Section::new(&file, "", toml(&file)?);
    let hub = top.section("hub")?.map(hub).transpose()?;
    let keys = match top.section("site")? {
        Some(site) => site_keys(site)?,
        None => return Err(no_site(&file)),
    };
    let mut bridge = top
        .section("bridge")?
        .unwrap_or_else(|| Section::new(&file, "bridge", DeTable::new()));
    let state_directory = bridge
        .path("state_dir")?
        .unwrap_or_else(|| PathBuf::from("/var/lib/cardbridge"));
    let config = Config {
        name: bridge.text("name")?.unwrap_or_else(host_name),
        socket: bridge
            .path("socket")?
            .unwrap_or_else(|| state_directory.join("cardbridge.sock")),
        state_directory,
        personalise_blank: bridge.boolean("personalise_blank")?.unwrap_or(true),
        discover: bridge.boolean("discover")?.unwrap_or(true),
        probing: match bridge.boolean("probe")? {
            Some(true) => Probing::Allowed,
            Some(false) | None => Probing::Forbidden,
        },
        hub,
        keys,
        encoders: encoders(&mut top, registry)?,
    };
    bridge.finish()?;
    top.finish()?;
    Ok(config)
}

fn toml<'a>(file: &File<'a>) -> Result<DeTable<'a>, ConfigError> {
    DeTable::parse(file.text)
        .map(toml::Spanned::into_inner)
        .map_err(|error| {
            file.wrong(
                error.span().map_or(0, |span| span.start),
                error.message(),
                "see the example in docs/operating.md",
            )
        })
}

fn hub(mut section: Section<'_, '_>) -> Result<HubConfig, ConfigError> {
    let url = section.required(
        "url",
        "write the hub's address, url = \"https://hub.example.com\"",
    )?;
    let at = url.span().start;
    let url =
        section
            .file
            .text_of("url", &url)?
            .parse()
            .map_err(|error: super::InvalidHubUrl| {
                section
                    .file
                    .wrong(at, &error.to_string(), "correct [hub] url")
            })?;
    let remedy = "write the token that `cardbridge admin init` printed, or token_file with the path of a file that holds it";
    let token = section.secret("token", "token_file", remedy)?;
    if token.trim().starts_with("seam_") {
        let problem = "this token is an API key, and a bridge needs a token of its own";
        return Err(section.file.wrong(
            at,
            problem,
            "write the [hub] token that `cardbridge admin init` printed",
        ));
    }
    section.finish()?;
    Ok(HubConfig {
        url,
        token: Token::new(token.trim().to_owned()),
    })
}

pub(super) fn site_key_source(text: &str, origin: &Path) -> Result<SiteKeySource, ConfigError> {
    let file = File { text, path: origin };
    let mut top = Section::new(&file, "", toml(&file)?);
    match top.section("site")? {
        Some(site) => site_key(site).map(|(source, _)| source),
        None => Err(no_site(&file)),
    }
}

fn no_site(file: &File<'_>) -> ConfigError {
    file.missing(
        "the [site] section is missing",
        "add [site] with key_file, and make the file with `cardbridge keys generate`",
    )
}

/// Where the key stands, and the place in the configuration that says so.
fn site_key(mut section: Section<'_, '_>) -> Result<(SiteKeySource, usize), ConfigError> {
    let remedy = "write key_file with the path of the key file; `cardbridge keys generate --file PATH` makes one";
    let (at, source) = match section.secret_source("key", "key_file", remedy)? {
        (at, Secret::File(path)) => (at, SiteKeySource::File(path)),
        (at, Secret::Here(key)) => {
            let key = key.trim();
            if key.len() == 64 && key.bytes().all(|digit| digit == b'0') {
                let remedy = "make one with `cardbridge keys generate`";
                return Err(section
                    .file
                    .wrong(at, "a site key of zeros is no secret", remedy));
            }
            let key = SiteKey::from_hex(key).map_err(|error| {
                section
                    .file
                    .wrong(at, &error.to_string(), "correct the site key")
            })?;
            let keys = SiteKeys::new(KeyVersion::FIRST, key);
            (at, SiteKeySource::Configuration(keys))
        }
    };
    section.finish()?;
    Ok((source, at))
}

fn site_keys(section: Section<'_, '_>) -> Result<SiteKeys, ConfigError> {
    let file = section.file;
    match site_key(section)? {
        (SiteKeySource::Configuration(keys), _) => Ok(keys),
        (SiteKeySource::File(path), at) => match KeyFile::read(&path) {
            Ok(key_file) => Ok(key_file.keys().clone()),
            Err(source) => Err(ConfigError::KeyFile {
                path: file.path.to_owned(),
                line: file.line(at),
                source,
            }),
        },
    }
}

fn encoders(
    top: &mut Section<'_, '_>,
    registry: &Registry,
) -> Result<Vec<EncoderConfig>, ConfigError> {
    let mut encoders: Vec<EncoderConfig> = Vec::new();
    for entry in top.sections("encoder")? {
        let file = entry.file;
        let at = entry
            .lines()
            .iter()
            .map(|(_, at)| *at)
            .min()
            .unwrap_or_default();
        let encoder = encoder(entry, registry)?;
        let is_double = |other: &EncoderConfig| {
            other.selector == encoder.selector
                || (other.name.is_some() && other.name == encoder.name)
        };
        if encoders.iter().any(is_double) {
            let problem = "this encoder has the device or the name of an earlier one";
            return Err(file.wrong(
                at,
                problem,
                "give each encoder a device and a name of its own",
            ));
        }
        encoders.push(encoder);
    }
    Ok(encoders)
}

fn encoder(
    mut section: Section<'_, '_>,
    registry: &Registry,
) -> Result<EncoderConfig, ConfigError> {
    let file = section.file;
    let names = || {
        registry
            .drivers()
            .map(|driver| driver.name())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let item = section.required("driver", &format!("write one of {}", names()))?;
    let start = item.span().start;
    let driver_name = file.text_of("driver", &item)?;
    let driver = registry.driver(&driver_name).ok_or_else(|| {
        file.wrong(
            start,
            &format!("there is no driver `{driver_name}`"),
            &format!("write one of {}", names()),
        )
    })?;
    let name = section.text("name")?;
    if name.as_deref().is_some_and(|name| name.trim().is_empty()) {
        return Err(file.wrong(
            start,
            "this encoder's name is empty",
            "write what people call it, or leave `name` out",
        ));
    }
    let record = section.path("record")?;
    let lines = section.lines();
    let settings = section.settings()?;
    let selector = driver.configure(&settings).map_err(
        |SettingsError {
             key,
             problem,
             remedy,
         }| {
            let at = key
                .and_then(|key| lines.iter().find(|(name, _)| *name == key))
                .map_or(start, |(_, at)| *at);
            file.wrong(at, &problem, &remedy)
        },
    )?;
    Ok(EncoderConfig {
        driver: driver_name,
        name,
        selector,
        settings,
        record,
    })
}

fn host_name() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().into_owned()
}
