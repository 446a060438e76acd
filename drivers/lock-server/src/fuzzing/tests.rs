//! The seeds of the fuzz targets, and conversations at random.

use proptest::prelude::*;

use super::*;
use crate::frame::{ACK, NAK};

#[path = "../../../../fuzz/replay.rs"]
mod corpus;
use corpus::replay;

#[test]
fn the_seeds_of_every_target_hold() {
    replay("lock_server_frames", frames);
    replay("lock_server_conversation", conversation);
}

fn said() -> impl Strategy<Value = Vec<u8>> {
    let whole = [
        "CN|1|04112233",
        "LT|1|101||||CI|0",
        "ED|1",
        "OV|2",
        "EX|1",
        "EG|1|no",
    ]
    .map(|text| {
        let fields = text.split('|').map(|it| it.as_bytes().to_vec()).collect();
        Frame::new(fields).unwrap().encode()
    });
    prop_oneof![
        3 => Just(vec![ACK]),
        2 => Just(vec![NAK]),
        2 => proptest::sample::select(whole.to_vec()),
        1 => Just(vec![0xF8]),
        1 => Just(vec![0xFA]),
        1 => proptest::collection::vec(any::<u8>(), 1..8),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn whatever_a_server_says_no_second_card_is_asked_for_and_no_doubt_is_hidden(
        dialect in 0u8..2,
        said in proptest::collection::vec(said(), 0..12),
    ) {
        let _ = conversation(&[vec![dialect], said.concat()].concat());
    }
}
