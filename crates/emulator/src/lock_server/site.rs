//! The server's database: rooms, who stays in them, and every card that was made. Decides what may be done and what a
//! card is; waits for nothing and touches no card.

use std::collections::BTreeMap;

use super::Dialect;
use super::command::{Issue, IssueKind};
use super::error_code::ErrorCode;
use super::frame::Field;
use super::hotel_time::HotelTime;
use super::medium::Mark;
use crate::card::Uid;

/// One-shot cards for each guest at most (batiati/Onity `ErrorCode.cs`, `EA`).
const MOST_ONE_SHOTS: u8 = 4;

/// A card that is no guest's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpecialCard {
    /// A master card of the staff, or a programming card.
    Staff,
    /// A spare card for guests, made in advance.
    Spare,
    /// A card for diagnosis, which Onity has.
    Diagnostic,
}

impl SpecialCard {
    /// How `LT` tells it (batiati/Onity `ReadCode.cs`; the Python client's `CardDetails`).
    fn letters(self) -> &'static [u8] {
        match self {
            SpecialCard::Staff => b"LM",
            SpecialCard::Spare => b"LR",
            SpecialCard::Diagnostic => b"LS",
        }
    }
}

#[derive(Debug)]
pub(super) struct Site {
    dialect: Dialect,
    number: u32,
    rooms: BTreeMap<Field, Room>,
    cards: BTreeMap<u64, Record>,
    tracks: BTreeMap<(Uid, u8), Field>,
    stays: u64,
    serials: u64,
}

#[derive(Debug, Default)]
struct Room {
    stay: Option<Stay>,
    is_out_of_service: bool,
}

#[derive(Debug)]
struct Stay {
    number: u64,
    copies: u32,
    one_shots: u8,
}

/// A card as the server remembers it.
#[derive(Debug)]
struct Record {
    uid: Uid,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Special(SpecialCard),
    Guest {
        /// Of the main room, when the card was made.
        stay: u64,
        copy: u8,
        rooms: Vec<Field>,
        granted: Field,
        start: Option<HotelTime>,
        expiry: Option<HotelTime>,
        operator: Field,
    },
}

impl Site {
    pub(super) fn new(dialect: Dialect, number: u32, rooms: &[String]) -> Site {
        let rooms = rooms
            .iter()
            .map(|room| (room.as_bytes().to_vec(), Room::default()));
        Site {
            dialect,
            number,
            rooms: rooms.collect(),
            cards: BTreeMap::new(),
            tracks: BTreeMap::new(),
            stays: 0,
            serials: 0,
        }
    }

    pub(super) fn set_room_closed(&mut self, room: &str, is: bool) {
        let room = self.rooms.entry(room.as_bytes().to_vec()).or_default();
        room.is_out_of_service = is;
    }

    pub(super) fn is_occupied(&self, room: &str) -> bool {
        self.stay_in(room.as_bytes()).is_some()
    }

    fn stay_in(&self, room: &[u8]) -> Option<&Stay> {
        self.rooms.get(room)?.stay.as_ref()
    }

    /// Whether these cards may be made, before any card is waited for.
    pub(super) fn may_issue(&self, issue: &Issue) -> Result<(), ErrorCode> {
        for name in issue.rooms.iter().filter(|name| !name.is_empty()) {
            let room = self.rooms.get(name).ok_or(ErrorCode::Td)?;
            if room.is_out_of_service {
                return Err(ErrorCode::Os);
            }
        }
        if let (Some(start), Some(expiry)) = (issue.start, issue.expiry)
            && start >= expiry
        {
            // Onity knows no `EV`.
            return Err(match self.dialect {
                Dialect::Salto => ErrorCode::Ev,
                Dialect::Onity => ErrorCode::Es,
            });
        }
        let stay = self.stay_in(&issue.rooms[0]);
        match (issue.kind, stay) {
            (IssueKind::Copy, None) if self.dialect == Dialect::Salto => Err(ErrorCode::Ea),
            (IssueKind::OneShot, None) => Err(ErrorCode::Ea),
            (IssueKind::OneShot, Some(stay)) if stay.one_shots + issue.count > MOST_ONE_SHOTS => {
                Err(ErrorCode::Ea)
            }
            _ => Ok(()),
        }
    }

    /// What to write on the next card.
    pub(super) fn next_mark(&mut self) -> Mark {
        self.serials += 1;
        Mark {
            site: self.number,
            serial: self.serials,
        }
    }

    /// Remembers a card that was written; `nth` of its order, counted from 0. Only now is the guest a new one: a card
    /// that nobody laid down has thrown nobody out.
    pub(super) fn issued(&mut self, issue: &Issue, nth: u8, uid: Uid, mark: Mark) {
        let originals = match self.dialect {
            Dialect::Salto => 2,
            Dialect::Onity => 4,
        };
        self.stays += 1;
        let room = self.rooms.entry(issue.rooms[0].clone()).or_default();
        if issue.kind == IssueKind::NewGuest && nth == 0 {
            room.stay = Some(Stay {
                number: self.stays,
                copies: 0,
                one_shots: 0,
            });
        }
        let (stay, copy) = match (&mut room.stay, issue.kind) {
            (Some(stay), IssueKind::NewGuest) if nth == 0 => (stay.number, b'0'),
            (Some(stay), IssueKind::OneShot) => {
                stay.one_shots += 1;
                (stay.number, b'A')
            }
            (Some(stay), _) => {
                stay.copies += 1;
                let digit = u8::try_from(stay.copies)
                    .ok()
                    .filter(|copy| *copy <= originals);
                (stay.number, digit.map_or(b'I', |digit| b'0' + digit))
            }
            // A copy for a room that nobody stays in, or not any more.
            (None, _) => (0, b'I'),
        };
        let content = Content::Guest {
            stay,
            copy,
            rooms: issue.rooms.clone(),
            granted: issue.granted.clone(),
            start: issue.start,
            expiry: issue.expiry,
            operator: issue.operator.clone(),
        };
        self.cards.insert(mark.serial, Record { uid, content });
    }

    pub(super) fn made_special(&mut self, card: SpecialCard, uid: Uid, mark: Mark) {
        let content = Content::Special(card);
        self.cards.insert(mark.serial, Record { uid, content });
    }

    /// The fields of `LT` that follow the encoder, for a card with this mark.
    pub(super) fn describe(&self, uid: Uid, mark: Mark) -> Vec<Field> {
        if mark.site != self.number {
            return vec![b"LD".to_vec()];
        }
        match self.cards.get(&mark.serial) {
            Some(record) if record.uid == uid => self.describe_record(record),
            // Ours, but on a card that we did not write it on.
            _ => vec![b"LC".to_vec()],
        }
    }

    fn describe_record(&self, Record { uid, content }: &Record) -> Vec<Field> {
        let Content::Guest {
            stay,
            copy,
            rooms,
            granted,
            start,
            expiry,
            operator,
        } = content
        else {
            let Content::Special(card) = content else {
                return Vec::new();
            };
            return vec![card.letters().to_vec()];
        };
        let is_current = self
            .stay_in(&rooms[0])
            .is_some_and(|now| now.number == *stay);
        let time =
            |time: &Option<HotelTime>| time.map_or_else(Vec::new, |time| time.text(self.dialect));
        let mut fields = rooms.clone();
        fields.push(if is_current { b"CI" } else { b"CO" }.to_vec());
        fields.extend([
            vec![*copy],
            granted.clone(),
            time(start),
            time(expiry),
            operator.clone(),
        ]);
        if self.dialect == Dialect::Onity {
            fields.push(uid.to_string().into_bytes());
        }
        fields
    }

    pub(super) fn check_out(&mut self, room: &[u8]) -> Result<(), ErrorCode> {
        self.rooms.get_mut(room).ok_or(ErrorCode::Td)?.stay = None;
        Ok(())
    }

    /// Moves a guest to another room, or lets a guest stay for another time in the same one. That a room where nobody
    /// stays is refused is documented, that it is by `EA` is not.
    pub(super) fn modify(&mut self, from: &[u8], to: &[u8]) -> Result<(), ErrorCode> {
        if !self.rooms.contains_key(from) || !self.rooms.contains_key(to) {
            return Err(ErrorCode::Td);
        }
        if self.rooms[to].is_out_of_service {
            return Err(ErrorCode::Os);
        }
        if self.stay_in(from).is_none() {
            return Err(ErrorCode::Ea);
        }
        if from != to && self.stay_in(to).is_some() {
            return Err(ErrorCode::Eg);
        }
        let stay = self.rooms.get_mut(from).and_then(|room| room.stay.take());
        self.rooms.entry(to.to_vec()).or_default().stay = stay;
        Ok(())
    }

    /// A track of a card. Contactless cards have none; this is remembered beside the card.
    pub(super) fn track(&self, uid: Uid, number: u8) -> Option<&Field> {
        self.tracks.get(&(uid, number))
    }

    pub(super) fn set_track(&mut self, uid: Uid, number: u8, text: Field) {
        self.tracks.insert((uid, number), text);
    }
}
