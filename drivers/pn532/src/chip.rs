//! The chip's commands as bytes, and what its answers say (UM 7): bytes in, bytes out.

use card::{Apdu, ClassicCommand, KeyType, PresentedCard, SelectAnswer, Type2Command, Uid};
use zeroize::Zeroizing;

use crate::error::Pn532Error;
use crate::speed::Speed;

/// The chip that this driver is for (UM 7.2.2, byte IC).
const PN532: u8 = 0x32;

const IN_DATA_EXCHANGE: u8 = 0x40;
const IN_COMMUNICATE_THRU: u8 = 0x42;

pub(crate) const GET_FIRMWARE_VERSION: [u8; 1] = [0x02];

/// Normal mode: no security module, no time-out, no interrupt line. Also ends LowVbat (UM 7.2.10).
pub(crate) const SAM_CONFIGURATION: [u8; 4] = [0x14, 0x01, 0x00, 0x00];

/// Automatic ATR_RES (04h) and RATS (10h), as after a reset; an earlier program may have changed it (UM 7.2.9).
pub(crate) const SET_PARAMETERS: [u8; 2] = [0x12, 0x14];

/// Field off (UM 7.3.1, item 1). The next selection switches it on by itself.
pub(crate) const FIELD_OFF: [u8; 3] = [0x32, 0x01, 0x00];

/// A card gets 51.2 ms to answer (0Ah), ATR_RES 102.4 ms (0Bh), as after a reset (UM 7.3.1, item 2). A card in
/// ISO/IEC 14443-4 names its own waiting time in its ATS and asks for more while it writes; the chip grants that.
pub(crate) const TIMINGS: [u8; 5] = [0x32, 0x02, 0x00, 0x0B, 0x0A];

/// No repetition by the chip: an enciphered exchange cannot be repeated (UM 7.3.1, item 4, MaxRtyCOM).
pub(crate) const NO_REPETITION: [u8; 3] = [0x32, 0x04, 0x00];

/// Checksums by the radio in both directions, 106 kbit/s: CIU_TxMode and CIU_RxMode as a selection needs them
/// (WriteRegister, UM 7.2.5; PN532/C1 data sheet 8.6.23). Commands that go through as they are depend on them, and libnfc and
/// nfcpy leave them as they were used last.
pub(crate) const CHECKSUMS_ON: [u8; 7] = [0x08, 0x63, 0x02, 0x80, 0x63, 0x03, 0x80];

/// In the status byte: the answer goes on (UM 7.3.8). In the byte that names the target it would say the same of a
/// command, but the longest one here fits into one.
pub(crate) const MORE: u8 = 0x40;

/// The longest command for a card that fits beside code and target (UM 7.3.8: 262 bytes).
pub(crate) const LONGEST_TO_CARD: usize = 262;

/// SEL_RES bit 4 is set on every MIFARE Classic and on what emulates one (NXP AN10833, 3.1).
pub(crate) const SAK_CLASSIC: u8 = 0x08;
/// SEL_RES bit 6 says ISO/IEC 14443-4 (ISO/IEC 14443-3, 6.5.3.4).
pub(crate) const SAK_ISO_14443_4: u8 = 0x20;
/// SEL_RES of every Ultralight and NTAG (NXP AN10833, table 6).
pub(crate) const SAK_TYPE2: u8 = 0x00;

/// How long the chip looks for a card (UM 7.3.1, item 5, MxRtyPassiveActivation).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tries {
    /// Until one comes or the command is aborted.
    Endless,
    /// A few times: says within some milliseconds what is there now. A card that answers takes one; one that was
    /// active ignores the first call, which sends it back to idle (ISO/IEC 14443-3, 6.2.3).
    Few,
}

pub(crate) fn set_tries(tries: Tries) -> [u8; 5] {
    let passive_activation = match tries {
        Tries::Endless => 0xFF,
        Tries::Few => 0x02,
    };
    [0x32, 0x05, 0xFF, 0x01, passive_activation]
}

/// Looks for up to `most` (1 or 2) cards of ISO/IEC 14443 type A at 106 kbit/s (UM 7.3.5).
pub(crate) fn list_cards(most: u8) -> [u8; 3] {
    [0x4A, most, 0x00]
}

/// InDataExchange (UM 7.3.8) of a Classic command.
pub(crate) fn classic(target: u8, command: &ClassicCommand, uid: &Uid) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(32));
    bytes.extend([IN_DATA_EXCHANGE, target]);
    match command {
        ClassicCommand::Authenticate {
            block,
            key_type,
            key,
        } => {
            let code = match key_type {
                KeyType::A => 0x60,
                KeyType::B => 0x61,
            };
            bytes.extend([code, *block]);
            bytes.extend(key.expose());
            // Longer UIDs take part with the last four bytes (NXP AN10927, 3.2.5).
            let uid = uid.as_bytes();
            bytes.extend(&uid[uid.len() - 4..]);
        }
        ClassicCommand::Read { block } => bytes.extend([0x30, *block]),
        ClassicCommand::Write { block, data } => {
            bytes.extend([0xA0, *block]);
            bytes.extend(data.expose());
        }
    }
    bytes
}

/// Reading and writing by InDataExchange, which knows the card's four bits of acknowledgement (UM 7.3.8); everything
/// else by InCommunicateThru, which names no target (UM 7.3.9).
pub(crate) fn type2(target: u8, command: &Type2Command) -> Zeroizing<Vec<u8>> {
    let card_bytes = command.to_bytes();
    let mut bytes = Zeroizing::new(Vec::with_capacity(card_bytes.len() + 2));
    match command {
        Type2Command::Read { .. } | Type2Command::Write { .. } => {
            bytes.extend([IN_DATA_EXCHANGE, target]);
        }
        Type2Command::FastRead { .. }
        | Type2Command::GetVersion
        | Type2Command::PasswordAuthenticate { .. }
        | Type2Command::Authenticate
        | Type2Command::AuthenticateAnswer { .. } => bytes.push(IN_COMMUNICATE_THRU),
    }
    bytes.extend(card_bytes.iter());
    bytes
}

/// InDataExchange of an APDU; the chip makes the blocks of ISO/IEC 14443-4 (UM 7.3.8).
///
/// # Errors
/// The command is too long for the chip.
pub(crate) fn iso(target: u8, apdu: &Apdu) -> Result<Zeroizing<Vec<u8>>, Pn532Error> {
    let apdu = apdu.expose();
    if apdu.len() > LONGEST_TO_CARD {
        return Err(Pn532Error::TooLong { length: apdu.len() });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(apdu.len() + 2));
    bytes.extend([IN_DATA_EXCHANGE, target]);
    bytes.extend(apdu);
    Ok(bytes)
}

/// Asks for the rest of an answer whose status says [`MORE`] (UM 7.3.8).
pub(crate) fn rest(target: u8) -> [u8; 2] {
    [IN_DATA_EXCHANGE, target]
}

/// SetSerialBaudRate (UM 7.2.8). The chip changes once the host has acknowledged its answer.
pub(crate) fn set_speed(speed: Speed) -> [u8; 2] {
    [0x10, speed.code]
}

/// IC, version, revision, support (UM 7.2.2), of the chip that this driver is for.
pub(crate) type Firmware = [u8; 4];

/// Whether the chip is the one that this driver is for.
pub(crate) fn check_firmware(answer: &[u8]) -> Result<Firmware, Pn532Error> {
    match *answer {
        [PN532, version, revision, support] => Ok([PN532, version, revision, support]),
        [found, _, _, _] => Err(Pn532Error::WrongChip { found }),
        _ => Err(Pn532Error::Malformed {
            command: GET_FIRMWARE_VERSION[0],
        }),
    }
}

/// What a look for cards found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    None,
    /// One, with the number that the chip gave it.
    One(u8, PresentedCard),
    Several,
}

/// Reads the answer to [`list_cards`]: NbTg, then Tg, SENS_RES (2 bytes), SEL_RES, the UID with its length, and the
/// ATS, whose length counts itself, of a card that has one.
pub(crate) fn found(answer: &[u8]) -> Result<Found, Pn532Error> {
    let malformed = || Pn532Error::Malformed { command: 0x4A };
    match *answer {
        [0, ..] => Ok(Found::None),
        [1, target, high, low, sak, uid_length, ref rest @ ..] => {
            let (uid, rest) = rest
                .split_at_checked(usize::from(uid_length))
                .ok_or_else(malformed)?;
            let ats = match *rest {
                [] => &[][..],
                [length, ref ats @ ..] if usize::from(length) == ats.len() + 1 => ats,
                _ => return Err(malformed()),
            };
            Ok(Found::One(
                target,
                PresentedCard {
                    uid: Uid::new(uid).map_err(|_| malformed())?,
                    answer: SelectAnswer::Iso14443a {
                        atqa: [high, low],
                        sak,
                        ats: ats.to_vec(),
                    },
                },
            ))
        }
        [count, ..] if count > 1 => Ok(Found::Several),
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use card::{BlockData, ClassicKey, PageData, Password};

    use super::*;

    #[test]
    fn an_authentication_carries_key_and_the_last_four_bytes_of_the_uid() {
        let command = ClassicCommand::Authenticate {
            block: 7,
            key_type: KeyType::B,
            key: ClassicKey::new([1, 2, 3, 4, 5, 6]),
        };
        for (uid, end) in [
            ("04A1B2C3", [0x04, 0xA1, 0xB2, 0xC3]),
            ("04A1B2C3D4E5F6", [0xC3, 0xD4, 0xE5, 0xF6]),
        ] {
            let bytes = classic(1, &command, &uid.parse().unwrap());
            assert_eq!(bytes[..10], [0x40, 1, 0x61, 7, 1, 2, 3, 4, 5, 6]);
            assert_eq!(bytes[10..], end);
        }
    }

    #[test]
    fn blocks_are_read_and_written_whole() {
        let uid = "04A1B2C3".parse().unwrap();
        let read = classic(1, &ClassicCommand::Read { block: 4 }, &uid);
        assert_eq!(*read, [0x40, 0x01, 0x30, 0x04]);
        let data = BlockData::new([0xAB; 16]);
        let write = classic(2, &ClassicCommand::Write { block: 5, data }, &uid);
        assert_eq!(write[..4], [0x40, 0x02, 0xA0, 0x05]);
        assert_eq!(write[4..], [0xAB; 16]);
    }

    #[test]
    fn pages_are_exchanged_and_everything_else_goes_through_without_a_target() {
        let data = PageData::new([1, 2, 3, 4]);
        let password = Password::new([5, 6, 7, 8]);
        let cryptogram = [0x77; 16];
        for (command, head) in [
            (Type2Command::Read { page: 4 }, vec![0x40, 1, 0x30, 4]),
            (
                Type2Command::Write { page: 5, data },
                vec![0x40, 1, 0xA2, 5, 1, 2, 3, 4],
            ),
            (
                Type2Command::FastRead { first: 4, last: 9 },
                vec![0x42, 0x3A, 4, 9],
            ),
            (Type2Command::GetVersion, vec![0x42, 0x60]),
            (
                Type2Command::PasswordAuthenticate { password },
                vec![0x42, 0x1B, 5, 6, 7, 8],
            ),
            (Type2Command::Authenticate, vec![0x42, 0x1A, 0x00]),
            (
                Type2Command::AuthenticateAnswer { cryptogram },
                [&[0x42, 0xAF][..], &cryptogram].concat(),
            ),
        ] {
            assert_eq!(*type2(1, &command), head);
        }
    }

    #[test]
    fn an_apdu_goes_as_it_is_unless_it_is_too_long_for_the_chip() {
        let get_version = Apdu::new(vec![0x90, 0x60, 0x00, 0x00, 0x00]);
        assert_eq!(
            *iso(1, &get_version).unwrap(),
            [0x40, 0x01, 0x90, 0x60, 0x00, 0x00, 0x00]
        );
        assert_eq!(iso(1, &Apdu::new(vec![0; 262])).unwrap().len(), 264);
        let error = iso(1, &Apdu::new(vec![0; 263])).unwrap_err();
        assert!(matches!(error, Pn532Error::TooLong { length: 263 }));
    }

    #[test]
    fn a_classic_1k_is_found() {
        let answer = [1, 1, 0x00, 0x04, 0x08, 4, 0x04, 0xA1, 0xB2, 0xC3];
        let Found::One(1, card) = found(&answer).unwrap() else {
            panic!("one card");
        };
        assert_eq!(card.uid.to_string(), "04A1B2C3");
        assert_eq!(
            card.answer,
            SelectAnswer::Iso14443a {
                atqa: [0x00, 0x04],
                sak: 0x08,
                ats: vec![]
            }
        );
    }

    #[test]
    fn an_ats_loses_its_length_byte() {
        let mut answer = vec![1, 1, 0x03, 0x44, 0x20, 7, 4, 1, 2, 3, 4, 5, 6];
        answer.extend([6, 0x75, 0x77, 0x81, 0x02, 0x80]);
        let Found::One(_, card) = found(&answer).unwrap() else {
            panic!("one card");
        };
        let SelectAnswer::Iso14443a { ats, .. } = card.answer else {
            panic!("type A");
        };
        assert_eq!(ats, [0x75, 0x77, 0x81, 0x02, 0x80]);
    }

    #[test]
    fn none_several_and_nonsense_are_told_apart() {
        assert_eq!(found(&[0]).unwrap(), Found::None);
        let two = [2, 1, 0, 4, 8, 4, 1, 2, 3, 4, 2, 0, 4, 8, 4, 5, 6, 7, 8];
        assert_eq!(found(&two).unwrap(), Found::Several);
        for nonsense in [
            &[][..],
            &[1],
            &[1, 1, 0, 4, 8, 4, 1],
            &[1, 1, 0, 4, 8, 3, 1, 2, 3],
        ] {
            assert!(found(nonsense).is_err(), "{nonsense:x?}");
        }
    }

    #[test]
    fn another_chip_is_refused_by_its_number() {
        assert!(check_firmware(&[0x32, 1, 6, 7]).is_ok());
        assert!(matches!(
            check_firmware(&[0x33, 2, 7, 7]),
            Err(Pn532Error::WrongChip { found: 0x33 })
        ));
        assert!(check_firmware(&[]).is_err());
    }
}
