//! The worked examples of NXP AN12196, seen from the card. Each agrees with an independent
//! computation from its own inputs; those the application note prints with slips are left out.

use super::{Cover, Handshake, Session};
use crate::card::crypto::Cipher;

fn bytes<const N: usize>(digits: &str) -> [u8; N] {
    hex::decode(digits).unwrap().try_into().unwrap()
}

fn session(transaction: &str, encryption: &str, mac: &str, counter: u16) -> Session {
    Session {
        encryption: Cipher::aes(&bytes(encryption)),
        mac: Cipher::aes(&bytes(mac)),
        transaction: bytes(transaction),
        counter,
    }
}

fn open(session: &Session, command: u8, header: &str, body: &str, cover: Cover) -> Option<String> {
    let (header, body) = (hex::decode(header).unwrap(), hex::decode(body).unwrap());
    session
        .open(command, &header, &body, cover)
        .map(hex::encode_upper)
}

#[test]
fn a_first_authentication_is_that_of_table_14() {
    let rnd_b = bytes("B9E2FC789B64BF237CCCAA20EC7E6E48");
    let (handshake, challenge) = Handshake::first(&[0; 16], rnd_b, [0; 6]);
    assert_eq!(
        hex::encode_upper(challenge),
        "A04C124213C186F22399D33AC2A30215"
    );
    let proof: [u8; 32] = bytes("35C3E05A752E0144BAC0DE51C1F22C56B34408A23D8AEA266CAB947EA8E0118D");
    let (answer, session) = handshake.finish(&proof, bytes("9D00C4DF")).unwrap();
    assert_eq!(
        hex::encode_upper(answer),
        "3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F08120663"
    );
    // Table 18: WriteData in CommMode.Full under these very session keys.
    let body = "421C73A27D827658AF481FDFF20A5025B559D0E3AA21E58D347F343CFFC768BF\
                E596C706BC00F2176781D4B0242642A0FF5A42C461AAF894D9A1284B8C76BCFA\
                658ACD40555D362E08DB15CF421B51283F9064BCBE20E96CAE545B407C9D651A\
                3315B27373772E5DA2367D2064AE054AF996C6F1F669170FA88CE8C4E3A4A7BB\
                BEF0FD971FF532C3A802AF745660F2B4D1D9A8499661EBF3";
    let data = open(&session, 0x8D, "02000000800000", body, Cover::Full).unwrap();
    assert_eq!(data.len(), 2 * 0x80);
    assert!(data.starts_with("0051D1014D550463686F6F73652E75726C2E636F6D2F6E746167"));
}

#[test]
fn a_wrong_key_or_a_wrong_length_is_no_proof() {
    let begin = || Handshake::first(&[0; 16], [7; 16], [0; 6]).0;
    assert!(begin().finish(&[0; 32], [0; 4]).is_none());
    assert!(begin().finish(&[0; 31], [0; 4]).is_none());
    assert!(begin().finish(&[], [0; 4]).is_none());
}

#[test]
fn an_authentication_with_key_3_and_a_write_are_those_of_tables_20_and_22() {
    let rnd_b = bytes("91517975190DCEA6104948EFA3085C1B");
    let (handshake, challenge) = Handshake::first(&[0; 16], rnd_b, [0; 6]);
    assert_eq!(
        hex::encode_upper(challenge),
        "B875CEB0E66A6C5CD00898DC371F92D1"
    );
    let proof: [u8; 32] = bytes("FF0306E47DFBC50087C4D8A78E88E62DE1E8BE457AA477C707E2F0874916A8B1");
    let (answer, mut session) = handshake.finish(&proof, bytes("7614281A")).unwrap();
    assert_eq!(
        hex::encode_upper(answer),
        "0CC9A8094A8EEA683ECAAC5C7BF20584206D0608D477110FC6B3D5D3F65C3A6A"
    );
    let body = "6B5E6804909962FC4E3FF5522CF0F8436C0C53315B9C73AA";
    assert_eq!(
        open(&session, 0x8D, "030000000A0000", body, Cover::Full).unwrap(),
        "0102030405060708090A"
    );
    let answer = session.close(0x00, Vec::new(), Cover::Full);
    assert_eq!(hex::encode_upper(answer), "C26D236E4A7C046D");
}

#[test]
fn a_further_authentication_keeps_transaction_and_counter() {
    // Table 24's challenge and session keys.
    let before = session(
        "7614281A",
        "7A93D6571E4B180FCA6AC90C9A7488D4",
        "FC4AF159B62E549B5812394CAB1918CC",
        2,
    );
    let mut rnd_b: [u8; 16] = bytes("A6A2B3C572D06C097BB8DB70463E22DC");
    let key = Cipher::aes(&[0; 16]);
    key.decrypt(&mut Default::default(), &mut rnd_b);
    let (handshake, challenge) = Handshake::next(&[0; 16], rnd_b, &before);
    assert_eq!(
        hex::encode_upper(challenge),
        "A6A2B3C572D06C097BB8DB70463E22DC"
    );
    let proof: [u8; 32] = bytes("BE7D45753F2CAB85F34BC60CE58B940763FE969658A532DF6D95EA2773F6E991");
    let (answer, after) = handshake.finish(&proof, [0; 4]).unwrap();
    assert_eq!(
        hex::encode_upper(answer),
        "B888349C24B315EAB5B589E279C8263E"
    );
    assert_eq!((after.transaction, after.counter), (before.transaction, 2));
    // Table 26: ChangeKey of another key under these session keys.
    let body = "2CF362B7BF4311FF3BE1DAA295E8C68DE09050560D19B9E16C2393AE9CD1FAC75D0CE20BCD1D06E6";
    assert_eq!(
        open(&after, 0xC4, "02", body, Cover::Full).unwrap(),
        "F3847D627727ED3BC9C4CC050489B96601789DFADC"
    );
}

#[test]
fn changing_two_keys_is_that_of_tables_26_and_27() {
    let (encryption, mac) = (
        "4CF3CB41A22583A61E89B158D252FC53",
        "5529860B2FC5FB6154B7F28361D30BF9",
    );
    let mut session = session("7614281A", encryption, mac, 2);
    let answer = session.close(0x00, Vec::new(), Cover::Mac);
    assert_eq!(hex::encode_upper(answer), "203BB55D1089D587");
    let body = "C0EB4DEEFEDDF0B513A03A95A75491818580503190D4D05053FF75668A01D6FDA6610234BDED6432";
    assert_eq!(
        open(&session, 0xC4, "00", body, Cover::Full).unwrap(),
        "5004BF991F408672B1EF00F08F9E864701"
    );
}

#[test]
fn a_mac_over_a_command_and_its_answer_is_that_of_table_8() {
    let mac = "8248134A386E86EB7FAF54A52E536CB6";
    let mut session = session("7A21085E", mac, mac, 0);
    let body = "6597A457C8CD442C";
    assert_eq!(
        open(&session, 0xF5, "02", body, Cover::Mac).as_deref(),
        Some("")
    );
    let settings = hex::decode("0040EEEE000100D1FE001F00004400004400002000006A0000").unwrap();
    let answer = hex::encode_upper(session.close(0x00, settings, Cover::Mac));
    assert!(answer.ends_with("2A474282E7A47986"), "{answer}");
}

#[test]
fn a_changed_bit_is_found_anywhere_and_so_is_a_replay() {
    let (key, mac) = (
        "4CF3CB41A22583A61E89B158D252FC53",
        "5529860B2FC5FB6154B7F28361D30BF9",
    );
    let session_at = |counter| session("7614281A", key, mac, counter);
    let body = "2CF362B7BF4311FF3BE1DAA295E8C68DE09050560D19B9E16C2393AE9CD1FAC75D0CE20BCD1D06E6";
    let body: [u8; 40] = bytes(body);
    for bit in 0..8 * body.len() {
        let mut changed = body;
        changed[bit / 8] ^= 1 << (bit % 8);
        let opened = session_at(2).open(0xC4, &[0x02], &changed, Cover::Full);
        assert_eq!(opened, None, "bit {bit}");
    }
    assert_eq!(session_at(3).open(0xC4, &[0x02], &body, Cover::Full), None);
    assert_eq!(session_at(2).open(0xC4, &[0x01], &body, Cover::Full), None);
}
