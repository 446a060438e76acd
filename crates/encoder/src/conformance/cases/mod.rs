//! The cases, each a function of the name under which it is listed.

mod encoding;
mod waiting;

pub(super) use encoding::{a_blank_card_is_scanned_as_blank, what_was_encoded_is_scanned};
pub(super) use waiting::no_card_by_the_deadline_is_said;
