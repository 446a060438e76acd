//! What a lock server answers, as values.

use card::Uid;
use encoder::{ServerCard, ServerCardContent, ServerGuestCard};

use crate::codes;
use crate::dialect::{Dialect, Rules};
use crate::frame::Frame;

/// The server did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Negative {
    /// Two letters.
    pub(crate) letters: String,
    /// What it says besides; only with `EG`.
    pub(crate) text: Option<String>,
}

/// An answer has something in it that the protocol does not have there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// The error that an answer is, if it is one.
pub(crate) fn negative(dialect: Dialect, frame: &Frame) -> Option<Negative> {
    let letters = frame.field(0);
    let text = dialect.rules().charset.decode(frame.field(2));
    codes::is_error(letters).then(|| Negative {
        letters: String::from_utf8_lossy(letters).into_owned(),
        text: Some(text).filter(|it| !it.is_empty()),
    })
}

/// The number of the card that was made, where the answer tells one.
pub(crate) fn issued(frame: &Frame) -> Option<Uid> {
    uid(frame.field(2))
}

/// The card that was read.
pub(crate) fn card(dialect: Dialect, frame: &Frame) -> Result<ServerCard, Malformed> {
    let content = match frame.field(2) {
        b"LM" => ServerCardContent::Staff,
        b"LR" => ServerCardContent::Spare,
        b"LC" => ServerCardContent::Invalid,
        b"LD" => ServerCardContent::Unidentified,
        b"LS" if dialect == Dialect::Onity => ServerCardContent::Diagnostic,
        b"" => return Err(Malformed("neither a room nor a kind of card")),
        _ => ServerCardContent::Guest(Box::new(guest(dialect.rules(), frame)?)),
    };
    Ok(ServerCard {
        uid: uid(frame.field(12)),
        content,
    })
}

fn guest(rules: &Rules, frame: &Frame) -> Result<ServerGuestCard, Malformed> {
    let text = |number| rules.charset.decode(frame.field(number));
    let time = |number| match frame.field(number) {
        b"" => Ok(None),
        field => rules
            .times
            .read(field)
            .map(Some)
            .ok_or(Malformed("a time that is none")),
    };
    let (copy, is_one_shot) = copy(frame.field(7))?;
    Ok(ServerGuestCard {
        rooms: (2..=5).map(text).filter(|room| !room.is_empty()).collect(),
        is_checked_in: match frame.field(6) {
            b"CI" => true,
            b"CO" => false,
            _ => return Err(Malformed("neither checked in nor checked out")),
        },
        copy,
        is_one_shot,
        granted: rules
            .read_authorisations(frame.field(8))
            .ok_or(Malformed("an authorisation that there is not"))?,
        starts_at: time(9)?,
        ends_at: time(10)?,
        operator: Some(text(11)).filter(|it| !it.is_empty()),
    })
}

/// `0` for the original, `1`, `2`… for copies, `I` for a further one, `A` for a card that opens once.
fn copy(field: &[u8]) -> Result<(Option<u8>, bool), Malformed> {
    match field {
        [digit @ b'0'..=b'9'] => Ok((Some(digit - b'0'), false)),
        b"I" => Ok((None, false)),
        b"A" => Ok((None, true)),
        _ => Err(Malformed("no number of a copy")),
    }
}

/// A card's own number in hexadecimal, in the order in which the server gives it. Whether that is the order on the air
/// is documented nowhere: one client turns it around for another command (`CNB`).
fn uid(field: &[u8]) -> Option<Uid> {
    let text = std::str::from_utf8(field).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use encoder::LocalTime;

    use super::*;

    fn frame(text: &str) -> Frame {
        Frame::new(text.split('|').map(|it| it.as_bytes().to_vec()).collect()).unwrap()
    }

    fn at(hour: u8, minute: u8, day: u8) -> Option<LocalTime> {
        Some(LocalTime {
            year: 2026,
            month: 11,
            day,
            hour,
            minute,
        })
    }

    fn guest(dialect: Dialect, text: &str) -> (Option<Uid>, ServerGuestCard) {
        let card = card(dialect, &frame(text)).unwrap();
        match card.content {
            ServerCardContent::Guest(guest) => (card.uid, *guest),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_guests_card_is_read_in_either_dialect() {
        let (uid, salto) = guest(
            Dialect::Salto,
            "LT|Online Encoder 1|101|Suite Zo|||CI|0|3a!|1400211126|1200221126|desk|04112233445566",
        );
        assert_eq!(uid, "04112233445566".parse().ok());
        assert_eq!(salto.rooms, ["101", "Suite Zo"]);
        assert!(salto.is_checked_in && !salto.is_one_shot);
        assert_eq!((salto.copy, salto.granted), (Some(0), vec![3, 10, 36]));
        assert_eq!(
            (salto.starts_at, salto.ends_at),
            (at(14, 0, 21), at(12, 0, 22))
        );
        assert_eq!(salto.operator.as_deref(), Some("desk"));

        let (uid, onity) = guest(
            Dialect::Onity,
            "LT|1|101|||102|CO|4|36|14211126|12221126||8F45A5C4",
        );
        assert_eq!(uid, "8F45A5C4".parse().ok());
        assert_eq!(onity.rooms, ["101", "102"]);
        assert!(!onity.is_checked_in);
        assert_eq!((onity.copy, onity.granted), (Some(4), vec![3, 6]));
        assert_eq!(
            (onity.starts_at, onity.ends_at),
            (at(14, 0, 21), at(12, 0, 22))
        );
        assert_eq!(onity.operator, None);
    }

    #[test]
    fn fields_that_were_left_out_at_the_end_are_empty() {
        let (uid, card) = guest(Dialect::Salto, "LT|1|101||||CI|I");
        assert_eq!((uid, card.copy, card.is_one_shot), (None, None, false));
        assert_eq!((card.starts_at, card.ends_at), (None, None));
        let (_, card) = guest(Dialect::Onity, "LT|1|101||||CI|A");
        assert!(card.is_one_shot);
    }

    #[test]
    fn cards_that_are_no_guests_are_told_by_their_code() {
        for (code, dialect, content) in [
            ("LM", Dialect::Salto, ServerCardContent::Staff),
            ("LR", Dialect::Salto, ServerCardContent::Spare),
            ("LC", Dialect::Onity, ServerCardContent::Invalid),
            ("LD", Dialect::Onity, ServerCardContent::Unidentified),
            ("LS", Dialect::Onity, ServerCardContent::Diagnostic),
        ] {
            let card = card(dialect, &frame(&format!("LT|1|{code}"))).unwrap();
            assert_eq!(card.content, content);
        }
    }

    #[test]
    fn what_a_card_cannot_be_is_not_made_up() {
        for (dialect, text) in [
            (Dialect::Salto, "LT|1"),
            (Dialect::Salto, "LT|1|101||||XX|0"),
            (Dialect::Salto, "LT|1|101"),
            (Dialect::Salto, "LT|1|101||||CI|"),
            (Dialect::Salto, "LT|1|101||||CI|x"),
            (Dialect::Salto, "LT|1|101||||CI|0|'"),
            (Dialect::Salto, "LT|1|101||||CI|0||14211126"),
            (Dialect::Onity, "LT|1|101||||CI|0||1400211126"),
            (Dialect::Onity, "LT|1|101||||CI|0|9"),
        ] {
            assert!(card(dialect, &frame(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn a_card_that_was_made_has_a_number_where_the_server_tells_one() {
        assert_eq!(
            issued(&frame("CN|1|04112233445566")),
            "04112233445566".parse().ok()
        );
        for text in ["CN|1", "CN|1|", "CN|1|0411", "CN|1|no number"] {
            assert_eq!(issued(&frame(text)), None, "{text}");
        }
    }

    #[test]
    fn an_error_is_told_from_an_answer_and_keeps_what_the_server_says() {
        let general = negative(Dialect::Salto, &frame("EG|1|the printer is on fire")).unwrap();
        assert_eq!(general.letters, "EG");
        assert_eq!(general.text.as_deref(), Some("the printer is on fire"));
        assert_eq!(negative(Dialect::Salto, &frame("OV|1")).unwrap().text, None);
        assert_eq!(negative(Dialect::Salto, &frame("CN|1")), None);
    }
}
