//! docs/adding-a-driver.md quotes this driver: each quotation must be there, word by word, and each file it names.
#![expect(clippy::unwrap_used, reason = "a test's own fixtures may fail it")]

use std::fs;
use std::path::Path;

/// A quotation: the file that it names in its first line, and the lines below, without the indentation of the fence.
struct Quotation {
    file: String,
    lines: Vec<String>,
}

fn quotations(guide: &str) -> Vec<Quotation> {
    let mut lines = guide.lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let Some(indentation) = line.find("```rust") else {
            continue;
        };
        let mut quoted = lines
            .by_ref()
            .map(|line| line.get(indentation..).unwrap_or_default().to_owned())
            .take_while(|line| !line.starts_with("```"));
        let file = quoted.next().unwrap();
        let file = file.strip_prefix("// ").expect("a file").to_owned();
        let lines = quoted.collect();
        found.push(Quotation { file, lines });
    }
    found
}

#[test]
fn the_guide_quotes_what_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guide = fs::read_to_string(root.join("docs/adding-a-driver.md")).unwrap();
    let quotations = quotations(&guide);
    assert!(quotations.len() >= 8, "{}", quotations.len());
    for Quotation { file, lines } in quotations {
        let source =
            fs::read_to_string(root.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        // Indented as there or deeper in a list: only the words count.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let quoted = words(&lines.join("\n"));
        assert!(words(&source).contains(&quoted), "{file} has no `{quoted}`");
    }
}

#[test]
fn the_files_that_the_guide_names_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guide = fs::read_to_string(root.join("docs/adding-a-driver.md")).unwrap();
    let named = |word: &&str| {
        word.starts_with("drivers/") || word.starts_with("crates/") || word.starts_with("tests/")
    };
    let paths: Vec<_> = guide
        .split(['`', '(', ')', ' ', '\n'])
        .filter(named)
        .collect();
    assert!(!paths.is_empty());
    for path in paths {
        assert!(root.join(path).exists(), "{path}");
    }
}
