//! Cards that leave, and hosts that stop, in the midst of the work.

use std::ops::ControlFlow;

use card::{Effect, Suspects};

use super::{SERVER_HAS_STEPS, spread};
use crate::conformance::desk::Desk;
use crate::conformance::outcome::{ensure, failed};
use crate::conformance::site::credential;
use crate::conformance::work::{Encoded, Job, encode, must_encode, must_scan, nothing};
use crate::conformance::{Bench, Sample, Verdict};

/// Steps of one encode at which something happens; more would take long where a reader is slow to see a card.
const STEPS: u64 = 8;

/// Another card takes the place of the first between two commands: the encode fails, and the other card is untouched.
pub(in crate::conformance) fn a_card_swapped_between_steps_is_noticed(
    bench: &Bench<'_>,
) -> Verdict {
    let desk = bench.open_block(SERVER_HAS_STEPS)?;
    let rig = bench.rig;
    let untouched = rig.memory(Sample::Second)?;
    let steps = undisturbed(bench, &desk)?.sent;
    for step in spread(steps - 1, STEPS) {
        begin_anew(bench)?;
        let mut sent = 0;
        let encoded = encode(&desk, &Job::for_room(107), |_, _| {
            if sent == step {
                rig.place(Sample::Second)?;
            }
            sent += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        ensure(encoded.result.is_err(), || {
            format!("a card that was swapped after step {step} of {steps} counts as encoded")
        })?;
        ensure(rig.memory(Sample::Second)? == untouched, || {
            format!("the card that came after step {step} of {steps} was written to")
        })?;
        rig.place(Sample::First)?;
        is_finished(
            &desk,
            encoded.suspects,
            &format!("swapped after step {step}"),
        )?;
    }
    Ok(())
}

/// The card is taken off in the midst of a writing exchange: the encode fails, and when the card is back it is finished.
pub(in crate::conformance) fn a_card_removed_while_writing_is_finished_afterwards(
    bench: &Bench<'_>,
) -> Verdict {
    let desk = bench.open_block(SERVER_HAS_STEPS)?;
    let rig = bench.rig;
    begin_anew(bench)?;
    let before = rig.exchanges()?;
    let mut writing = Vec::new();
    encode(&desk, &Job::for_room(107), |_, effect| {
        if effect != Effect::Reads {
            writing.push(rig.exchanges()? - before + 1);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    ensure(!writing.is_empty(), || {
        "a new card was encoded without a writing step".to_owned()
    })?;
    for at in spread(writing.len() as u64, STEPS) {
        let exchange = writing[at as usize - 1];
        begin_anew(bench)?;
        rig.remove_at(exchange)?;
        let encoded = encode(&desk, &Job::for_room(107), nothing)?;
        ensure(encoded.result.is_err(), || {
            format!("a card that was removed at exchange {exchange} counts as encoded")
        })?;
        rig.place(Sample::First)?;
        is_finished(
            &desk,
            encoded.suspects,
            &format!("removed at exchange {exchange}"),
        )?;
    }
    Ok(())
}

/// The host stops between two commands: the card is let go, unchanged if nothing was written yet, and the next encode
/// finds the encoder ready.
pub(in crate::conformance) fn a_cancel_between_steps_lets_the_card_go(
    bench: &Bench<'_>,
) -> Verdict {
    let desk = bench.open_block(SERVER_HAS_STEPS)?;
    let rig = bench.rig;
    let new = rig.memory(Sample::First)?;
    let steps = undisturbed(bench, &desk)?.sent;
    for step in spread(steps - 1, STEPS) {
        begin_anew(bench)?;
        let (mut sent, mut stake) = (0, Effect::Reads);
        let encoded = encode(&desk, &Job::for_room(107), |_, effect| {
            if sent == step {
                return Ok(ControlFlow::Break(()));
            }
            sent += 1;
            stake = stake.max(effect);
            Ok(ControlFlow::Continue(()))
        })?;
        ensure(
            stake > Effect::Reads || rig.memory(Sample::First)? == new,
            || format!("a card changed before step {step} of {steps}, by reading alone"),
        )?;
        is_finished(
            &desk,
            encoded.suspects,
            &format!("let go after step {step}"),
        )?;
    }
    Ok(())
}

/// A new card lies there.
fn begin_anew(bench: &Bench<'_>) -> Verdict {
    bench.rig.renew(Sample::First)?;
    Ok(bench.rig.place(Sample::First)?)
}

/// Encodes a new card with nothing in the way.
fn undisturbed(bench: &Bench<'_>, desk: &Desk) -> Verdict<Encoded> {
    begin_anew(bench)?;
    must_encode(desk, 107)
}

fn is_finished(desk: &Desk, suspects: Suspects, what_happened: &str) -> Verdict {
    if let Err(ended) = encode(desk, &Job::for_room(107).with_suspects(suspects), nothing)?.result {
        return failed(format!(
            "a card that was {what_happened} could not be finished: {ended}"
        ));
    }
    let scanned = must_scan(desk)?;
    ensure(scanned.credential() == Some(&credential(107)), || {
        format!(
            "a card that was {what_happened} and finished is {:?}",
            scanned.condition()
        )
    })
}
