//! Answers as bytes, so that a fuzz target can say what a card does: one byte for the kind, and for data its length and
//! content.

use super::scene::Scene;
use crate::Reply;

const DONE: u8 = 0;
const REFUSED: u8 = 1;
const THE_SAME_CARD: u8 = 2;
const ANOTHER_CARD: u8 = 3;
const DATA: u8 = 4;
const KINDS: u8 = 5;

/// The answers of a card in their order. Any bytes are a script.
pub(super) struct Script<'a>(pub(super) &'a [u8]);

impl Script<'_> {
    /// The next answer; `None` at the end, where the card is gone.
    pub(super) fn next(&mut self, scene: &Scene) -> Option<Reply> {
        let (kind, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(match kind % KINDS {
            DONE => Reply::Done,
            REFUSED => Reply::Refused,
            THE_SAME_CARD => Reply::Reselected(scene.presented().clone()),
            ANOTHER_CARD => Reply::Reselected(scene.another()),
            _ => {
                let (length, rest) = self.0.split_first()?;
                let (data, rest) = rest.split_at(rest.len().min(usize::from(*length)));
                self.0 = rest;
                Reply::Data(data.to_vec())
            }
        })
    }
}

/// Writes an answer as a script has it.
///
/// # Panics
/// For more than 255 bytes of data, which no card sends in one answer.
pub fn write_reply(reply: &Reply, scene: &Scene, script: &mut Vec<u8>) {
    match reply {
        Reply::Done => script.push(DONE),
        Reply::Refused => script.push(REFUSED),
        Reply::Reselected(card) if card.uid == scene.presented().uid => script.push(THE_SAME_CARD),
        Reply::Reselected(_) => script.push(ANOTHER_CARD),
        Reply::Data(data) => {
            let length = u8::try_from(data.len()).expect("no card answers more");
            script.extend([DATA, length]);
            script.extend(data);
        }
    }
}
