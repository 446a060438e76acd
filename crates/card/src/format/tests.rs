//! What holds for both formats, whatever the credential is.

use cmac::Mac;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use zeroize::Zeroizing;

use super::*;
use crate::credential::{CredentialNumber, IssueNumber, Minute, Validity};
use crate::doors::{AdditionalDoor, CommonDoors, DoorNumber, Doors, RoomRange};
use crate::{
    CommonDoorNumber, CopiesRead, CopyIndex, Door, Lock, SiteKey, SiteKeys, Technology, Uid,
};

pub(super) fn keys() -> LockKeys {
    SiteKeys::new(KeyVersion::FIRST, SiteKey::new([0x11; 32])).lock_keys()
}

pub(super) fn place(uid: &str, copy: CopyIndex) -> Place {
    Place {
        technology: Technology::MifareClassic4k,
        uid: uid.parse().unwrap(),
        copy,
    }
}

pub(super) fn here() -> Place {
    place("04A1B2C3", CopyIndex::A)
}

pub(super) fn sealed(credential: &Credential) -> Vec<u8> {
    sealed_at(&here(), Sequence::FIRST, credential)
}

fn sealed_at(place: &Place, sequence: Sequence, credential: &Credential) -> Vec<u8> {
    seal(&keys(), KeyVersion::FIRST, place, sequence, credential)
        .unwrap()
        .bytes()
        .to_vec()
}

/// Puts the right tag after whatever the body says.
pub(super) fn tagged(body: &[u8]) -> Vec<u8> {
    let tag = keys().tag(KeyVersion::FIRST, &here(), body).unwrap();
    [body, &tag.finalize().into_bytes()[..TAG]].concat()
}

prop_compose! {
    fn doors(most: usize)(
        rooms in (1..=0x7FDFu32, 0..=RoomRange::MAX_COUNT),
        common in 0..1u32 << CommonDoors::COUNT,
        additional in prop::collection::vec((any::<bool>(), 1..=0x7FFFu32), 0..=most),
    ) -> Doors {
        let number = |number| DoorNumber::new(number).unwrap();
        Doors {
            // No rooms is no range.
            rooms: RoomRange::new(number(rooms.0), rooms.1).ok(),
            common: CommonDoors::from_bits(common).unwrap(),
            additional: additional
                .into_iter()
                .map(|(guest, door)| match guest {
                    true => AdditionalDoor::Guest(number(door)),
                    false => AdditionalDoor::Common(number(door)),
                })
                .collect(),
        }
    }
}

prop_compose! {
    fn of_format(format: CardFormat)(
        number in 1..=u32::MAX,
        staff in any::<bool>(),
        start in 0..=0xFF_FFFEu32,
        length in proptest::option::of(0..=0xFF_FFFEu32),
        issue in 0..=0xFF_FFFFu32,
        doors in doors(match format { CardFormat::Rfid48 => 7, CardFormat::TlCode => 300 }),
    ) -> Credential {
        let start = Minute::new(start).unwrap();
        let end = length.map(|length| Minute::new((start.get() + length).min(0xFF_FFFE)).unwrap());
        Credential {
            format,
            number: CredentialNumber::new(number).unwrap(),
            function: if staff { CardFunction::Staff } else { CardFunction::Guest },
            validity: Validity::new(start, end).unwrap(),
            issue: IssueNumber::new(issue).unwrap(),
            doors,
        }
    }
}

fn credential() -> impl Strategy<Value = Credential> {
    prop_oneof![of_format(CardFormat::Rfid48), of_format(CardFormat::TlCode)]
}

fn uid() -> impl Strategy<Value = Uid> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 4),
        prop::collection::vec(any::<u8>(), 7),
        prop::collection::vec(any::<u8>(), 10),
    ];
    bytes.prop_map(|bytes| Uid::new(&bytes).unwrap())
}

prop_compose! {
    fn anywhere()(
        technology in prop::sample::select(&Technology::ALL[..]),
        uid in uid(),
        copy in prop::sample::select(&CopyIndex::BOTH[..]),
    ) -> Place {
        Place { technology, uid, copy }
    }
}

proptest! {
    #[test]
    fn every_credential_survives_the_way_to_bytes_and_back(
        credential in credential(),
        sequence in 1..=u16::MAX,
        place in anywhere(),
        after in prop::collection::vec(any::<u8>(), 0..16),
    ) {
        let sequence = Sequence::new(sequence).unwrap();
        let mut image = sealed_at(&place, sequence, &credential);
        prop_assert_eq!(length(&credential).unwrap(), image.len());
        let header = image.first_chunk().unwrap();
        prop_assert_eq!(length_if_ours(header, &keys()), Some(image.len()));
        image.extend(after);
        let taken = place.technology.takes(credential.format);
        let opened = Opened { sequence, key_version: KeyVersion::FIRST, credential };
        prop_assert_eq!(open(&image, &keys(), &place), taken.then_some(opened).ok_or(Void::Header));
    }

    #[test]
    fn a_flipped_bit_anywhere_makes_the_image_void(credential in credential(), bit in any::<Index>()) {
        let mut image = sealed(&credential);
        let bit = bit.index(image.len() * 8);
        image[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(open(&image, &keys(), &here()).is_err());
    }

    #[test]
    fn an_image_is_void_under_another_uid_placing_code_or_copy_number(
        credential in credential(),
        from in anywhere(),
        to in anywhere(),
    ) {
        let image = sealed_at(&from, Sequence::FIRST, &credential);
        let elsewhere = [
            Place { uid: to.uid, ..from },
            Place { technology: to.technology, ..from },
            Place { copy: from.copy.other(), ..from },
            to,
        ];
        for place in elsewhere {
            let same = place.uid == from.uid
                && place.copy == from.copy
                && place.technology.placing_code() == from.technology.placing_code();
            let good = same && place.technology.takes(credential.format);
            prop_assert_eq!(open(&image, &keys(), &place).is_ok(), good);
        }
    }

    #[test]
    fn noise_is_void_and_never_panics(
        noise in prop::collection::vec(any::<u8>(), 0..700),
        format in prop::sample::select(&[0x48_u8, 0x54][..]),
    ) {
        prop_assert!(open(&noise, &keys(), &here()).is_err());
        let mut ours = noise;
        for (at, byte) in [(0, format), (1, 1), (4, 0), (5, keys().site_mark().bytes()[0]), (6, keys().site_mark().bytes()[1])] {
            if let Some(slot) = ours.get_mut(at) {
                *slot = byte;
            }
        }
        prop_assert!(open(&ours, &keys(), &here()).is_err());
    }

    #[test]
    fn what_opens_under_a_right_tag_is_written_down_in_the_same_way(
        credential in credential(),
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..3),
    ) {
        let mut image = sealed(&credential);
        let body = image.len() - TAG;
        for (at, byte) in changes {
            image[at.index(body)] = byte;
        }
        let image = tagged(&image[..body]);
        if let Ok(opened) = open(&image, &keys(), &here()) {
            let again = sealed_at(&here(), opened.sequence, &opened.credential);
            prop_assert_eq!(again, image);
        }
    }

    /// Two valid copies and one flipped bit: whatever opens then did so by one of the copies alone.
    #[test]
    fn no_flipped_bit_opens_a_door_that_neither_copy_opened(
        of_a in credential(),
        of_b in credential(),
        sequences in (1..=3u16, 1..=3u16),
        flip in (any::<bool>(), any::<Index>()),
        now in 0..=0xFF_FFFEu32,
        highest in 0..=0xFF_FFFFu32,
    ) {
        let image = |copy, sequence, credential| {
            let place = place("04A1B2C3", copy);
            sealed_at(&place, Sequence::new(sequence).unwrap(), credential)
        };
        let images = [
            image(CopyIndex::A, sequences.0, &of_a),
            image(CopyIndex::B, sequences.1, &of_b),
        ];
        let mut flipped = images.clone();
        let target = &mut flipped[usize::from(flip.0)];
        let bit = flip.1.index(target.len() * 8);
        target[bit / 8] ^= 1 << (bit % 8);
        let [alone_a, alone_b] = [[Some(&images[0]), None], [None, Some(&images[1])]];
        for door in of_a.doors.guest_doors().chain(of_b.doors.guest_doors()).take(8).map(Door::Guest)
            .chain((0..28).step_by(9).filter_map(|door| CommonDoorNumber::new(door).ok()).map(Door::Common))
        {
            let lock = Lock::new(keys(), door, IssueNumber::new(highest).unwrap());
            let opens = |copies: [Option<&Vec<u8>>; 2]| {
                let card = CopiesRead {
                    uid: here().uid,
                    technology: here().technology,
                    copies: copies.map(|copy| copy.map(|bytes| Zeroizing::new(bytes.clone()))),
                };
                lock.decide(&card, Minute::new(now).ok()).is_open()
            };
            if opens(flipped.each_ref().map(Some)) {
                prop_assert!(opens(alone_a) || opens(alone_b));
            }
        }
    }
}

#[test]
fn an_image_is_void_at_another_site_and_under_a_version_that_is_not_held() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for format in [CardFormat::Rfid48, CardFormat::TlCode] {
        let credential = of_format(format).new_tree(&mut runner).unwrap().current();
        let image = sealed(&credential);
        assert!(open(&image, &keys(), &here()).is_ok());
        let other_site = SiteKeys::new(KeyVersion::FIRST, SiteKey::new([0x12; 32]));
        assert!(open(&image, &other_site.lock_keys(), &here()).is_err());
        let key = SiteKey::new([0x11; 32]);
        let mark = Some(keys().site_mark());
        let other_version = SiteKeys::ring(vec![(KeyVersion::new(2).unwrap(), key)], mark).unwrap();
        assert_eq!(
            open(&image, &other_version.lock_keys(), &here()),
            Err(Void::Header)
        );
    }
}
