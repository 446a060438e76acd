//! The wait for a card: it ends when it must, and the encoder works on.

use std::time::Duration;

use crate::conformance::desk::{Desk, Pending};
use crate::conformance::outcome::{ensure, failed};
use crate::conformance::{Bench, Sample, Verdict};
use crate::{CardWait, Certainty, ErrorKind, Makes, Stop};

/// A deadline that is soon over.
const SOON: Duration = Duration::from_millis(200);

/// Nobody puts a card on: the driver says so at the deadline, whichever card it waits for, and takes the next one.
pub(in crate::conformance) fn no_card_by_the_deadline_is_said(bench: &Bench<'_>) -> Verdict {
    let desk = bench.open()?;
    match desk.makes() {
        Makes::Host => {
            for wait in [CardWait::Resting, CardWait::Fresh] {
                let ended = desk.select(wait, SOON, &Stop::default()).get()?;
                let kind = ended.map_err(|error| error.kind()).map(|_| ());
                ensure(kind == Err(ErrorKind::NoCard), || {
                    format!("with no card a wait for a {wait:?} one ended with {kind:?}")
                })?;
            }
        }
        Makes::Server => no_card_for_the_server(bench, &desk)?,
    }
    works_on(bench, &desk)
}

/// The server has a patience of its own, and says itself that there was no card. One that did not say so in time would
/// leave a doubt, rightly.
fn no_card_for_the_server(bench: &Bench<'_>, desk: &Desk) -> Verdict {
    let within = desk.patience() / 2;
    let read = desk.read(within, &Stop::default()).get()?;
    let kind = read.map_err(|error| error.kind()).map(|_| ());
    ensure(kind == Err(ErrorKind::NoCard), || {
        format!("with no card a read ended with {kind:?}")
    })?;
    let issued = desk
        .issue(bench.rig.order()?, within, &Stop::default())
        .get()?;
    match issued {
        Err(error) if error.error.kind() == ErrorKind::NoCard => {
            ensure(error.certainty == Certainty::Unwritten, || {
                "with no card an issue left in doubt whether one was made".to_owned()
            })
        }
        ended => failed(format!("with no card an issue ended with {ended:?}")),
    }
}

/// A wait ends when it is called off, whether it began already or not, and nothing is left of it.
pub(in crate::conformance) fn a_stop_ends_the_wait(bench: &Bench<'_>) -> Verdict {
    let desk = bench.open()?;
    match desk.makes() {
        Makes::Host => {
            for wait in [CardWait::Resting, CardWait::Fresh] {
                let stop = Stop::default();
                let waiting = desk.select(wait, 2 * desk.patience(), &stop);
                if let Some(ended) = waiting.within(SOON) {
                    let kind = ended.map_err(|error| error.kind()).map(|_| ());
                    return failed(format!("with no card a wait ended too early: {kind:?}"));
                }
                stop.raise();
                ended_as_cancelled("while it lasted", waiting)?;
                ended_as_cancelled(
                    "before it began",
                    desk.select(wait, 2 * desk.patience(), &stop),
                )?;
            }
        }
        Makes::Server => {
            // What was sent to a server cannot be called off.
            let stop = Stop::default();
            stop.raise();
            ended_as_cancelled("before it began", desk.read(desk.patience(), &stop))?;
            let issue = desk.issue(bench.rig.order()?, desk.patience(), &stop);
            match issue.get()? {
                Err(error)
                    if error.error.kind() == ErrorKind::Cancelled
                        && error.certainty == Certainty::Unwritten => {}
                ended => return failed(format!("an issue called off ended with {ended:?}")),
            }
        }
    }
    works_on(bench, &desk)
}

fn ended_as_cancelled<T>(when: &str, pending: Pending<T>) -> Verdict {
    let kind = pending.get()?.map_err(|error| error.kind()).map(|_| ());
    ensure(kind == Err(ErrorKind::Cancelled), || {
        format!("a wait that was called off {when} ended with {kind:?}")
    })
}

/// The encoder takes the next card.
pub(super) fn works_on(bench: &Bench<'_>, desk: &Desk) -> Verdict {
    bench.rig.place(Sample::First)?;
    let error = match desk.makes() {
        Makes::Host => desk.select_resting()?.err(),
        Makes::Server => desk
            .read(desk.patience() / 2, &Stop::default())
            .get()?
            .err(),
    };
    match error {
        None => Ok(()),
        // A server may call a blank card what it is.
        Some(error) if error.kind() == ErrorKind::UnusableCard => Ok(()),
        Some(error) => failed(format!("afterwards the next card was not seen: {error}")),
    }
}
