//! What a procedure is run on and for, chosen by two bytes: the card, and the credential, keys and doubts.

use crate::{
    AdditionalDoor, CardFormat, CardFunction, CommonDoors, CopyIndex, Credential, CredentialNumber,
    DoorNumber, Doors, Entropy, IssueNumber, KeyVersion, Minute, PlanOptions, PresentedCard,
    RoomRange, SelectAnswer, SiteKey, SiteKeys, Suspects, Technology, Uid, Validity,
};

/// The room that every credential of a scene opens, at this minute.
pub(super) const ROOM: u32 = 101;
pub(super) const NOON: u32 = 3_000_000;

/// Bits of the second byte.
const TLCODE: u8 = 1 << 0;
const OTHER_CREDENTIAL: u8 = 1 << 1;
const ROLLED: u8 = 1 << 2;
const SUSPECT_A: u8 = 1 << 3;
const SUSPECT_B: u8 = 1 << 4;
const MORE_DOORS: u8 = 1 << 5;
const NOT_BLANK: u8 = 1 << 6;

/// How many of the choices, counted from 0, differ from one another.
pub const USED_CHOICES: u8 = 1 << 7;

/// A card and what it is to carry.
#[derive(Debug)]
pub struct Scene {
    presented: PresentedCard,
    choice: u8,
}

impl Scene {
    /// The scene that two bytes choose. Below the number of technologies the first is a [`Technology`] in their order.
    #[must_use]
    pub fn new(card: u8, choice: u8) -> Self {
        Self {
            presented: presented(card),
            choice,
        }
    }

    /// The card, selected.
    #[must_use]
    pub fn presented(&self) -> &PresentedCard {
        &self.presented
    }

    /// A card that somebody put in its place.
    pub(super) fn another(&self) -> PresentedCard {
        PresentedCard {
            uid: Uid::new(&[4, 0, 0, 1]).expect("it has four bytes"),
            answer: self.presented.answer.clone(),
        }
    }

    fn has(&self, bit: u8) -> bool {
        self.choice & bit != 0
    }

    pub(super) fn keys(&self) -> SiteKeys {
        let newest = if self.has(ROLLED) { 2 } else { 1 };
        let versions = (1..=newest).filter_map(KeyVersion::new);
        let key = |version: KeyVersion| (version, SiteKey::new([0x5D + version.get(); 32]));
        SiteKeys::ring(versions.map(key).collect(), None).expect("versions rise from 1")
    }

    pub(super) fn entropy() -> Entropy {
        Entropy::new([0xE5; 32])
    }

    pub(super) fn options(&self) -> PlanOptions {
        let mut suspects = Suspects::NONE;
        for (bit, copy) in [(SUSPECT_A, CopyIndex::A), (SUSPECT_B, CopyIndex::B)] {
            if self.has(bit) {
                suspects = suspects.with(copy);
            }
        }
        PlanOptions {
            personalise_blank: !self.has(NOT_BLANK),
            suspects,
        }
    }

    pub(super) fn credential(&self) -> Credential {
        let door = |number| DoorNumber::new(number).expect("it is a door's number");
        let minute = |minute| Minute::new(minute).expect("it is within the calendar");
        let more = if self.has(MORE_DOORS) { 5 } else { 0 };
        Credential {
            format: if self.has(TLCODE) {
                CardFormat::TlCode
            } else {
                CardFormat::Rfid48
            },
            number: CredentialNumber::new(if self.has(OTHER_CREDENTIAL) { 2 } else { 1 })
                .expect("it is not 0"),
            function: CardFunction::Guest,
            validity: Validity::new(minute(NOON - 600), Some(minute(NOON + 600)))
                .expect("the end is after the start"),
            issue: IssueNumber::new(NOON).expect("it has 24 bits"),
            doors: Doors {
                rooms: RoomRange::new(door(ROOM), 1).ok(),
                common: CommonDoors::from_bits(1 << 3).expect("it is one of 28"),
                additional: (201..201 + more)
                    .map(|number| AdditionalDoor::Guest(door(number)))
                    .collect(),
            },
        }
    }
}

/// SENS_RES and SEL_RES as each technology's data sheet has them; after the technologies a phone, a payment card behind
/// PC/SC, a Type 2 card behind PC/SC and a card that shows another UID each time.
fn presented(card: u8) -> PresentedCard {
    const FOUR: &[u8] = &[0x04, 0xA1, 0xB2, 0xC3];
    const SEVEN: &[u8] = &[0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6];
    const CHANGING: &[u8] = &[0x08, 0xA1, 0xB2, 0xC3];
    const ATS: &[u8] = &[0x75, 0x77, 0x81, 0x02, 0x80];
    const STORAGE: [u8; 20] = [
        0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0, 0, 3, 6, 3, 0, 3, 0, 0, 0, 0, 0x68,
    ];
    let others = Technology::ALL.len() as u8;
    let card = card % (others + 4);
    let select = |uid, sak, ats: &[u8]| {
        let answer = SelectAnswer::Iso14443a {
            atqa: [0x00, 0x04],
            sak,
            ats: ats.to_vec(),
        };
        (uid, answer)
    };
    let (uid, answer) = match Technology::ALL.get(usize::from(card)) {
        Some(Technology::MifareClassicMini) => select(FOUR, 0x09, &[]),
        Some(Technology::MifareClassic1k) => select(FOUR, 0x08, &[]),
        Some(Technology::MifareClassic4k) => select(SEVEN, 0x18, &[]),
        Some(
            Technology::DesfireEv1
            | Technology::DesfireEv2
            | Technology::DesfireEv3
            | Technology::Ntag424Dna,
        ) => select(SEVEN, 0x20, ATS),
        Some(_) => select(SEVEN, 0x00, &[]),
        None if card == others => select(CHANGING, 0x60, ATS),
        None if card == others + 1 => (FOUR, SelectAnswer::Atr(vec![0x3B, 0x80, 0x80, 0x01, 0x01])),
        None if card == others + 2 => (SEVEN, SelectAnswer::Atr(STORAGE.to_vec())),
        None => select(CHANGING, 0x20, ATS),
    };
    PresentedCard {
        uid: Uid::new(uid).expect("UIDs have 4, 7 or 10 bytes"),
        answer,
    }
}
