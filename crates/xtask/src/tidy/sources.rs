//! How a Rust file is written: its opening, its length, nothing left undone, no sleeping in tests.

use crate::tidy::Finding;
use crate::tidy::files::TrackedFile;
use crate::tidy::rust_text::{line_at, test_items, words};

/// Lines. A reader holds about this much in mind.
const LONGEST: usize = 400;

/// Files that are longer, each with a reason a reader would accept.
const LONGER: &[(&str, &str)] = &[];

/// Macros that stand for work not done.
const LEFT_OVERS: &[&str] = &["todo", "unimplemented", "dbg"];

/// Breaches in one file; `code` is its `text` without comments and strings.
pub(super) fn check(path: &str, text: &str, code: &str) -> Vec<Finding> {
    let mut findings: Vec<_> = opening(path, text).into_iter().collect();
    findings.extend(left_overs(path, code));
    findings.extend(sleeps(path, code));
    findings
}

/// Files that are too long, and reasons for files that no longer are.
pub(super) fn overlong(files: &[TrackedFile]) -> Vec<Finding> {
    overlong_but(files, LONGER)
}

fn overlong_but(files: &[TrackedFile], longer: &[(&str, &str)]) -> Vec<Finding> {
    let is_overlong = |file: &TrackedFile| {
        let lines = file.text.as_deref().map_or(0, |text| text.lines().count());
        file.path.ends_with(".rs") && lines > LONGEST
    };
    let finding = |path: &str, remedy: String| Finding {
        path: path.to_owned(),
        line: LONGEST + 1,
        rule: "a file has one subject",
        remedy,
    };
    let too_long = files
        .iter()
        .filter(|file| is_overlong(file) && longer.iter().all(|(path, _)| file.path != *path))
        .map(|file| {
            let lines = file.text.as_deref().map_or(0, |text| text.lines().count());
            finding(
                &file.path,
                format!("split its {lines} lines, or give a reason in xtask's tidy/sources.rs"),
            )
        });
    let excused = longer
        .iter()
        .filter(|(path, _)| {
            !files
                .iter()
                .any(|file| file.path == *path && is_overlong(file))
        })
        .map(|(path, _)| {
            finding(
                path,
                "take it out of the table in xtask's tidy/sources.rs".to_owned(),
            )
        });
    too_long.chain(excused).collect()
}

fn opening(path: &str, text: &str) -> Option<Finding> {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    if first.is_some_and(|line| line.starts_with("//!")) {
        return None;
    }
    Some(Finding {
        path: path.to_owned(),
        line: 1,
        rule: "a module opens with what it is for",
        remedy: "begin with a `//!` comment: what it is for, what it must never do".to_owned(),
    })
}

fn left_overs(path: &str, code: &str) -> Vec<Finding> {
    words(code)
        .filter(|(at, word)| LEFT_OVERS.contains(word) && code[at + word.len()..].starts_with('!'))
        .map(|(at, word)| Finding {
            path: path.to_owned(),
            line: line_at(code, at),
            rule: "nothing is left undone",
            remedy: format!("finish what `{word}!` stands for"),
        })
        .collect()
}

fn sleeps(path: &str, code: &str) -> Vec<Finding> {
    let is_test_file = path
        .split('/')
        .any(|part| part == "tests" || part == "tests.rs");
    let items = test_items(code);
    words(code)
        .filter(|(_, word)| matches!(*word, "sleep" | "sleep_until" | "sleep_ms"))
        .filter(|(at, _)| is_test_file || items.iter().any(|item| item.contains(at)))
        .map(|(at, _)| Finding {
            path: path.to_owned(),
            line: line_at(code, at),
            rule: "tests never sleep",
            remedy: "wait for the event itself, with a deadline against hanging".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rust_text::code_only;

    #[track_caller]
    fn assert_lines(path: &str, text: &str, expected: &[usize]) {
        let lines: Vec<_> = check(path, text, &code_only(text))
            .iter()
            .map(|it| it.line)
            .collect();
        assert_eq!(lines, expected, "{text}");
    }

    #[test]
    fn a_module_opens_with_what_it_is_for() {
        assert_lines("a.rs", "\n//! Cards.\nfn a() {}", &[]);
        assert_lines("a.rs", "// Cards.\nfn a() {}", &[1]);
        assert_lines("a.rs", "", &[1]);
    }

    #[test]
    fn nothing_is_left_undone() {
        let code = [
            "//! A.",
            "fn a() { todo",
            "!() }",
            "// todo!()",
            "fn todo() {}",
        ];
        assert_lines("a.rs", &code.join("\n"), &[]);
        let code = [
            "//! A.",
            "fn a() {",
            "  dbg!(1);",
            "  unimplemented!()",
            "}",
        ];
        assert_lines("a.rs", &code.join("\n"), &[3, 4]);
    }

    #[test]
    fn tests_never_sleep() {
        let sleeper = "//! A.\nuse std::thread::sleep;\nfn a() { sleep(b) }";
        assert_lines("crates/hub/tests/a.rs", sleeper, &[2, 3]);
        assert_lines("tests/e2e/src/a.rs", sleeper, &[2, 3]);
        assert_lines("crates/hub/src/a/tests.rs", sleeper, &[2, 3]);
        assert_lines("crates/hub/src/a.rs", sleeper, &[]);
        let inline = "//! A.\nfn a() { sleep(b) }\n#[cfg(test)]\nmod tests {\n  fn a() { tokio::time::sleep(b) }\n}";
        assert_lines("crates/hub/src/a.rs", inline, &[5]);
    }

    #[test]
    fn a_long_file_needs_a_reason_and_a_reason_needs_a_long_file() {
        let long = "\n".repeat(LONGEST + 1);
        let files = [
            TrackedFile::new("long.rs", &long),
            TrackedFile::new("excused.rs", &long),
            TrackedFile::new("table.json", &long),
            TrackedFile::new("short.rs", ""),
        ];
        let reasons = [("excused.rs", "one table"), ("short.rs", "was long")];
        let findings = overlong_but(&files, &reasons);
        let paths: Vec<_> = findings.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["long.rs", "short.rs"]);
    }
}
