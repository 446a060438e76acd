//! Just enough of Rust's lexical rules to look at code without its comments and strings.

use std::ops::Range;

/// `source` with every comment, string and character literal replaced by spaces. Lines stay where they are.
pub(super) fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    let mut previous = ' ';
    while let Some(next) = rest.chars().next() {
        let length = literal_or_comment(rest, previous).unwrap_or(0);
        if length == 0 {
            code.push(next);
            previous = next;
            rest = &rest[next.len_utf8()..];
        } else {
            let blank = rest[..length]
                .chars()
                .map(|it| if it == '\n' { '\n' } else { ' ' });
            code.extend(blank);
            previous = ' ';
            rest = &rest[length..];
        }
    }
    code
}

/// The length of what begins here when it is not code; `previous` is the character before.
fn literal_or_comment(rest: &str, previous: char) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    if rest.starts_with('"') {
        return Some(string(rest));
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    let in_a_word = previous.is_alphanumeric() || previous == '_';
    if in_a_word { None } else { raw_string(rest) }
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A character literal; `None` for a lifetime or a label.
fn character(rest: &str) -> Option<usize> {
    let mut characters = rest.char_indices().skip(1);
    let (_, first) = characters.next()?;
    if first == '\\' {
        // The character after the backslash may be a quote; the closing one comes later.
        let (after, _) = characters.nth(1)?;
        return rest[after..].find('\'').map(|at| after + at + 1);
    }
    let (at, second) = characters.next()?;
    (second == '\'').then_some(at + 1)
}

/// `r"…"`, `r#"…"#`, `br"…"`, `cr"…"`.
fn raw_string(rest: &str) -> Option<usize> {
    let start = ["r", "br", "cr"].into_iter().find(|it| {
        rest.strip_prefix(it)
            .is_some_and(|after| after.starts_with(['"', '#']))
    })?;
    let hashes = rest[start.len()..]
        .bytes()
        .take_while(|it| *it == b'#')
        .count();
    let open = start.len() + hashes;
    if !rest[open..].starts_with('"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let content = &rest[open + 1..];
    let length = content
        .find(&close)
        .map_or(content.len(), |at| at + close.len());
    Some(open + 1 + length)
}

/// The words of `code` (names, keywords, numbers) with their byte positions.
pub(super) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let is_word = |it: char| it.is_alphanumeric() || it == '_';
        let start = at + code[at..].find(is_word)?;
        let length = code[start..].find(|it| !is_word(it));
        let end = length.map_or(code.len(), |it| start + it);
        at = end;
        Some((start, &code[start..end]))
    })
}

/// The parts of `code` that exist only in tests: every item under `#[cfg(test)]`.
pub(super) fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut items: Vec<Range<usize>> = Vec::new();
    for (start, attribute) in code.match_indices("#[cfg(test)]") {
        if items.last().is_some_and(|item| item.contains(&start)) {
            continue;
        }
        let body = start + attribute.len();
        items.push(start..body + item_length(&code[body..]));
    }
    items
}

/// Up to the `;` or the closing brace that ends the first item.
fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, character) in code.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// The line, from 1, of the byte `position` in `text`.
pub(super) fn line_at(text: &str, position: usize) -> usize {
    text[..position].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_code(source: &str, expected: &str) {
        let code = code_only(source);
        assert_eq!(
            code.chars().count(),
            source.chars().count(),
            "lines and columns stay"
        );
        let squeezed: Vec<_> = code.split_whitespace().collect();
        assert_eq!(squeezed.join(" "), expected, "{source}");
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        assert_code("a // b\nc", "a c");
        assert_code("a /* b /* c */ d */ e", "a e");
        assert_code(r#"a "b \" // c" d"#, "a d");
        assert_code(r##"a r#"b " c"# d br"e\" f"##, "a d f");
        assert_code(r"a '\'' b '\u{1F600}' c '\\' d 'é' e", "a b c d e");
        assert_code("f::<'a>(b'x', 'y')", "f::<'a>(b , )");
        assert_code("r#type var\"s\"", "r#type var");
        assert_code(
            "'outer: loop { break 'outer; }",
            "'outer: loop { break 'outer; }",
        );
    }

    #[test]
    fn an_unfinished_literal_ends_with_the_file() {
        for source in ["\"a", "/* a", "r#\"a", "'\\", "'", "//"] {
            code_only(source);
        }
    }

    #[test]
    fn words_come_with_their_positions() {
        let found: Vec<_> = words("fn a_b(c: u8)").collect();
        assert_eq!(found, [(0, "fn"), (3, "a_b"), (7, "c"), (10, "u8")]);
    }

    #[test]
    fn an_item_under_cfg_test_ends_where_it_ends() {
        let code = "a\n#[cfg(test)]\nmod tests { fn b() { {} } }\nc\n#[cfg(test)]\nuse d;\ne";
        let found: Vec<_> = test_items(code).into_iter().map(|it| &code[it]).collect();
        assert_eq!(
            found,
            [
                "#[cfg(test)]\nmod tests { fn b() { {} } }",
                "#[cfg(test)]\nuse d;"
            ]
        );
    }
}
