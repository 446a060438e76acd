//! What the version commands answer.

use crate::Technology;

/// GetVersion of DESFire and NTAG 424 DNA, wrapped in ISO/IEC 7816-4 (NXP MF3ICD81, 9.2; NT4H2421Gx, 10.5.2).
pub(super) const FIRST: [u8; 5] = [0x90, 0x60, 0x00, 0x00, 0x00];
/// Asks for the next frame.
pub(super) const MORE: [u8; 5] = [0x90, 0xAF, 0x00, 0x00, 0x00];

const MORE_FRAMES: [u8; 2] = [0x91, 0xAF];
const COMPLETE: [u8; 2] = [0x91, 0x00];

/// NXP, the vendor in every version.
const NXP: u8 = 0x04;

/// Reads the answer to GET_VERSION of a Type 2 card: fixed 00h, vendor, product type, subtype, major, minor, storage
/// size, protocol (NXP MF0ULX1, 10.1; NTAG213_215_216, 10.1).
///
/// # Errors
/// The name of a card without a placing.
pub(super) fn type2(answer: &[u8]) -> Result<Technology, String> {
    match answer {
        [0x00, NXP, 0x03, _, _, _, 0x0B, _] => Ok(Technology::MifareUltralightEv1_48),
        [0x00, NXP, 0x03, _, _, _, 0x0E, _] => Ok(Technology::MifareUltralightEv1_128),
        [0x00, NXP, 0x04, 0x02, _, _, 0x0F, _] => Ok(Technology::Ntag213),
        [0x00, NXP, 0x04, 0x02, _, _, 0x11, _] => Ok(Technology::Ntag215),
        [0x00, NXP, 0x04, 0x02, _, _, 0x13, _] => Ok(Technology::Ntag216),
        [0x00, NXP, 0x04, 0x05, ..] => Err("NTAG I2C".to_owned()),
        [0x00, NXP, 0x04, ..] => Err(format!("NTAG of unknown type (version {})", hex(answer))),
        _ => Err(format!(
            "card of unknown type (SEL_RES 00, version {})",
            hex(answer)
        )),
    }
}

/// The frames of a GetVersion so far: hardware, software, production data.
#[derive(Debug, Default)]
pub(super) struct Frames {
    hardware: Option<[u8; 7]>,
    software: Option<[u8; 7]>,
}

/// What one more frame gave.
pub(super) enum Taken {
    /// There is more to ask for.
    More,
    /// The technology, or the name of a card without a placing.
    Whole(Result<Technology, String>),
    /// The card does not know the command, so it is neither DESFire nor NTAG.
    NoVersion,
}

impl Frames {
    /// Takes an answer, status word included. All three frames are asked for, since a card answers the command after a
    /// broken off sequence with an error (NXP MF3ICD81, "COMMAND_ABORTED").
    pub(super) fn take(&mut self, answer: &[u8]) -> Taken {
        let Some((data, status)) = answer.split_last_chunk::<2>() else {
            return Taken::NoVersion;
        };
        let part = <[u8; 7]>::try_from(data).ok();
        match (*status, self.hardware, self.software, part) {
            (MORE_FRAMES, None, _, Some(part)) => {
                self.hardware = Some(part);
                Taken::More
            }
            (MORE_FRAMES, Some(_), None, Some(part)) => {
                self.software = Some(part);
                Taken::More
            }
            (COMPLETE, Some(hardware), Some(software), _) => {
                Taken::Whole(technology(&hardware, &software))
            }
            _ => Taken::NoVersion,
        }
    }
}

/// Vendor, type, subtype, major, minor, storage size, protocol, of hardware and of software (NXP MF3ICD81, 9.2;
/// NT4H2421Gx, 10.5.2).
fn technology(hardware: &[u8; 7], software: &[u8; 7]) -> Result<Technology, String> {
    let [vendor, kind, ..] = *hardware;
    match (vendor, kind & 0x0F, software[3]) {
        (NXP, 0x01, 0) => Err("MIFARE DESFire of the first generation".to_owned()),
        (NXP, 0x01, 1) => Ok(Technology::DesfireEv1),
        (NXP, 0x01, 2) => Ok(Technology::DesfireEv2),
        (NXP, 0x01, 3) => Ok(Technology::DesfireEv3),
        (NXP, 0x01, _) => Err(format!(
            "MIFARE DESFire of unknown version {}",
            hex(software)
        )),
        (NXP, 0x02, _) => Err("MIFARE Plus".to_owned()),
        (NXP, 0x04, _) if hardware[3] == 0x30 => Ok(Technology::Ntag424Dna),
        (NXP, 0x04, _) => Err(format!("NTAG of unknown type (version {})", hex(hardware))),
        (NXP, 0x08, _) => Err("MIFARE DESFire Light".to_owned()),
        _ => Err(format!("card of unknown type (version {})", hex(hardware))),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
