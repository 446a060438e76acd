//! A card or an encoder that answers anything: a procedure ends, never panics, and never asks for what is outside the
//! placing.

use card::{
    ClassicCommand, Command, Inspect, PlanOptions, PresentedCard, Procedure, ReadCopies, Reply,
    Step, Write, plan,
};
use proptest::prelude::*;

use crate::encode::encoded;
use crate::site::{ENCODE, entropy, guest, keys};

fn reply() -> impl Strategy<Value = Reply> {
    let same = encoded(0).presented();
    let other = PresentedCard {
        uid: "04000001".parse().unwrap(),
        ..same.clone()
    };
    prop_oneof![
        4 => Just(Reply::Done),
        4 => prop::collection::vec(any::<u8>(), 16).prop_map(Reply::Data),
        4 => Just(Reply::Data(vec![0; 16])),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Reply::Data),
        2 => Just(Reply::Refused),
        3 => Just(Reply::Reselected(same)),
        1 => Just(Reply::Reselected(other)),
    ]
}

fn replies() -> impl Strategy<Value = Vec<Reply>> {
    prop::collection::vec(reply(), 80)
}

/// Feeds the answers in and returns after how many the procedure ended.
fn feed<P: Procedure>(mut procedure: P, replies: Vec<Reply>) -> Option<usize> {
    let mut last = None;
    for (at, reply) in replies.into_iter().enumerate() {
        match procedure.next(last.take()) {
            Step::Done(_) => return Some(at),
            Step::Exchange(command, _) => {
                assert_within_the_placing(&command);
                last = Some(plausible(&command, reply));
            }
        }
    }
    None
}

/// Most answers fit their command, so that the noise gets past the first step; one in some does not.
fn plausible(command: &Command, reply: Reply) -> Reply {
    match (command, &reply) {
        (Command::Classic(ClassicCommand::Read { .. }), Reply::Done) => Reply::Data(vec![0; 16]),
        (
            Command::Classic(ClassicCommand::Authenticate { .. } | ClassicCommand::Write { .. }),
            Reply::Data(bytes),
        ) if bytes.len() == 16 => Reply::Done,
        (Command::Reselect, Reply::Done | Reply::Refused) => {
            Reply::Reselected(encoded(0).presented())
        }
        _ => reply,
    }
}

fn assert_within_the_placing(command: &Command) {
    if let Command::Classic(
        ClassicCommand::Authenticate { block, .. }
        | ClassicCommand::Read { block }
        | ClassicCommand::Write { block, .. },
    ) = command
    {
        assert!((4..=11).contains(block), "block {block}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_procedure_ends_whatever_it_is_answered(
        first in replies(),
        second in replies(),
        third in replies(),
        times in 0..3u32,
    ) {
        let mut field = encoded(times);
        let card = field.presented();
        let inspect = Inspect::new(card.clone(), &keys(), ENCODE, entropy()).unwrap();
        prop_assert!(feed(inspect, first).is_some());
        let read = ReadCopies::new(card, keys().lock_keys(), entropy()).unwrap();
        prop_assert!(feed(read, second).is_some());
        let found = field.inspect(ENCODE).done().unwrap();
        let planned = plan(&found, &guest(9, 109), &keys(), &PlanOptions::default()).unwrap();
        prop_assert!(feed(Write::new(planned, &keys(), entropy()), third).is_some());
    }
}
