//! What is asked at the PC: nothing of it is journalled, told to the hub or written.

use std::time::Duration;

use protocol::link::{Action, Outcome};
use uuid::Uuid;

use super::desk::{Desk, encode};
use super::plastic::Plastic;
use crate::convert;
use crate::machine::{Event, Work};

#[test]
fn a_local_scan_is_not_journalled_and_not_told_to_the_hub() {
    let mut desk = Desk::with_card(Plastic::blank());
    desk.tell(Event::Asked {
        work: Work::Scan,
        id: Uuid::from_u128(99),
        card_wait: Duration::from_secs(1),
    });
    assert!(matches!(desk.outcome(99), Outcome::Scanned(_)));
    assert!(
        desk.story
            .iter()
            .all(|entry| !entry.starts_with("journal") && !entry.starts_with("send")),
        "{:?}",
        desk.story
    );
}

#[test]
fn what_an_encode_would_change_is_told_without_leave_journal_or_a_write() {
    for ours in [false, true] {
        let mut desk = Desk::with_card(Plastic::blank());
        if ours {
            desk.offer(11, encode(1));
        }
        desk.story.clear();
        let Action::Encode(wanted) = encode(2) else {
            unreachable!()
        };
        desk.tell(Event::Asked {
            id: Uuid::from_u128(99),
            work: Work::Preview(Box::new(convert::credential(&wanted).unwrap())),
            card_wait: Duration::from_secs(1),
        });
        let only = ["select Resting", "read", "release", "previewed"];
        let is_expected = |entry: &String| only.contains(&entry.as_str());
        assert!(desk.story.iter().all(is_expected), "{:?}", desk.story);
        let preview = desk.previews.pop().unwrap();
        assert_eq!(preview.held.map(|held| held.number), ours.then_some(1));
        assert_eq!((preview.credential.number, preview.key_version), (2, 1));
        assert!(!preview.changes.is_empty());
        // The encoder is free for the next job.
        desk.offer(12, encode(2));
        assert!(matches!(desk.outcome(12), Outcome::Written { .. }));
    }
}
