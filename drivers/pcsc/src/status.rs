//! What the status words of a reader mean for what was asked of the card.

use encoder::ErrorKind;

/// What follows from a status word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The card did it.
    Done,
    /// The card said no or is gone, and the reader cannot tell. Selecting it again will.
    RefusedOrGone,
    /// The reader is at fault, or cannot do such a thing.
    Failed(ErrorKind),
}

/// One status word.
pub(crate) struct Status {
    pub(crate) word: u16,
    pub(crate) text: &'static str,
    pub(crate) meaning: Meaning,
}

const fn status(word: u16, text: &'static str, meaning: Meaning) -> Status {
    Status {
        word,
        text,
        meaning,
    }
}

const REFUSED: Meaning = Meaning::RefusedOrGone;
const UNSUPPORTED: Meaning = Meaning::Failed(ErrorKind::Unsupported);
const PROTOCOL: Meaning = Meaning::Failed(ErrorKind::Protocol);

/// Source: PC/SC part 3, tables of 3.2.2.1.4 to 3.2.2.1.9; for 6300 also ACS' API for the ACR122U, which answers every
/// failure with it, a wrong key and a card that has left alike.
const TABLE: [Status; 20] = [
    status(0x9000, "done", Meaning::Done),
    status(0x6282, "data ends early", REFUSED),
    status(0x6300, "failed", REFUSED),
    status(0x6400, "failed, nothing changed", REFUSED),
    status(0x6581, "memory failure", REFUSED),
    status(0x6700, "wrong length", PROTOCOL),
    status(0x6800, "class not supported", UNSUPPORTED),
    status(0x6981, "command does not fit the card", UNSUPPORTED),
    status(0x6982, "not allowed with this key", REFUSED),
    status(0x6983, "reader key not supported", PROTOCOL),
    status(0x6984, "key not usable", PROTOCOL),
    status(0x6985, "secure key transmission not supported", PROTOCOL),
    status(0x6986, "key memory or type not supported", PROTOCOL),
    status(0x6988, "key number not valid", PROTOCOL),
    status(0x6989, "key length not correct", PROTOCOL),
    status(0x6A81, "function not supported", UNSUPPORTED),
    status(0x6A82, "no such block", REFUSED),
    status(0x6B00, "wrong parameter", PROTOCOL),
    status(0x6D00, "instruction not supported", UNSUPPORTED),
    status(0x6E00, "class not supported", UNSUPPORTED),
];

/// Looks a status word up.
pub(crate) fn meaning(word: u16) -> Status {
    TABLE
        .iter()
        .find(|row| row.word == word)
        .map_or(status(word, "unknown status", PROTOCOL), |row| {
            status(row.word, row.text, row.meaning)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_one_line() {
        assert!(TABLE[1..].is_sorted_by(|a, b| a.word < b.word));
    }

    #[test]
    fn a_failure_of_the_card_is_told_from_one_of_the_reader() {
        assert_eq!(meaning(0x9000).meaning, Meaning::Done);
        assert_eq!(meaning(0x6300).meaning, Meaning::RefusedOrGone);
        assert_eq!(
            meaning(0x6A81).meaning,
            Meaning::Failed(ErrorKind::Unsupported)
        );
        assert_eq!(meaning(0x1234).word, 0x1234);
        assert_eq!(
            meaning(0x1234).meaning,
            Meaning::Failed(ErrorKind::Protocol)
        );
    }
}
