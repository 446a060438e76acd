//! How the server writes on a card: 48 bytes that mean something to this server alone. What real servers write is their
//! makers' secret and is not imitated; this is only something that can be torn, copied and overwritten as it can there.

use super::error_code::ErrorCode;
use crate::antenna::{Answer, Antenna};
use crate::card::Uid;
use crate::slot::{KeyType, Slot};

/// Length of a mark: three blocks of a MIFARE Classic, or all user pages of the smallest Ultralight.
const LENGTH: usize = 48;
/// First bytes of every mark of every emulated server.
const MAGIC: [u8; 4] = *b"LKSV";
const TRANSPORT_KEY: [u8; 6] = [0xFF; 6];
/// First block, or page, of the mark.
const FIRST: u8 = 4;
/// DESFire: the application, least significant byte first, and its only file.
const APPLICATION: [u8; 3] = *b"VSL";
const FILE: u8 = 0;

/// What the server wrote on a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Which server's.
    pub(super) site: u32,
    /// Which card of that server's, counted from 1.
    pub(super) serial: u64,
}

/// Why a card could not be read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// There is none, there are several, or it left.
    NoCard,
    /// It does not let us, or holds something else than a mark.
    NotOurs,
}

impl From<Failure> for ErrorCode {
    fn from(failure: Failure) -> ErrorCode {
        match failure {
            Failure::NoCard => ErrorCode::Ep,
            Failure::NotOurs => ErrorCode::Ef,
        }
    }
}

impl Mark {
    fn bytes(self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..8].copy_from_slice(&self.site.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.serial.to_be_bytes());
        let mut noise = self.serial ^ (u64::from(self.site) << 32);
        for byte in &mut bytes[16..40] {
            noise = mixed(noise);
            *byte = noise.to_le_bytes()[7];
        }
        let sum = sum_of(&bytes[..40]);
        bytes[40..].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    fn of(bytes: &[u8]) -> Option<Mark> {
        let site = u32::from_be_bytes(*bytes.get(4..)?.first_chunk()?);
        let serial = u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?);
        let mark = Mark { site, serial };
        (mark.bytes()[..] == *bytes).then_some(mark)
    }
}

/// Constants of Knuth's MMIX generator.
fn mixed(state: u64) -> u64 {
    state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407)
}

fn sum_of(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |sum, byte| mixed(sum ^ u64::from(*byte)))
}

/// What lies on the encoder, selected.
struct Selected {
    antenna: Antenna,
    uid: Uid,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Classic,
    Pages,
    Files,
}

fn select(slot: &Slot) -> Result<Selected, Failure> {
    if slot.cards().len() != 1 {
        return Err(Failure::NoCard);
    }
    let mut antenna = Antenna::over(slot.clone());
    let selected = antenna.select().ok_or(Failure::NoCard)?;
    let kind = match selected.sak {
        sak if sak & 0x20 != 0 => Kind::Files,
        0 => Kind::Pages,
        _ => Kind::Classic,
    };
    let uid = selected.uid;
    Ok(Selected { antenna, uid, kind })
}

/// The UID of the only card on the encoder.
pub(super) fn uid(slot: &Slot) -> Result<Uid, Failure> {
    select(slot).map(|selected| selected.uid)
}

/// Writes a mark on the only card on the encoder, and reads it back.
pub(super) fn write(slot: &Slot, mark: Mark) -> Result<Uid, Failure> {
    let mut selected = select(slot)?;
    selected.write(&mark.bytes())?;
    if selected.read()? == mark.bytes() {
        Ok(selected.uid)
    } else {
        Err(Failure::NotOurs)
    }
}

/// Reads the mark of the only card on the encoder.
pub(super) fn read(slot: &Slot) -> Result<(Uid, Mark), Failure> {
    let mut selected = select(slot)?;
    let mark = Mark::of(&selected.read()?).ok_or(Failure::NotOurs)?;
    Ok((selected.uid, mark))
}

impl Selected {
    fn write(&mut self, mark: &[u8; LENGTH]) -> Result<(), Failure> {
        match self.kind {
            Kind::Classic => {
                done(self.antenna.authenticate(FIRST, KeyType::A, TRANSPORT_KEY))?;
                for (block, part) in (FIRST..).zip(mark.as_chunks().0) {
                    done(self.antenna.write(block, part))?;
                }
            }
            Kind::Pages => {
                for (page, part) in (FIRST..).zip(mark.as_chunks().0) {
                    let [a, b, c, d] = *part;
                    done(self.antenna.transceive(&[0xA2, page, a, b, c, d]))?;
                }
            }
            Kind::Files => {
                if self.native(0x5A, &APPLICATION).is_err() {
                    // Key settings of delivery, one DES key; a file that everybody may read and write.
                    let [a, b, c] = APPLICATION;
                    self.native(0xCA, &[a, b, c, 0x0F, 0x01])?;
                    self.native(0x5A, &APPLICATION)?;
                    self.native(0xCD, &[FILE, 0x00, 0xEE, 0xEE, LENGTH as u8, 0, 0])?;
                }
                let data = [&[FILE, 0, 0, 0, LENGTH as u8, 0, 0][..], mark].concat();
                self.native(0x3D, &data)?;
            }
        }
        Ok(())
    }

    fn read(&mut self) -> Result<Vec<u8>, Failure> {
        match self.kind {
            Kind::Classic => {
                done(self.antenna.authenticate(FIRST, KeyType::A, TRANSPORT_KEY))?;
                self.read_each([FIRST, FIRST + 1, FIRST + 2])
            }
            Kind::Pages => self.read_each([FIRST, FIRST + 4, FIRST + 8]),
            Kind::Files => {
                self.native(0x5A, &APPLICATION)?;
                self.native(0xBD, &[FILE, 0, 0, 0, LENGTH as u8, 0, 0])
            }
        }
    }

    fn read_each(&mut self, places: [u8; 3]) -> Result<Vec<u8>, Failure> {
        let parts = places.map(|place| data(self.antenna.read(place)));
        Ok(parts.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// A native command of DESFire's in an APDU, answered by status 9100.
    fn native(&mut self, instruction: u8, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let length = u8::try_from(body.len()).map_err(|_| Failure::NotOurs)?;
        let apdu = [&[0x90, instruction, 0, 0, length][..], body, &[0]].concat();
        match data(self.antenna.apdu(&apdu))?.split_last_chunk() {
            Some((answer, [0x91, 0x00])) => Ok(answer.to_vec()),
            _ => Err(Failure::NotOurs),
        }
    }
}

fn done(answer: Answer) -> Result<(), Failure> {
    match answer {
        Answer::Acknowledged => Ok(()),
        Answer::Silence => Err(Failure::NoCard),
        Answer::Refused | Answer::Data(_) => Err(Failure::NotOurs),
    }
}

fn data(answer: Answer) -> Result<Vec<u8>, Failure> {
    match answer {
        Answer::Data(data) => Ok(data),
        Answer::Silence => Err(Failure::NoCard),
        Answer::Refused | Answer::Acknowledged => Err(Failure::NotOurs),
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, Mark, read, write};
    use crate::{Card, Cards, Moment, Origin, Slot, Technology};

    const MARK: Mark = Mark { site: 7, serial: 1 };
    const LATER: Mark = Mark { site: 7, serial: 2 };

    fn card(technology: Technology, origin: Origin) -> (Slot, Card) {
        let length = technology.uid_lengths()[0];
        let uid = &"04A1B2C3D4E5F6"[..length * 2];
        let card = Cards::new().card(technology, uid.parse().unwrap(), origin);
        let (slot, card) = (Slot::new(), card.unwrap());
        slot.place(&card);
        (slot, card)
    }

    #[test]
    fn every_card_but_one_takes_a_mark_and_a_later_one() {
        for technology in Technology::ALL {
            let (slot, card) = card(technology, Origin::Factory);
            if technology == Technology::Ntag424Dna {
                assert_eq!(write(&slot, MARK), Err(Failure::NotOurs));
                continue;
            }
            assert_eq!(read(&slot), Err(Failure::NotOurs), "{technology}");
            for mark in [MARK, LATER] {
                assert_eq!(write(&slot, mark), Ok(card.uid()), "{technology}");
                assert_eq!(read(&slot), Ok((card.uid(), mark)), "{technology}");
            }
            assert!(!slot.log().writes().is_empty());
        }
    }

    #[test]
    fn the_card_of_somebody_else_is_not_ours_unless_it_cannot_protect_itself() {
        for technology in Technology::ALL {
            let (slot, _) = card(technology, Origin::Foreign);
            assert_eq!(read(&slot), Err(Failure::NotOurs), "{technology}");
        }
        let (slot, _) = card(Technology::MifareClassic1k, Origin::Foreign);
        assert_eq!(write(&slot, MARK), Err(Failure::NotOurs));
        assert!(slot.log().writes().is_empty());
    }

    #[test]
    fn no_card_and_two_cards_are_none() {
        let (slot, _card) = card(Technology::MifareClassic1k, Origin::Factory);
        let other = Cards::new().card(
            Technology::MifareClassic1k,
            "04A1B2C4".parse().unwrap(),
            Origin::Factory,
        );
        slot.add(&other.unwrap());
        assert_eq!(write(&slot, MARK), Err(Failure::NoCard));
        slot.remove();
        assert_eq!(read(&slot), Err(Failure::NoCard));
    }

    #[test]
    fn a_card_pulled_at_any_command_holds_the_old_mark_the_new_one_or_none() {
        for technology in [
            Technology::MifareClassic1k,
            Technology::Ntag213,
            Technology::DesfireEv2,
        ] {
            let (slot, _card) = card(technology, Origin::Factory);
            write(&slot, MARK).unwrap();
            let before = slot.log().exchanges();
            write(&slot, LATER).unwrap();
            let steps = slot.log().exchanges() - before;
            let mut torn = 0;
            for step in 1..=steps {
                for moment in [Moment::Before, Moment::Torn { seed: 5 }, Moment::After] {
                    let (slot, card) = card_with_mark(technology);
                    slot.remove_at(step, moment);
                    let is_written = write(&slot, LATER).is_ok();
                    slot.place(&card);
                    match read(&slot) {
                        Ok((_, MARK)) => assert!(!is_written),
                        Ok((_, LATER)) => {}
                        Err(Failure::NotOurs) => torn += 1,
                        other => panic!("{technology} {step} {moment:?}: {other:?}"),
                    }
                }
            }
            // A DESFire writes the file at once.
            assert!(torn > 0, "{technology}");
        }
    }

    fn card_with_mark(technology: Technology) -> (Slot, Card) {
        let (slot, card) = card(technology, Origin::Factory);
        write(&slot, MARK).unwrap();
        (slot, card)
    }
}
