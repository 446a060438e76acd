//! How many exchanges a card costs, as docs/performance.md says.

use card::{CardFormat, Purpose};

use crate::encode::{encoded, placings};
use crate::field::Field;
use crate::site::guest;

const PAGE: &str = include_str!("../../../../docs/performance.md");

fn encode(mut field: Field, format: CardFormat, number: u32, room: u32) -> usize {
    let credential = guest(format, number, room);
    field.encode(&credential).ended.done().unwrap();
    field.exchanges
}

#[test]
fn each_encode_and_scan_takes_the_exchanges_that_the_page_tells() {
    let mut missing = Vec::new();
    for (technology, format) in placings() {
        let ours = |times| encoded(technology, format, times);
        let mut scanned = ours(1);
        scanned.inspect(Purpose::Scan).done().unwrap();
        let unchanged = encode(ours(1), format, 1, 101);
        let mut columns = vec![scanned.exchanges, unchanged];
        if technology.copies().len() == 2 {
            columns.push(encode(ours(2), format, 9, 109));
        }
        columns.push(encode(ours(1), format, 9, 109));
        columns.push(encode(ours(0), format, 9, 109));
        let name = match format {
            CardFormat::Rfid48 => "`rfid48`",
            CardFormat::TlCode => "`TLCode` of 62 bytes",
        };
        let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
        let row = format!("| {technology} | {name} | {} |", columns.join(" | "));
        if !PAGE.contains(&row) {
            missing.push(row);
        }
    }
    assert!(missing.is_empty(), "the page lacks\n{}", missing.join("\n"));
}
