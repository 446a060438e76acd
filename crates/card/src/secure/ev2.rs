//! EV2 secure messaging, of DESFire EV2 and EV3 and of NTAG 424 DNA: two session keys, a transaction identifier and a counter
//! (NXP MF2DLHX0, 9.1; NT4H2421Gx, 9.1; AN12196).

use aes::Aes128;
use cmac::{Cmac, KeyInit, Mac};
use subtle::ConstantTimeEq;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::call::{Body, Call};
use super::cipher::{BLOCK, crc32, decrypt, encrypt, fill_block, xor};

/// The bytes of a MAC that are sent.
const MAC: usize = 8;

/// A session.
#[derive(Clone, ZeroizeOnDrop)]
pub(super) struct Ev2 {
    enciphering: [u8; BLOCK],
    authenticating: [u8; BLOCK],
    transaction: [u8; 4],
    counter: u16,
}

impl Ev2 {
    /// The session that two challenges under `key` make (AN12196, 5.4).
    pub(super) fn new(
        key: &[u8; BLOCK],
        a: &[u8; BLOCK],
        b: &[u8; BLOCK],
        transaction: [u8; 4],
    ) -> Self {
        let derive = |label: [u8; 2]| {
            let mut input = Zeroizing::new([0; 32]);
            input[..6].copy_from_slice(&[label[0], label[1], 0x00, 0x01, 0x00, 0x80]);
            input[6..14].copy_from_slice(&a[..8]);
            xor(&mut input[8..14], &b[..6]);
            input[14..24].copy_from_slice(&b[6..]);
            input[24..].copy_from_slice(&a[8..]);
            cmac(key, &[&*input])
        };
        Self {
            enciphering: derive([0xA5, 0x5A]),
            authenticating: derive([0x5A, 0xA5]),
            transaction,
            counter: 0,
        }
    }

    /// What goes over the air after the instruction.
    pub(super) fn protect(&mut self, call: &Call) -> Zeroizing<Vec<u8>> {
        let mut sent = Zeroizing::new(call.header.clone());
        match &call.body {
            Body::Nothing => {}
            Body::Data {
                bytes,
                enciphered: false,
            } => sent.extend_from_slice(bytes),
            Body::Data { bytes, .. } => sent.extend_from_slice(&self.encipher(bytes)),
            Body::NewKey {
                key,
                version,
                of_session,
            } => {
                let mut plain = Zeroizing::new(Vec::with_capacity(2 * BLOCK));
                plain.extend_from_slice(&**key);
                plain.push(*version);
                if !of_session {
                    plain.extend_from_slice(&crc32(&[&**key]));
                }
                sent.extend_from_slice(&self.encipher(&plain));
            }
        }
        let mac = self.mac(call.instruction, &sent);
        sent.extend_from_slice(&mac);
        sent
    }

    /// The content of an answer that ended with status 00; `None` when it does not verify.
    pub(super) fn open(&mut self, call: &Call, answer: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (data, sent) = answer.split_last_chunk::<MAC>()?;
        self.counter = self.counter.checked_add(1)?;
        if !bool::from(self.mac(0x00, data).ct_eq(sent)) {
            return None;
        }
        if call.enciphers_answer {
            return self.decipher(data);
        }
        Some(Zeroizing::new(data.to_vec()))
    }

    fn encipher(&self, plain: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut data = Zeroizing::new(Vec::with_capacity(plain.len() + BLOCK));
        data.extend_from_slice(plain);
        data.push(0x80);
        fill_block(&mut data);
        encrypt(&self.enciphering, &mut self.vector([0xA5, 0x5A]), &mut data);
        data
    }

    fn decipher(&self, data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if !data.len().is_multiple_of(BLOCK) {
            return None;
        }
        let mut plain = Zeroizing::new(data.to_vec());
        decrypt(
            &self.enciphering,
            &mut self.vector([0x5A, 0xA5]),
            &mut plain,
        );
        let end = plain.iter().rposition(|byte| *byte != 0)?;
        (plain[end] == 0x80).then(|| plain.truncate(end))?;
        Some(plain)
    }

    /// The initialisation vector of one direction at this point of the session.
    fn vector(&self, label: [u8; 2]) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        block[..2].copy_from_slice(&label);
        block[2..6].copy_from_slice(&self.transaction);
        block[6..8].copy_from_slice(&self.counter.to_le_bytes());
        encrypt(&self.enciphering, &mut [0; BLOCK], &mut block);
        block
    }

    /// Every second byte of the CMAC over instruction or status, counter, transaction identifier and data.
    fn mac(&self, first: u8, data: &[u8]) -> [u8; MAC] {
        let whole = cmac(
            &self.authenticating,
            &[
                &[first],
                &self.counter.to_le_bytes(),
                &self.transaction,
                data,
            ],
        );
        std::array::from_fn(|at| whole[2 * at + 1])
    }

    /// What a card that has the key would answer with this content.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn forged(&mut self, call: &Call, content: &[u8]) -> Vec<u8> {
        self.counter += 1;
        let mut answer = content.to_vec();
        if call.enciphers_answer {
            answer.push(0x80);
            fill_block(&mut answer);
            let mut vector = self.vector([0x5A, 0xA5]);
            encrypt(&self.enciphering, &mut vector, &mut answer);
        }
        let mac = self.mac(0x00, &answer);
        answer.extend_from_slice(&mac);
        answer
    }
}

fn cmac(key: &[u8; BLOCK], parts: &[&[u8]]) -> [u8; BLOCK] {
    let mut mac = <Cmac<Aes128> as KeyInit>::new(key.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::super::call::FileData;
    use super::*;

    fn array<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    fn session(enciphering: &str, authenticating: &str, transaction: &str, counter: u16) -> Ev2 {
        Ev2 {
            enciphering: array(enciphering),
            authenticating: array(authenticating),
            transaction: array(transaction),
            counter,
        }
    }

    /// AN12196, tables 14 and 20.
    #[test]
    fn the_session_keys_of_an12196_come_out() {
        for (a, b, enciphering, authenticating) in [
            (
                "13C5DB8A5930439FC3DEF9A4C675360F",
                "B9E2FC789B64BF237CCCAA20EC7E6E48",
                "1309C877509E5A215007FF0ED19CA564",
                "4C6626F5E72EA694202139295C7A7FC7",
            ),
            (
                "B98F4C50CF1C2E084FD150E33992B048",
                "91517975190DCEA6104948EFA3085C1B",
                "7A93D6571E4B180FCA6AC90C9A7488D4",
                "FC4AF159B62E549B5812394CAB1918CC",
            ),
        ] {
            let session = Ev2::new(&[0; 16], &array(a), &array(b), [0; 4]);
            assert_eq!(hex::encode_upper(session.enciphering), enciphering);
            assert_eq!(hex::encode_upper(session.authenticating), authenticating);
        }
    }

    /// AN12196, table 8: GetFileSettings of file 2 in CommMode.MAC.
    #[test]
    fn a_command_with_a_mac_comes_out_as_in_an12196() {
        let zero = "00000000000000000000000000000000";
        let mut session = session(zero, "8248134A386E86EB7FAF54A52E536CB6", "7A21085E", 0);
        let sent = session.protect(&Call::file_settings(2));
        assert_eq!(hex::encode_upper(&*sent), "026597A457C8CD442C");
    }

    /// AN12196, tables 26 and 27.
    #[test]
    fn changing_keys_comes_out_as_in_an12196() {
        let mut session = session(
            "4CF3CB41A22583A61E89B158D252FC53",
            "5529860B2FC5FB6154B7F28361D30BF9",
            "7614281A",
            2,
        );
        let key = Zeroizing::new(array("F3847D627727ED3BC9C4CC050489B966"));
        let call = Call::change_key(2, key, 1, false);
        let sent = session.protect(&call);
        assert_eq!(
            hex::encode_upper(&*sent),
            "022CF362B7BF4311FF3BE1DAA295E8C68DE09050560D19B9E16C2393AE9CD1FAC75D0CE20BCD1D06E6"
        );
        let forged = hex::decode("203BB55D1089D588").unwrap();
        assert!(session.clone().open(&call, &forged).is_none());
        let answer = hex::decode("203BB55D1089D587").unwrap();
        assert!(session.open(&call, &answer).unwrap().is_empty());

        let key = Zeroizing::new(array("5004BF991F408672B1EF00F08F9E8647"));
        let sent = session.protect(&Call::change_key(0, key, 1, true));
        assert_eq!(
            hex::encode_upper(&*sent),
            "00C0EB4DEEFEDDF0B513A03A95A75491818580503190D4D05053FF75668A01D6FDA6610234BDED6432"
        );
    }

    /// AN12196, table 17.
    #[test]
    fn writing_a_file_enciphered_comes_out_as_in_an12196() {
        let mut session = session(
            "1309C877509E5A215007FF0ED19CA564",
            "4C6626F5E72EA694202139295C7A7FC7",
            "9D00C4DF",
            0,
        );
        let link = format!(
            "choose.url.com/ntag424?e={}&c={}",
            "0".repeat(32),
            "0".repeat(16)
        );
        let mut data = [&[0x00, 0x51, 0xD1, 0x01, 0x4D, 0x55, 0x04], link.as_bytes()].concat();
        data.resize(128, 0);
        let call = Call::write_data(2, 0, &data, FileData::Enciphered);
        assert_eq!(call.instruction, 0x8D);
        let sent = session.protect(&call);
        assert_eq!(
            hex::encode_upper(&*sent),
            concat!(
                "02000000800000421C73A27D827658AF481FDFF20A5025B559D0E3AA21E58D34",
                "7F343CFFC768BFE596C706BC00F2176781D4B0242642A0FF5A42C461AAF894D9",
                "A1284B8C76BCFA658ACD40555D362E08DB15CF421B51283F9064BCBE20E96CAE",
                "545B407C9D651A3315B27373772E5DA2367D2064AE054AF996C6F1F669170FA8",
                "8CE8C4E3A4A7BBBEF0FD971FF532C3A802AF745660F2B4D1D9A8499661EBF3",
            )
        );
        let answer = hex::decode("FC222E5F7A542452").unwrap();
        assert!(session.open(&call, &answer).unwrap().is_empty());
    }

    #[test]
    fn enciphered_data_is_read_back_only_as_it_was_sent() {
        let mut card = Ev2::new(&[1; 16], &[2; 16], &[3; 16], [4; 4]);
        let mut pcd = card.clone();
        let call = Call::read_data(3, 0, 20, FileData::Enciphered);
        pcd.protect(&call);
        card.counter += 1;
        let mut answer = vec![7; 20];
        answer.push(0x80);
        answer.resize(32, 0);
        let mut vector = card.vector([0x5A, 0xA5]);
        encrypt(&card.enciphering, &mut vector, &mut answer);
        let mac = card.mac(0x00, &answer);
        answer.extend_from_slice(&mac);
        for at in 0..answer.len() {
            let mut changed = answer.clone();
            changed[at] ^= 0x10;
            assert!(pcd.clone().open(&call, &changed).is_none(), "byte {at}");
        }
        assert_eq!(**pcd.open(&call, &answer).unwrap(), [7; 20]);
    }
}
