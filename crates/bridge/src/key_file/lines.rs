//! The lines of a key file, read and rewritten. What a line says is never repeated in what is wrong with it.

use std::path::Path;

use card::{KeyVersion, SiteKey, SiteKeys, SiteMark};
use zeroize::Zeroizing;

use super::KeyFileError;

const SITE_MARK: &str = "site-mark";
const KEY: &str = "key";

/// The text of a key file whose every line is right.
pub(super) struct Lines(Zeroizing<String>);

/// What one line says.
enum Line<'a> {
    /// Nothing, or a comment.
    Nothing,
    SiteMark(SiteMark),
    /// A key; `None` for the bare one, which is version 1.
    Key(Option<KeyVersion>, &'a str),
}

/// What is wrong with a line, and what to do.
type Wrong = (&'static str, &'static str);

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Result<Self, Wrong> {
        let said = line.split_once('#').map_or(line, |(said, _)| said);
        let words: Vec<&str> = said.split_whitespace().collect();
        match words[..] {
            [] => Ok(Self::Nothing),
            [SITE_MARK, mark] => site_mark(mark).map(Self::SiteMark),
            [SITE_MARK, ..] => Err(NO_MARK),
            [KEY, version, digits] => Ok(Self::Key(Some(key_version(version)?), digits)),
            [KEY, ..] => Err((
                "`key` is followed by a version and by 64 hex digits without spaces",
                "write it as `key 1` and the digits",
            )),
            [digits] if digits.len() > 32 => Ok(Self::Key(None, digits)),
            _ => Err((
                "this is no comment, no `key` and no `site-mark`",
                "write `key`, its version and its 64 hex digits, or begin the line with #",
            )),
        }
    }
}

const NO_MARK: Wrong = (
    "a site mark is 4 hex digits",
    "copy it from `cardbridge keys show-id` on another PC of the site",
);

fn site_mark(text: &str) -> Result<SiteMark, Wrong> {
    let mut bytes = [0; 2];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| NO_MARK)?;
    Ok(SiteMark::new(bytes))
}

fn key_version(text: &str) -> Result<KeyVersion, Wrong> {
    let is_number = text.bytes().all(|digit| digit.is_ascii_digit());
    let number = is_number.then(|| text.parse().ok()).flatten();
    number.and_then(KeyVersion::new).ok_or((
        "the version of a key is 1 to 255",
        "count from 1, as `cardbridge keys roll` does",
    ))
}

fn site_key(digits: &str) -> Result<SiteKey, Wrong> {
    let key = SiteKey::from_hex(digits).map_err(|_| {
        (
            "a site key is 64 hex digits, and this is not",
            "copy the line again from another PC of the site",
        )
    })?;
    if digits.bytes().all(|digit| digit == b'0') {
        return Err((
            "a site key of zeros is no secret",
            "make one with `cardbridge keys generate`",
        ));
    }
    Ok(key)
}

/// What was read of a file so far.
#[derive(Default)]
struct Read<'a> {
    mark: Option<SiteMark>,
    keys: Vec<(KeyVersion, SiteKey)>,
    digits: Vec<&'a str>,
    has_bare: bool,
}

impl<'a> Read<'a> {
    fn take(&mut self, line: Line<'a>) -> Result<(), Wrong> {
        match line {
            Line::Nothing => {}
            Line::SiteMark(mark) => {
                if self.mark.replace(mark).is_some() {
                    return Err((
                        "this is a second site mark",
                        "keep the one that `cardbridge keys show-id` shows on another PC of the site",
                    ));
                }
            }
            Line::Key(version, digits) => self.take_key(version, digits)?,
        }
        Ok(())
    }

    fn take_key(&mut self, version: Option<KeyVersion>, digits: &'a str) -> Result<(), Wrong> {
        let key = site_key(digits)?;
        if self.has_bare || (version.is_none() && !self.keys.is_empty()) {
            return Err((
                "beside other keys a key needs its version, and one before this or this one has none",
                "write `key 1` before the first",
            ));
        }
        self.has_bare = version.is_none();
        let version = version.unwrap_or(KeyVersion::FIRST);
        if self.keys.iter().any(|(known, _)| *known == version) {
            return Err((
                "this version stands in the file a second time",
                "keep the one whose check value `cardbridge keys show-id` shows on another PC of the site",
            ));
        }
        if self
            .digits
            .iter()
            .any(|known| known.eq_ignore_ascii_case(digits))
        {
            return Err((
                "this key stands in the file under another version already",
                "a rolled key is a new one; make it with `cardbridge keys roll`",
            ));
        }
        self.keys.push((version, key));
        self.digits.push(digits);
        Ok(())
    }
}

impl Lines {
    /// Takes a file's text, and the keys that it holds.
    pub(super) fn parse(
        text: Zeroizing<String>,
        path: &Path,
    ) -> Result<(Self, SiteKeys), KeyFileError> {
        let mut read = Read::default();
        for (at, line) in text.lines().enumerate() {
            let taken = Line::parse(line).and_then(|line| read.take(line));
            taken.map_err(|(problem, remedy)| KeyFileError::Line {
                path: path.to_owned(),
                line: at + 1,
                problem,
                remedy,
            })?;
        }
        let Read { mark, keys, .. } = read;
        let ring = SiteKeys::ring(keys, mark).map_err(|source| KeyFileError::Ring {
            path: path.to_owned(),
            source,
        })?;
        Ok((Self(text), ring))
    }

    /// The text of a new site's file.
    pub(super) fn of_new_site(digits: &str) -> Zeroizing<String> {
        let key = SiteKey::from_hex(digits).expect("what was drawn is 64 hex digits");
        let mark = SiteKeys::new(KeyVersion::FIRST, key).site_mark();
        let mut text = Written::default();
        text.line("# The site key: who has this file can make cards for every door of the site.");
        text.line("# On the encoder PCs of the site only, mode 0600, and a copy in a safe.");
        text.mark(mark);
        text.key(KeyVersion::FIRST, digits);
        text.0
    }

    /// The same with one more version, and with the site mark.
    pub(super) fn with(
        &self,
        version: KeyVersion,
        digits: &str,
        mark: SiteMark,
    ) -> Zeroizing<String> {
        let mut text = self.rewritten(None, mark);
        text.key(version, digits);
        text.0
    }

    /// The same without one version, and with the site mark.
    pub(super) fn without(&self, version: KeyVersion, mark: SiteMark) -> Zeroizing<String> {
        self.rewritten(Some(version), mark).0
    }

    fn rewritten(&self, dropped: Option<KeyVersion>, mark: SiteMark) -> Written {
        let mut text = Written::default();
        let mut has_mark = self
            .0
            .lines()
            .any(|line| matches!(Line::parse(line), Ok(Line::SiteMark(_))));
        for line in self.0.lines() {
            if let Ok(Line::Key(version, _)) = Line::parse(line) {
                if !std::mem::replace(&mut has_mark, true) {
                    text.mark(mark);
                }
                match version {
                    Some(version) if Some(version) == dropped => {}
                    Some(_) => text.line(line),
                    None => text.line(&Zeroizing::new(format!("{KEY} 1 {}", line.trim_start()))),
                }
            } else {
                text.line(line);
            }
        }
        text
    }
}

/// A text that is being written. As long as it may get from the start, so that it never moves and leaves a copy behind.
struct Written(Zeroizing<String>);

impl Default for Written {
    fn default() -> Self {
        Self(Zeroizing::new(String::with_capacity(2 * super::MAX_LENGTH)))
    }
}

impl Written {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn mark(&mut self, mark: SiteMark) {
        self.line(&format!("{SITE_MARK} {}", hex::encode_upper(mark.bytes())));
    }

    fn key(&mut self, version: KeyVersion, digits: &str) {
        self.0.push_str(&format!("{KEY} {} ", version.get()));
        self.line(digits);
    }
}
