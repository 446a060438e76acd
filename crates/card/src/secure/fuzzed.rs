//! Protected answers as a fuzz target has them: anything, or anything that the card itself has protected.

use super::call::{Call, FileData};
use super::ev1::Ev1;
use super::ev2::Ev2;
use super::session::Session;

const EV2: u8 = 1 << 0;
const ENCIPHERED: u8 = 1 << 1;
const FROM_THE_CARD: u8 = 1 << 2;

/// Opens an answer, after a byte that chooses the session and whether it holds content that a card with the right key
/// protects. Returns whether it opened; what a card has protected opens to just that.
#[must_use]
pub fn fuzz_answer(bytes: &[u8]) -> bool {
    let Some((choice, answer)) = bytes.split_first() else {
        return false;
    };
    let has = |bit| choice & bit != 0;
    let data = if has(ENCIPHERED) {
        FileData::Enciphered
    } else {
        FileData::Maced
    };
    let call = Call::read_data(1, 0, answer.len(), data);
    let (a, b) = ([0xA0; 16], [0x0B; 16]);
    let session = || {
        let mut session = if has(EV2) {
            Session::Ev2(Ev2::new(&[7; 16], &a, &b, [1, 2, 3, 4]))
        } else {
            Session::Ev1(Ev1::new(&a, &b))
        };
        session.protect(&call);
        session
    };
    let protected = match session() {
        Session::Ev1(mut card) if has(FROM_THE_CARD) => card.forged(&call, answer),
        Session::Ev2(mut card) if has(FROM_THE_CARD) => card.forged(&call, answer),
        _ => answer.to_vec(),
    };
    let opened = session().open(&call, &protected);
    if has(FROM_THE_CARD) {
        let content = opened.as_deref().map(Vec::as_slice);
        assert_eq!(content, Some(answer), "{protected:02x?}");
    }
    opened.is_some()
}
