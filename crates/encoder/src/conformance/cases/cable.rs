//! The way to the device: pulled, given up, and taken over.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::conformance::bench::{Presence, chain};
use crate::conformance::desk::{Desk, Pending};
use crate::conformance::host::{Host, Part};
use crate::conformance::outcome::{ensure, failed};
use crate::conformance::site::keys;
use crate::conformance::work::{Ended, scan_with};
use crate::conformance::{Bench, Sample, Verdict};
use crate::{CardWait, Error, ErrorKind, Makes, Stop};

/// Long enough for a wait to have begun.
const A_MOMENT: Duration = Duration::from_millis(200);
/// How often the device is let go and taken again.
const TURNS: usize = 3;

/// The cable is pulled during a session and during a wait: both end with an error that says so, the listing follows, and
/// once it is plugged in the device is back.
pub(in crate::conformance) fn an_unplugged_device_is_absent_and_comes_back(
    bench: &Bench<'_>,
) -> Verdict {
    let presence = bench.presence()?;
    let desk = bench.open()?;
    if desk.makes() == Makes::Host {
        bench.rig.place(Sample::First)?;
        let mut sent = 0;
        let ended = scan_with(&desk, &keys(), |_, _| {
            if sent == 1 {
                bench.rig.unplug()?;
            }
            sent += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        match ended {
            Ok(_) => return failed("a scan went on without the device"),
            Err(Ended::Encoder(error)) => is_absence(desk.makes(), "a session", &error)?,
            Err(ended) => return failed(format!("without the device a scan ended so: {ended}")),
        }
        comes_back(bench, &presence)?;
        desk.close()?;
        bench.rig.remove()?;
    } else {
        // An encoder is open once.
        desk.close()?;
    }
    let desk = bench.open()?;
    match desk.makes() {
        Makes::Host => {
            let waiting = desk.select(CardWait::Resting, desk.patience(), &Stop::default());
            is_cut_short(bench, desk.makes(), waiting)?;
        }
        Makes::Server => {
            let waiting = desk.read(desk.patience(), &Stop::default());
            is_cut_short(bench, desk.makes(), waiting)?;
        }
    }
    desk.close()?;
    comes_back(bench, &presence)?;
    super::waiting::works_on(bench, &bench.open()?)
}

fn is_cut_short<T>(bench: &Bench<'_>, makes: Makes, waiting: Pending<T>) -> Verdict {
    if waiting.within(A_MOMENT).is_some() {
        return failed("with no card a wait ended too early");
    }
    bench.rig.unplug()?;
    match waiting.get()? {
        Ok(_) => failed("without the device a wait found a card"),
        Err(error) => is_absence(makes, "a wait", &error),
    }
}

/// What hangs on a server is not told apart from the server.
fn is_absence(makes: Makes, what: &str, error: &Error) -> Verdict {
    let fits = match makes {
        Makes::Host => error.kind() == ErrorKind::Absent,
        Makes::Server => matches!(
            error.kind(),
            ErrorKind::Absent | ErrorKind::Unresponsive | ErrorKind::ServerFailed
        ),
    };
    ensure(fits, || {
        format!("without the device {what} ended so: {}", chain(error))
    })
}

/// The device is seen to be gone, cannot be opened, and is seen to be back.
fn comes_back(bench: &Bench<'_>, presence: &Presence) -> Verdict {
    presence.becomes(bench, false)?;
    match bench.try_open()? {
        Err(error) => is_absence(Makes::Server, "opening it", &error)?,
        Ok(_) => return failed("a device that is not there was opened"),
    }
    bench.rig.plug()?;
    presence.becomes(bench, true)
}

/// Whoever lets go of an encoder leaves the device to the next, at once, whatever it was doing.
pub(in crate::conformance) fn a_dropped_encoder_frees_the_device(bench: &Bench<'_>) -> Verdict {
    for _ in 0..TURNS {
        bench.open()?.close()?;
    }
    for _ in 0..TURNS {
        let desk = bench.open()?;
        let stop = Stop::default();
        match desk.makes() {
            Makes::Host => {
                let waiting = desk.select(CardWait::Resting, 2 * desk.patience(), &stop);
                let _ = waiting.within(A_MOMENT);
                desk.close()?;
            }
            Makes::Server => desk.close()?,
        }
    }
    for _ in 0..TURNS {
        let desk = bench.open()?;
        bench.rig.place(Sample::First)?;
        if desk.makes() == Makes::Host {
            selected(&desk)?;
        }
        desk.close()?;
    }
    super::waiting::works_on(bench, &bench.open()?)
}

/// A host is killed while a card is selected: the next one opens the device and works on.
pub(in crate::conformance) fn a_killed_host_frees_the_device(bench: &Bench<'_>) -> Verdict {
    bench.rig.place(Sample::First)?;
    for _ in 0..TURNS {
        let mut host = Host::start(bench, Part::Hold)?;
        let said = host.says(bench.rig.patience())?;
        ensure(said == "holds", || {
            format!("a host of its own process could not begin: {said}")
        })?;
        host.kill();
        let desk = bench.open()?;
        super::waiting::works_on(bench, &desk)?;
        desk.close()?;
    }
    Ok(())
}

pub(super) fn selected(desk: &Desk) -> Verdict {
    match desk.select_resting()? {
        Ok(_) => Ok(()),
        Err(error) => failed(format!("a card was not seen: {}", chain(&error))),
    }
}
