//! What a card session knows of the card before the first command.

use crate::Uid;

/// A card that lies on an encoder and has been selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentedCard {
    /// The UID it was selected by.
    pub uid: Uid,
    /// What it said of itself while it was selected.
    pub answer: SelectAnswer,
}

/// How a card described itself: contactless front ends see the card's own answers, PC/SC readers make an ATR of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectAnswer {
    /// ISO/IEC 14443-3 type A: SENS_RES (ATQA) in the order the PN532 reports it (most significant byte first), SEL_RES (SAK), and the ATS of a
    /// card that is in ISO/IEC 14443-4 (empty otherwise, without its length byte).
    Iso14443a {
        /// SENS_RES.
        atqa: [u8; 2],
        /// SEL_RES of the last cascade level.
        sak: u8,
        /// Answer to select, TL byte left out.
        ats: Vec<u8>,
    },
    /// The ATR that a PC/SC reader composed (PC/SC part 3, 3.1.3.2.3).
    Atr(Vec<u8>),
}
