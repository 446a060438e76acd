//! The kit on drivers that are wrong in one thing each: exactly the cases about that thing must fail.

mod fake;
mod world;

use std::sync::Arc;
use std::time::Duration;

use fake::{FakeDriver, Flaw};
use world::WorldRig;

use super::{Bench, Outcome, Skip, cases, host};
use crate::Driver;

mod sound {
    use super::{Duration, FakeDriver, Flaw, Skip, WorldRig};

    crate::conformance_tests! {
        driver: FakeDriver(Flaw::None),
        rig: Ok::<_, Skip>(WorldRig::new(Duration::from_secs(20))),
    }
}

/// Runs every case on a driver with a flaw and looks which ones fail.
fn only_these_fail(test: &str, flaw: Flaw, expected: &[&str]) {
    let driver: Arc<dyn Driver> = Arc::new(FakeDriver(flaw));
    let test = super::test_name(module_path!(), test);
    if host::play(&test, &driver) {
        return;
    }
    let mut failed = Vec::new();
    let mut why = String::new();
    for case in cases() {
        // What hangs is known by it, and nothing else takes that long.
        let rig = WorldRig::new(Duration::from_secs(3));
        match case.run(&Bench::new(Arc::clone(&driver), &rig, &test)) {
            Outcome::Passed => {}
            Outcome::Failed(what) => {
                failed.push(case.name());
                why += &format!("{}: {what}\n", case.name());
            }
            Outcome::Skipped(skip) => panic!("{} was skipped: {skip}", case.name()),
        }
    }
    assert_eq!(failed, expected, "{flaw:?} showed so:\n{why}");
}

macro_rules! flaws {
    ($($test:ident: $flaw:ident => $expected:expr,)*) => {
        $(
            #[test]
            fn $test() {
                only_these_fail(stringify!($test), Flaw::$flaw, &$expected);
            }
        )*
    };
}

flaws! {
    a_driver_that_goes_on_without_a_card_is_found: MissesNoCard => [
        "a_card_removed_while_writing_is_finished_afterwards",
    ],
    a_driver_that_goes_on_with_the_card_before_is_found: MissesNoSwap => [
        "a_card_swapped_between_steps_is_noticed",
    ],
    a_driver_that_logs_keys_is_found: LogsKeys => ["no_secret_is_in_a_log"],
    a_driver_that_records_keys_is_found: RecordsKeys => ["no_secret_is_in_a_log"],
    a_driver_that_waits_for_ever_is_found: WaitsForEver => ["no_card_by_the_deadline_is_said"],
    a_driver_that_ignores_a_stop_is_found: IgnoresStop => [
        "a_stop_ends_the_wait",
        "a_dropped_encoder_frees_the_device",
    ],
    a_driver_that_keeps_its_port_is_found: KeepsPort => [
        "a_dropped_encoder_frees_the_device",
        "a_killed_host_frees_the_device",
        "an_unplugged_device_is_absent_and_comes_back",
        "a_device_that_falls_silent_comes_back",
        "truncated_frames_are_not_misread",
        "oversize_frames_are_not_misread",
        "garbage_frames_are_not_misread",
        "duplicate_frames_are_not_misread",
        "late_frames_are_not_misread",
        "lost_frames_are_not_misread",
        "no_secret_is_in_a_log",
    ],
    a_driver_that_takes_every_key_is_found: AcceptsEveryKey => [
        "a_blank_card_is_scanned_as_blank",
        "a_wrong_key_changes_nothing",
        "a_foreign_card_is_left_alone",
    ],
    a_driver_that_chooses_of_two_cards_is_found: ChoosesOne => ["two_cards_are_refused"],
    a_driver_that_takes_every_card_for_its_own_is_found: KnowsEveryCard => [
        "an_unsupported_card_is_not_written",
    ],
    a_driver_that_tells_of_no_change_is_found: TellsNothing => [
        "an_unplugged_device_is_absent_and_comes_back",
        "a_device_that_falls_silent_comes_back",
    ],
    a_driver_that_believes_every_frame_is_found: BelievesEveryFrame => [
        "truncated_frames_are_not_misread",
        "oversize_frames_are_not_misread",
        "garbage_frames_are_not_misread",
        "duplicate_frames_are_not_misread",
        "late_frames_are_not_misread",
        "lost_frames_are_not_misread",
    ],
    a_driver_that_hangs_with_a_silent_device_is_found: HangsInSilence => [
        "a_device_that_falls_silent_comes_back",
    ],
}
