//! A reader without a wire: what runs on a card in memory (a lock, a procedure under test) talks to
//! it here, past no firmware and no driver. The card behaves as it does under any other reader.

use crate::air::Frame;
use crate::card::{Authentication, Key, Verdict};
use crate::reader::{self, Blocks, Selected, Wake};
use crate::slot::{KeyType, Slot};

const READ: u8 = 0x30;
const WRITE: u8 = 0xA0;
/// A card's positive answer of four bits; every other is a NAK (NXP MF1S50YYX_V1, §9.2).
const ACK: u8 = 0xA;

/// An antenna over a slot. Its field goes off with it.
#[derive(Debug)]
pub struct Antenna {
    slot: Slot,
    selected: Option<Selected>,
    blocks: Option<Blocks>,
}

/// Frames of 256 bytes: the fewest blocks.
const FSDI: u8 = 8;

/// What came back from the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It did it.
    Acknowledged,
    /// What was read.
    Data(Vec<u8>),
    /// It said no, and is halted until it is selected again.
    Refused,
    /// Nothing: it is gone, or halted.
    Silence,
}

impl Antenna {
    /// Puts an antenna over a slot. Only one reader at a time makes sense there.
    #[must_use]
    pub fn over(slot: Slot) -> Antenna {
        Antenna {
            slot,
            selected: None,
            blocks: None,
        }
    }

    /// Switches the field off and on, which ends everything that was under way, and selects a card. One
    /// that speaks ISO/IEC 14443-4 is activated as well.
    pub fn select(&mut self) -> Option<&Selected> {
        self.slot.set_field(false);
        self.slot.set_field(true);
        self.selected = reader::select(&self.slot, Wake::All, None);
        self.blocks = match &mut self.selected {
            Some(selected) => selected.activate(&self.slot, FSDI),
            None => None,
        };
        self.selected.as_ref()
    }

    /// Sends a command to a card that speaks ISO/IEC 14443-4, and returns what came back, status and
    /// all. One command is one exchange, however many blocks it takes.
    pub fn apdu(&mut self, apdu: &[u8]) -> Answer {
        let Some(blocks) = &mut self.blocks else {
            return Answer::Silence;
        };
        match blocks.exchange(&self.slot, apdu) {
            Ok(response) => Answer::Data(response),
            Err(_) => Answer::Silence,
        }
    }

    /// Authenticates to the sector of a MIFARE Classic's block.
    pub fn authenticate(&mut self, block: u8, key_type: KeyType, key: [u8; 6]) -> Answer {
        let Some(selected) = &self.selected else {
            return Answer::Silence;
        };
        let verdict = self.slot.authenticate(&Authentication {
            block,
            key_type,
            key: Key(key),
            uid: selected.uid.last_four(),
        });
        match verdict {
            Verdict::Accepted => Answer::Acknowledged,
            Verdict::Refused => Answer::Refused,
            Verdict::Mute => Answer::Silence,
        }
    }

    /// Reads a block, or four pages.
    pub fn read(&mut self, block: u8) -> Answer {
        self.transceive(&[READ, block])
    }

    /// Writes a block of a MIFARE Classic: both parts of the command.
    pub fn write(&mut self, block: u8, content: &[u8; 16]) -> Answer {
        match self.transceive(&[WRITE, block]) {
            Answer::Acknowledged => self.transceive(content),
            refused => refused,
        }
    }

    /// Sends any command of the selected card's, to which the checksum is added, and takes that of the
    /// answer off.
    pub fn transceive(&mut self, body: &[u8]) -> Answer {
        let answers = self.slot.transmit(&Frame::with_crc(body));
        let [answer] = &answers[..] else {
            // What collides says nothing either.
            return Answer::Silence;
        };
        match (answer.short(4), answer.body()) {
            (Some(ACK), _) => Answer::Acknowledged,
            (None, Some(data)) => Answer::Data(data.to_vec()),
            _ => Answer::Refused,
        }
    }
}

impl Drop for Antenna {
    fn drop(&mut self) {
        self.slot.set_field(false);
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Antenna};
    use crate::{Cards, KeyType, Origin, Slot, Technology};

    const TRANSPORT: [u8; 6] = [0xFF; 6];

    fn antenna() -> (Antenna, Slot) {
        over(Technology::MifareClassic1k, "04A1B2C3")
    }

    fn over(technology: Technology, uid: &str) -> (Antenna, Slot) {
        let slot = Slot::new();
        let card = Cards::new().card(technology, uid.parse().unwrap(), Origin::Factory);
        slot.place(&card.unwrap());
        (Antenna::over(slot.clone()), slot)
    }

    #[test]
    fn a_card_is_selected_opened_written_and_read() {
        let (mut antenna, slot) = antenna();
        assert_eq!(antenna.select().unwrap().sak, 0x08);
        let opened = antenna.authenticate(4, KeyType::A, TRANSPORT);
        assert_eq!(opened, Answer::Acknowledged);
        assert_eq!(antenna.write(5, &[7; 16]), Answer::Acknowledged);
        assert_eq!(antenna.read(5), Answer::Data(vec![7; 16]));
        assert_eq!(slot.log().exchanges(), 3);
    }

    #[test]
    fn a_card_of_pages_is_written_and_read_by_its_own_commands() {
        let (mut antenna, slot) = over(Technology::Ntag213, "04A1B2C3D4E5F6");
        assert_eq!(antenna.select().unwrap().sak, 0x00);
        let version = Answer::Data(vec![0, 4, 4, 2, 1, 0, 0x0F, 3]);
        assert_eq!(antenna.transceive(&[0x60]), version);
        let written = antenna.transceive(&[0xA2, 8, 1, 2, 3, 4]);
        assert_eq!(written, Answer::Acknowledged);
        let Answer::Data(read) = antenna.read(8) else {
            panic!("four pages")
        };
        assert_eq!(read[..4], [1, 2, 3, 4]);
        assert_eq!(antenna.transceive(&[0x1B, 0, 0, 0, 0]), Answer::Refused);
        assert_eq!(antenna.transceive(&[0x60]), Answer::Silence);
        antenna.select().unwrap();
        assert_eq!(antenna.transceive(&[0x60]), version);
        assert_eq!(slot.log().exchanges(), 5);
    }

    #[test]
    fn a_card_that_refused_is_silent_until_it_is_selected_again() {
        let (mut antenna, _slot) = antenna();
        antenna.select().unwrap();
        assert_eq!(antenna.read(4), Answer::Refused);
        assert_eq!(antenna.read(4), Answer::Silence);
        antenna.select().unwrap();
        let opened = antenna.authenticate(4, KeyType::A, TRANSPORT);
        assert_eq!(opened, Answer::Acknowledged);
    }

    #[test]
    fn without_a_card_there_is_silence_and_the_field_goes_off_with_the_antenna() {
        let (mut antenna, slot) = antenna();
        slot.remove();
        assert_eq!(antenna.select(), None);
        assert_eq!(
            antenna.authenticate(4, KeyType::A, TRANSPORT),
            Answer::Silence
        );
        assert_eq!(antenna.read(4), Answer::Silence);
        assert!(slot.is_field_on());
        drop(antenna);
        assert!(!slot.is_field_on());
    }
}
