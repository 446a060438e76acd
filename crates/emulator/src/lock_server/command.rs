//! Commands of the protocol, parsed from the fields of a frame. What is here has the right form; whether it can be
//! done is decided elsewhere.

use super::Dialect;
use super::error_code::ErrorCode;
use super::frame::Field;
use super::hotel_time::HotelTime;

/// Cards of one request at most (Onity `WriteData.cs`: 1 to 9).
const MOST_CARDS: u8 = 9;
/// Longest operator, and line of print.
const LONGEST_LINE: usize = 24;
const LONGEST_AUTHORISATION_CODE: usize = 64;
/// One character for each authorisation of SALTO, from 1 to 62.
const AUTHORISATIONS: &[u8] = b"123456789abcdefghijklmnopqrstuvwxyz!#$%&()*+,-./:;<=>?@[\\]^_{}";
/// Onity has eight.
const ONITY_AUTHORISATIONS: &[u8] = b"12345678";

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// `CN`, `CC`, `CA`: make cards.
    Issue(Box<Issue>),
    /// `LT`: read a card.
    Read(At),
    /// `L1` to `L3`, and with a text `P1` to `P3`: read or write a track.
    Track {
        at: At,
        number: u8,
        text: Option<Field>,
    },
    /// `CO`: the guest leaves.
    CheckOut { encoder: Field, room: Field },
    /// `MC`: the guest moves, or stays for another time.
    Modify {
        from: Field,
        to: Field,
        expiry: Option<HotelTime>,
    },
    /// `EX`: end the task and give the card out.
    Eject { encoder: Field },
    /// Known, and not to be had without a licence. `subject` is a telephone number or a UID.
    Unlicensed { subject: Field },
}

/// On which encoder, and what becomes of the card afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At {
    pub(super) encoder: Field,
    /// Eject and wait for its removal, rather than leave it.
    pub(super) ejects: bool,
}

/// Cards to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Issue {
    pub(super) at: At,
    pub(super) kind: IssueKind,
    pub(super) count: u8,
    /// The main room first.
    pub(super) rooms: Vec<Field>,
    pub(super) granted: Field,
    pub(super) start: Option<HotelTime>,
    pub(super) expiry: Option<HotelTime>,
    pub(super) operator: Field,
    pub(super) serials: Serials,
}

/// For whom cards are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IssueKind {
    NewGuest,
    Copy,
    OneShot,
}

/// Which serial numbers the answer is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Serials {
    None,
    Last,
    All,
}

/// A frame that is no command: the error, and what stands in the second field of its answer.
pub(super) type Refusal = (ErrorCode, Field);

/// Parses the fields of a frame, the name being the first.
pub(super) fn parse(dialect: Dialect, fields: &[Field]) -> Result<Command, Refusal> {
    let subject = fields.get(1).cloned().unwrap_or_default();
    parse_well_formed(dialect, fields).ok_or((ErrorCode::Es, subject))
}

fn parse_well_formed(dialect: Dialect, fields: &[Field]) -> Option<Command> {
    if fields.iter().flatten().any(u8::is_ascii_control) {
        return None;
    }
    let fields = Fields(fields);
    let is_salto = dialect == Dialect::Salto;
    match fields.get(0) {
        b"LT" => Some(Command::Read(fields.at()?)),
        [side @ (b'L' | b'P'), number @ b'1'..=b'3'] => Some(Command::Track {
            at: fields.at()?,
            number: number - b'0',
            text: (*side == b'P').then(|| fields.get(3).to_vec()),
        }),
        b"CO" => Some(Command::CheckOut {
            encoder: fields.get(1).to_vec(),
            room: fields.filled(2)?,
        }),
        b"MC" if is_salto => Some(Command::Modify {
            from: fields.filled(1)?,
            to: fields.filled(2)?,
            expiry: fields.time(dialect, 3)?,
        }),
        b"EX" if !is_salto => Some(Command::Eject {
            encoder: fields.filled(1)?,
        }),
        b"CNM" | b"CCM" | b"CNB" | b"CCB" if is_salto => Some(Command::Unlicensed {
            subject: fields.filled(1)?,
        }),
        [b'C', kind, count @ ..] => fields.issue(dialect, *kind, count),
        _ => None,
    }
}

/// Fields of a command; those that were left away at the end are empty.
struct Fields<'a>(&'a [Field]);

impl Fields<'_> {
    fn get(&self, at: usize) -> &[u8] {
        self.0.get(at).map_or(&[], Vec::as_slice)
    }

    fn filled(&self, at: usize) -> Option<Field> {
        Some(self.get(at).to_vec()).filter(|field| !field.is_empty())
    }

    fn at(&self) -> Option<At> {
        let ejects = match self.get(2) {
            b"E" | b"T" => true,
            // That it may be left away is from memory.
            b"R" | b"" => false,
            _ => return None,
        };
        Some(At {
            encoder: self.filled(1)?,
            ejects,
        })
    }

    /// `None` if there is one and it is no moment.
    fn time(&self, dialect: Dialect, at: usize) -> Option<Option<HotelTime>> {
        match self.get(at) {
            b"" => Some(None),
            text => HotelTime::parse(dialect, text).map(Some),
        }
    }

    fn issue(&self, dialect: Dialect, kind: u8, count: &[u8]) -> Option<Command> {
        let kind = match kind {
            b'N' => IssueKind::NewGuest,
            b'C' => IssueKind::Copy,
            b'A' if dialect == Dialect::Onity => IssueKind::OneShot,
            _ => return None,
        };
        let count = match count {
            [] => 1,
            [digit] => digit.checked_sub(b'0')?,
            _ => return None,
        };
        let known: &[u8] = match dialect {
            Dialect::Salto => AUTHORISATIONS,
            Dialect::Onity => ONITY_AUTHORISATIONS,
        };
        let lines_fit = (11..15).all(|at| self.get(at).len() <= LONGEST_LINE);
        let are_known = |at| self.get(at).iter().all(|byte| known.contains(byte));
        let is_well_formed = (1..=MOST_CARDS).contains(&count)
            && are_known(7)
            && are_known(8)
            // Onity's fourth and later lines are not documented; SALTO's are for print and longer codes.
            && (dialect == Dialect::Onity || lines_fit)
            && self.get(16).len() <= LONGEST_AUTHORISATION_CODE;
        if !is_well_formed {
            return None;
        }
        let mut rooms = vec![self.filled(3)?];
        rooms.extend((4..7).map(|at| self.get(at).to_vec()));
        Some(Command::Issue(Box::new(Issue {
            at: self.at()?,
            kind,
            count,
            rooms,
            granted: self.get(7).to_vec(),
            start: self.time(dialect, 9)?,
            expiry: self.time(dialect, 10)?,
            operator: self.get(11).to_vec(),
            serials: match (dialect, self.get(15)) {
                // Tells the serial number of a contactless card unasked (batiati/Onity `Client.cs`, `Write`).
                (Dialect::Onity, _) | (_, b"1") => Serials::Last,
                (_, b"" | b"0") => Serials::None,
                (_, b"2") => Serials::All,
                _ => return None,
            },
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::{AUTHORISATIONS, Command, IssueKind, Serials, parse};
    use crate::lock_server::{Dialect, ErrorCode};

    fn parsed(dialect: Dialect, text: &str) -> Result<Command, (ErrorCode, Vec<u8>)> {
        let fields: Vec<Vec<u8>> = text.split('|').map(|field| field.into()).collect();
        parse(dialect, &fields)
    }

    #[test]
    fn there_are_62_authorisations_and_none_twice() {
        let mut all = AUTHORISATIONS.to_vec();
        all.sort_unstable();
        all.dedup();
        assert_eq!((AUTHORISATIONS.len(), all.len()), (62, 62));
        assert!(!all.contains(&b'"') && !all.contains(&b'\''));
    }

    #[test]
    fn a_guest_card_is_asked_for_with_everything_or_with_the_least() {
        let full =
            "CN2|Online Encoder 1|E|101|102|||19z!}|3|1400211126|1200221126|Ada|a|b|c|2|code";
        let Ok(Command::Issue(issue)) = parsed(Dialect::Salto, full) else {
            panic!("{full}")
        };
        assert_eq!((issue.kind, issue.count), (IssueKind::NewGuest, 2));
        assert_eq!(issue.rooms[..2], [b"101".to_vec(), b"102".to_vec()]);
        assert_eq!(issue.serials, Serials::All);
        assert!(issue.at.ejects && issue.start < issue.expiry);

        let Ok(Command::Issue(least)) = parsed(Dialect::Onity, "CC|1|R|101||||36|||12221126")
        else {
            panic!("the least")
        };
        assert_eq!((least.kind, least.count), (IssueKind::Copy, 1));
        assert_eq!((least.start, least.serials), (None, Serials::Last));
    }

    #[test]
    fn what_is_no_command_of_the_dialect_is_a_syntax_error_that_names_the_encoder() {
        let wrong: [(Dialect, &str); 18] = [
            (Dialect::Salto, ""),
            (Dialect::Salto, "XX|1"),
            (Dialect::Salto, "INFO"),
            (Dialect::Salto, "CN0|1|R|101"),
            (Dialect::Salto, "CN10|1|R|101"),
            (Dialect::Salto, "CN|1|X|101"),
            (Dialect::Salto, "CN|1|R|"),
            (Dialect::Salto, "CN||R|101"),
            (Dialect::Salto, "CN|1|R|101||||\"||1400211126|1200221126"),
            (Dialect::Salto, "CN|1|R|101||||||14211126|12221126"),
            (
                Dialect::Salto,
                "CN|1|R|101||||||||0123456789012345678901234",
            ),
            (Dialect::Salto, "CA|1|R|101"),
            (Dialect::Salto, "EX|1"),
            (Dialect::Salto, "L4|1|R"),
            (Dialect::Onity, "MC|101|102"),
            (Dialect::Onity, "CN|1|R|101||||9"),
            (Dialect::Onity, "CN|1|R|101||||||1400211126|1200221126"),
            (Dialect::Onity, "CNM|+31600000000|101"),
        ];
        for (dialect, text) in wrong {
            let subject = text.split('|').nth(1).unwrap_or_default();
            let refusal = (ErrorCode::Es, subject.as_bytes().to_vec());
            assert_eq!(parsed(dialect, text), Err(refusal), "{text}");
        }
    }

    #[test]
    fn tracks_check_outs_and_licences_are_told_apart() {
        assert!(matches!(
            parsed(Dialect::Salto, "L2|1|R"),
            Ok(Command::Track {
                number: 2,
                text: None,
                ..
            })
        ));
        assert!(matches!(
            parsed(Dialect::Salto, "P3|1|R|Ada"),
            Ok(Command::Track {
                number: 3,
                text: Some(_),
                ..
            })
        ));
        assert!(matches!(
            parsed(Dialect::Salto, "CO|0|101"),
            Ok(Command::CheckOut { .. })
        ));
        assert!(matches!(
            parsed(Dialect::Salto, "CO||101"),
            Ok(Command::CheckOut { .. })
        ));
        assert!(matches!(
            parsed(Dialect::Onity, "EX|1"),
            Ok(Command::Eject { .. })
        ));
        for name in ["CNM", "CCM", "CNB", "CCB"] {
            let licence = parsed(Dialect::Salto, &format!("{name}|04A1B2C3|101"));
            assert!(matches!(licence, Ok(Command::Unlicensed { .. })), "{name}");
        }
    }
}
