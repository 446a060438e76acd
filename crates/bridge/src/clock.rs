//! The clock that all of the bridge's waiting for the hub goes by: it counts from boot, on through suspend.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::machine::BootTime;

/// The time since boot, suspended time included (CLOCK_BOOTTIME, clock_gettime(2)).
pub(crate) fn boot_time() -> BootTime {
    let now = clock_gettime(ClockId::Boottime);
    BootTime(Duration::new(
        now.tv_sec.unsigned_abs(),
        now.tv_nsec.unsigned_abs() as u32,
    ))
}
