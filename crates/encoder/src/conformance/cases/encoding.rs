//! Cards that are encoded and scanned, and nothing goes wrong.

use card::Condition;

use crate::conformance::desk::Desk;
use crate::conformance::outcome::{ensure, failed};
use crate::conformance::site::credential;
use crate::conformance::work::{must_encode, must_scan};
use crate::conformance::{Bench, Sample, Verdict};
use crate::{ErrorKind, Makes, ServerCardContent, Stop};

/// A card as delivered is told from one that holds something, and scanning changes nothing.
pub(in crate::conformance) fn a_blank_card_is_scanned_as_blank(bench: &Bench<'_>) -> Verdict {
    bench.rig.place(Sample::First)?;
    let before = bench.rig.memory(Sample::First)?;
    let desk = bench.open()?;
    match desk.makes() {
        Makes::Host => {
            let scanned = must_scan(&desk)?;
            ensure(scanned.condition() == Condition::Blank, || {
                format!("a card as delivered is {:?}", scanned.condition())
            })?;
            ensure(scanned.credential().is_none(), || {
                "a card as delivered holds a credential".to_owned()
            })?;
        }
        Makes::Server => match desk.read(desk.patience() / 2, &Stop::default()).get()? {
            Ok(card) => ensure(!matches!(card.content, ServerCardContent::Guest(_)), || {
                "a card as delivered is a guest's".to_owned()
            })?,
            Err(error) if error.kind() == ErrorKind::UnusableCard => {}
            Err(error) => return failed(format!("a card could not be read: {error}")),
        },
    }
    ensure(bench.rig.memory(Sample::First)? == before, || {
        "a scan changed the card".to_owned()
    })
}

/// What was encoded is on the card, and a scan reports it.
pub(in crate::conformance) fn what_was_encoded_is_scanned(bench: &Bench<'_>) -> Verdict {
    bench.rig.place(Sample::First)?;
    let before = bench.rig.memory(Sample::First)?;
    let desk = bench.open()?;
    match desk.makes() {
        Makes::Host => {
            must_encode(&desk, 107)?;
            let scanned = must_scan(&desk)?;
            ensure(scanned.credential() == Some(&credential(107)), || {
                format!("a card that was encoded is {:?}", scanned.condition())
            })?;
        }
        Makes::Server => issued_is_read(bench, &desk)?,
    }
    ensure(bench.rig.memory(Sample::First)? != before, || {
        "an encode that succeeded left the card as it was".to_owned()
    })
}

/// The same credential twice, then another one on the same card: after each the card is valid.
pub(in crate::conformance) fn encoding_again_is_safe(bench: &Bench<'_>) -> Verdict {
    bench.rig.place(Sample::First)?;
    let desk = bench.open()?;
    if desk.makes() == Makes::Server {
        issued_is_read(bench, &desk)?;
        return issued_is_read(bench, &desk);
    }
    for room in [107, 107, 109] {
        must_encode(&desk, room)?;
        let scanned = must_scan(&desk)?;
        ensure(scanned.credential() == Some(&credential(room)), || {
            format!("a card that was encoded again is {:?}", scanned.condition())
        })?;
    }
    Ok(())
}

pub(super) fn issued_is_read(bench: &Bench<'_>, desk: &Desk) -> Verdict {
    let order = bench.rig.order()?;
    let stop = Stop::default();
    if let Err(error) = desk
        .issue(order.clone(), desk.patience() / 2, &stop)
        .get()?
    {
        return failed(format!("no card was issued: {error}: {}", error.error));
    }
    match desk.read(desk.patience() / 2, &stop).get()? {
        Ok(card) => match card.content {
            ServerCardContent::Guest(guest) => {
                ensure(guest.rooms.first() == order.rooms.first(), || {
                    format!("a card for {:?} opens {:?}", order.rooms, guest.rooms)
                })
            }
            other => failed(format!("a card that was issued is {other:?}")),
        },
        Err(error) => failed(format!("a card that was issued cannot be read: {error}")),
    }
}
