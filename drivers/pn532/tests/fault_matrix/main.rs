//! Every fault of the line at every frame of opening an encoder, scanning a card and encoding one: a matrix that is made
//! from a run without faults. No case hangs, none takes a card for what it is not, and once the line is sound again the
//! same encoder works, or one that is opened anew.
#![expect(clippy::unwrap_used, reason = "a test's own fixtures may fail it")]
#![expect(clippy::print_stdout, reason = "the counts are what one wants to see")]

#[path = "../emulated/procedures.rs"]
mod procedures;

mod bench;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use emulator::{Fault, FaultKind, Technology, When};

use crate::bench::{Bench, Ended, Task};

/// Cases that wait for time limits cost no work, so many run side by side.
const WORKERS: usize = 12;

/// What each kind does is in the emulator's own documentation.
const KINDS: [FaultKind; 9] = [
    FaultKind::Drop,
    // Less than the limit for an acknowledgement, and more: see `bench::patience`.
    FaultKind::Delay(Duration::from_millis(20)),
    FaultKind::Delay(Duration::from_millis(150)),
    FaultKind::Garble,
    FaultKind::Truncate,
    FaultKind::Nak,
    FaultKind::Stall,
    FaultKind::Duplicate,
    FaultKind::Oversize,
];

/// The faults that are met at each frame of a task, in both directions, and another UID wherever one is told.
fn faults(frames: u64) -> Vec<Fault> {
    let mut faults = Vec::new();
    for frame in 1..=frames {
        for kind in KINDS {
            let fault = Fault::new(kind, When::AtFrame(frame));
            faults.push(fault);
            // No line sends what the host sent a second time.
            if kind != FaultKind::Duplicate {
                faults.push(fault.from_host());
            }
        }
        faults.push(Fault::new(FaultKind::WrongUid, When::AtFrame(frame)));
    }
    faults
}

/// How the cases of a matrix ended.
#[derive(Default)]
struct Tally {
    /// As if there had been no fault.
    unharmed: AtomicU64,
    /// With an error, and what came after it was well again at once.
    failed: AtomicU64,
    /// With an error, and the encoder had to be opened anew.
    reopened: AtomicU64,
    /// The task had no such frame, or its frame cannot take that fault.
    unmet: AtomicU64,
}

fn matrix(technology: Technology, task: Task) {
    let frames = Bench::new(technology).frames_of(task);
    let cases = Mutex::new(faults(frames));
    let tally = Tally::default();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let mut bench = Bench::new(technology);
                let next = || cases.lock().unwrap().pop();
                while let Some(fault) = next() {
                    let counter = match bench.run(task, fault) {
                        Ended::Unharmed => &tally.unharmed,
                        Ended::Failed => &tally.failed,
                        Ended::Reopened => &tally.reopened,
                        Ended::Unmet => &tally.unmet,
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (unharmed, failed, reopened) = (
        count(&tally.unharmed),
        count(&tally.failed),
        count(&tally.reopened),
    );
    let met = unharmed + failed + reopened;
    println!(
        "fault matrix, {task:?} of {technology}: {frames} frames, {met} faults met; {unharmed} did no harm, {failed} \
         ended with an error, {reopened} more needed the encoder opened anew; {} were not met",
        count(&tally.unmet)
    );
    // A matrix that met nothing proves nothing.
    assert!(met > frames * 9, "only {met} faults were met");
    assert!(unharmed > met / 4, "only {unharmed} of {met} did no harm");
}

#[test]
fn opening_an_encoder() {
    matrix(Technology::MifareClassic1k, Task::Open);
}

#[test]
fn scanning_a_classic() {
    matrix(Technology::MifareClassic1k, Task::Scan);
}

#[test]
fn scanning_an_ntag() {
    matrix(Technology::Ntag213, Task::Scan);
}

#[test]
fn scanning_a_desfire() {
    matrix(Technology::DesfireEv2, Task::Scan);
}

#[test]
fn encoding_a_classic() {
    matrix(Technology::MifareClassic1k, Task::Encode);
}

#[test]
fn encoding_an_ntag() {
    matrix(Technology::Ntag213, Task::Encode);
}

#[test]
fn encoding_a_desfire() {
    matrix(Technology::DesfireEv2, Task::Encode);
}
