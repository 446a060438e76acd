//! What every driver must do, asked of this one with emulated lock servers: SALTO's by TCP, Onity's on a serial line.
#![expect(clippy::unwrap_used, reason = "a test's own fixtures may fail it")]

mod rig;

/// SALTO's, by TCP. Whether it is there shows only when it is talked to, so the cases that pull its cable are skipped.
mod salto_by_tcp {
    use driver_lock_server::LockServerDriver;

    encoder::conformance_tests! {
        driver: LockServerDriver::default(),
        rig: crate::rig::LockServerRig::salto(),
    }
}

mod onity_on_a_serial_line {
    use driver_lock_server::LockServerDriver;

    encoder::conformance_tests! {
        driver: LockServerDriver::default(),
        rig: crate::rig::LockServerRig::onity(),
    }
}
