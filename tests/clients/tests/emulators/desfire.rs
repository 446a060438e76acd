//! Virtual DESFire and NTAG 424 DNA cards: before libnfc and libfreefare on the PN532's
//! pseudo-terminal, before OpenSC and pyscard behind a real `pcscd`.

use emulator::{Card, Cards, Options, Origin, ReaderSettings, Storage, Technology};

use crate::libnfc::{SerialBench, squeezed};
use crate::pcsc::PcscBench;
use crate::{LONG_UID, text};

const GENERATIONS: [Technology; 3] = [
    Technology::DesfireEv1,
    Technology::DesfireEv2,
    Technology::DesfireEv3,
];

fn card(technology: Technology, options: &Options) -> Card {
    let uid = LONG_UID.parse().unwrap();
    Cards::new()
        .card_with(technology, uid, Origin::Factory, options)
        .unwrap()
}

fn bench(technology: Technology) -> SerialBench {
    SerialBench::with_card(card(technology, &Options::default()))
}

#[test]
fn nfc_list_shows_the_ats_of_a_desfire() {
    for technology in GENERATIONS {
        let said = squeezed(&bench(technology).libnfc("nfc-list", &["-v"]));
        for expected in [
            "ATQA (SENS_RES): 03 44",
            "UID (NFCID1): 04 a1 b2 c3 d4 e5 f6 SAK (SEL_RES): 20",
            "ATS: 75 77 81 02 80",
            "Max Frame Size accepted by PICC: 64 bytes",
            "MIFARE DESFire EV1 2K/4K/8K",
        ] {
            assert!(said.contains(expected), "{expected}: {said}");
        }
    }
}

#[test]
fn libfreefare_tells_generation_and_size_of_a_desfire() {
    for (technology, hardware, software) in [
        (Technology::DesfireEv1, "Version: 1.0", "Version: 1.4"),
        (Technology::DesfireEv2, "Version: 18.0", "Version: 2.1"),
        (Technology::DesfireEv3, "Version: 51.0", "Version: 3.0"),
    ] {
        let bench = bench(technology);
        let said = squeezed(&bench.libfreefare("mifare-desfire-info", &[]));
        for expected in [
            "UID: 0x04a1b2c3d4e5f6",
            "Vendor ID: 0x04",
            hardware,
            software,
            "Storage size: 0x1a (=8192 bytes)",
            "Master Key settings (0x0f)",
            "Master Key version: 0",
            "Use random UID: no",
        ] {
            assert!(said.contains(expected), "{expected}: {said}");
        }
        // Three frames of GetVersion, and three commands: one exchange each.
        assert_eq!(bench.encoder.slot().log().exchanges(), 6);
    }
    for (storage, said_so) in [(Storage::Small, "=2048"), (Storage::Medium, "=4096")] {
        let options = Options::default().with_storage(storage);
        let bench = SerialBench::with_card(card(Technology::DesfireEv1, &options));
        let said = bench.libfreefare("mifare-desfire-info", &[]);
        assert!(said.contains(said_so), "{said}");
    }
}

#[test]
fn libfreefare_makes_an_ndef_application_writes_reads_and_formats_it_away() {
    const MESSAGE: &[u8] =
        b"\xD1\x01\x50T\x02enA message that does not fit into one of the frames \
                             which a DESFire takes.";
    for technology in GENERATIONS {
        let bench = bench(technology);
        bench.libfreefare("mifare-desfire-create-ndef", &["-y"]);
        bench.write_file("message", MESSAGE);
        bench.libfreefare("mifare-desfire-write-ndef", &["-y", "-i", "message"]);
        bench.libfreefare("mifare-desfire-read-ndef", &["-y", "-o", "copy"]);
        assert_eq!(bench.file("copy"), MESSAGE);
        let files = bench.card.files();
        let numbers: Vec<_> = files.iter().map(|file| file.number).collect();
        assert_eq!(numbers, [1, 2]);
        assert_eq!(files[1].content[2..2 + MESSAGE.len()], *MESSAGE);

        bench.libfreefare("mifare-desfire-format", &["-y"]);
        assert!(bench.card.files().is_empty());
    }
}

#[test]
fn libfreefare_configures_a_random_uid_and_finds_the_true_one() {
    for technology in GENERATIONS {
        let bench = bench(technology);
        let configure = "mifare-desfire-ev1-configure-random-uid";
        bench.libfreefare(configure, &["-y"]);
        let said = bench.libfreefare(configure, &["-y"]);
        assert!(said.contains("with UID 08"), "{said}");
        assert!(said.contains("Old card UID: 04a1b2c3d4e5f6"), "{said}");
        let info = bench.libfreefare("mifare-desfire-info", &[]);
        assert!(info.contains("0x00000000000000"), "{info}");
        assert!(info.contains("Use random UID: yes"), "{info}");
    }
}

/// Asks for the version in its three frames, and prints it.
const VERSION: &str = r#"
from smartcard.CardRequest import CardRequest
from smartcard.CardType import AnyCardType
from smartcard.util import toBytes, toHexString, PACK
service = CardRequest(timeout=20, cardType=AnyCardType()).waitforcard()
connection = service.connection
connection.connect()
print("atr", toHexString(connection.getATR(), PACK))
for apdu in ["FFCA000000", "FFCA010000", "9060000000", "90AF000000", "90AF000000"]:
    data, sw1, sw2 = connection.transmit(toBytes(apdu))
    print(apdu, toHexString(data, PACK), "%02X%02X" % (sw1, sw2))
"#;

#[test]
fn pyscard_reads_the_version_of_cards_with_a_processor() {
    for (technology, hardware, software) in [
        (Technology::DesfireEv1, "04010101001A05", "04010101041A05"),
        (Technology::DesfireEv2, "04010112001A05", "04010102011A05"),
        (Technology::DesfireEv3, "04010133001A05", "04010103001A05"),
        (Technology::Ntag424Dna, "04040230001105", "04040201021105"),
    ] {
        let bench = PcscBench::over(technology, LONG_UID, ReaderSettings::default());
        bench.reader.slot().place(&bench.card);
        let said = text(&bench.pyscard(VERSION));
        for expected in [
            "atr 3B8180018080".to_owned(),
            format!("FFCA000000 {LONG_UID} 9000"),
            "FFCA010000 80 9000".to_owned(),
            format!("9060000000 {hardware} 91AF"),
            format!("90AF000000 {software} 91AF"),
            format!("90AF000000 {LONG_UID}"),
        ] {
            assert!(said.contains(&expected), "{technology} {expected}: {said}");
        }
        assert_eq!(bench.reader.slot().log().exchanges(), 3);
    }
}

#[test]
fn opensc_tool_shows_the_answer_to_reset_of_a_desfire_and_sends_it_an_apdu() {
    let settings = ReaderSettings::default();
    let bench = PcscBench::over(Technology::DesfireEv2, LONG_UID, settings);
    bench.place_card();
    assert!(bench.opensc(&["--atr"]).contains("3b:81:80:01:80:80"));
    let said = bench.opensc(&["--send-apdu", "90:6E:00:00:00"]);
    assert!(said.contains("SW1=0x91, SW2=0x00"), "{said}");
}
