//! What scans and encodes cost, held to the table of docs/performance.md.

use card::{Credential, Purpose};

use crate::field::Field;
use crate::model::Size;
use crate::site::{guest, with_doors};

const PAGE: &str = include_str!("../../../../docs/performance.md");

/// The exchanges of scan, unchanged encode, encode where copy B counts, encode where copy A counts, first encode of a blank.
fn measured(credential: &Credential) -> [usize; 5] {
    let mut field = Field::blank_of(Size::FourK);
    let mut encode = |credential: &Credential| {
        field.present(None);
        field.encode(credential).ended.done().unwrap();
        field.exchanges
    };
    let another = |number| Credential {
        number: guest(number, 101).number,
        ..credential.clone()
    };
    let first = encode(credential);
    let unchanged = encode(credential);
    let (onto_a, onto_b) = (encode(&another(2)), encode(&another(3)));
    assert_eq!(
        encode(&another(3)),
        unchanged,
        "copy B counts as copy A does"
    );
    field.present(None);
    field.inspect(Purpose::Scan).done().unwrap();
    [field.exchanges, unchanged, onto_a, onto_b, first]
}

#[test]
fn exchanges_are_those_of_the_table() {
    let missing: Vec<String> = [
        ("`rfid48`", guest(1, 101)),
        ("`TLCode` of 52 bytes", with_doors(1, 101, 0)),
        ("`TLCode` of 96 bytes", with_doors(1, 101, 21)),
        ("`TLCode` of 192 bytes", with_doors(1, 101, 69)),
        ("`TLCode` of 336 bytes", with_doors(1, 101, 140)),
    ]
    .into_iter()
    .map(|(format, credential)| {
        let figures = measured(&credential).map(|count| count.to_string());
        format!("| MIFARE Classic | {format} | {} |", figures.join(" | "))
    })
    .filter(|row| !PAGE.contains(row))
    .collect();
    assert!(
        missing.is_empty(),
        "docs/performance.md does not say\n{}",
        missing.join("\n")
    );
}
