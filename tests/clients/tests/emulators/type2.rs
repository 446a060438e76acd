//! Type 2 cards before libnfc and libfreefare on the serial line, and pyscard behind a real `pcscd`.

use emulator::{Origin, RawFrames, ReaderSettings, Technology};

use crate::libnfc::{SerialBench, squeezed};
use crate::pcsc::{PYSCARD, PcscBench};
use crate::{LONG_UID, text};

/// Every kind with the name that `nfc-mfultralight` has for it and the number of its pages.
const KINDS: [(Technology, Option<&str>, usize); 6] = [
    (Technology::MifareUltralight, None, 16),
    (
        Technology::MifareUltralightEv1_48,
        Some("MF0UL11 (48 bytes)"),
        20,
    ),
    (
        Technology::MifareUltralightEv1_128,
        Some("MF0UL21 (128 user bytes)"),
        41,
    ),
    (Technology::Ntag213, Some("NTAG213 (144 user bytes)"), 45),
    (Technology::Ntag215, Some("NTAG215 (504 user bytes)"), 135),
    (Technology::Ntag216, Some("NTAG216 (888 user bytes)"), 231),
];

fn serial(technology: Technology, origin: Origin) -> SerialBench {
    SerialBench::over(technology, LONG_UID, origin)
}

#[test]
fn nfc_list_tells_every_type_2_card() {
    for (technology, ..) in KINDS {
        let bench = serial(technology, Origin::Factory);
        let said = squeezed(&bench.libnfc("nfc-list", &["-v"]));
        for part in [
            "1 ISO14443A passive target(s) found",
            "ATQA (SENS_RES): 00 44 ",
            "UID (NFCID1): 04 a1 b2 c3 d4 e5 f6 SAK (SEL_RES): 00",
            "MIFARE Ultralight",
        ] {
            assert!(said.contains(part), "{technology}: {said}");
        }
        assert_eq!(bench.encoder.slot().log().exchanges(), 0, "{technology}");
    }
}

#[test]
fn nfc_mfultralight_tells_the_kind_and_reads_the_whole_card() {
    for (technology, name, pages) in KINDS {
        let bench = serial(technology, Origin::Factory);
        let mut image = bench.card.memory();
        for (at, byte) in image.iter_mut().enumerate().take(60).skip(16) {
            *byte = at as u8;
        }
        bench.card.set_memory(&image).unwrap();
        let said = bench.libnfc("nfc-mfultralight", &["r", "dump.mfd"]);
        match name {
            Some(name) => assert!(said.contains(name), "{said}"),
            None => assert!(!said.contains("EV1"), "{said}"),
        }
        let done = format!("Done, {pages} of {pages} pages read");
        assert!(said.contains(&done), "{said}");
        if name.is_some() {
            // The password is never read.
            image[(pages - 2) * 4..].fill(0);
        }
        assert_eq!(bench.file("dump.mfd"), image, "{technology}");
    }
}

#[test]
fn nfc_mfultralight_opens_a_protected_card_with_its_password_alone() {
    let bench = serial(Technology::Ntag213, Origin::Factory);
    let mut image = bench.card.memory();
    image[0x29 * 4 + 3] = 4;
    image[0x2A * 4] = 0x80;
    image[0x2B * 4..].copy_from_slice(&[0x11, 0x22, 0x33, 0x44, 0x80, 0x90, 0, 0]);
    bench.card.set_memory(&image).unwrap();

    let said = bench.libnfc("nfc-mfultralight", &["r", "dump.mfd", "--pw", "11223344"]);
    assert!(said.contains("Success - PACK: 8090"), "{said}");
    assert!(said.contains("45 of 45 pages read"), "{said}");
    assert_eq!(bench.file("dump.mfd"), image);

    let said = bench.libnfc("nfc-mfultralight", &["r", "dump.mfd"]);
    assert!(!said.contains("45 of 45 pages read"), "{said}");
    let foreign = serial(Technology::Ntag213, Origin::Foreign);
    let said = foreign.libnfc("nfc-mfultralight", &["r", "dump.mfd"]);
    assert!(!said.contains("45 of 45 pages read"), "{said}");
}

#[test]
fn nfc_mfultralight_writes_a_card() {
    for technology in [Technology::MifareUltralight, Technology::Ntag215] {
        let bench = serial(technology, Origin::Factory);
        bench.libnfc("nfc-mfultralight", &["r", "dump.mfd"]);
        let mut dump = bench.file("dump.mfd");
        dump[16..32].copy_from_slice(b"written by hand.");
        bench.write_file("dump.mfd", &dump);
        let all = ["w", "dump.mfd", "--otp", "--lock", "--dynlock"];
        let said = bench.libnfc("nfc-mfultralight", &all);
        assert_eq!(bench.card.memory()[16..32], *b"written by hand.", "{said}");
        assert!(!bench.encoder.slot().log().writes().is_empty());
    }
}

#[test]
fn libfreefare_tells_an_ultralight_c_and_opens_it_with_the_key_of_delivery() {
    let bench = serial(Technology::MifareUltralightC, Origin::Factory);
    let said = bench.libfreefare("mifare-ultralight-info", &[]);
    assert!(
        said.contains("Tag with UID 04a1b2c3d4e5f6 is a Mifare UltraLightC"),
        "{said}"
    );
    assert!(
        said.contains("Authentication with default key: success"),
        "{said}"
    );
    let foreign = serial(Technology::MifareUltralightC, Origin::Foreign);
    let said = foreign.libfreefare("mifare-ultralight-info", &[]);
    assert!(
        said.contains("Authentication with default key: fail"),
        "{said}"
    );
}

#[test]
fn libfreefare_takes_every_other_type_2_card_for_an_ultralight() {
    for (technology, ..) in KINDS {
        let bench = serial(technology, Origin::Factory);
        let said = bench.libfreefare("mifare-ultralight-info", &[]);
        assert!(
            said.contains("Tag with UID 04a1b2c3d4e5f6 is a Mifare UltraLight\n"),
            "{technology}: {said}"
        );
    }
}

fn pcsc(technology: Technology, raw_frames: RawFrames) -> PcscBench {
    let settings = ReaderSettings::default().with_raw_frames(raw_frames);
    PcscBench::over(technology, LONG_UID, settings)
}

#[test]
fn pyscard_sends_an_ntag_its_own_commands_by_direct_transmit() {
    let bench = pcsc(Technology::Ntag213, RawFrames::DirectTransmit);
    bench.place_card();
    let said = bench.opensc(&["--atr"]);
    assert!(
        said.contains("3b:8f:80:01:80:4f:0c:a0:00:00:03:06:03:00:03:00:00:00:00:68"),
        "{said}"
    );
    let said = text(&bench.pyscard(&format!(
        r#"{PYSCARD}
print("uid", send("FFCA000000"))
print("version", send("FF00000003D44260"))
print("password", send("FF00000007D4421BFFFFFFFF"))
print("write", send("FFD600080401020304"))
print("read", send("FFB0000810"))
print("beyond", send("FFB0002D10"))
"#
    )));
    for line in [
        "uid 04A1B2C3D4E5F6 9000",
        "version D543000004040201000F03 9000",
        "password D543000000 9000",
        "write  9000",
        "read 01020304000000000000000000000000 9000",
        "beyond  6300",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(bench.card.memory()[32..36], [1, 2, 3, 4]);
    assert_eq!(bench.reader.slot().log().writes().len(), 1);
}

#[test]
fn pyscard_sends_an_ev1_its_own_commands_in_a_transparent_session() {
    let bench = pcsc(
        Technology::MifareUltralightEv1_48,
        RawFrames::TransparentSession,
    );
    bench.place_card();
    let said = text(&bench.pyscard(&format!(
        r#"{PYSCARD}
print("start", send("FFC2000002810000"))
print("version", send("FFC200010395016000"))
print("count", send("FFC200010895" + "06A5000100000000"))
print("counter", send("FFC20001049502390000"))
print("end", send("FFC2000002820000"))
"#
    )));
    for line in [
        "start C003009000 9000",
        "version C0030090009201009602000097080004030101000B03 9000",
        "count C0030090009201049602000097010A 9000",
        "counter C003009000920100960200009703010000 9000",
        "end C003009000 9000",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn pyscard_authenticates_to_an_ultralight_c_with_a_cipher_of_its_own() {
    let bench = pcsc(Technology::MifareUltralightC, RawFrames::DirectTransmit);
    bench.place_card();
    let said = text(&bench.pyscard(&format!(
        r#"{PYSCARD}
import subprocess
KEY = b"IEMKAERB!NACUOYF"
def des(decrypt, iv, data):
    arguments = ["openssl", "enc", "-des-ede-cbc", "-nopad", "-K", KEY.hex(), "-iv", iv.hex()]
    return subprocess.run(arguments + (["-d"] if decrypt else []), input=data, stdout=subprocess.PIPE, check=True).stdout
def through(frame):
    answer = send("FF000000%02XD442" % (len(frame) + 2) + frame.hex())
    assert answer.startswith("D54300") and answer.endswith(" 9000"), answer
    return bytes.fromhex(answer[6:-5])
challenge = through(bytes.fromhex("1A00"))
assert challenge[0] == 0xAF
theirs = des(True, bytes(8), challenge[1:])
ours = bytes(range(8))
token = des(False, challenge[1:], ours + theirs[1:] + theirs[:1])
proof = through(b"\xaf" + token)
assert proof[0] == 0
print("proved" if des(True, token[8:], proof[1:]) == ours[1:] + ours[:1] else "not proved")
"#
    )));
    assert!(
        said.contains("proved") && !said.contains("not proved"),
        "{said}"
    );
}
