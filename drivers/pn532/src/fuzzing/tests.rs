//! The seeds of the fuzz targets.

use super::*;

#[path = "../../../../fuzz/replay.rs"]
mod corpus;
use corpus::replay;

#[test]
fn the_seeds_of_every_target_hold() {
    replay("pn532_frames", frames);
    replay("pn532_answers", answers);
}
