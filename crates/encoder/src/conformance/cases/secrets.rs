//! Keys and credentials stay out of everything that is written down.

use crate::Makes;
use crate::conformance::host::{Host, Part};
use crate::conformance::outcome::ensure;
use crate::conformance::session::CLEAN;
use crate::conformance::{Bench, FaultKind, Sample, Skip, Verdict};

/// Frames of a session that are spoiled, so that what a driver says of them is looked through as well.
const SPOILED: [u64; 3] = [9, 21, 34];

/// Everything that a host of its own process says at the level TRACE of a whole session, and a masked recording of it:
/// no key that was used and no part of the credential is in it, in hexadecimal, in decimal or raw.
pub(in crate::conformance) fn no_secret_is_in_a_log(bench: &Bench<'_>) -> Verdict {
    let desk = bench.open()?;
    let makes = desk.makes();
    desk.close()?;
    if makes == Makes::Server {
        return Err(Skip::because(super::SERVER_HAS_KEYS).into());
    }
    bench.rig.place(Sample::First)?;
    is_clean(bench, Part::Session)?;
    for frame in SPOILED {
        // A rig without faults has shown what it can.
        if bench.rig.fault(FaultKind::Garbage, frame).is_err() {
            return Ok(());
        }
        is_clean(bench, Part::SpoiledSession)?;
        bench.rig.mend()?;
    }
    Ok(())
}

fn is_clean(bench: &Bench<'_>, part: Part) -> Verdict {
    let mut host = Host::start(bench, part)?;
    let said = host.says(bench.rig.patience())?;
    host.kill();
    ensure(said == CLEAN, || said)
}
