//! What a procedure may ask of a card, as docs/card-format.md says it and not as the planners have it.

use crate::{ClassicCommand, Command, Effect, Technology, Type2Command};

/// The applications of sections 11 and 12, each by the whole command that selects it.
const SELECT_DESFIRE: &[u8] = &[0x90, 0x5A, 0x00, 0x00, 0x03, b'C', b'B', b'1', 0x00];
const SELECT_NTAG_424: &[u8] = &[
    0x00, 0xA4, 0x04, 0x0C, 0x07, 0xD2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01, 0x00,
];
/// Selecting, authenticating, asking, and ReadData of DESFire and of NTAG 424 DNA.
const READING: [u8; 14] = [
    0x5A, 0xA4, 0x0A, 0xAA, 0x71, 0x60, 0x45, 0x64, 0x6E, 0x6F, 0xF5, 0x51, 0xBD, 0xAD,
];
const NEXT_FRAME: u8 = 0xAF;
const CREATE_APPLICATION: u8 = 0xCA;
/// ChangeKey, CreateBackupDataFile, WriteData of either, CommitTransaction: within the application.
const CHANGING: [u8; 5] = [0xC4, 0xCB, 0x3D, 0x8D, 0xC7];

/// Watches the commands of one procedure.
pub(super) struct Bounds {
    /// The card that may be written, if any may.
    writes: Option<Technology>,
    /// Whether our application is selected. A card that is written was inspected before, in the same session.
    is_inside: bool,
}

impl Bounds {
    /// Of a procedure that only reads.
    pub(super) fn reading() -> Self {
        Self {
            writes: None,
            is_inside: false,
        }
    }

    /// Of one that writes a card of this technology.
    pub(super) fn writing(technology: Technology) -> Self {
        Self {
            writes: Some(technology),
            is_inside: true,
        }
    }

    /// Looks at the next command.
    ///
    /// # Panics
    /// When it may not be asked.
    pub(super) fn check(&mut self, command: &Command, effect: Effect) {
        assert!(
            effect == Effect::Reads || self.writes.is_some(),
            "{effect:?} while it is only looked at"
        );
        match command {
            Command::Classic(command) => self.classic(command, effect),
            Command::Type2(Type2Command::Write { page, .. }) => self.page(*page, effect),
            Command::Type2(_) => {}
            Command::Iso(apdu) => self.native(apdu.expose(), effect),
            Command::Reselect => self.is_inside = false,
        }
    }

    fn classic(&self, command: &ClassicCommand, effect: Effect) {
        let block = match command {
            ClassicCommand::Authenticate { block, .. } | ClassicCommand::Read { block } => *block,
            ClassicCommand::Write { block, data } => {
                assert_ne!(effect, Effect::Reads, "a write without an effect");
                if block % 4 == 3 {
                    // Section 8: other access bits could lock the sector for good.
                    assert_eq!(data.expose()[6..10], [0x78, 0x77, 0x88, 0x69]);
                } else {
                    assert_eq!(effect, Effect::Commits, "a block of the credential");
                }
                *block
            }
        };
        let last = match self.writes {
            Some(Technology::MifareClassicMini) => 19,
            Some(Technology::MifareClassic1k) => 59,
            _ => 123,
        };
        let is_ours = (4..=last).contains(&block) && block / 4 != 16;
        assert!(is_ours, "block {block}");
    }

    fn page(&self, page: u8, effect: Effect) {
        assert_ne!(effect, Effect::Reads, "a write without an effect");
        let technology = self.writes.expect("writing has a technology");
        // The last page of the placing, then pages of the protection (sections 9 and 10).
        let (last, protection): (u8, &[u8]) = match technology {
            Technology::MifareUltralight => (0x0F, &[]),
            Technology::MifareUltralightEv1_48 => (0x0F, &[0x10, 0x12, 0x13]),
            Technology::MifareUltralightEv1_128 => (0x23, &[0x25, 0x27, 0x28]),
            Technology::MifareUltralightC => (0x27, &[0x2A, 0x2C, 0x2D, 0x2E, 0x2F]),
            Technology::Ntag213 => (0x27, &[0x29, 0x2B, 0x2C]),
            Technology::Ntag215 => (0x81, &[0x83, 0x85, 0x86]),
            Technology::Ntag216 => (0xE1, &[0xE3, 0xE5, 0xE6]),
            other => panic!("a page of a {other}"),
        };
        let is_ours = (0x04..=last).contains(&page) || protection.contains(&page);
        assert!(is_ours, "page {page:02X} of a {technology}");
    }

    fn native(&mut self, apdu: &[u8], effect: Effect) {
        let instruction = apdu[1];
        if matches!(instruction, 0x5A | 0xA4) {
            self.is_inside = apdu == SELECT_DESFIRE || apdu == SELECT_NTAG_424;
        }
        if instruction == NEXT_FRAME || READING.contains(&instruction) {
            return;
        }
        assert_ne!(effect, Effect::Reads, "a write without an effect");
        if instruction == CREATE_APPLICATION {
            assert_eq!(apdu[5..8], *b"CB1");
        } else {
            assert!(CHANGING.contains(&instruction), "{instruction:02X}");
            assert!(self.is_inside, "{instruction:02X} outside the application");
        }
    }
}
