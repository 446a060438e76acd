//! What every contactless reader does to find a card: wake, resolve collisions, select
//! (ISO/IEC 14443-3 §6.5). Readers differ only in when they do it.

mod blocks;

pub(crate) use blocks::{Blocks, Failure};

use crate::air::Frame;
use crate::card::Uid;
use crate::slot::Slot;

const REQA: u8 = 0x26;
const WUPA: u8 = 0x52;
const SELECT: [u8; 3] = [0x93, 0x95, 0x97];
const CASCADE_TAG: u8 = 0x88;
const SAK_CASCADE: u8 = 0x04;
/// SAK bit of a card that speaks ISO/IEC 14443-4.
const SAK_ISO_DEP: u8 = 0x20;

/// Which cards a request wakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Idle cards only (REQA).
    Idle,
    /// Halted ones too (WUPA).
    All,
}

/// A card that was selected, and what it said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selected {
    /// ATQA in the order of transmission, low byte first.
    pub atqa: [u8; 2],
    /// SAK of the last cascade level.
    pub sak: u8,
    /// The UID it was selected by, which it may have made up.
    pub uid: Uid,
    /// Its answer to select (ISO/IEC 14443-4 §5.2), length byte first, if it was activated.
    pub ats: Option<Vec<u8>>,
}

impl Selected {
    /// Activates a card that speaks ISO/IEC 14443-4 and remembers its ATS. `fsdi` tells the largest
    /// frame that the reader takes. Any other card is left as it is.
    pub(crate) fn activate(&mut self, slot: &Slot, fsdi: u8) -> Option<Blocks> {
        if self.sak & SAK_ISO_DEP == 0 {
            return None;
        }
        let (blocks, ats) = Blocks::activate(slot, fsdi)?;
        self.ats = Some(ats);
        Some(blocks)
    }
}

/// The historical bytes in an ATS: what follows the length, the format byte and the interface bytes
/// that it announces (ISO/IEC 14443-4 §5.2).
pub(crate) fn historical_bytes(ats: &[u8]) -> &[u8] {
    let Some(format) = ats.get(1) else {
        return &[];
    };
    let interface_bytes = (format & 0x70).count_ones();
    ats.get(2 + usize::try_from(interface_bytes).unwrap_or(3)..)
        .unwrap_or(&[])
}

/// Wakes the cards and selects one of them: the `wanted` one, or whichever wins the anticollision.
/// A selected card that hears a request only drops out, so a silent request is repeated once.
pub(crate) fn select(slot: &Slot, wake: Wake, wanted: Option<&Uid>) -> Option<Selected> {
    let request = Frame::partial([if wake == Wake::All { WUPA } else { REQA }], 7);
    let mut answers = slot.transmit(&request);
    if answers.is_empty() {
        answers = slot.transmit(&request);
    }
    // Colliding ATQAs are heard as one with the bits of all.
    let atqa = answers
        .iter()
        .fold([0, 0], |heard, answer| match *answer.bytes() {
            [low, high] => [heard[0] | low, heard[1] | high],
            _ => heard,
        });
    if answers.is_empty() {
        return None;
    }
    let known = wanted.map(Uid::cascade_levels);
    let mut uid = Vec::new();
    for (level, code) in SELECT.into_iter().enumerate() {
        let part = match &known {
            Some(levels) => *levels.get(level)?,
            None => lowest_of(&slot.transmit(&Frame::whole([code, 0x20])))?,
        };
        let sak = confirm(slot, code, part)?;
        match part {
            [CASCADE_TAG, rest @ ..] if sak & SAK_CASCADE != 0 => uid.extend(rest),
            _ => uid.extend(part),
        }
        if sak & SAK_CASCADE == 0 {
            return Uid::new(&uid).ok().map(|uid| Selected {
                atqa,
                sak,
                uid,
                ats: None,
            });
        }
    }
    None
}

/// Sends the selected card to sleep until it is woken by [`Wake::All`].
pub(crate) fn halt(slot: &Slot) {
    let answers = slot.transmit(&Frame::with_crc(&[0x50, 0x00]));
    debug_assert!(answers.is_empty(), "a halt is never answered");
}

/// Where bits collide, a reader goes on with 0: the lowest number in the order of transmission wins,
/// each byte being sent from its lowest bit on.
fn lowest_of(answers: &[Frame]) -> Option<[u8; 4]> {
    answers
        .iter()
        .filter_map(|answer| answer.bytes().first_chunk::<4>().copied())
        .min_by_key(|part| part.map(u8::reverse_bits))
}

fn confirm(slot: &Slot, code: u8, part: [u8; 4]) -> Option<u8> {
    let [a, b, c, d] = part;
    let answers = slot.transmit(&Frame::with_crc(&[code, 0x70, a, b, c, d, a ^ b ^ c ^ d]));
    let (answer, others) = answers.split_first()?;
    // What several cards say alike is heard as one: two whose UIDs begin alike go on together.
    if others.iter().any(|other| other != answer) {
        return None;
    }
    answer.body().and_then(|body| body.first().copied())
}

#[cfg(test)]
mod tests {
    use super::{Wake, halt, select};
    use crate::{Cards, Origin, Slot, Technology};

    fn slot_with(uids: &[&str]) -> Slot {
        slot_of(
            &uids
                .iter()
                .map(|uid| (Technology::MifareClassic1k, *uid))
                .collect::<Vec<_>>(),
        )
    }

    fn slot_of(lying: &[(Technology, &str)]) -> Slot {
        let (cards, slot) = (Cards::new(), Slot::new());
        for (technology, uid) in lying {
            let card = cards.card(*technology, uid.parse().unwrap(), Origin::Factory);
            slot.add(&card.unwrap());
        }
        slot.set_field(true);
        slot
    }

    #[test]
    fn a_card_is_selected_with_its_uid_and_kind() {
        for uid in ["04A1B2C3", "04A1B2C3D4E5F6"] {
            let selected = select(&slot_with(&[uid]), Wake::Idle, None).unwrap();
            assert_eq!(selected.uid.to_string(), uid);
            assert_eq!(selected.sak, 0x08);
        }
    }

    #[test]
    fn without_a_field_there_is_no_card() {
        let slot = slot_with(&["04A1B2C3"]);
        slot.set_field(false);
        assert_eq!(select(&slot, Wake::All, None), None);
    }

    #[test]
    fn two_cards_are_selected_one_after_the_other() {
        let slot = slot_with(&["04A1B2C3", "02A1B2C3"]);
        let first = select(&slot, Wake::All, None).unwrap();
        halt(&slot);
        let second = select(&slot, Wake::Idle, None).unwrap();
        assert_eq!(
            [first.uid.to_string(), second.uid.to_string()],
            ["04A1B2C3", "02A1B2C3"]
        );
        halt(&slot);
        assert_eq!(select(&slot, Wake::Idle, None), None);
    }

    #[test]
    fn cards_of_several_kinds_are_told_apart_and_heard_together() {
        let slot = slot_of(&[
            (Technology::Ntag213, "04A1B2C3D4E5F6"),
            (Technology::MifareClassic4k, "02A1B2C3"),
            (Technology::MifareUltralightC, "04A1B2C3D4E5F7"),
        ]);
        let mut found = Vec::new();
        let mut wake = Wake::All;
        while let Some(selected) = select(&slot, wake, None) {
            found.push((selected.uid.to_string(), selected.sak, selected.atqa));
            halt(&slot);
            wake = Wake::Idle;
        }
        found.sort();
        // Whose ATQA is heard together with others' has the bits of all.
        let seen: Vec<_> = found.iter().map(|(uid, sak, _)| (&uid[..], *sak)).collect();
        assert_eq!(
            seen,
            [
                ("02A1B2C3", 0x18),
                ("04A1B2C3D4E5F6", 0x00),
                ("04A1B2C3D4E5F7", 0x00)
            ]
        );
        assert!(found.iter().any(|(.., atqa)| *atqa == [0x46, 0x00]));
    }

    #[test]
    fn a_wanted_card_is_picked_out_of_several() {
        let slot = slot_with(&["04A1B2C3", "04A1B2C3D4E5F6"]);
        let wanted = "04A1B2C3D4E5F6".parse().unwrap();
        assert_eq!(select(&slot, Wake::All, Some(&wanted)).unwrap().uid, wanted);
    }

    #[test]
    fn a_card_that_is_selected_already_is_found_again() {
        let slot = slot_with(&["04A1B2C3"]);
        assert!(select(&slot, Wake::All, None).is_some());
        assert!(select(&slot, Wake::All, None).is_some());
    }
}
