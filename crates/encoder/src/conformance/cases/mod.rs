//! The cases, each a function of the name under which it is listed.

mod cable;
mod encoding;
mod leaving;
mod refusing;
mod secrets;
mod silence;
mod waiting;
mod wire;

pub(super) use cable::{
    a_dropped_encoder_frees_the_device, a_killed_host_frees_the_device,
    an_unplugged_device_is_absent_and_comes_back,
};
pub(super) use encoding::{
    a_blank_card_is_scanned_as_blank, encoding_again_is_safe, what_was_encoded_is_scanned,
};
pub(super) use leaving::{
    a_cancel_between_steps_lets_the_card_go, a_card_removed_while_writing_is_finished_afterwards,
    a_card_swapped_between_steps_is_noticed,
};
pub(super) use refusing::{
    a_foreign_card_is_left_alone, a_wrong_key_changes_nothing, an_unsupported_card_is_not_written,
    two_cards_are_refused,
};
pub(super) use secrets::no_secret_is_in_a_log;
pub(super) use silence::a_device_that_falls_silent_comes_back;
pub(super) use waiting::{a_stop_ends_the_wait, no_card_by_the_deadline_is_said};
pub(super) use wire::{
    duplicate_frames_are_not_misread, garbage_frames_are_not_misread, late_frames_are_not_misread,
    lost_frames_are_not_misread, oversize_frames_are_not_misread, truncated_frames_are_not_misread,
};

/// Why cases about single steps are not for lock servers.
const SERVER_HAS_STEPS: &str = "a lock server makes the card, in one step";
/// Why cases about keys are not for lock servers.
const SERVER_HAS_KEYS: &str = "the lock server holds the keys";
/// Why cases about which card lies there are not for lock servers.
const SERVER_SEES_CARD: &str = "the lock server judges the card";

/// At most `most` of the numbers from 1 to `last`, evenly spread, the first and the last among them.
fn spread(last: u64, most: u64) -> Vec<u64> {
    if last <= most {
        return (1..=last).collect();
    }
    (0..most)
        .map(|step| 1 + step * (last - 1) / (most - 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn numbers_are_spread_from_the_first_to_the_last() {
        assert_eq!(spread(3, 5), [1, 2, 3]);
        assert_eq!(spread(101, 5), [1, 26, 51, 76, 101]);
        assert_eq!(spread(0, 5), [0; 0]);
    }
}
