//! Seeds for what a lock server says, made from the fields that public clients send and expect.

use crate::write;

const ACK: u8 = 0x06;
const NAK: u8 = 0x15;
/// In a conversation: silence, a lost connection, a change of mind.
const SILENCE: u8 = 0xF8;
const LOST: u8 = 0xF9;
const STOP: u8 = 0xFA;
/// The first byte of a conversation.
const SALTO: u8 = 0;
const ONITY: u8 = 1;

pub(crate) fn write_all() {
    let mut no_lrc = frame("OV|1");
    no_lrc.pop();
    no_lrc.push(0x0D);
    for (name, bytes) in [
        (
            "issued",
            [&[ACK][..], &frame("CN|1|04112233445566")].concat(),
        ),
        (
            "guest-salto",
            frame(
                "LT|Online Encoder 1|101|102|||CI|0|3a!|1400211126|1200221126|desk|04112233445566",
            ),
        ),
        (
            "guest-onity",
            frame("LT|1|101|||102|CO|4|36|14211126|12221126||8F45A5C4"),
        ),
        ("other-site", frame("LT|1|LD|other hotel")),
        ("error-with-text", frame("EG|1|licence expired")),
        ("no-lrc", no_lrc),
        (
            "cut-off-then-whole",
            [&frame("CN|1")[..4], &[ACK], &frame("CN|1")].concat(),
        ),
        (
            "noise-then-error",
            [b"\x15\xB3HTTP", &frame("ED|1")[..]].concat(),
        ),
    ] {
        write("lock_server_frames", name, &bytes);
    }
    let done = frame("CN|1|04112233");
    let mut garbled = done.clone();
    garbled[6] ^= 1;
    for (name, parts) in [
        ("issued", &[&[SALTO, ACK, ACK][..], &done][..]),
        (
            "issued-after-busy",
            &[&[ONITY, NAK, SILENCE, ACK, ACK], &done],
        ),
        (
            "refused-then-taken",
            &[&[SALTO, ACK, NAK, ACK, ACK], &frame("ED|1")],
        ),
        (
            "stale-then-issued",
            &[&[SALTO, ACK], &done, &[ACK], &frame("CN|2"), &done],
        ),
        ("lost", &[&[SALTO, ACK, ACK, LOST]]),
        ("silent", &[&[SALTO, ACK, ACK, SILENCE]]),
        (
            "taken-back",
            &[&[ONITY, ACK, ACK, STOP, ACK, ACK], &frame("EX|1")],
        ),
        ("garbled", &[&[SALTO, ACK, ACK], &garbled]),
    ] {
        write("lock_server_conversation", name, &parts.concat());
    }
}

/// `|` stands for the separator.
fn frame(fields: &str) -> Vec<u8> {
    let separated = format!("|{fields}|");
    let mut bytes = vec![0x02];
    bytes.extend(
        separated
            .bytes()
            .map(|it| if it == b'|' { 0xB3 } else { it }),
    );
    bytes.push(0x03);
    bytes.push(bytes[1..].iter().fold(0, |sum, byte| sum ^ byte));
    bytes
}
