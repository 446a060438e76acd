//! Reads TOML key by key, each with the line it stands on, and refuses what nobody asked for.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use encoder::{Settings, Value};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};
use zeroize::Zeroizing;

use super::ConfigError;

/// A value and where it stands.
pub(super) type Item<'a> = Spanned<DeValue<'a>>;

/// The file as a whole, to turn places in it into lines.
pub(super) struct File<'a> {
    pub(super) text: &'a str,
    pub(super) path: &'a Path,
}

/// Where a secret stands.
pub(super) enum Secret {
    /// In the configuration.
    Here(Zeroizing<String>),
    /// In a file of its own.
    File(PathBuf),
}

/// One table of the file, whose keys are taken out one by one; what is left at the end is unknown.
pub(super) struct Section<'a, 'f> {
    pub(super) file: &'f File<'a>,
    name: &'static str,
    table: DeTable<'a>,
    known: Vec<&'static str>,
}

impl<'a> File<'a> {
    /// The line of a place, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or(self.text);
        before.matches('\n').count() + 1
    }

    pub(super) fn wrong(&self, at: usize, problem: &str, remedy: &str) -> ConfigError {
        ConfigError::Wrong {
            path: self.path.to_owned(),
            line: self.line(at),
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    pub(super) fn missing(&self, problem: &str, remedy: &str) -> ConfigError {
        ConfigError::Missing {
            path: self.path.to_owned(),
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    pub(super) fn mistyped(&self, key: &str, expected: &str, item: &Item<'_>) -> ConfigError {
        self.wrong(
            item.span().start,
            &format!("`{key}` must be {expected}"),
            "change its value",
        )
    }

    pub(super) fn text_of(&self, key: &str, item: &Item<'_>) -> Result<String, ConfigError> {
        match item.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.mistyped(key, "text in quotes", item)),
        }
    }

    pub(super) fn integer_of(&self, key: &str, item: &Item<'_>) -> Result<i64, ConfigError> {
        match item.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        }
        .ok_or_else(|| self.mistyped(key, "a whole number", item))
    }

    pub(super) fn value_of(&self, key: &str, item: &Item<'_>) -> Result<Value, ConfigError> {
        match item.get_ref() {
            DeValue::String(text) => Ok(Value::Text(text.to_string())),
            DeValue::Boolean(truth) => Ok(Value::Boolean(*truth)),
            DeValue::Integer(_) => self.integer_of(key, item).map(Value::Integer),
            _ => Err(self.mistyped(key, "text, a whole number, or true or false", item)),
        }
    }

    /// Says so when a secret stands in a configuration that other users may read.
    fn warn_if_readable(&self, key: &str, file_key: &str) {
        let readable =
            std::fs::metadata(self.path).is_ok_and(|found| found.permissions().mode() & 0o007 != 0);
        if readable {
            tracing::warn!(
                file = %self.path.display(),
                "`{key}` stands in a file that other users may read; run `chmod 600` on it, or use `{file_key}`"
            );
        }
    }

    /// Reads a file that holds a secret. One that others may read is refused: it is no secret.
    pub(super) fn secret_file(
        &self,
        at: usize,
        path: &Path,
    ) -> Result<Zeroizing<String>, ConfigError> {
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
    pub(super) fn new(file: &'f File<'a>, name: &'static str, table: DeTable<'a>) -> Self {
        Self {
            file,
            name,
            table,
            known: Vec::new(),
        }
    }

    /// Every key that is left, with its place.
    pub(super) fn lines(&self) -> Vec<(String, usize)> {
        self.table
            .iter()
            .map(|(key, _)| (key.get_ref().to_string(), key.span().start))
            .collect()
    }

    /// Every key that is left, as the settings of a driver, which refuses what it does not know.
    pub(super) fn settings(self) -> Result<Settings, ConfigError> {
        let value = |(key, item): (Spanned<DeString<'a>>, Item<'a>)| {
            let key = key.into_inner();
            Ok((key.to_string(), self.file.value_of(&key, &item)?))
        };
        self.table.into_iter().map(value).collect()
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.known.push(key);
        self.table.remove(key)
    }

    /// Where a key stands in the file.
    pub(super) fn line_of(&self, key: &str) -> Option<usize> {
        self.table.get(key).map(|item| item.span().start)
    }

    pub(super) fn required(
        &mut self,
        key: &'static str,
        remedy: &str,
    ) -> Result<Item<'a>, ConfigError> {
        let name = self.name;
        self.take(key).ok_or_else(|| {
            self.file
                .missing(&format!("[{name}] has no `{key}`"), remedy)
        })
    }

    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<String>, ConfigError> {
        self.take(key)
            .map(|item| self.file.text_of(key, &item))
            .transpose()
    }

    pub(super) fn boolean(&mut self, key: &'static str) -> Result<Option<bool>, ConfigError> {
        self.take(key)
            .map(|item| match item.get_ref() {
                DeValue::Boolean(truth) => Ok(*truth),
                _ => Err(self.file.mistyped(key, "true or false", &item)),
            })
            .transpose()
    }

    /// A path; a relative one starts from the folder that the file lies in.
    pub(super) fn path(&mut self, key: &'static str) -> Result<Option<PathBuf>, ConfigError> {
        let folder = self.file.path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(self.text(key)?.map(|text| folder.join(text)))
    }

    /// A secret, written here or in a file of its own, and where that is said.
    pub(super) fn secret_source(
        &mut self,
        key: &'static str,
        file_key: &'static str,
        remedy: &str,
    ) -> Result<(usize, Secret), ConfigError> {
        let at = self
            .line_of(key)
            .or(self.line_of(file_key))
            .unwrap_or_default();
        let here = self.take(key);
        match (here, self.path(file_key)?) {
            (Some(item), None) => {
                self.file.warn_if_readable(key, file_key);
                let secret = self.file.text_of(key, &item).map(Zeroizing::new)?;
                Ok((at, Secret::Here(secret)))
            }
            (None, Some(path)) => Ok((at, Secret::File(path))),
            (Some(_), Some(_)) => Err(self.file.wrong(
                at,
                &format!("`{key}` and `{file_key}` are both given"),
                "keep one of them",
            )),
            (None, None) => Err(self
                .file
                .missing(&format!("[{}] has no `{file_key}`", self.name), remedy)),
        }
    }

    /// A secret, read from its file where it has one.
    pub(super) fn secret(
        &mut self,
        key: &'static str,
        file_key: &'static str,
        remedy: &str,
    ) -> Result<Zeroizing<String>, ConfigError> {
        match self.secret_source(key, file_key, remedy)? {
            (_, Secret::Here(secret)) => Ok(secret),
            (at, Secret::File(path)) => self.file.secret_file(at, &path),
        }
    }

    pub(super) fn section(
        &mut self,
        key: &'static str,
    ) -> Result<Option<Section<'a, 'f>>, ConfigError> {
        let Some(item) = self.take(key) else {
            return Ok(None);
        };
        match item.into_inner() {
            DeValue::Table(table) => Ok(Some(Section::new(self.file, key, table))),
            _ => Err(self.file.missing(
                &format!("`{key}` is not a section"),
                &format!("write [{key}] on a line of its own"),
            )),
        }
    }

    pub(super) fn sections(
        &mut self,
        key: &'static str,
    ) -> Result<Vec<Section<'a, 'f>>, ConfigError> {
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
                DeValue::Table(table) => Ok(Section::new(self.file, key, table)),
                _ => Err(wrong()),
            })
            .collect()
    }

    /// Refuses what nobody asked for.
    pub(super) fn finish(self) -> Result<(), ConfigError> {
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
