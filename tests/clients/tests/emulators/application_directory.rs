//! The MIFARE application directory (NXP AN10787) as libfreefare writes it on emulated cards: its checksum, and the
//! sector 16 of a 4K, which nobody else may take for data.

use emulator::{Origin, Technology};

use crate::UID;
use crate::libnfc::SerialBench;

const BLOCK: usize = 16;

/// CRC-8 of a directory, over its info byte and its application identifiers (AN10787, 3.7: polynomial 1Dh, preset C7h).
fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0xC7, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc: u8, _| {
            (crc << 1) ^ if crc & 0x80 == 0 { 0 } else { 0x1D }
        })
    })
}

#[test]
fn the_example_of_an10787_comes_out() {
    let directory = "01010801080108000000000000040003100310021002100000000000001130";
    assert_eq!(checksum(&hex::decode(directory).unwrap()), 0x89);
}

#[test]
fn libfreefare_leaves_a_directory_with_a_right_checksum_on_the_emulated_cards() {
    for technology in [Technology::MifareClassic1k, Technology::MifareClassic4k] {
        let bench = SerialBench::over(technology, UID, Origin::Factory);
        bench.write_file("message", &[0xD1, 0x01, 0x01, 0x54, 0x00]);
        bench.libfreefare("mifare-classic-format", &["-y"]);
        bench.libfreefare("mifare-classic-write-ndef", &["-y", "-i", "message"]);
        let memory = bench.card.memory();
        let first = &memory[BLOCK..3 * BLOCK];
        assert_eq!(checksum(&first[1..]), first[0], "{technology}, sector 0");
        if technology == Technology::MifareClassic4k {
            let second = &memory[64 * BLOCK..67 * BLOCK];
            assert_eq!(checksum(&second[1..]), second[0], "{technology}, sector 16");
        }
    }
}
