//! The seeds of the fuzz targets.

use super::*;

#[path = "../../../../fuzz/replay.rs"]
mod corpus;
use corpus::replay;

#[test]
fn the_seeds_of_every_target_hold() {
    replay("link_message", message);
}
