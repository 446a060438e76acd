//! What every driver must do, asked of this one with an emulated PN532 on a pseudo-terminal.
#![expect(clippy::unwrap_used, reason = "a test's own fixtures may fail it")]

mod rig;

use driver_pn532::Pn532Driver;

use crate::rig::Pn532Rig;

encoder::conformance_tests! {
    driver: Pn532Driver::default(),
    rig: Pn532Rig::start(),
}
