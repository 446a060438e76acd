//! Cards that are not to be written: whatever is found out about them, they stay as they are.

use super::{SERVER_HAS_KEYS, SERVER_SEES_CARD};
use crate::ErrorKind;
use crate::conformance::desk::Desk;
use crate::conformance::outcome::ensure;
use crate::conformance::site::other_keys;
use crate::conformance::work::{Ended, Job, encode, must_encode, nothing, scan};
use crate::conformance::{Bench, Sample, Verdict};

/// A card of one site is not read and not written with the keys of another.
pub(in crate::conformance) fn a_wrong_key_changes_nothing(bench: &Bench<'_>) -> Verdict {
    bench.rig.place(Sample::First)?;
    let desk = bench.open_block(SERVER_HAS_KEYS)?;
    must_encode(&desk, 107)?;
    if let Ok(scanned) = scan(&desk, &other_keys())? {
        ensure(scanned.credential().is_none(), || {
            "a card was read with the keys of another site".to_owned()
        })?;
    }
    is_refused(
        bench,
        &desk,
        Sample::First,
        &Job::for_room(109).with_keys(other_keys()),
        "of another site",
        |ended| matches!(ended, Ended::Card(_)),
    )
}

/// A card in use by somebody else is refused.
pub(in crate::conformance) fn a_foreign_card_is_left_alone(bench: &Bench<'_>) -> Verdict {
    let desk = bench.open_block(SERVER_HAS_KEYS)?;
    bench.rig.place(Sample::Foreign)?;
    is_refused(
        bench,
        &desk,
        Sample::Foreign,
        &Job::for_room(107),
        "of somebody else",
        |ended| matches!(ended, Ended::Card(_)),
    )
}

/// A card that cannot hold a credential here is refused for that.
pub(in crate::conformance) fn an_unsupported_card_is_not_written(bench: &Bench<'_>) -> Verdict {
    let desk = bench.open_block(SERVER_SEES_CARD)?;
    bench.rig.place(Sample::Unsupported)?;
    is_refused(
        bench,
        &desk,
        Sample::Unsupported,
        &Job::for_room(107),
        "of no use here",
        |ended| match ended {
            Ended::Card(refusal) => matches!(refusal, card::Refusal::Unsupported { .. }),
            Ended::Encoder(error) => {
                matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::NoCard)
            }
            Ended::CalledOff => false,
        },
    )
}

/// With two cards on it the encoder does not choose.
pub(in crate::conformance) fn two_cards_are_refused(bench: &Bench<'_>) -> Verdict {
    let desk = bench.open_block(SERVER_SEES_CARD)?;
    bench.rig.place(Sample::First)?;
    bench.rig.add(Sample::Second)?;
    let selected = desk.select_resting()?;
    let kind = selected.map_err(|error| error.kind()).map(|_| ());
    ensure(kind == Err(ErrorKind::SeveralCards), || {
        format!("with two cards a wait ended with {kind:?}")
    })?;
    super::waiting::works_on(bench, &desk)
}

/// An encode of the card that lies there ends in such a way and changes nothing.
fn is_refused(
    bench: &Bench<'_>,
    desk: &Desk,
    sample: Sample,
    job: &Job,
    which: &str,
    rightly: impl FnOnce(&Ended) -> bool,
) -> Verdict {
    let (before, writes) = (bench.rig.memory(sample)?, bench.rig.writes()?);
    let result = encode(desk, job, nothing)?.result;
    ensure(bench.rig.writes()? == writes, || {
        format!("a card {which} was written to")
    })?;
    ensure(bench.rig.memory(sample)? == before, || {
        format!("a card {which} was changed")
    })?;
    match result {
        Ok(()) => ensure(false, || format!("a card {which} counts as encoded")),
        Err(ended) => ensure(rightly(&ended), || {
            format!("a card {which} was refused with the wrong reason: {ended}")
        }),
    }
}
