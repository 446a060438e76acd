//! The tear table, a test for each technology so that they run side by side. The counts are printed: a row that shrinks is
//! seen.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its bench too"
)]

use crash::report;
use crash::table::{self, Row};

/// Runs every row of one technology.
fn table_of(technology: &str) {
    let technology = technology.parse().unwrap();
    let rows = Row::all()
        .into_iter()
        .filter(|row| row.technology == technology);
    for row in rows {
        let counts = table::run(row);
        report(counts.all(), &format!("{row}: {counts}"));
        assert!(counts.all() > 300, "{row}: only {} cases", counts.all());
    }
}

/// Every card of one technology that no writer has left so.
fn images_of(technology: &str) {
    let technology = technology.parse().unwrap();
    for row in Row::all() {
        if row.technology == technology {
            let flips = table::flip_every_bit(row);
            report(flips, &format!("{row}: a bit flipped"));
        }
    }
    let carried = table::carry_over(technology);
    report(carried, &format!("{technology}: carried over"));
}

macro_rules! every_cut_of {
    ($($technology:ident)*) => {$(
        mod $technology {
            #[test]
            fn leaves_the_old_credential_the_new_one_or_none_and_is_finished_later() {
                super::table_of(stringify!($technology));
            }
        }
    )*};
}

every_cut_of! {
    mifare_classic_mini mifare_classic_1k mifare_classic_4k
    mifare_ultralight mifare_ultralight_ev1_48 mifare_ultralight_ev1_128 mifare_ultralight_c
    ntag213 ntag215 ntag216 ntag424_dna
    desfire_ev1 desfire_ev2 desfire_ev3
}

macro_rules! every_image_of {
    ($($technology:ident)*) => {mod images {$(
        #[test]
        fn $technology() {
            super::images_of(stringify!($technology));
        }
    )*}};
}

// Cards with files are flipped and carried over in the tests of the card crate.
every_image_of! {
    mifare_classic_mini mifare_classic_1k mifare_classic_4k
    mifare_ultralight mifare_ultralight_ev1_48 mifare_ultralight_ev1_128 mifare_ultralight_c
    ntag213 ntag215 ntag216
}
