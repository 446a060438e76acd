//! `rfid48`: a credential in exactly 48 bytes, the last eight of them the tag (docs/card-format.md, "rfid48").
//!
//! A decoder must never trust a byte before the tag is checked, and never panic whatever the bytes are.

use cmac::Mac;
use zeroize::ZeroizeOnDrop;

use crate::credential::{
    CardFunction, Credential, CredentialNumber, IssueNumber, Minute, Sequence, Validity,
};
use crate::doors::{AdditionalDoor, CommonDoors, DoorNumber, Doors, RoomRange};
use crate::keys::LockKeys;
use crate::placing::Place;
use crate::{Refusal, SiteMark};

/// Byte 0 of every `rfid48` image.
const FORMAT: u8 = 0x48;
/// The value in place of an end that says there is none.
const NO_END: u32 = 0xFF_FFFF;
/// How many additional doors there is room for.
const ADDITIONAL_DOORS: usize = 7;
/// The bit of an additional door that says that it is a guest door.
const GUEST_DOOR: u16 = 0x8000;
/// Where the tag starts.
const BODY: usize = 40;

/// The 48 bytes as they lie on the card. They may hold anything.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub(crate) struct Image([u8; 48]);

/// What a valid image says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) sequence: Sequence,
    pub(crate) credential: Credential,
}

/// Why an image is void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Void {
    /// Not an `rfid48` of this site and key version.
    Header,
    /// It is not what was sealed, or was sealed for another place.
    Tag,
    /// Rightly sealed, but it says something that the format does not have.
    Content,
}

impl Image {
    pub(crate) fn new(bytes: [u8; 48]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 48] {
        &self.0
    }

    /// The `index`-th 16 bytes.
    pub(crate) fn block(&self, index: usize) -> [u8; 16] {
        let mut block = [0; 16];
        block.copy_from_slice(&self.0[index * 16..index * 16 + 16]);
        block
    }

    /// Writes a credential down for one place on one card.
    ///
    /// # Errors
    /// [`Refusal::DoesNotFit`] when it has too many additional doors.
    pub(crate) fn seal(
        keys: &LockKeys,
        place: &Place,
        sequence: Sequence,
        credential: &Credential,
    ) -> Result<Self, Refusal> {
        let mut image = Self([0; 48]);
        let bytes = &mut image.0;
        bytes[0] = FORMAT;
        bytes[1] = keys.version().get();
        bytes[2..4].copy_from_slice(&sequence.get().to_be_bytes());
        bytes[4] = function_code(credential.function) << 6
            | credential.doors.rooms.map_or(0, RoomRange::count);
        bytes[5..7].copy_from_slice(&keys.site_mark().bytes());
        bytes[7..11].copy_from_slice(&credential.number.get().to_be_bytes());
        put_u24(&mut bytes[11..14], credential.validity.start().get());
        put_u24(
            &mut bytes[14..17],
            credential.validity.end().map_or(NO_END, Minute::get),
        );
        put_u24(&mut bytes[17..20], credential.issue.get());
        let first = credential
            .doors
            .rooms
            .map_or(0, |rooms| rooms.first().get());
        bytes[20..22].copy_from_slice(&first.to_be_bytes());
        bytes[22..26].copy_from_slice(&credential.doors.common.bits().to_be_bytes());
        put_additional(&mut bytes[26..BODY], &credential.doors.additional)?;
        let tag = keys.tag(place, &bytes[..BODY]).finalize().into_bytes();
        bytes[BODY..].copy_from_slice(&tag[..8]);
        Ok(image)
    }

    /// Reads an image that was found at `place`.
    ///
    /// # Errors
    /// [`Void`] unless it was sealed for that place under this version of this site's key.
    pub(crate) fn open(&self, keys: &LockKeys, place: &Place) -> Result<Opened, Void> {
        if !may_be_ours(&self.block(0), keys) {
            return Err(Void::Header);
        }
        keys.tag(place, &self.0[..BODY])
            .verify_truncated_left(&self.0[BODY..])
            .map_err(|_| Void::Tag)?;
        parse(&self.0).ok_or(Void::Content)
    }
}

/// Whether the first block can belong to a valid image of this site and key version. When it cannot, the copy is void
/// whatever the rest holds, and nobody has to read the rest.
pub(crate) fn may_be_ours(first: &[u8; 16], keys: &LockKeys) -> bool {
    first[0] == FORMAT
        && first[1] == keys.version().get()
        && SiteMark::new([first[5], first[6]]) == keys.site_mark()
}

/// Reads the fields; the tag has been checked. `None` for what the format does not have, reserved values included:
/// a later issuer may give them a meaning that takes rights away.
fn parse(bytes: &[u8; 48]) -> Option<Opened> {
    let end = match u24(&bytes[14..17]) {
        NO_END => None,
        minutes => Some(Minute::new(minutes).ok()?),
    };
    let credential = Credential {
        number: CredentialNumber::new(u32::from_be_bytes(array(&bytes[7..11]))).ok()?,
        function: function(bytes[4] >> 6)?,
        validity: Validity::new(Minute::new(u24(&bytes[11..14])).ok()?, end).ok()?,
        issue: IssueNumber::new(u24(&bytes[17..20])).ok()?,
        doors: Doors {
            rooms: rooms(bytes[4] & 0x3F, u16::from_be_bytes(array(&bytes[20..22])))?,
            common: CommonDoors::from_bits(u32::from_be_bytes(array(&bytes[22..26])))?,
            additional: additional(&bytes[26..BODY])?,
        },
    };
    Some(Opened {
        sequence: Sequence::new(u16::from_be_bytes(array(&bytes[2..4])))?,
        credential,
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
    words[..used]
        .iter()
        .map(|word| {
            let number = DoorNumber::new(u32::from(word & !GUEST_DOOR)).ok()?;
            Some(if word & GUEST_DOOR == 0 {
                AdditionalDoor::Common(number)
            } else {
                AdditionalDoor::Guest(number)
            })
        })
        .collect()
}

fn put_additional(target: &mut [u8], doors: &[AdditionalDoor]) -> Result<(), Refusal> {
    if doors.len() > ADDITIONAL_DOORS {
        return Err(Refusal::DoesNotFit {
            detail: format!(
                "it opens {} doors beside one range of rooms and the common doors 0 to 27, and rfid48 holds {ADDITIONAL_DOORS}; choose consecutive rooms or fewer doors",
                doors.len()
            ),
        });
    }
    for (word, door) in target.chunks_exact_mut(2).zip(doors) {
        let code = match door {
            AdditionalDoor::Guest(number) => GUEST_DOOR | number.get(),
            AdditionalDoor::Common(number) => number.get(),
        };
        word.copy_from_slice(&code.to_be_bytes());
    }
    Ok(())
}

const fn function_code(function: CardFunction) -> u8 {
    match function {
        CardFunction::Guest => 0,
        CardFunction::Staff => 1,
    }
}

const fn function(code: u8) -> Option<CardFunction> {
    match code {
        0 => Some(CardFunction::Guest),
        1 => Some(CardFunction::Staff),
        _ => None,
    }
}

fn put_u24(target: &mut [u8], value: u32) {
    target.copy_from_slice(&value.to_be_bytes()[1..]);
}

fn u24(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]])
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

#[cfg(test)]
mod tests;
