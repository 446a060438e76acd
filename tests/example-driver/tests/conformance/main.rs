//! What every driver must do, asked of this one with an emulated box.
#![expect(clippy::unwrap_used, reason = "a test's own fixtures may fail it")]

mod emulated;
mod rig;

use example_driver::TextboxDriver;

use crate::rig::TextboxRig;

encoder::conformance_tests! {
    driver: TextboxDriver,
    rig: TextboxRig::start(),
}
