//! A few rounds of each soak: enough to see it work, not to measure.

use std::time::Duration;

use soak::encoders::{Length, run};

#[tokio::test]
async fn encoders_behind_pcscd_and_on_serial_lines_come_back_under_load() {
    let report = run(Length {
        replugs: 8,
        restarts: 2,
        idle: Duration::from_secs(2),
    })
    .await;
    // Nobody reads a report that nobody can see wrong: it says what was done.
    assert_eq!(report.after_replug.count(), 8);
    assert_eq!(report.after_restart.count(), 2);
    assert!(report.jobs.succeeded > 0, "{report}");
    assert!(report.jobs.failed >= 10, "{report}");
}
