//! A card or an encoder that answers anything: a procedure ends, never panics, and never asks for what is outside the
//! placing.

use card::{
    ClassicCommand, Command, Inspect, PlanOptions, PresentedCard, Procedure, Purpose, ReadCopies,
    Reply, SiteKeys, Step, Write, plan,
};
use proptest::prelude::*;

use crate::encode::encoded;
use crate::model::Size;
use crate::sectors::holding;
use crate::site::{ENCODE, entropy, guest, keys, ring, with_doors};

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
fn feed<P: Procedure>(mut procedure: P, replies: Vec<Reply>, last_block: u8) -> Option<usize> {
    let mut last = None;
    for (at, reply) in replies.into_iter().enumerate() {
        match procedure.next(last.take()) {
            Step::Done(_) => return Some(at),
            Step::Exchange(command, _) => {
                assert_within_the_placing(&command, last_block);
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

fn assert_within_the_placing(command: &Command, last_block: u8) {
    if let Command::Classic(
        ClassicCommand::Authenticate { block, .. }
        | ClassicCommand::Read { block }
        | ClassicCommand::Write { block, .. },
    ) = command
    {
        assert!((4..=last_block).contains(block), "block {block}");
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
        prop_assert!(feed(inspect, first, 11).is_some());
        let read = ReadCopies::new(card, keys().lock_keys(), entropy()).unwrap();
        // Noise has no header of ours, so the further sectors are not asked for.
        prop_assert!(feed(read, second, 11).is_some());
        let found = field.inspect(ENCODE).done().unwrap();
        let planned = plan(&found, &guest(9, 109), &keys(), &PlanOptions::default()).unwrap();
        prop_assert!(feed(Write::new(planned, &keys(), entropy()), third, 11).is_some());
    }

    #[test]
    fn so_does_every_one_for_several_sectors(
        first in replies(),
        second in replies(),
        times in 0..3usize,
    ) {
        let credentials = [with_doors(1, 101, 0), with_doors(2, 102, 0)];
        let mut field = holding(Size::OneK, &credentials[..times.min(2)]);
        let new = with_doors(9, 109, 0);
        let purpose = Purpose::encode(&new).unwrap();
        let inspect = Inspect::new(field.presented(), &rolled(), purpose, entropy()).unwrap();
        prop_assert!(feed(inspect, first, 19).is_some());
        let found = field.inspect(purpose).done().unwrap();
        let planned = plan(&found, &new, &keys(), &PlanOptions::default()).unwrap();
        prop_assert!(feed(Write::new(planned, &keys(), entropy()), second, 19).is_some());
    }
}

fn rolled() -> SiteKeys {
    ring(&[1, 2])
}
