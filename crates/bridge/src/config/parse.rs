//! From TOML to a configuration, key by key, each with its line.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use card::{KeyVersion, SiteKey, SiteKeys};
use encoder::{Registry, SettingsError, Value};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};
use zeroize::Zeroizing;

use super::{Config, ConfigError, EncoderConfig, HubConfig, Token};

/// The file as a whole, to turn places in it into lines.
struct File<'a> {
    text: &'a str,
    path: &'a Path,
}

/// One table of the file, whose keys are taken out one by one; what is left at the end is unknown.
struct Section<'a, 'f> {
    file: &'f File<'a>,
    name: &'static str,
    table: DeTable<'a>,
    known: Vec<&'static str>,
}

type Item<'a> = Spanned<DeValue<'a>>;

pub(super) fn parse(text: &str, origin: &Path, registry: &Registry) -> Result<Config, ConfigError> {
    let file = File { text, path: origin };
    let table = DeTable::parse(text).map_err(|error| {
        file.wrong(
            error.span().map_or(0, |span| span.start),
            error.message(),
            "see the example in docs/operating.md",
        )
    })?;
    let mut top = Section {
        file: &file,
        name: "",
        table: table.into_inner(),
        known: Vec::new(),
    };
    let hub = top.section("hub")?.map(hub).transpose()?;
    let keys = match top.section("site")? {
        Some(site) => site_keys(site)?,
        None => {
            return Err(file.missing(
                "the [site] section is missing",
                "add [site] with key or key_file",
            ));
        }
    };
    let mut bridge = top
        .section("bridge")?
        .unwrap_or_else(|| Section::empty(&file, "bridge"));
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
        hub,
        keys,
        encoders: top
            .sections("encoder")?
            .into_iter()
            .map(|entry| encoder(entry, registry))
            .collect::<Result<_, _>>()?,
    };
    bridge.finish()?;
    top.finish()?;
    Ok(config)
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
    section.finish()?;
    Ok(HubConfig {
        url,
        token: Token::new(token.trim().to_owned()),
    })
}

fn site_keys(mut section: Section<'_, '_>) -> Result<SiteKeys, ConfigError> {
    let at = section
        .line_of("key")
        .or(section.line_of("key_file"))
        .unwrap_or_default();
    let remedy =
        "write the site's 64 hex digits, or key_file with the path of a file that holds them";
    let key = section.secret("key", "key_file", remedy)?;
    let key = SiteKey::from_hex(key.trim()).map_err(|error| {
        section
            .file
            .wrong(at, &error.to_string(), "correct the site key")
    })?;
    let version = match section.take("key_version") {
        None => KeyVersion::FIRST,
        Some(item) => u8::try_from(section.file.integer_of("key_version", &item)?)
            .ok()
            .and_then(KeyVersion::new)
            .ok_or_else(|| {
                section.file.wrong(
                    item.span().start,
                    "`key_version` is 1 to 255",
                    "write 1 for the first key",
                )
            })?,
    };
    section.finish()?;
    Ok(SiteKeys::new(version, key))
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
    let keys: Vec<(String, usize)> = section
        .table
        .iter()
        .map(|(key, _)| (key.get_ref().to_string(), key.span().start))
        .collect();
    let settings = section
        .table
        .into_iter()
        .map(|(key, item)| {
            Ok((
                key.get_ref().to_string(),
                file.value_of(key.get_ref(), &item)?,
            ))
        })
        .collect::<Result<_, ConfigError>>()?;
    let selector = driver.configure(&settings).map_err(
        |SettingsError {
             key,
             problem,
             remedy,
         }| {
            let at = key
                .and_then(|key| keys.iter().find(|(name, _)| *name == key))
                .map_or(start, |(_, at)| *at);
            file.wrong(at, &problem, &remedy)
        },
    )?;
    Ok(EncoderConfig {
        driver: driver_name,
        name,
        selector,
        settings,
    })
}

fn host_name() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().into_owned()
}

impl<'a> File<'a> {
    fn wrong(&self, at: usize, problem: &str, remedy: &str) -> ConfigError {
        let before = self.text.get(..at).unwrap_or(self.text);
        ConfigError::Wrong {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    fn missing(&self, problem: &str, remedy: &str) -> ConfigError {
        ConfigError::Missing {
            path: self.path.to_owned(),
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    fn mistyped(&self, key: &str, expected: &str, item: &Item<'_>) -> ConfigError {
        self.wrong(
            item.span().start,
            &format!("`{key}` must be {expected}"),
            "change its value",
        )
    }

    fn text_of(&self, key: &str, item: &Item<'_>) -> Result<String, ConfigError> {
        match item.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.mistyped(key, "text in quotes", item)),
        }
    }

    fn integer_of(&self, key: &str, item: &Item<'_>) -> Result<i64, ConfigError> {
        match item.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        }
        .ok_or_else(|| self.mistyped(key, "a whole number", item))
    }

    fn value_of(&self, key: &str, item: &Item<'_>) -> Result<Value, ConfigError> {
        match item.get_ref() {
            DeValue::String(text) => Ok(Value::Text(text.to_string())),
            DeValue::Boolean(truth) => Ok(Value::Boolean(*truth)),
            DeValue::Integer(_) => self.integer_of(key, item).map(Value::Integer),
            _ => Err(self.mistyped(key, "text, a whole number, or true or false", item)),
        }
    }

    /// Reads a file that holds a secret. One that others may read is refused: it is no secret.
    fn secret_file(&self, at: usize, path: &Path) -> Result<Zeroizing<String>, ConfigError> {
        let shown = path.display();
        let metadata = std::fs::metadata(path).map_err(|error| {
            self.wrong(
                at,
                &format!("{shown} cannot be read ({error})"),
                "check the path and its owner",
            )
        })?;
        if metadata.permissions().mode() & 0o077 != 0 {
            let problem = format!("{shown} may be read by other users");
            return Err(self.wrong(at, &problem, &format!("run `chmod 600 {shown}`")));
        }
        std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| {
                self.wrong(
                    at,
                    &format!("{shown} cannot be read ({error})"),
                    "check the path and its owner",
                )
            })
    }
}

impl<'a, 'f> Section<'a, 'f> {
    fn empty(file: &'f File<'a>, name: &'static str) -> Self {
        Self {
            file,
            name,
            table: DeTable::new(),
            known: Vec::new(),
        }
    }

    fn take(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.known.push(key);
        self.table.remove(key)
    }

    /// Where a key stands in the file.
    fn line_of(&self, key: &str) -> Option<usize> {
        self.table.get(key).map(|item| item.span().start)
    }

    fn required(&mut self, key: &'static str, remedy: &str) -> Result<Item<'a>, ConfigError> {
        let name = self.name;
        self.take(key).ok_or_else(|| {
            self.file
                .missing(&format!("[{name}] has no `{key}`"), remedy)
        })
    }

    fn text(&mut self, key: &'static str) -> Result<Option<String>, ConfigError> {
        self.take(key)
            .map(|item| self.file.text_of(key, &item))
            .transpose()
    }

    fn boolean(&mut self, key: &'static str) -> Result<Option<bool>, ConfigError> {
        self.take(key)
            .map(|item| match item.get_ref() {
                DeValue::Boolean(truth) => Ok(*truth),
                _ => Err(self.file.mistyped(key, "true or false", &item)),
            })
            .transpose()
    }

    /// A path; a relative one starts from the folder that the file lies in.
    fn path(&mut self, key: &'static str) -> Result<Option<PathBuf>, ConfigError> {
        let folder = self.file.path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(self.text(key)?.map(|text| folder.join(text)))
    }

    /// A secret, written here or in a file of its own.
    fn secret(
        &mut self,
        key: &'static str,
        file_key: &'static str,
        remedy: &str,
    ) -> Result<Zeroizing<String>, ConfigError> {
        let here = self.take(key);
        let at = self.line_of(file_key).unwrap_or_default();
        match (here, self.path(file_key)?) {
            (Some(item), None) => self.file.text_of(key, &item).map(Zeroizing::new),
            (None, Some(path)) => self.file.secret_file(at, &path),
            (Some(_), Some(_)) => Err(self.file.wrong(
                at,
                &format!("`{key}` and `{file_key}` are both given"),
                "keep one of them",
            )),
            (None, None) => Err(self
                .file
                .missing(&format!("[{}] has no `{key}`", self.name), remedy)),
        }
    }

    fn section(&mut self, key: &'static str) -> Result<Option<Section<'a, 'f>>, ConfigError> {
        let Some(item) = self.take(key) else {
            return Ok(None);
        };
        match item.into_inner() {
            DeValue::Table(table) => Ok(Some(Section {
                file: self.file,
                name: key,
                table,
                known: Vec::new(),
            })),
            _ => Err(self.file.missing(
                &format!("`{key}` is not a section"),
                &format!("write [{key}] on a line of its own"),
            )),
        }
    }

    fn sections(&mut self, key: &'static str) -> Result<Vec<Section<'a, 'f>>, ConfigError> {
        let Some(item) = self.take(key) else {
            return Ok(Vec::new());
        };
        let at = item.span().start;
        let wrong = || {
            self.file.wrong(
                at,
                &format!("`{key}` is not a list"),
                &format!("write [[{key}]], with two brackets"),
            )
        };
        let DeValue::Array(entries) = item.into_inner() else {
            return Err(wrong());
        };
        entries
            .into_iter()
            .map(|entry| match entry.into_inner() {
                DeValue::Table(table) => Ok(Section {
                    file: self.file,
                    name: key,
                    table,
                    known: Vec::new(),
                }),
                _ => Err(wrong()),
            })
            .collect()
    }

    /// Refuses what nobody asked for.
    fn finish(self) -> Result<(), ConfigError> {
        let Some(key) = self
            .table
            .keys()
            .min_by_key(|key: &&Spanned<DeString<'_>>| key.span().start)
        else {
            return Ok(());
        };
        let place = if self.name.is_empty() {
            "the file".to_owned()
        } else {
            format!("[{}]", self.name)
        };
        Err(self.file.wrong(
            key.span().start,
            &format!("{place} has no setting `{}`", key.get_ref()),
            &format!("it knows {}", self.known.join(", ")),
        ))
    }
}
