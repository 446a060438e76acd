//! Frames of the device that do not arrive as they were sent, one at a time, at many places of an encode and of a scan.
//!
//! What a driver makes of them is its business, as long as it is not wrong: it never hangs or panics, an encode that
//! succeeded is on the card, a scan reports no credential that is not there, and with a sound wire the card is finished.

use std::time::{Duration, Instant};

use super::spread;
use crate::conformance::bench::chain;
use crate::conformance::desk::Desk;
use crate::conformance::outcome::{ensure, failed};
use crate::conformance::site::{credential, keys};
use crate::conformance::work::{Ended, Job, encode, must_encode, must_scan, nothing, scan};
use crate::conformance::{Bench, FaultKind, Sample, Verdict};
use crate::{Certainty, Makes, Stop};

/// Places of an encode, and of a scan, where a frame is spoiled.
const PLACES: u64 = 10;
/// The same where each costs the driver its patience.
const SLOW_PLACES: u64 = 5;
/// Later than any driver waits for an answer of the card.
const LATE: Duration = Duration::from_millis(2_500);

/// Frames that end too early.
pub(in crate::conformance) fn truncated_frames_are_not_misread(bench: &Bench<'_>) -> Verdict {
    spoiled(bench, FaultKind::Truncated, PLACES)
}

/// Frames that announce, or have, too much.
pub(in crate::conformance) fn oversize_frames_are_not_misread(bench: &Bench<'_>) -> Verdict {
    spoiled(bench, FaultKind::Oversize, PLACES)
}

/// Frames with other bytes.
pub(in crate::conformance) fn garbage_frames_are_not_misread(bench: &Bench<'_>) -> Verdict {
    spoiled(bench, FaultKind::Garbage, PLACES)
}

/// Frames that come twice.
pub(in crate::conformance) fn duplicate_frames_are_not_misread(bench: &Bench<'_>) -> Verdict {
    spoiled(bench, FaultKind::Duplicate, PLACES)
}

/// Frames that come when nobody waits for them any more.
pub(in crate::conformance) fn late_frames_are_not_misread(bench: &Bench<'_>) -> Verdict {
    spoiled(bench, FaultKind::Late(LATE), SLOW_PLACES)
}

/// Frames that do not come.
pub(in crate::conformance) fn lost_frames_are_not_misread(bench: &Bench<'_>) -> Verdict {
    spoiled(bench, FaultKind::Lost, SLOW_PLACES)
}

fn spoiled(bench: &Bench<'_>, kind: FaultKind, places: u64) -> Verdict {
    let before = bench.rig.faults_happened()?;
    let desk = bench.open()?;
    let makes = desk.makes();
    desk.close()?;
    match makes {
        Makes::Host => {
            let written = spoiled_encodes(bench, kind, places)?;
            spoiled_scans(bench, kind, places, &written)?;
        }
        Makes::Server => spoiled_orders(bench, kind, places)?,
    }
    bench.rig.mend()?;
    ensure(bench.rig.faults_happened()? > before, || {
        format!("no frame was ever spoiled ({kind:?}): the rig has not done it")
    })
}

/// A new card lies there.
fn begin_anew(bench: &Bench<'_>) -> Verdict {
    bench.rig.renew(Sample::First)?;
    Ok(bench.rig.place(Sample::First)?)
}

/// Opens, encodes a new card, closes, with a frame spoiled somewhere. Gives what a card holds that was encoded.
fn spoiled_encodes(bench: &Bench<'_>, kind: FaultKind, places: u64) -> Verdict<Vec<u8>> {
    let rig = bench.rig;
    begin_anew(bench)?;
    let begin = rig.frames()?;
    let desk = bench.open()?;
    must_encode(&desk, 107)?;
    desk.close()?;
    let frames = rig.frames()? - begin;
    let written = rig.memory(Sample::First)?;
    for frame in spread(frames, places) {
        let place = format!("{kind:?} at frame {frame} of {frames}");
        begin_anew(bench)?;
        rig.fault(kind, frame)?;
        let mut job = Job::for_room(107);
        if let Ok(desk) = bench.try_open()? {
            let encoded = encode(&desk, &job, nothing)?;
            desk.close()?;
            // Judged before anything else may write.
            ensure(
                encoded.result.is_err() || rig.memory(Sample::First)? == written,
                || format!("{place}: an encode succeeded, and the card does not hold it"),
            )?;
            job = job.with_suspects(encoded.suspects);
        }
        rig.mend()?;
        let desk = open_again(bench, kind, &place)?;
        if let Err(ended) = encode(&desk, &job, nothing)?.result {
            return failed(format!("{place}: the card could not be finished: {ended}"));
        }
        let scanned = must_scan(&desk)?;
        desk.close()?;
        ensure(scanned.credential() == Some(&credential(107)), || {
            format!(
                "{place}: a card that was finished is {:?}",
                scanned.condition()
            )
        })?;
    }
    Ok(written)
}

/// Opens, scans a card that holds a credential, closes, with a frame spoiled somewhere.
fn spoiled_scans(bench: &Bench<'_>, kind: FaultKind, places: u64, written: &[u8]) -> Verdict {
    let rig = bench.rig;
    begin_anew(bench)?;
    let desk = bench.open()?;
    must_encode(&desk, 107)?;
    desk.close()?;
    let begin = rig.frames()?;
    let desk = bench.open()?;
    must_scan(&desk)?;
    desk.close()?;
    let frames = rig.frames()? - begin;
    for frame in spread(frames, places) {
        let place = format!("{kind:?} at frame {frame} of {frames} of a scan");
        rig.fault(kind, frame)?;
        if let Ok(desk) = bench.try_open()? {
            let scanned = scan(&desk, &keys())?;
            desk.close()?;
            if let Ok(scanned) = scanned
                && let Some(found) = scanned.credential()
            {
                ensure(*found == credential(107), || {
                    format!("{place}: a scan reported a credential that is not on the card")
                })?;
            }
        }
        rig.mend()?;
        ensure(rig.memory(Sample::First)? == written, || {
            format!("{place}: a scan changed the card")
        })?;
        let desk = open_again(bench, kind, &place)?;
        match scan(&desk, &keys())? {
            Ok(scanned) if scanned.credential() == Some(&credential(107)) => desk.close()?,
            Ok(scanned) => {
                let condition = scanned.condition();
                return failed(format!(
                    "{place}: with a sound wire the card is {condition:?}"
                ));
            }
            Err(Ended::Encoder(error)) => {
                return failed(format!("{place}: and with a sound wire: {}", chain(&error)));
            }
            Err(ended) => return failed(format!("{place}: and with a sound wire: {ended}")),
        }
    }
    Ok(())
}

/// Has cards issued and read by a lock server, with a frame spoiled somewhere.
fn spoiled_orders(bench: &Bench<'_>, kind: FaultKind, places: u64) -> Verdict {
    let (rig, stop) = (bench.rig, Stop::default());
    let within = rig.patience() / 2;
    begin_anew(bench)?;
    let begin = rig.frames()?;
    let desk = bench.open()?;
    super::encoding::issued_is_read(bench, &desk)?;
    desk.close()?;
    let frames = rig.frames()? - begin;
    for frame in spread(frames, places) {
        let place = format!("{kind:?} at frame {frame} of {frames}");
        begin_anew(bench)?;
        let blank = rig.memory(Sample::First)?;
        rig.fault(kind, frame)?;
        if let Ok(desk) = bench.try_open()? {
            let issued = desk.issue(rig.order()?, within, &stop).get()?;
            let is_made = rig.memory(Sample::First)? != blank;
            match issued {
                Ok(_) => ensure(is_made, || format!("{place}: an issue made no card"))?,
                Err(error) => ensure(error.certainty == Certainty::Unknown || !is_made, || {
                    format!("{place}: a card was made that counts as not made")
                })?,
            }
            // Whatever it says, it has to say something.
            let _ = desk.read(within, &stop).get()?;
            desk.close()?;
        }
        rig.mend()?;
        let desk = open_again(bench, kind, &place)?;
        super::encoding::issued_is_read(bench, &desk)?;
        desk.close()?;
    }
    Ok(())
}

/// Opens the device once the wire is sound. A frame that is late may still be on its way, and others behind it: until
/// it has come the device may well not be there for anybody.
fn open_again(bench: &Bench<'_>, kind: FaultKind, place: &str) -> Verdict<Desk> {
    let end = match kind {
        FaultKind::Late(time) => Instant::now() + 2 * time,
        _ => Instant::now(),
    };
    loop {
        match bench.try_open()? {
            Ok(desk) => return Ok(desk),
            Err(_) if Instant::now() < end => {}
            Err(error) => {
                let why = chain(&error);
                return failed(format!(
                    "{place}: with a sound wire the encoder could not be opened: {why}"
                ));
            }
        }
    }
}
