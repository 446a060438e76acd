//! The one list of cases, as values and as tests.

use super::cases as all;
use super::{Bench, Outcome, Verdict};

/// Something that every driver must do.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    name: &'static str,
    run: fn(&Bench<'_>) -> Verdict,
}

impl Case {
    /// Its name, like that of a test.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs it on a bench whose rig is as it was made.
    #[must_use]
    pub fn run(&self, bench: &Bench<'_>) -> Outcome {
        (self.run)(bench).into()
    }
}

/// Calls a macro with the names of all cases after what it is given.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_cases {
    ($macro:ident! { $($given:tt)* }) => {
        $crate::$macro! {
            $($given)*
            no_card_by_the_deadline_is_said
            a_stop_ends_the_wait
            a_blank_card_is_scanned_as_blank
            what_was_encoded_is_scanned
            encoding_again_is_safe
            a_wrong_key_changes_nothing
            a_foreign_card_is_left_alone
            an_unsupported_card_is_not_written
            two_cards_are_refused
            a_card_swapped_between_steps_is_noticed
            a_card_removed_while_writing_is_finished_afterwards
            a_cancel_between_steps_lets_the_card_go
            a_dropped_encoder_frees_the_device
            a_killed_host_frees_the_device
            an_unplugged_device_is_absent_and_comes_back
            a_device_that_falls_silent_comes_back
            truncated_frames_are_not_misread
            oversize_frames_are_not_misread
            garbage_frames_are_not_misread
            duplicate_frames_are_not_misread
            late_frames_are_not_misread
            lost_frames_are_not_misread
            no_secret_is_in_a_log
        }
    };
}

/// The list as values; for [`cases()`].
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_values {
    ($($case:ident)*) => {
        vec![$(Case { name: stringify!($case), run: all::$case }),*]
    };
}

/// The list as tests; for [`conformance_tests!`](crate::conformance_tests).
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ([$driver:expr, $rig:expr, $around:path] $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                let test = $crate::conformance::test_name(module_path!(), stringify!($case));
                $around(&test, || {
                    $crate::conformance::check(&test, stringify!($case), $driver, || $rig);
                });
            }
        )*
    };
}

/// One `#[test]` for each case of the [conformance kit](crate::conformance).
///
/// `driver` is an expression for the driver, `rig` one for a `Result<impl Rig, Skip>`, and `around`, which may be left out, the path of a `fn(&str, impl FnOnce())` that gets the
/// name of the test and runs the case where it can run.
#[macro_export]
macro_rules! conformance_tests {
    (driver: $driver:expr, rig: $rig:expr $(,)?) => {
        $crate::conformance_tests! { driver: $driver, rig: $rig, around: $crate::conformance::at_once }
    };
    (driver: $driver:expr, rig: $rig:expr, around: $around:path $(,)?) => {
        $crate::__conformance_cases! { __conformance_tests! { [$driver, $rig, $around] } }
    };
}

/// Every case, in the order in which a new driver comes to pass them.
#[must_use]
pub fn cases() -> Vec<Case> {
    crate::__conformance_cases! { __conformance_values! {} }
}

/// The name by which a test program knows a test: the path of its module without the program's own name.
#[doc(hidden)]
#[must_use]
pub fn test_name(module: &str, case: &str) -> String {
    match module.split_once("::") {
        Some((_, module)) => format!("{module}::{case}"),
        None => case.to_owned(),
    }
}

/// Runs a case where it is.
#[doc(hidden)]
pub fn at_once(_test: &str, case: impl FnOnce()) {
    case();
}
