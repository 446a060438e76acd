//! Words that name nothing: a file or an item that needs one has not been thought through.

use crate::tidy::Finding;
use crate::tidy::rust_text::{line_at, words};

const RULE: &str = "a name says what the thing is";

/// In the singular; their plurals are meant too.
const SAY_NOTHING: &[&str] = &[
    "manager", "handler", "helper", "util", "service", "common", "misc",
];

/// A building has common doors, so `common` on a line with one of these, or in a file about them, is its proper name.
const OF_DOORS: &[&str] = &["door", "entrance", "area"];

/// What gives the next word as a name.
const DEFINERS: &[&str] = &[
    "struct",
    "enum",
    "trait",
    "mod",
    "fn",
    "union",
    "type",
    "macro_rules",
];

/// Parts of the path of a file.
pub(super) fn of_file(path: &str) -> Option<Finding> {
    let stems = path.split('/').map(|part| {
        let part = part.trim_start_matches('.');
        part.split_once('.').map_or(part, |(stem, _)| stem)
    });
    let (stem, word) = stems
        .into_iter()
        .find_map(|stem| Some((stem, empty_word(stem, &[path])?)))?;
    Some(Finding {
        path: path.to_owned(),
        line: 1,
        rule: RULE,
        remedy: format!("rename `{stem}`: `{word}` does not say what is in it"),
    })
}

/// The items that `code` (without comments and strings) defines.
pub(super) fn in_code<'a>(path: &'a str, code: &'a str) -> impl Iterator<Item = Finding> + 'a {
    let following = words(code).skip(1);
    words(code)
        .zip(following)
        .filter(|((_, definer), _)| DEFINERS.contains(definer))
        .filter(|((at, definer), (next, _))| follows(&code[at + definer.len()..*next]))
        .filter_map(move |(_, (at, name))| {
            let line = line_at(code, at);
            let written = code.lines().nth(line - 1).unwrap_or_default();
            let word = empty_word(name, &[path, written])?;
            Some(Finding {
                path: path.to_owned(),
                line,
                rule: RULE,
                remedy: format!("rename `{name}`: `{word}` does not say what it is"),
            })
        })
}

/// Whether only what may stand between a definer and its name does: `fn(` is a type, `macro_rules! name` a definition.
fn follows(between: &str) -> bool {
    let between = between.trim();
    between.is_empty() || between == "!"
}

/// The first word of `name` that says nothing; `around` is where it is given.
fn empty_word(name: &str, around: &[&str]) -> Option<&'static str> {
    let words = split(name);
    let names_doors = |text: &&str| {
        split(text)
            .iter()
            .any(|word| OF_DOORS.contains(&singular(word)))
    };
    let is_of_doors = names_doors(&name) || around.iter().any(names_doors);
    SAY_NOTHING
        .iter()
        .copied()
        .filter(|empty| *empty != "common" || !is_of_doors)
        .find(|empty| words.iter().any(|word| singular(word) == *empty))
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s').unwrap_or(word)
}

/// The words of a name in snake, kebab or camel case, in lower case.
fn split(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut in_word = false;
    let mut after_lower = false;
    for character in name.chars() {
        if !character.is_alphanumeric() {
            in_word = false;
        } else {
            if !in_word || after_lower && character.is_uppercase() {
                words.push(String::new());
                in_word = true;
            }
            if let Some(word) = words.last_mut() {
                word.extend(character.to_lowercase());
            }
        }
        after_lower = character.is_lowercase();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_split_into_its_words() {
        assert_eq!(split("JobManager"), ["job", "manager"]);
        assert_eq!(split("read_common_door"), ["read", "common", "door"]);
        assert_eq!(split("lock-server"), ["lock", "server"]);
        assert_eq!(split("HTTPUtils"), ["httputils"]);
    }

    #[test]
    fn a_name_that_says_nothing_is_refused_wherever_it_is_given() {
        for code in [
            "struct JobManager;",
            "pub(crate) fn handle_service() {}",
            "mod helpers;",
            "enum CommonError {}",
            "fn common() {}",
            "trait\n    Utils {}",
            "macro_rules! misc { () => {} }",
        ] {
            assert_eq!(in_code("lib.rs", code).count(), 1, "{code}");
        }
        for path in [
            "crates/hub/src/util.rs",
            "tests/e2e/tests/common/mod.rs",
            "docs/misc.md",
        ] {
            assert!(of_file(path).is_some(), "{path}");
        }
    }

    #[test]
    fn a_name_that_says_something_is_not() {
        for code in [
            "struct CommonDoors;",
            "fn common_acs_entrance_ids() {}",
            "fn handle() {}",
            "fn utility_of_a_probe() {}",
            "struct Job { handler: fn(manager: u8) }",
        ] {
            assert_eq!(in_code("lib.rs", code).next(), None, "{code}");
        }
        assert_eq!(in_code("src/doors.rs", "fn common() {}").next(), None);
        assert_eq!(
            in_code("lib.rs", "fn common() -> DoorNumber {}").next(),
            None
        );
        for path in [
            "udev/cardbridge.service",
            ".config/nextest.toml",
            "crates/card/src/common_doors.rs",
        ] {
            assert_eq!(of_file(path), None, "{path}");
        }
    }

    #[test]
    fn a_finding_points_at_the_name() {
        let found = in_code("lib.rs", "fn a() {}\n\nstruct Helper;")
            .next()
            .unwrap();
        assert_eq!(found.line, 3);
    }
}
