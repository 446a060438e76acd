//! What every driver must do, asked of this one with an emulated PN532 on a pseudo-terminal.
#![expect(clippy::unwrap_used, reason = "a test's own fixtures may fail it")]

mod rig;

use std::time::Duration;

use driver_pn532::{Patience, Pn532Driver};

use crate::rig::Pn532Rig;

/// Looks longer at each speed than a chip needs: an emulated one may have to wait for a busy machine.
fn driver() -> Pn532Driver {
    Pn532Driver::default().with_patience(Patience {
        probe: Duration::from_millis(400),
        ..Patience::default()
    })
}

encoder::conformance_tests! {
    driver: driver(),
    rig: Pn532Rig::start(),
}
