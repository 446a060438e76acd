//! What a lock server answers in place of the name of a command when it did not do what it was asked: two letters.
//! One table, so that every code is decided on once.

use encoder::Certainty::{self, Unknown, Unwritten};
use encoder::ErrorKind;

use crate::dialect::Dialect;

/// One code that a server answers.
#[derive(Debug)]
pub(crate) struct Code {
    /// Two letters.
    pub(crate) letters: &'static str,
    /// Only servers of this dialect mean this by it.
    dialect: Option<Dialect>,
    /// For programs.
    pub(crate) kind: ErrorKind,
    /// What is certain of the card when this answers a request to make one.
    pub(crate) certainty: Certainty,
    /// For people, with what to do.
    pub(crate) sentence: &'static str,
}

const fn both(
    letters: &'static str,
    kind: ErrorKind,
    certainty: Certainty,
    sentence: &'static str,
) -> Code {
    Code {
        letters,
        dialect: None,
        kind,
        certainty,
        sentence,
    }
}

const fn only(
    dialect: Dialect,
    letters: &'static str,
    kind: ErrorKind,
    certainty: Certainty,
    sentence: &'static str,
) -> Code {
    Code {
        letters,
        dialect: Some(dialect),
        kind,
        certainty,
        sentence,
    }
}

/// Sources: PHP is `SaltoClient::$_errors` of coucounco/salto, C# is `ErrorCode` of batiati/Onity, both of which quote
/// their maker; C#2 is a client of SALTO with one word for each.
///
/// By most of them the server says that it stopped before it wrote. Three come after a card went through the machine
/// or say nothing of how far it got; then a card may have been made.
#[rustfmt::skip]
const CODES: &[Code] = &[
    // Source: PHP, C#.
    both("ES", ErrorKind::Protocol, Unwritten, "the lock server does not understand the request; check that `dialect` is right, and report it"),
    both("NC", ErrorKind::Absent, Unwritten, "the encoder does not answer the lock server; check its cable and power, and that `encoder` is what the server calls it"),
    both("NF", ErrorKind::ServerFailed, Unwritten, "the lock server's files are damaged or missing; ask whoever looks after it"),
    both("OV", ErrorKind::Busy, Unwritten, "the encoder is still busy with another task"),
    both("EP", ErrorKind::UnusableCard, Unwritten, "the card was not found, or is put in wrongly"),
    both("EF", ErrorKind::UnusableCard, Unwritten, "the card was made by another system, or is damaged"),
    both("TD", ErrorKind::Refused, Unwritten, "the lock server does not know the room; correct its name, or add it there"),
    both("ED", ErrorKind::NoCard, Unwritten, "the lock server waited too long for a card"),
    both("OS", ErrorKind::Refused, Unwritten, "the room is out of service on the lock server; put it back into service there"),
    // Source: PHP.
    only(Dialect::Salto, "EA", ErrorKind::Refused, Unwritten, "the room is checked out, so there is nothing to copy; make a new card instead"),
    both("EO", ErrorKind::Busy, Unwritten, "the card is being encoded by another station"),
    both("EG", ErrorKind::ServerFailed, Unknown, "the lock server failed and does not say how far it got; read the card"),
    // Source: C#2 (`Card validity error`).
    both("EV", ErrorKind::Refused, Unwritten, "the lock server refuses the times of the card; correct its beginning and its end"),
    // Source: C#. The card was recorded, but badly.
    only(Dialect::Onity, "EN", ErrorKind::ServerFailed, Unknown, "the card was recorded too weakly; clean the encoder's head, or take a better card"),
    only(Dialect::Onity, "ET", ErrorKind::ServerFailed, Unknown, "the card is stuck in the encoder; free it, and take one of the right size"),
    only(Dialect::Onity, "EA", ErrorKind::Refused, Unwritten, "no more cards that open once can be made for this guest"),
];

/// Names of commands, which begin answers that are no errors. Source: C# `CommandType`, the message classes of PHP and
/// Python.
const COMMANDS: &[&str] = &[
    "CN", "CC", "CA", "CO", "MC", "LT", "EX", "CNM", "CCM", "CNB", "CCB", "L1", "L2", "L3", "P1",
    "P2", "P3",
];

/// What a server of that dialect means by a code; `None` for one that nobody knows.
pub(crate) fn find(dialect: Dialect, letters: &[u8]) -> Option<&'static Code> {
    CODES.iter().find(|code| {
        code.letters.as_bytes() == letters && code.dialect.is_none_or(|it| it == dialect)
    })
}

/// Whether the name of an answer is the name of an error, known or not: two capital letters and no command.
pub(crate) fn is_error(name: &[u8]) -> bool {
    name.len() == 2
        && name.iter().all(u8::is_ascii_uppercase)
        && !COMMANDS.iter().any(|it| it.as_bytes() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_decided_on_for_every_dialect_that_has_it() {
        use ErrorKind as Kind;
        let both = [Dialect::Salto, Dialect::Onity];
        for (letters, dialects, kind) in [
            ("ES", &both[..], Kind::Protocol),
            ("NC", &both, Kind::Absent),
            ("NF", &both, Kind::ServerFailed),
            ("OV", &both, Kind::Busy),
            ("EP", &both, Kind::UnusableCard),
            ("EF", &both, Kind::UnusableCard),
            ("EN", &both[1..], Kind::ServerFailed),
            ("ET", &both[1..], Kind::ServerFailed),
            ("TD", &both, Kind::Refused),
            ("ED", &both, Kind::NoCard),
            ("EA", &both, Kind::Refused),
            ("OS", &both, Kind::Refused),
            ("EO", &both, Kind::Busy),
            ("EV", &both, Kind::Refused),
            ("EG", &both, Kind::ServerFailed),
        ] {
            assert!(is_error(letters.as_bytes()), "{letters}");
            for dialect in both {
                let found = find(dialect, letters.as_bytes()).map(|code| code.kind);
                let expected = dialects.contains(&dialect).then_some(kind);
                assert_eq!(found, expected, "{letters} of {dialect:?}");
            }
        }
    }

    #[test]
    fn only_what_the_server_says_nothing_of_is_in_doubt() {
        let in_doubt: Vec<_> = CODES
            .iter()
            .filter(|code| code.certainty == Unknown)
            .map(|code| code.letters)
            .collect();
        assert_eq!(in_doubt, ["EG", "EN", "ET"]);
    }

    #[test]
    fn one_code_means_one_thing_to_a_server() {
        for dialect in [Dialect::Salto, Dialect::Onity] {
            for code in CODES {
                let same = CODES
                    .iter()
                    .filter(|it| {
                        it.letters == code.letters && it.dialect.is_none_or(|its| its == dialect)
                    })
                    .count();
                assert!(same <= 1, "{} of {dialect:?}", code.letters);
            }
        }
        let copies = find(Dialect::Salto, b"EA").unwrap().sentence;
        assert_ne!(copies, find(Dialect::Onity, b"EA").unwrap().sentence);
    }

    #[test]
    fn a_command_is_no_error() {
        for command in COMMANDS {
            assert!(!is_error(command.as_bytes()), "{command}");
        }
        for name in ["", "101", "CN2", "ov", "E1"] {
            assert!(!is_error(name.as_bytes()), "{name}");
        }
        assert!(is_error(b"ZZ"));
    }
}
