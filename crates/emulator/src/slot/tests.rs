//! Cards that come, go and are torn away, as a reader notices it.

use std::collections::HashSet;
use std::time::Duration;

use super::{ExchangeKind, KeyType, Moment, Programming, Slot};
use crate::air::Frame;
use crate::card::{Authentication, Key, Verdict};
use crate::reader::{self, Wake};
use crate::{Card, Cards, Origin, Technology};

const OLD: [u8; 16] = [0x0F; 16];
const NEW: [u8; 16] = [0xF0; 16];
const BLOCK: u8 = 4;

/// A slot with its field on and one card whose block 4 holds `OLD`.
struct Bench {
    slot: Slot,
    card: Card,
}

impl Bench {
    fn new() -> Bench {
        let card = card("04A1B2C3");
        let mut image = card.memory();
        image[64..80].copy_from_slice(&OLD);
        card.set_memory(&image).unwrap();
        let slot = Slot::new();
        slot.place(&card);
        slot.set_field(true);
        Bench { slot, card }
    }

    fn select(&self) -> bool {
        reader::select(&self.slot, Wake::All, None).is_some()
    }

    fn authenticate(&self) -> Verdict {
        self.slot.authenticate(&Authentication {
            block: BLOCK,
            key_type: KeyType::A,
            key: Key([0xFF; 6]),
            uid: [0x04, 0xA1, 0xB2, 0xC3],
        })
    }

    fn opened() -> Bench {
        let bench = Bench::new();
        assert!(bench.select());
        assert_eq!(bench.authenticate(), Verdict::Accepted);
        bench
    }

    /// Whether the command was answered at all.
    fn is_answered(&self, body: &[u8]) -> bool {
        !self.slot.transmit(&Frame::with_crc(body)).is_empty()
    }

    fn read(&self) -> bool {
        self.is_answered(&[0x30, BLOCK])
    }

    fn write(&self) -> bool {
        self.is_answered(&[0xA0, BLOCK]) && self.is_answered(&NEW)
    }

    fn content(&self) -> [u8; 16] {
        self.card.memory()[64..80].try_into().unwrap()
    }

    fn is_empty(&self) -> bool {
        self.slot.cards().is_empty()
    }
}

fn card(uid: &str) -> Card {
    Cards::new()
        .card(
            Technology::MifareClassic1k,
            uid.parse().unwrap(),
            Origin::Factory,
        )
        .unwrap()
}

#[test]
fn a_card_leaves_after_the_nth_exchange_was_answered() {
    let bench = Bench::new();
    bench.slot.remove_after_exchanges(3);
    assert!(bench.select());
    assert_eq!(bench.authenticate(), Verdict::Accepted);
    assert!(bench.write());
    assert!(!bench.is_empty());
    assert!(bench.read());
    assert!(bench.is_empty());
    assert!(!bench.read());
    assert!(!bench.select());
    assert_eq!(bench.content(), NEW);
}

#[test]
fn selecting_and_halting_are_no_exchanges() {
    let bench = Bench::new();
    bench.slot.remove_after_exchanges(1);
    for _ in 0..5 {
        assert!(bench.select());
        reader::halt(&bench.slot);
    }
    assert!(!bench.read(), "a halted card does not hear");
    assert_eq!(bench.slot.log().exchanges(), 0);
    assert!(!bench.is_empty());
}

#[test]
fn a_removal_after_no_exchange_is_at_once() {
    let bench = Bench::new();
    bench.slot.remove_after_exchanges(0);
    assert!(bench.is_empty());
}

#[test]
fn a_removal_to_come_is_about_the_card_that_lies_there_and_not_about_the_next() {
    let bench = Bench::new();
    bench.slot.remove();
    assert!(!bench.slot.remove_after_exchanges(1), "nothing lies there");
    assert!(!bench.slot.remove_at(1, Moment::Before));
    bench.slot.place(&card("04D4E5F6"));
    assert!(bench.slot.remove_after_exchanges(1));
    bench.slot.place(&bench.card);
    assert!(bench.select());
    assert_eq!(bench.authenticate(), Verdict::Accepted);
    assert!(bench.read());
    assert!(!bench.is_empty());
}

#[test]
fn removing_a_card_by_hand_forgets_a_removal_to_come() {
    let bench = Bench::opened();
    bench.slot.remove_after_exchanges(1);
    bench.slot.remove();
    bench.slot.place(&bench.card);
    assert!(bench.select());
    bench.authenticate();
    assert!(bench.read());
    assert!(!bench.is_empty());
}

#[test]
fn a_card_gone_before_its_write_keeps_what_it_had() {
    let bench = Bench::opened();
    bench.slot.remove_at(1, Moment::Before);
    assert!(!bench.write());
    assert_eq!(bench.content(), OLD);
    assert!(bench.is_empty());
    assert_eq!(bench.slot.log().exchanges(), 1, "only the authentication");
}

#[test]
fn a_card_gone_before_its_answer_holds_what_was_written() {
    let bench = Bench::opened();
    bench.slot.remove_at(1, Moment::Unanswered);
    assert!(!bench.write());
    assert_eq!(bench.content(), NEW);
    assert!(bench.is_empty());
}

#[test]
fn a_write_torn_in_its_midst_leaves_a_mixture_and_is_logged_as_torn() {
    let bench = Bench::opened();
    bench.slot.remove_at(1, Moment::Torn { seed: 3 });
    assert!(
        bench.is_answered(&[0xA0, BLOCK]),
        "the card acknowledges the command before it is torn"
    );
    assert!(!bench.is_answered(&NEW));
    assert!(bench.content() != OLD && bench.content() != NEW);
    assert!(bench.is_empty());

    let log = bench.slot.log();
    let write = log.writes().back().unwrap();
    assert_eq!(write.programming, Programming::Torn);
    assert_eq!(
        (&write.before[..], &write.after[..]),
        (&OLD[..], &bench.content()[..])
    );
}

#[test]
fn a_weak_write_reads_differently_from_time_to_time_until_it_is_written_again() {
    let bench = Bench::opened();
    bench.slot.remove_at(1, Moment::Weak { seed: 3 });
    assert!(!bench.write());
    assert!(bench.is_empty());
    let write = bench.slot.log().writes().back().cloned().unwrap();
    assert_eq!(
        (write.programming, &write.after[..]),
        (Programming::Weak, &NEW[..])
    );
    let seen: HashSet<_> = (0..50).map(|_| bench.content()).collect();
    assert!(seen.len() > 1 && seen.contains(&NEW));

    bench.slot.place(&bench.card);
    assert!(bench.select());
    assert_eq!(bench.authenticate(), Verdict::Accepted);
    assert!(bench.write());
    assert!((0..50).all(|_| bench.content() == NEW));
}

#[test]
fn a_reading_cannot_be_torn_and_is_cut_off() {
    let bench = Bench::opened();
    bench.slot.remove_at(1, Moment::Torn { seed: 3 });
    assert!(!bench.read());
    assert_eq!(bench.content(), OLD);
    assert!(bench.is_empty());
}

#[test]
fn a_write_that_the_reader_gives_up_half_way_still_is_the_exchange_at_which_the_card_leaves() {
    let bench = Bench::opened();
    bench.slot.remove_after_exchanges(1);
    assert!(bench.is_answered(&[0xA0, BLOCK]));
    assert!(!bench.is_empty());
    assert!(!bench.select());
    assert!(bench.is_empty());
    assert_eq!(bench.content(), OLD);
}

#[test]
fn a_card_forgets_its_authentication_when_it_is_lifted_and_put_back() {
    let bench = Bench::opened();
    bench.slot.remove();
    bench.slot.place(&bench.card);
    assert!(!bench.read());
    assert!(bench.select());
    let answer = bench
        .slot
        .transmit(&Frame::with_crc(&[0x30, BLOCK]))
        .remove(0);
    assert_eq!(answer.short(4), Some(0x4));
}

#[test]
fn a_card_lies_on_one_encoder_at_a_time() {
    let (here, there, card) = (Slot::new(), Slot::new(), card("04A1B2C3"));
    here.place(&card);
    there.place(&card);
    assert!(here.cards().is_empty());
    assert_eq!(there.cards().len(), 1);
}

#[test]
fn a_card_replaces_another_unless_it_is_added() {
    let slot = Slot::new();
    slot.place(&card("01000001"));
    slot.place(&card("01000002"));
    assert_eq!(slot.cards().len(), 1);
    slot.add(&card("01000003"));
    assert_eq!(slot.cards().len(), 2);
}

#[test]
fn two_cards_answer_at_once() {
    let bench = Bench::new();
    bench.slot.add(&card("01000001"));
    assert_eq!(bench.slot.transmit(&Frame::partial([0x26], 7)).len(), 2);
}

#[test]
fn the_log_tells_every_exchange_and_on_whose_behalf() {
    let bench = Bench::opened();
    bench.slot.set_attempt(Some("attempt 1".to_owned()));
    assert!(bench.write());
    bench.slot.set_attempt(None);
    assert!(bench.read());

    let log = bench.slot.log();
    let seen: Vec<_> = log
        .recent()
        .iter()
        .map(|exchange| (exchange.number, exchange.kind, exchange.attempt.as_deref()))
        .collect();
    let block = u16::from(BLOCK);
    assert_eq!(
        seen,
        [
            (
                1,
                ExchangeKind::Authenticate {
                    block,
                    key_type: KeyType::A
                },
                None
            ),
            (2, ExchangeKind::Write { block }, Some("attempt 1")),
            (3, ExchangeKind::Read { block }, None),
        ]
    );
    let write = &log.writes()[0];
    assert_eq!(
        (write.exchange, write.block, write.attempt.as_deref()),
        (2, block, Some("attempt 1"))
    );
    assert_eq!((&write.before[..], &write.after[..]), (&OLD[..], &NEW[..]));
    assert_eq!(write.uid, bench.card.uid());
}

#[test]
fn waiting_ends_when_the_card_is_placed_by_another_thread() {
    let slot = Slot::new();
    std::thread::scope(|scope| {
        let waiting =
            scope.spawn(|| slot.wait_for(Duration::from_secs(10), |now| !now.cards.is_empty()));
        slot.place(&card("01000001"));
        assert!(waiting.join().unwrap());
    });
    assert!(!slot.wait_for(Duration::from_millis(1), |now| now.cards.is_empty()));
}

/// Runs a write beside the test, which meanwhile steers.
fn write_held(bench: &Bench, at: u64, steer: impl FnOnce()) -> bool {
    bench.slot.hold_at(at);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| bench.write());
        assert!(
            bench
                .slot
                .wait_for(Duration::from_secs(10), |now| now.is_held)
        );
        steer();
        bench.slot.let_go();
        writing.join().unwrap()
    })
}

#[test]
fn a_held_exchange_has_done_nothing_and_goes_on_when_it_is_let_go() {
    let bench = Bench::opened();
    let before = bench.slot.log().exchanges();
    let answered = write_held(&bench, 1, || {
        assert_eq!(bench.content(), OLD);
        assert_eq!(bench.slot.log().exchanges(), before);
    });
    assert!(answered);
    assert_eq!(bench.content(), NEW);
    assert!(bench.read(), "only that one was held");
}

#[test]
fn a_card_that_is_taken_away_while_its_exchange_is_held_never_gets_it() {
    let bench = Bench::opened();
    assert!(!write_held(&bench, 1, || bench.slot.remove()));
    assert_eq!(bench.content(), OLD);
}

#[test]
fn a_hold_that_has_not_come_is_forgotten_when_it_is_let_go() {
    let bench = Bench::opened();
    bench.slot.hold_at(1);
    bench.slot.let_go();
    assert!(bench.read());
}
