//! A device that stops answering for ever.

use std::time::Duration;

use card::Command;

use super::cable::selected;
use crate::conformance::bench::chain;
use crate::conformance::desk::{Desk, Pending};
use crate::conformance::outcome::{ensure, failed};
use crate::conformance::{Bench, FaultKind, Sample, Verdict};
use crate::{CardWait, ErrorKind, Makes, Stop};

/// What a bridge would wait for one command. A driver may take less; who takes longer is given up.
const DEADLINE: Duration = Duration::from_secs(6);
/// The deadline of a wait that has to do with a silent device.
const SOON: Duration = Duration::from_millis(500);

/// The device falls silent in a session and in a wait: the driver says so, or its thread is given up and all that it owed
/// is answered; and when the device was unplugged and plugged in, it works again.
pub(in crate::conformance) fn a_device_that_falls_silent_comes_back(bench: &Bench<'_>) -> Verdict {
    let presence = bench.presence()?;
    let rig = bench.rig;
    let desk = bench.open()?;
    rig.place(Sample::First)?;
    match desk.makes() {
        Makes::Host => {
            selected(&desk)?;
            rig.fault(FaultKind::Silence, 1)?;
            let reply = desk.exchange(Command::Reselect);
            is_given_up(bench, desk, reply, "an exchange")?;
        }
        Makes::Server => {
            rig.fault(FaultKind::Silence, 1)?;
            let read = desk.read(SOON, &Stop::default());
            is_given_up(bench, desk, read, "a reading")?;
        }
    }
    rig.unplug()?;
    presence.becomes(bench, false)?;
    rig.plug()?;
    presence.becomes(bench, true)?;
    let desk = bench.open()?;
    super::waiting::works_on(bench, &desk)?;
    if desk.makes() == Makes::Host {
        desk.release();
        rig.remove()?;
        rig.fault(FaultKind::Silence, 1)?;
        let waiting = desk.select(CardWait::Resting, SOON, &Stop::default());
        is_given_up(bench, desk, waiting, "a wait")?;
        rig.unplug()?;
        presence.becomes(bench, false)?;
        rig.plug()?;
        presence.becomes(bench, true)?;
        super::waiting::works_on(bench, &bench.open()?)?;
    }
    ensure(bench.abandoned.count() == 0, || {
        format!(
            "{} threads are still stuck with a device that was unplugged",
            bench.abandoned.count()
        )
    })
}

/// The question ends with an error in time, or is answered when the thread is given up.
fn is_given_up<T>(bench: &Bench<'_>, desk: Desk, asked: Pending<T>, what: &str) -> Verdict {
    let deadline = DEADLINE.min(bench.rig.patience());
    let error = match asked.within(deadline) {
        Some(Ok(_)) => return failed(format!("{what} of a silent device succeeded")),
        Some(Err(error)) => {
            desk.close()?;
            error
        }
        None => {
            desk.abandon();
            match asked.get()? {
                Ok(_) => return failed(format!("{what} of a silent device succeeded late")),
                Err(error) => error,
            }
        }
    };
    ensure(
        matches!(
            error.kind(),
            ErrorKind::Unresponsive | ErrorKind::Absent | ErrorKind::CardGone | ErrorKind::NoCard
        ),
        || format!("{what} of a silent device ended so: {}", chain(&error)),
    )
}
