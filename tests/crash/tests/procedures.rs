//! The procedures of `card` on the emulated card, in memory: the card leaves at every exchange of an encode, before the
//! command, in the midst of it, or before its answer.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its bench too"
)]

use card::{Refusal, Suspects};
use crash::encode::Ended;
use crash::plastic::{
    Start, blank, check_finished, check_nothing_written, has_torn_trailer, ours, pulled,
    two_valid_copies,
};
use crash::report;
use crash::site::{Guest, NEW};
use emulator::{Card, Moment};

const MOMENTS: [Moment; 5] = [
    Moment::Before,
    Moment::Torn { seed: 1 },
    Moment::Torn { seed: 2 },
    Moment::Torn { seed: 3 },
    Moment::Unanswered,
];

fn starts() -> Vec<Start> {
    let doubtful = two_valid_copies();
    let trusted = Start {
        suspects: Suspects::NONE,
        name: "two valid copies, and a journal that knows nothing of it",
        ..doubtful.clone()
    };
    vec![
        blank(),
        ours("ours, on copy A", &[]),
        ours("ours, on copy B", &[Guest { room: 101 }]),
        doubtful,
        trusted,
    ]
}

/// The card comes back, and the same credential is encoded on it, whether or not the journal still knows.
fn present_again(start: &Start, torn: &Card, known: Suspects, case: &str) {
    for suspects in [known, Suspects::NONE] {
        let card = start.card();
        card.set_memory(&torn.memory()).unwrap();
        match pulled(&card, NEW, suspects, None).ended {
            Ended::Written(_) => check_finished(&card, NEW, case),
            Ended::Refused(refusal) => {
                assert!(
                    matches!(refusal, Refusal::Foreign { .. }),
                    "{case}: {refusal}"
                );
                assert!(
                    has_torn_trailer(start, &card),
                    "{case}: refused though its trailers are whole"
                );
                check_nothing_written(&card, case);
            }
            Ended::Gone => panic!("{case}: nobody took it away"),
        }
        start.check_rest(&card, case);
    }
}

#[test]
fn a_card_pulled_at_any_exchange_opens_as_before_or_for_the_new_guest_and_is_finished_later() {
    let mut cases = 0;
    for start in starts() {
        let (exchanges, _) = start.exchanges();
        for at in 1..=exchanges {
            for moment in MOMENTS {
                let case = format!("{}, exchange {at} of {exchanges}, {moment:?}", start.name);
                let card = start.card();
                let torn = pulled(&card, NEW, start.suspects, Some((at, moment)));
                assert!(
                    matches!(torn.ended, Ended::Gone),
                    "{case}: {:?}",
                    torn.ended
                );
                start.check_lock(&card, &case);
                start.check_rest(&card, &case);
                present_again(&start, &card, torn.suspects, &case);
                cases += 1;
            }
        }
    }
    report(cases, "a card pulled during an encode, in memory");
    assert!(cases > 300, "only {cases} cases");
}

#[test]
fn a_card_that_holds_the_credential_already_is_not_written_wherever_it_is_pulled() {
    let card = ours("already encoded", &[]).card();
    assert!(matches!(
        pulled(&card, NEW, Suspects::NONE, None).ended,
        Ended::Written(_)
    ));
    let before = card.memory();
    let mut cases = 0;
    // The first that is not interrupted tells that there was nothing left to interrupt.
    for at in 1.. {
        for moment in MOMENTS {
            match pulled(&card, NEW, Suspects::NONE, Some((at, moment))).ended {
                Ended::Gone => cases += 1,
                Ended::Written(written) => {
                    assert_eq!(written.writes, 0);
                    report(cases, "a card pulled while it was read, in memory");
                    assert!(cases > 0);
                    return;
                }
                Ended::Refused(refusal) => panic!("exchange {at}, {moment:?}: {refusal}"),
            }
            assert_eq!(card.memory(), before, "exchange {at}, {moment:?}");
        }
    }
}
