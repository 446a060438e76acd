//! Which doors lie where, by examples and for any doors.

use proptest::prelude::*;

use super::*;

fn guests(rooms: impl IntoIterator<Item = u16>) -> Vec<Door> {
    rooms.into_iter().map(Door::Guest).collect()
}

fn commons(doors: impl IntoIterator<Item = u16>) -> Vec<Door> {
    doors.into_iter().map(Door::Common).collect()
}

fn check(rooms: &[u16], expect: (u16, u8, &[u16])) {
    let placing = place(&guests(rooms.iter().copied()), None).unwrap();
    assert_eq!(placing.format, CardFormat::Rfid48);
    let numbers: Vec<u16> = placing
        .additional_doors
        .iter()
        .map(|door| door.number)
        .collect();
    assert_eq!(
        (placing.first_room, placing.room_count, numbers.as_slice()),
        expect
    );
}

#[test]
fn the_longest_run_becomes_the_range_and_the_rest_additional_doors() {
    check(&[], (0, 0, &[]));
    check(&[7], (7, 1, &[]));
    check(&[3, 1, 2, 2], (1, 3, &[]));
    check(&[1, 5, 6, 9], (5, 2, &[1, 9]));
    check(&[1, 2, 8, 9], (1, 2, &[8, 9]));
    check(&[1, 2, 4, 5, 6, 7], (4, 4, &[1, 2]));
    check(&[32_766, 32_767], (32_766, 2, &[]));
}

#[test]
fn a_range_ends_at_33_rooms_and_seven_more_are_additional() {
    let forty: Vec<u16> = (1..=40).collect();
    check(&forty, (1, 33, &[34, 35, 36, 37, 38, 39, 40]));
    let too_many = place(&guests(1..=41), Some(CardFormat::Rfid48)).unwrap_err();
    assert_eq!(too_many.fitting, guests(1..=40).into_iter().collect());
    let scattered = place(&guests((0..9).map(|n| 2 * n + 1)), Some(CardFormat::Rfid48));
    assert_eq!(
        scattered.unwrap_err().fitting,
        guests([1, 3, 5, 7, 9, 11, 13, 15]).into_iter().collect()
    );
}

#[test]
fn common_doors_up_to_27_are_bits_and_those_beyond_are_additional() {
    let mut doors = commons(0..35);
    let placing = place(&doors, None).unwrap();
    assert_eq!(placing.common_doors, (0..28).collect::<Vec<u8>>());
    assert_eq!(placing.additional_doors.len(), 7);
    assert!(placing.additional_doors.iter().all(|door| !door.is_guest));
    assert_eq!(placing.additional_doors[0].number, 28);

    doors.extend(guests([1, 2, 9]));
    let too_many = place(&doors, Some(CardFormat::Rfid48)).unwrap_err();
    let mut fitting: BTreeSet<Door> = guests([1, 2, 9]).into_iter().collect();
    fitting.extend(commons(0..34));
    assert_eq!(too_many.fitting, fitting);
}

#[test]
fn without_a_format_it_is_rfid48_where_the_doors_fit_else_tlcode() {
    let format = |count: u16, wanted| {
        place(&guests((1..=count).map(|n| 2 * n)), wanted).map(|placing| placing.format)
    };
    assert_eq!(format(8, None), Ok(CardFormat::Rfid48));
    assert_eq!(format(9, None), Ok(CardFormat::TlCode));
    assert_eq!(format(256, None), Ok(CardFormat::TlCode));
    assert!(format(257, None).is_err());
    assert_eq!(format(1, Some(CardFormat::TlCode)), Ok(CardFormat::TlCode));
    assert!(format(9, Some(CardFormat::Rfid48)).is_err());
}

fn any_doors() -> impl Strategy<Value = Vec<Door>> {
    let door = prop_oneof![
        (1_u16..80).prop_map(Door::Guest),
        (0_u16..50).prop_map(Door::Common),
        (1_u16..=32_767).prop_map(Door::Guest),
    ];
    prop::collection::vec(door, 0..60)
}

proptest! {
    #[test]
    fn what_was_placed_reads_back_as_the_same_doors(doors in any_doors()) {
        let placing = place(&doors, Some(CardFormat::TlCode)).unwrap();
        let back = read(
            placing.first_room,
            placing.room_count,
            &placing.common_doors,
            &placing.additional_doors,
        );
        prop_assert_eq!(back, doors.into_iter().collect());
    }

    /// The rooms of any 33 consecutive numbers beside seven others: none of these choices holds more than the placing.
    #[test]
    fn no_other_run_would_hold_more(doors in any_doors()) {
        let all: BTreeSet<Door> = doors.iter().copied().collect();
        let fitting = match place(&doors, Some(CardFormat::Rfid48)) {
            Ok(_) => all.clone(),
            Err(too_many) => too_many.fitting,
        };
        prop_assert!(place(&fitting.iter().copied().collect::<Vec<_>>(), Some(CardFormat::Rfid48)).is_ok());
        let rooms: BTreeSet<u16> = all
            .iter()
            .filter_map(|door| match door {
                Door::Guest(room) => Some(*room),
                Door::Common(_) => None,
            })
            .collect();
        let bits = all.iter().filter(|door| matches!(door, Door::Common(number) if *number < 28)).count();
        let beyond = all.len() - rooms.len() - bits;
        for first in &rooms {
            let run = (*first..first.saturating_add(33)).take_while(|room| rooms.contains(room)).count();
            let held = run + bits + (rooms.len() - run + beyond).min(7);
            prop_assert!(held <= fitting.len(), "from {} on {} doors fit, not {}", first, held, fitting.len());
        }
    }
}
