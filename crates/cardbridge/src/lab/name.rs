//! What an encoder is called in a lab: a slug, since it stands in URLs and in file names.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// 1 to 32 lower-case letters, digits and hyphens, such as `front-desk`. No hyphen at either end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Name(String);

/// What was given cannot be the name of an encoder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given:?} cannot name an encoder; use 1 to 32 lower-case letters, digits and hyphens, such as front-desk"
)]
pub struct InvalidName {
    given: String,
}

impl Name {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a person would write it on the box: `front-desk` is "Front Desk".
    #[must_use]
    pub fn in_words(&self) -> String {
        let capitalised = self.0.split('-').map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
                .unwrap_or_default()
        });
        capitalised.collect::<Vec<_>>().join(" ")
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=32).contains(&text.len()) && text.bytes().all(is_allowed);
        if fits && !text.starts_with('-') && !text.ends_with('-') {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName {
                given: text.to_owned(),
            })
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn a_slug_is_a_name_and_reads_well_in_words() {
        let name: Name = "front-desk".parse().unwrap();
        assert_eq!(name.to_string(), "front-desk");
        assert_eq!(name.in_words(), "Front Desk");
    }

    #[test]
    fn what_could_leave_a_folder_or_a_path_segment_is_no_name() {
        for text in [
            "",
            "..",
            "a/b",
            "-a",
            "a-",
            "Front",
            "front desk",
            "ä",
            &"a".repeat(33),
        ] {
            assert!(text.parse::<Name>().is_err(), "{text}");
        }
    }
}
