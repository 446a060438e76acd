//! What power failures leave behind, cell by cell.

use std::collections::BTreeSet;

use super::{Cells, Eeprom};
use crate::slot::Programming;

const OLD: [u8; 16] = [0x0F; 16];
const NEW: [u8; 16] = [0xF0; 16];

fn cells() -> Cells<16> {
    Cells::holding(vec![OLD; 8])
}

fn readings(cells: &Cells<16>) -> BTreeSet<[u8; 16]> {
    (0..50).map(|_| cells.read(0).unwrap()).collect()
}

#[test]
fn a_powered_write_is_whole_and_recorded() {
    let mut cells = cells().numbered_from(100);
    let mut eeprom = Eeprom::powered();
    eeprom.program(&mut cells, 7, &NEW);
    assert_eq!(cells.read(7), Some(NEW));
    assert_eq!(cells.read(8), None);
    let [write] = &eeprom.into_programmed()[..] else {
        panic!("one write")
    };
    assert_eq!(
        (write.unit, &write.before[..], &write.after[..]),
        (107, &OLD[..], &NEW[..])
    );
    assert_eq!(write.programming, Programming::Whole);
}

#[test]
fn a_torn_write_holds_no_bit_that_neither_content_had_and_stops_the_rest() {
    let mut cells = cells();
    let mut eeprom = Eeprom::tearing(1);
    eeprom.program(&mut cells, 0, &NEW);
    eeprom.program(&mut cells, 1, &NEW);
    let mixture = cells.read(0).unwrap();
    assert!(mixture != OLD && mixture != NEW);
    assert_eq!(cells.read(1), Some(OLD));
    let programmed = eeprom.into_programmed();
    assert_eq!(programmed.len(), 1);
    assert_eq!(programmed[0].programming, Programming::Torn);
}

#[test]
fn a_torn_unit_reads_as_anything_but_always_the_same() {
    let torn = |seed| {
        let mut cells = cells();
        Eeprom::tearing(seed).program(&mut cells, 0, &NEW);
        assert_eq!(readings(&cells).len(), 1);
        cells.read(0)
    };
    assert_eq!(torn(9), torn(9));
    assert_ne!(torn(9), torn(10));
}

#[test]
fn a_weak_unit_reads_as_written_at_times_and_each_bit_is_the_old_or_the_new_one() {
    for seed in 0..200 {
        let mut cells = cells();
        let mut eeprom = Eeprom::weakening(seed);
        eeprom.program(&mut cells, 0, &NEW);
        eeprom.program(&mut cells, 1, &NEW);
        assert_eq!(cells.read(1), Some(OLD), "power had failed");
        let seen = readings(&cells);
        assert!(seen.contains(&NEW), "seed {seed}");
        assert!(seen.len() > 1, "seed {seed}");
        let [write] = &eeprom.into_programmed()[..] else {
            panic!("one write")
        };
        assert_eq!(
            (&write.after[..], write.programming),
            (&NEW[..], Programming::Weak)
        );
    }
}

#[test]
fn some_weak_unit_reads_as_if_it_had_never_been_written() {
    assert!((0..20).any(|seed| {
        let mut cells = cells();
        Eeprom::weakening(seed).program(&mut cells, 0, &NEW);
        readings(&cells).contains(&OLD)
    }));
}

#[test]
fn a_weak_bit_stands_only_where_the_contents_differ() {
    let mut new = OLD;
    new[3] = 0x0E;
    for seed in 0..20 {
        let mut cells = cells();
        Eeprom::weakening(seed).program(&mut cells, 0, &new);
        assert_eq!(readings(&cells), BTreeSet::from([OLD, new]), "seed {seed}");
    }
    let mut cells = cells();
    Eeprom::weakening(0).program(&mut cells, 0, &OLD);
    assert_eq!(readings(&cells), BTreeSet::from([OLD]));
}

#[test]
fn a_weak_unit_is_sound_again_once_it_is_programmed_anew() {
    for again in [OLD, NEW, [0x55; 16]] {
        let mut cells = cells();
        Eeprom::weakening(3).program(&mut cells, 0, &NEW);
        Eeprom::powered().program(&mut cells, 0, &again);
        assert_eq!(readings(&cells), BTreeSet::from([again]));
    }
}

#[test]
fn the_same_seed_is_weak_in_the_same_way() {
    let weak = |seed| {
        let mut cells = cells();
        Eeprom::weakening(seed).program(&mut cells, 0, &NEW);
        (0..50).map(|_| cells.read(0)).collect::<Vec<_>>()
    };
    assert_eq!(weak(4), weak(4));
    assert_ne!(weak(4), weak(5));
}

#[test]
fn a_guarded_unit_holds_one_thing_or_the_other() {
    for (mut eeprom, holds) in [
        (Eeprom::powered(), NEW),
        (Eeprom::weakening(1), NEW),
        (Eeprom::tearing(1), OLD),
    ] {
        let mut cells = cells();
        eeprom.program_guarded(&mut cells, 0, &NEW, &OLD);
        assert_eq!(readings(&cells), BTreeSet::from([holds]));
    }
}
