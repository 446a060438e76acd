//! The seeds of the fuzz targets.

use super::*;

#[path = "../../../../fuzz/replay.rs"]
mod corpus;
use corpus::replay;

#[test]
fn the_seeds_of_every_target_hold() {
    replay("pcsc_raw_answer", raw_answer);
    replay("pcsc_atr", atr);
    replay("pcsc_answer_in_parts", answer_in_parts);
}
