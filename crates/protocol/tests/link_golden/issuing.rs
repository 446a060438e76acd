//! What is said of encoders whose lock server makes the cards.

use protocol::link::{
    Action, AskGrant, EncoderState, FromBridge, FromHub, Order, OrderKind, Outcome, ServerCard,
    ServerCardContent, ServerGuestCard,
};

use super::{CARD, encoder, error, offer, outcome, time, uuid};

fn order() -> Order {
    Order {
        acs_credential_id: uuid(6),
        kind: OrderKind::New,
        rooms: vec!["101".to_owned(), "102".to_owned()],
        starts_at: time("2026-11-22T14:00:00Z"),
        ends_at: time("2026-11-25T10:00:00Z"),
        time_zone: "Europe/Berlin".to_owned(),
        operator: Some("Front Desk".to_owned()),
    }
}

pub(super) fn from_bridge() -> Vec<(&'static str, FromBridge)> {
    let attempt_id = uuid(5);
    vec![
        (
            "encoder_issuing",
            FromBridge::Encoder(EncoderState {
                driver: "lock-server".to_owned(),
                is_issuing: true,
                ..encoder(true)
            }),
        ),
        (
            "ask_grant_to_issue",
            FromBridge::AskGrant(AskGrant {
                attempt_id,
                fence: 42,
                uid: None,
                digest: "5f".repeat(32),
            }),
        ),
        (
            "outcome_issued",
            outcome(Outcome::Issued {
                uid: Some(CARD.to_owned()),
            }),
        ),
        (
            "outcome_issued_without_uid",
            outcome(Outcome::Issued { uid: None }),
        ),
        (
            "outcome_unknown_issuing",
            outcome(Outcome::Unknown {
                uid: None,
                error: error(),
            }),
        ),
        (
            "outcome_read",
            outcome(Outcome::Read(ServerCard {
                uid: Some(CARD.to_owned()),
                content: ServerCardContent::Guest(ServerGuestCard {
                    rooms: vec!["101".to_owned(), "102".to_owned()],
                    is_checked_in: true,
                    copy: Some(1),
                    is_one_shot: false,
                    granted: vec![3, 12],
                    starts_at: Some("2026-11-22T15:00:00".parse().unwrap()),
                    ends_at: Some("2026-11-25T11:00:00".parse().unwrap()),
                    operator: Some("Front Desk".to_owned()),
                }),
            })),
        ),
        (
            "outcome_read_staff",
            outcome(Outcome::Read(ServerCard {
                uid: None,
                content: ServerCardContent::Staff,
            })),
        ),
    ]
}

pub(super) fn from_hub() -> Vec<(&'static str, FromHub)> {
    vec![("offer_issue", FromHub::Offer(offer(Action::Issue(order()))))]
}
