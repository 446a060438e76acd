//! A card as its lock server reads it, in words.

use protocol::link::{ServerCard, ServerCardContent, ServerGuestCard};

pub(super) fn in_words(card: &ServerCard) -> String {
    let uid = card.uid.as_ref().map(|uid| format!(" {uid}"));
    let what = match &card.content {
        ServerCardContent::Guest(guest) if guest.is_one_shot => "a guest's, good for once",
        ServerCardContent::Guest(_) => "a guest's",
        ServerCardContent::Staff => "a member of staff's, or a master",
        ServerCardContent::Spare => "prepared for a room that has no guest yet",
        ServerCardContent::Invalid => "a guest's that is no good any more",
        ServerCardContent::Unidentified => "not of this lock server, or unreadable",
        ServerCardContent::Diagnostic => "for looking after locks",
    };
    let mut lines = vec![format!(
        "Card{}, as the lock server reads it: {what}.",
        uid.unwrap_or_default()
    )];
    if let ServerCardContent::Guest(guest) = &card.content {
        lines.extend(guest_in_words(guest));
    }
    lines.join("\n")
}

fn guest_in_words(guest: &ServerGuestCard) -> Vec<String> {
    let state = if guest.is_checked_in {
        "checked in"
    } else {
        "checked out"
    };
    let copy = match guest.copy {
        Some(0) => "original".to_owned(),
        Some(number) => format!("copy {number}"),
        None => "a copy".to_owned(),
    };
    let mut lines = vec![format!(
        "  rooms {} ({state}, {copy})",
        guest.rooms.join(", ")
    )];
    if let Some(start) = guest.starts_at {
        lines.push(format!("  good from {start} by the clock at the site"));
    }
    if let Some(end) = guest.ends_at {
        lines.push(format!("  good until {end} by the clock at the site"));
    }
    if !guest.granted.is_empty() {
        let numbers: Vec<_> = guest.granted.iter().map(u8::to_string).collect();
        lines.push(format!("  authorisations {}", numbers.join(", ")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_card_is_told_with_what_the_server_says_and_no_more() {
        let mut guest = ServerGuestCard {
            rooms: vec!["101".to_owned(), "102".to_owned()],
            is_checked_in: true,
            copy: Some(1),
            is_one_shot: false,
            granted: vec![3, 12],
            starts_at: None,
            ends_at: Some("2026-11-25T11:00:00".parse().unwrap()),
            operator: None,
        };
        let card = |guest: &ServerGuestCard, uid: Option<&str>| ServerCard {
            uid: uid.map(str::to_owned),
            content: ServerCardContent::Guest(guest.clone()),
        };
        assert_eq!(
            in_words(&card(&guest, Some("04A1B2C3"))),
            "Card 04A1B2C3, as the lock server reads it: a guest's.\n  \
             rooms 101, 102 (checked in, copy 1)\n  \
             good until 2026-11-25T11:00:00 by the clock at the site\n  \
             authorisations 3, 12"
        );
        guest.copy = None;
        guest.is_checked_in = false;
        let told = in_words(&card(&guest, None));
        assert!(told.starts_with("Card, as the lock server reads it"));
        assert!(told.contains("(checked out, a copy)"), "{told}");
    }
}
