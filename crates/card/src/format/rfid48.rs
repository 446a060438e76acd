//! `rfid48`: a credential in exactly 48 bytes, the last eight of them the tag (docs/card-format.md, "rfid48").

use super::{TAG, array, function, function_code, put_u24, u24};
use crate::credential::{Credential, CredentialNumber, IssueNumber, Minute, Validity};
use crate::doors::{AdditionalDoor, CommonDoors, DoorNumber, Doors, RoomRange};
use crate::{CardFormat, Refusal};

/// Byte 0 of every `rfid48` image.
pub(super) const FORMAT: u8 = 0x48;
/// How long every image is.
pub(crate) const LENGTH: usize = 48;
/// Where the tag starts.
const BODY: usize = LENGTH - TAG;
/// The value in place of an end that says there is none.
const NO_END: u32 = 0xFF_FFFF;
/// How many additional doors there is room for.
const ADDITIONAL_DOORS: usize = 7;
/// The bit of an additional door that says that it is a guest door.
const GUEST_DOOR: u16 = 0x8000;

/// Whether the format can hold a credential.
///
/// # Errors
/// [`Refusal::DoesNotFit`] when it has too many additional doors.
pub(super) fn check(credential: &Credential) -> Result<(), Refusal> {
    let doors = credential.doors.additional.len();
    if doors <= ADDITIONAL_DOORS {
        return Ok(());
    }
    Err(Refusal::DoesNotFit {
        detail: format!(
            "it opens {doors} doors beside one range of rooms and the common doors 0 to 27, and rfid48 holds {ADDITIONAL_DOORS}; choose consecutive rooms or fewer doors, or the format TLCode"
        ),
    })
}

/// The 40 bytes before the tag; key version, sequence and site mark are left zero.
pub(super) fn body(credential: &Credential) -> Result<Vec<u8>, Refusal> {
    check(credential)?;
    let mut bytes = vec![0; BODY];
    bytes[0] = FORMAT;
    let rooms = credential.doors.rooms;
    bytes[4] = function_code(credential.function) << 6 | rooms.map_or(0, RoomRange::count);
    bytes[7..11].copy_from_slice(&credential.number.get().to_be_bytes());
    put_u24(&mut bytes[11..14], credential.validity.start().get());
    let end = credential.validity.end();
    put_u24(&mut bytes[14..17], end.map_or(NO_END, Minute::get));
    put_u24(&mut bytes[17..20], credential.issue.get());
    let first = rooms.map_or(0, |rooms| rooms.first().get());
    bytes[20..22].copy_from_slice(&first.to_be_bytes());
    bytes[22..26].copy_from_slice(&credential.doors.common.bits().to_be_bytes());
    for (word, door) in bytes[26..]
        .chunks_exact_mut(2)
        .zip(&credential.doors.additional)
    {
        word.copy_from_slice(&code(*door).to_be_bytes());
    }
    Ok(bytes)
}

/// One additional door as 16 bits.
pub(super) fn code(door: AdditionalDoor) -> u16 {
    match door {
        AdditionalDoor::Guest(number) => GUEST_DOOR | number.get(),
        AdditionalDoor::Common(number) => number.get(),
    }
}

/// Reads 16 bits as an additional door.
pub(super) fn door(code: u16) -> Option<AdditionalDoor> {
    let number = DoorNumber::new(u32::from(code & !GUEST_DOOR)).ok()?;
    Some(if code & GUEST_DOOR == 0 {
        AdditionalDoor::Common(number)
    } else {
        AdditionalDoor::Guest(number)
    })
}

/// Reads the fields; the tag has been checked. `None` for what the format does not have, reserved values included:
/// a later issuer may give them a meaning that takes rights away.
pub(super) fn parse(bytes: &[u8]) -> Option<Credential> {
    let end = match u24(&bytes[14..17]) {
        NO_END => None,
        minutes => Some(Minute::new(minutes).ok()?),
    };
    Some(Credential {
        format: CardFormat::Rfid48,
        number: CredentialNumber::new(u32::from_be_bytes(array(&bytes[7..11]))).ok()?,
        function: function(bytes[4] >> 6)?,
        validity: Validity::new(Minute::new(u24(&bytes[11..14])).ok()?, end).ok()?,
        issue: IssueNumber::new(u24(&bytes[17..20])).ok()?,
        doors: Doors {
            rooms: rooms(bytes[4] & 0x3F, u16::from_be_bytes(array(&bytes[20..22])))?,
            common: CommonDoors::from_bits(u32::from_be_bytes(array(&bytes[22..26])))?,
            additional: additional(&bytes[26..BODY])?,
        },
    })
}

fn rooms(count: u8, first: u16) -> Option<Option<RoomRange>> {
    if count == 0 {
        return (first == 0).then_some(None);
    }
    let first = DoorNumber::new(u32::from(first)).ok()?;
    RoomRange::new(first, count).ok().map(Some)
}

fn additional(bytes: &[u8]) -> Option<Vec<AdditionalDoor>> {
    let words: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|word| u16::from_be_bytes(array(word)))
        .collect();
    let used = words
        .iter()
        .position(|word| *word == 0)
        .unwrap_or(words.len());
    if words[used..].iter().any(|word| *word != 0) {
        return None;
    }
    words[..used].iter().map(|word| door(*word)).collect()
}

#[cfg(test)]
mod tests;
