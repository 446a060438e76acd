//! Keys are distinct, silent, and a ring holds together.

use super::*;

fn keys(version: u8, byte: u8) -> SiteKeys {
    SiteKeys::new(KeyVersion::new(version).unwrap(), SiteKey::new([byte; 32]))
}

#[test]
fn a_site_key_is_64_hex_digits_of_either_case_and_nothing_else() {
    let upper = "0123456789ABCDEF".repeat(4);
    let key = SiteKey::from_hex(&upper).unwrap();
    assert_eq!(key.0[..8], [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF]);
    assert_eq!(SiteKey::from_hex(&upper.to_lowercase()).unwrap().0, key.0);
    for text in [
        String::new(),
        "0".repeat(63),
        "0".repeat(65),
        "g".repeat(64),
        format!("+{}", "0".repeat(63)),
        "é".repeat(32),
    ] {
        assert!(SiteKey::from_hex(&text).is_err(), "{text}");
    }
}

#[test]
fn no_key_shows_itself() {
    let key = SiteKey::new([0xA5; 32]);
    assert_eq!(format!("{key:?}"), "SiteKey(…)");
    let keys = SiteKeys::new(KeyVersion::FIRST, key);
    let shown = format!("{keys:?} {:?}", keys.lock_keys()).to_lowercase();
    for secret in [
        &keys.lock.versions[0].read.0,
        &keys.lock.versions[0].tag.0,
        &keys.versions[0].write.0,
    ] {
        assert!(!shown.contains(&hex::encode(&secret[..2])), "{shown}");
        assert!(!shown.contains(&format!("{}, {}", secret[0], secret[1])));
    }
    assert!(!shown.contains(&format!("{:?}", keys.versions[0].digest[..4].to_vec())));
}

#[test]
fn the_check_value_tells_sites_and_versions_apart() {
    let check = |version, byte| keys(version, byte).check_values().next().unwrap().1;
    assert_eq!(check(1, 1), check(1, 1));
    assert_ne!(check(1, 1), check(1, 2));
    assert_ne!(check(1, 1), check(2, 1));
}

#[test]
fn every_purpose_sector_uid_and_version_has_its_own_key() {
    let uid: Uid = "04A1B2C3".parse().unwrap();
    let other: Uid = "04A1B2C4".parse().unwrap();
    let technology = Technology::MifareClassic1k;
    let mut seen = std::collections::BTreeSet::new();
    for keys in [keys(1, 1), keys(2, 1), keys(1, 2)] {
        let version = keys.newest();
        for uid in [uid, other] {
            for index in [1, 2] {
                for key in [
                    keys.read_key(version, &uid, technology, index).unwrap(),
                    keys.write_key(version, &uid, technology, index).unwrap(),
                ] {
                    assert!(seen.insert(*key));
                }
            }
        }
    }
}

#[test]
fn a_ring_opens_with_every_version_seals_with_the_newest_and_keeps_the_mark_of_the_first() {
    let version = |number| KeyVersion::new(number).unwrap();
    let both = vec![
        (version(2), SiteKey::new([2; 32])),
        (version(1), SiteKey::new([1; 32])),
    ];
    let ring = SiteKeys::ring(both, None).unwrap();
    assert_eq!(ring.newest(), version(2));
    assert_eq!(
        ring.versions().collect::<Vec<_>>(),
        [version(2), version(1)]
    );
    assert_eq!(ring.site_mark(), keys(1, 1).site_mark());
    let checks: Vec<_> = ring.check_values().map(|(_, check)| check).collect();
    let alone = |number| keys(number, number).check_values().next().unwrap().1;
    assert_eq!(checks, [alone(1), alone(2)]);

    let mark = ring.site_mark();
    let only_new = || vec![(version(2), SiteKey::new([2; 32]))];
    assert_eq!(
        SiteKeys::ring(only_new(), Some(mark)).unwrap().site_mark(),
        mark
    );
    for (keys, kept, expected) in [
        (Vec::new(), None, InvalidKeyRing::Empty),
        (only_new(), None, InvalidKeyRing::NoSiteMark),
        (
            [only_new(), only_new()].concat(),
            Some(mark),
            InvalidKeyRing::Twice { version: 2 },
        ),
        (
            vec![(version(1), SiteKey::new([2; 32]))],
            Some(mark),
            InvalidKeyRing::WrongSiteMark,
        ),
    ] {
        assert_eq!(SiteKeys::ring(keys, kept).unwrap_err(), expected);
    }
}
