//! Requests byte by byte, and orders that are refused.

use super::*;

/// As it would stand in a manual: `|` for the separator.
fn shown(frame: &Frame) -> String {
    let bytes = frame.encode();
    bytes[2..bytes.len() - 3]
        .split(|&byte| byte == crate::frame::SEPARATOR)
        .map(|field| String::from_utf8_lossy(field).into_owned())
        .collect::<Vec<_>>()
        .join("|")
}

fn at(hour: u8, minute: u8, day: u8) -> LocalTime {
    LocalTime {
        year: 2026,
        month: 11,
        day,
        hour,
        minute,
    }
}

fn order() -> Order {
    Order {
        kind: OrderKind::New,
        rooms: vec!["101".to_owned()],
        granted: vec![],
        denied: vec![],
        starts_at: Some(at(14, 0, 21)),
        ends_at: at(12, 0, 22),
        operator: None,
    }
}

fn salto(order: &Order) -> Result<Frame, Refusal> {
    let encoder = EncoderName::new(Dialect::Salto, "Online Encoder 1").unwrap();
    issue(
        Dialect::Salto,
        &encoder,
        order,
        Some("cardbridge"),
        Afterwards::Retain,
    )
}

fn onity(order: &Order) -> Result<Frame, Refusal> {
    issue(
        Dialect::Onity,
        &EncoderName::new(Dialect::Onity, "1").unwrap(),
        order,
        None,
        Afterwards::Retain,
    )
}

#[test]
fn a_new_card_is_ordered_in_the_words_of_either_maker() {
    assert_eq!(
        shown(&salto(&order()).unwrap()),
        "CN|Online Encoder 1|R|101||||||1400211126|1200221126|cardbridge||||1"
    );
    assert_eq!(
        shown(&onity(&order()).unwrap()),
        "CN|1|R|101||||||14211126|12221126|"
    );
}

#[test]
fn a_copy_with_everything_in_it_is_ordered() {
    let order = Order {
        kind: OrderKind::Copy,
        rooms: ["101", "102", "Suite 1", "Spa"].map(str::to_owned).to_vec(),
        granted: vec![3, 6],
        denied: vec![1],
        starts_at: None,
        ends_at: at(11, 30, 24),
        operator: Some("somebody with a very long name".to_owned()),
    };
    assert_eq!(
        shown(&salto(&order).unwrap()),
        "CC|Online Encoder 1|R|101|102|Suite 1|Spa|36|1||1130241126|somebody with a very lon||||1"
    );
    assert_eq!(
        shown(&onity(&order).unwrap()),
        "CC|1|R|101|102|Suite 1|Spa|36|1||12241126|somebody with a very lon"
    );
}

#[test]
fn reading_and_taking_back_name_the_encoder() {
    let salto = EncoderName::new(Dialect::Salto, "Online Encoder 1").unwrap();
    assert_eq!(
        Asked::read(Dialect::Salto, &salto, Afterwards::Retain)
            .frame
            .encode(),
        b"\x02\xb3LT\xb3Online Encoder 1\xb3R\xb3\x03\x03"
    );
    let onity = EncoderName::new(Dialect::Onity, "3").unwrap();
    assert_eq!(
        shown(&Asked::read(Dialect::Onity, &onity, Afterwards::Eject).frame),
        "LT|3|E"
    );
    assert_eq!(shown(&take_back(Dialect::Onity, &onity).unwrap()), "EX|3");
    assert_eq!(take_back(Dialect::Salto, &salto), None);
}

#[test]
fn what_a_server_could_misunderstand_is_not_sent() {
    let rooms = |names: &[&str]| {
        let rooms = names.iter().map(|&it| it.to_owned()).collect();
        Order { rooms, ..order() }
    };
    let long = "x".repeat(65);
    for (order, expected) in [
        (rooms(&[]), "names no room"),
        (rooms(&["1", "2", "3", "4", "5"]), "names 5 rooms"),
        (rooms(&["101", "LM"]), "use for something else"),
        (rooms(&[" LS"]), "use for something else"),
        (rooms(&["101", ""]), "has no name"),
        (rooms(&[" "]), "has no name"),
        (rooms(&[&long]), "more than 64 characters"),
        (rooms(&["10\u{b3}1"]), "cannot be sent"),
        (rooms(&["10\r1"]), "cannot be sent"),
        (rooms(&["房"]), "cannot be sent"),
        (
            Order {
                granted: vec![63],
                ..order()
            },
            "no authorisation 63; it has 1 to 62",
        ),
        (
            Order {
                denied: vec![0],
                ..order()
            },
            "no authorisation 0",
        ),
        (
            Order {
                ends_at: at(24, 0, 22),
                ..order()
            },
            "2026-11-22 24:00 cannot be sent",
        ),
        (
            Order {
                ends_at: at(14, 0, 21),
                ..order()
            },
            "before it begins",
        ),
    ] {
        let refusal = salto(&order).unwrap_err().to_string();
        assert!(refusal.contains(expected), "{refusal}");
    }
    let umlaut = onity(&rooms(&["Zoë"])).unwrap_err().to_string();
    assert!(umlaut.contains("'ë' in room \"Zoë\""), "{umlaut}");
    assert!(
        onity(&Order {
            granted: vec![9],
            ..order()
        })
        .is_err()
    );
}

#[test]
fn rooms_that_only_look_like_a_code_are_rooms() {
    for name in ["LM1", "lm", "L", "LA"] {
        let order = Order {
            rooms: vec![name.to_owned()],
            ..order()
        };
        assert!(salto(&order).is_ok(), "{name}");
    }
}

#[test]
fn an_encoder_has_a_name_at_salto_and_a_number_at_onity() {
    for (name, at_salto, at_onity) in [
        ("Online Encoder 1", true, false),
        ("1", true, true),
        ("65535", true, true),
        ("65536", true, false),
        ("0", true, false),
        ("-1", true, false),
        ("", false, false),
        (" 1", false, false),
        ("10\u{b3}1", false, false),
    ] {
        assert_eq!(
            EncoderName::new(Dialect::Salto, name).is_ok(),
            at_salto,
            "{name:?}"
        );
        assert_eq!(
            EncoderName::new(Dialect::Onity, name).is_ok(),
            at_onity,
            "{name:?}"
        );
    }
}

#[test]
fn an_encoder_is_known_again_in_the_echo_and_no_other_is() {
    let name = EncoderName::new(Dialect::Salto, "Online Encoder 1").unwrap();
    assert!(name.is_meant_by(b"Online Encoder 1"));
    assert!(name.is_meant_by(b"ONLINE ENCODER 1 "));
    assert!(!name.is_meant_by(b"Online Encoder 11"));
    assert!(!name.is_meant_by(b""));
    let number = EncoderName::new(Dialect::Onity, "1").unwrap();
    assert!(number.is_meant_by(b"01"));
    assert!(!number.is_meant_by(b"10"));
    assert!(!number.is_meant_by(b"+x"));
}

#[test]
fn an_answer_about_something_else_is_not_taken_for_ours() {
    let salto = EncoderName::new(Dialect::Salto, "Online Encoder 1").unwrap();
    let issue = |kind| {
        let order = Order { kind, ..order() };
        Asked::issue(Dialect::Salto, &salto, &order, None, Afterwards::Retain).unwrap()
    };
    let (new, copy) = (issue(OrderKind::New), issue(OrderKind::Copy));
    let read = Asked::read(Dialect::Salto, &salto, Afterwards::Retain);
    for (answer, is_new, is_copy, is_read) in [
        ("CN|Online Encoder 1|04112233", true, true, false),
        ("CN1|Online Encoder 1", true, true, false),
        ("CC|Online Encoder 1", false, true, false),
        ("CNB|Online Encoder 1", false, false, false),
        ("LT|Online Encoder 1|101", false, false, true),
        ("CN|Online Encoder 2|04112233", false, false, false),
        ("CN", false, false, false),
        ("OV|Online Encoder 1", true, true, true),
        ("OV|Online Encoder 2", false, false, false),
        ("ES", true, true, true),
        ("ZZ|Online Encoder 1", true, true, true),
        ("CO|Online Encoder 1", false, false, false),
    ] {
        let fields = answer.split('|').map(|it| it.as_bytes().to_vec()).collect();
        let frame = Frame::new(fields).unwrap();
        let found = [&new, &copy, &read].map(|it| it.is_answered_by(&frame));
        assert_eq!(found, [is_new, is_copy, is_read], "{answer}");
    }
}
