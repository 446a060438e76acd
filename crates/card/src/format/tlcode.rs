//! `TLCode`: the fields of `rfid48` as type-length-value, with lists of doors as long as the placing holds, and the same tag
//! (docs/card-format.md, "TLCode").
//!
//! There is one way to write a credential down: types rise, none is there twice but the additional doors, which go on where
//! 127 of them have filled a value. Whatever else is found is void, types that are not known included: a later issuer may
//! give them a meaning that takes rights away.

use super::rfid48::{code, door};
use super::{HEADER, TAG, array, function, function_code, put_u24, u24};
use crate::credential::{Credential, CredentialNumber, IssueNumber, Minute, Validity};
use crate::doors::{AdditionalDoor, CommonDoors, DoorNumber, Doors, RoomRange};
use crate::{CardFormat, Refusal};

/// Byte 0 of every `TLCode` image.
pub(super) const FORMAT: u8 = 0x54;
/// Where the fields start: after format, key version, sequence, a zero, site mark, and their length in two bytes.
const FIELDS: usize = 9;
/// The longest fields that any placing holds: MIFARE Classic 4K, fourteen sectors per copy.
const MAX_FIELDS: usize = 14 * 48 - FIELDS - TAG;
/// How many additional doors one value holds.
const DOORS_PER_VALUE: usize = 127;

const NUMBER: u8 = 1;
const FUNCTION: u8 = 2;
const START: u8 = 3;
const END: u8 = 4;
const ISSUE: u8 = 5;
const ROOMS: u8 = 6;
const COMMON_DOORS: u8 = 7;
const ADDITIONAL_DOORS: u8 = 8;

/// How many bytes a credential takes.
///
/// # Errors
/// [`Refusal::DoesNotFit`] when no placing could hold it.
pub(super) fn length(credential: &Credential) -> Result<usize, Refusal> {
    Ok(body(credential)?.len() + TAG)
}

/// The length of the image that starts with these bytes, if it has a possible one.
pub(super) fn length_in_header(header: &[u8; HEADER]) -> Option<usize> {
    let fields = usize::from(u16::from_be_bytes([header[7], header[8]]));
    (header[4] == 0 && fields <= MAX_FIELDS).then_some(FIELDS + fields + TAG)
}

/// The bytes before the tag; key version, sequence and site mark are left zero.
pub(super) fn body(credential: &Credential) -> Result<Vec<u8>, Refusal> {
    let mut body = vec![0; FIELDS];
    body[0] = FORMAT;
    put(&mut body, NUMBER, &credential.number.get().to_be_bytes());
    put(&mut body, FUNCTION, &[function_code(credential.function)]);
    put_minute(&mut body, START, credential.validity.start().get());
    if let Some(end) = credential.validity.end() {
        put_minute(&mut body, END, end.get());
    }
    put_minute(&mut body, ISSUE, credential.issue.get());
    let doors = &credential.doors;
    if let Some(rooms) = doors.rooms {
        let [high, low] = rooms.first().get().to_be_bytes();
        put(&mut body, ROOMS, &[high, low, rooms.count()]);
    }
    if doors.common != CommonDoors::default() {
        put(&mut body, COMMON_DOORS, &doors.common.bits().to_be_bytes());
    }
    for doors in doors.additional.chunks(DOORS_PER_VALUE) {
        let words: Vec<u8> = doors
            .iter()
            .flat_map(|door| code(*door).to_be_bytes())
            .collect();
        put(&mut body, ADDITIONAL_DOORS, &words);
    }
    let fields = body.len() - FIELDS;
    if fields > MAX_FIELDS {
        return Err(too_long(doors.additional.len(), fields));
    }
    body[7..FIELDS].copy_from_slice(&(fields as u16).to_be_bytes());
    Ok(body)
}

/// What is said of fields that no placing holds; only single doors make them that long.
fn too_long(doors: usize, fields: usize) -> Refusal {
    let excess = (fields - MAX_FIELDS).div_ceil(2);
    Refusal::DoesNotFit {
        detail: format!(
            "it opens {doors} single doors and takes {} bytes, and no card holds more than {}; leave out at least {excess} of these doors",
            FIELDS + fields + TAG,
            FIELDS + MAX_FIELDS + TAG,
        ),
    }
}

fn put(body: &mut Vec<u8>, kind: u8, value: &[u8]) {
    body.push(kind);
    body.push(value.len() as u8);
    body.extend_from_slice(value);
}

fn put_minute(body: &mut Vec<u8>, kind: u8, minutes: u32) {
    let mut value = [0; 3];
    put_u24(&mut value, minutes);
    put(body, kind, &value);
}

/// Reads the fields; the tag has been checked. `None` for what the format does not have.
pub(super) fn parse(body: &[u8]) -> Option<Credential> {
    let mut fields = Fields(body.get(FIELDS..)?);
    let number = CredentialNumber::new(u32::from_be_bytes(array(fields.take(NUMBER, 4)?))).ok()?;
    let function = function(fields.take(FUNCTION, 1)?[0])?;
    let start = Minute::new(u24(fields.take(START, 3)?)).ok()?;
    let end = match fields.take_if(END) {
        Some(value) => Some(Minute::new(u24(exactly(value, 3)?)).ok()?),
        None => None,
    };
    let issue = IssueNumber::new(u24(fields.take(ISSUE, 3)?)).ok()?;
    let rooms = match fields.take_if(ROOMS) {
        Some(value) => Some(rooms(exactly(value, 3)?)?),
        None => None,
    };
    let common = match fields.take_if(COMMON_DOORS) {
        Some(value) => common_doors(exactly(value, 4)?)?,
        None => CommonDoors::default(),
    };
    let credential = Credential {
        format: CardFormat::TlCode,
        number,
        function,
        validity: Validity::new(start, end).ok()?,
        issue,
        doors: Doors {
            rooms,
            common,
            additional: additional(&mut fields)?,
        },
    };
    fields.0.is_empty().then_some(credential)
}

/// What is left of the fields.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The value of the next field, if it is of that type.
    fn take_if(&mut self, kind: u8) -> Option<&'a [u8]> {
        let (found, rest) = self.0.split_first()?;
        let (length, rest) = rest.split_first()?;
        if *found != kind {
            return None;
        }
        let (value, rest) = rest.split_at_checked(usize::from(*length))?;
        self.0 = rest;
        Some(value)
    }

    fn take(&mut self, kind: u8, length: usize) -> Option<&'a [u8]> {
        exactly(self.take_if(kind)?, length)
    }
}

fn exactly(value: &[u8], length: usize) -> Option<&[u8]> {
    (value.len() == length).then_some(value)
}

fn rooms(value: &[u8]) -> Option<RoomRange> {
    let first = DoorNumber::new(u32::from(u16::from_be_bytes([value[0], value[1]]))).ok()?;
    RoomRange::new(first, value[2]).ok()
}

/// An empty set is not written down.
fn common_doors(value: &[u8]) -> Option<CommonDoors> {
    let doors = CommonDoors::from_bits(u32::from_be_bytes(array(value)))?;
    (doors != CommonDoors::default()).then_some(doors)
}

/// Every value but the last is full, and none is empty.
fn additional(fields: &mut Fields<'_>) -> Option<Vec<AdditionalDoor>> {
    let mut doors = Vec::new();
    let mut may_go_on = true;
    while let Some(value) = fields.take_if(ADDITIONAL_DOORS) {
        let (words, odd) = value.as_chunks::<2>();
        if !may_go_on || words.is_empty() || !odd.is_empty() || words.len() > DOORS_PER_VALUE {
            return None;
        }
        may_go_on = words.len() == DOORS_PER_VALUE;
        for word in words {
            doors.push(door(u16::from_be_bytes(*word))?);
        }
    }
    Some(doors)
}

#[cfg(test)]
mod tests;
