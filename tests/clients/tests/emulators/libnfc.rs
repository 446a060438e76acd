//! The PN532 on a pseudo-terminal before libnfc and libfreefare.

use std::process::Output;

use emulator::{Card, Cards, Origin, Pn532Encoder, Slot, Technology};
use tempfile::TempDir;

use crate::{LONG_UID, UID, run, text};

/// A PN532 on a pseudo-terminal with one card on it.
pub(crate) struct SerialBench {
    folder: TempDir,
    pub(crate) encoder: Pn532Encoder,
    pub(crate) card: Card,
}

impl SerialBench {
    fn with(uid: &str, origin: Origin) -> SerialBench {
        SerialBench::over(Technology::MifareClassic1k, uid, origin)
    }

    pub(crate) fn over(technology: Technology, uid: &str, origin: Origin) -> SerialBench {
        let card = Cards::new().card(technology, uid.parse().unwrap(), origin);
        SerialBench::with_card(card.unwrap())
    }

    pub(crate) fn with_card(card: Card) -> SerialBench {
        let folder = tempfile::tempdir().unwrap();
        let encoder = Pn532Encoder::start(Slot::new(), folder.path().join("encoder")).unwrap();
        encoder.slot().place(&card);
        SerialBench {
            folder,
            encoder,
            card,
        }
    }

    pub(crate) fn run(&self, program: &str, package: &str, arguments: &[&str]) -> Output {
        run(program, package, |command| {
            command.args(arguments).current_dir(self.folder.path());
            command.env(
                "LIBNFC_DEVICE",
                format!("pn532_uart:{}", self.encoder.path().display()),
            );
        })
    }

    pub(crate) fn libnfc(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, "libnfc-bin", arguments);
        assert!(
            output.status.success(),
            "{program} failed:\n{}",
            text(&output)
        );
        text(&output)
    }

    pub(crate) fn libfreefare(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, "libfreefare-bin", arguments);
        assert!(
            output.status.success(),
            "{program} failed:\n{}",
            text(&output)
        );
        text(&output)
    }

    pub(crate) fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(name)).unwrap()
    }

    pub(crate) fn write_file(&self, name: &str, content: &[u8]) {
        std::fs::write(self.folder.path().join(name), content).unwrap();
    }
}

/// Output with all runs of blanks made one, since libnfc sets its columns with them.
pub(crate) fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn nfc_list_tells_the_card_and_its_kind() {
    for (uid, shown, atqa) in [
        (UID, "04 a1 b2 c3", "00 04"),
        (LONG_UID, "04 a1 b2 c3 d4 e5 f6", "00 44"),
    ] {
        let bench = SerialBench::with(uid, Origin::Factory);
        let said = squeezed(&bench.libnfc("nfc-list", &["-v"]));
        assert!(
            said.contains("1 ISO14443A passive target(s) found"),
            "{said}"
        );
        assert!(
            said.contains(&format!("ATQA (SENS_RES): {atqa} ")),
            "{said}"
        );
        assert!(
            said.contains(&format!("UID (NFCID1): {shown} SAK (SEL_RES): 08")),
            "{said}"
        );
        assert!(said.contains("MIFARE Classic 1K"), "{said}");
        assert!(
            said.contains("0 ISO14443B passive target(s) found"),
            "{said}"
        );
    }
}

#[test]
fn nfc_list_finds_nothing_on_an_empty_encoder() {
    let bench = SerialBench::with(UID, Origin::Factory);
    bench.encoder.slot().remove();
    let said = squeezed(&bench.libnfc("nfc-list", &["-v"]));
    assert!(
        said.contains("0 ISO14443A passive target(s) found"),
        "{said}"
    );
}

#[test]
fn nfc_mfclassic_reads_the_whole_card() {
    for uid in [UID, LONG_UID] {
        let bench = SerialBench::with(uid, Origin::Factory);
        let mut image = bench.card.memory();
        for (at, byte) in image.iter_mut().enumerate().filter(|(at, _)| at % 64 < 48) {
            *byte = (at % 251) as u8;
        }
        bench.card.set_memory(&image).unwrap();
        // What cannot be read from a card, its keys, the program takes from this file.
        bench.write_file("keys.mfd", &bench.card.memory());
        let said = bench.libnfc("nfc-mfclassic", &["r", "a", "u", "dump.mfd", "keys.mfd"]);
        assert!(said.contains("Done, 64 of 64 blocks read."), "{said}");
        assert_eq!(bench.file("dump.mfd"), bench.card.memory());
        assert_eq!(bench.encoder.slot().log().writes().len(), 0);
    }
}

#[test]
fn nfc_mfclassic_cannot_open_a_card_in_use_by_somebody_else() {
    let bench = SerialBench::with(UID, Origin::Foreign);
    let before = bench.card.memory();
    let output = bench.run("nfc-mfclassic", "libnfc-bin", &["r", "a", "u", "dump.mfd"]);
    assert!(
        !text(&output).contains("64 of 64 blocks read"),
        "{}",
        text(&output)
    );
    assert!(
        text(&output).contains("authentication failed"),
        "{}",
        text(&output)
    );
    assert_eq!(bench.card.memory(), before);
}

#[test]
fn libfreefare_formats_the_card_and_an_ndef_message_comes_back_from_it() {
    let message = b"\xD1\x01\x0EU\x01example.com/a";
    for uid in [UID, LONG_UID] {
        let bench = SerialBench::with(uid, Origin::Factory);
        let said = bench.libfreefare("mifare-classic-format", &["-y"]);
        assert!(
            said.contains("Formatting 16 sectors") && said.contains("done."),
            "{said}"
        );

        bench.write_file("message", message);
        bench.libfreefare("mifare-classic-write-ndef", &["-y", "-i", "message"]);
        // MIFARE application directory with NFC Forum sectors, and the message as a TLV in sector 1.
        let memory = bench.card.memory();
        assert_eq!(memory[16..20], [0xDB, 0x00, 0x03, 0xE1]);
        assert_eq!(memory[64..68], [0x03, 0x12, 0xD1, 0x01]);
        assert_eq!(memory[48..54], [0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5]);

        let said = bench.libfreefare("mifare-classic-read-ndef", &["-y", "-o", "read"]);
        assert!(
            said.contains("NFC Forum application contains a \"NDEF Message TLV\""),
            "{said}"
        );
        assert_eq!(bench.file("read"), message);
    }
}

#[test]
fn a_card_pulled_while_libnfc_reads_ends_the_reading_and_not_the_encoder() {
    let bench = SerialBench::with(UID, Origin::Factory);
    bench.encoder.slot().remove_after_exchanges(17);
    let output = bench.run("nfc-mfclassic", "libnfc-bin", &["r", "a", "u", "dump.mfd"]);
    assert!(
        !text(&output).contains("64 of 64 blocks read"),
        "{}",
        text(&output)
    );
    assert_eq!(bench.encoder.slot().log().exchanges(), 17);
    assert!(bench.encoder.slot().cards().is_empty());

    bench.encoder.slot().place(&bench.card);
    let said = bench.libnfc("nfc-mfclassic", &["r", "a", "u", "dump.mfd"]);
    assert!(said.contains("Done, 64 of 64 blocks read."), "{said}");
}

#[test]
fn an_encoder_that_was_unplugged_works_again_behind_the_same_path() {
    let bench = SerialBench::with(UID, Origin::Factory);
    bench.encoder.unplug();
    assert!(!bench.encoder.path().is_symlink());
    let output = bench.run("nfc-list", "libnfc-bin", &[]);
    assert!(
        !squeezed(&text(&output)).contains("04 a1 b2 c3"),
        "{}",
        text(&output)
    );

    bench.encoder.plug().unwrap();
    let said = squeezed(&bench.libnfc("nfc-list", &[]));
    assert!(said.contains("04 a1 b2 c3"), "{said}");
}
