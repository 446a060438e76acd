//! A host for tests, with a DESFire or an NTAG 424 DNA before it: frames, the two younger sorts of
//! secure messaging, nothing else.

use crate::card::crypto::{Cipher, Vector, crc32, pad_with_80, turned, unpad_80};
use crate::{Answer, Antenna, Card, Slot, Technology};

const RND_A: [u8; 16] = *b"random number A.";

pub(crate) struct Host {
    pub(crate) card: Card,
    pub(crate) slot: Slot,
    antenna: Antenna,
    session: Session,
}

enum Session {
    None,
    Ev1 {
        cipher: Cipher,
        vector: Vector,
    },
    Ev2 {
        encryption: Cipher,
        mac: Cipher,
        transaction: [u8; 4],
        counter: u16,
    },
}

/// Status, and data with all frames put together.
pub(crate) type Reply = (u8, Vec<u8>);

/// The card is gone.
#[derive(Debug)]
pub(crate) struct Gone;

impl Host {
    pub(crate) fn before(card: Card) -> Host {
        let slot = Slot::new();
        slot.place(&card);
        let mut antenna = Antenna::over(slot.clone());
        assert!(antenna.select().unwrap().ats.is_some());
        Host {
            card,
            slot,
            antenna,
            session: Session::None,
        }
    }

    /// The card is presented again.
    pub(crate) fn again(&mut self) {
        self.slot.place(&self.card);
        self.antenna.select().unwrap();
        self.session = Session::None;
    }

    pub(crate) fn select(&mut self) -> crate::Uid {
        self.session = Session::None;
        self.antenna.select().unwrap().uid
    }

    /// One wrapped APDU.
    pub(crate) fn apdu(&mut self, code: u8, data: &[u8]) -> Result<Reply, Gone> {
        let mut apdu = vec![0x90, code, 0, 0];
        if !data.is_empty() {
            apdu.push(u8::try_from(data.len()).unwrap());
            apdu.extend(data);
        }
        apdu.push(0);
        let Answer::Data(mut answer) = self.antenna.apdu(&apdu) else {
            return Err(Gone);
        };
        let status = answer.pop().unwrap();
        assert_eq!(answer.pop(), Some(0x91));
        Ok((status, answer))
    }

    pub(crate) fn raw(&mut self, apdu: &[u8]) -> Vec<u8> {
        match self.antenna.apdu(apdu) {
            Answer::Data(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    /// A command in as many frames as it takes, its answer put together. No protection.
    pub(crate) fn frames(&mut self, code: u8, data: &[u8]) -> Result<Reply, Gone> {
        let room = match self.card.technology() {
            Technology::Ntag424Dna => 255,
            _ => 52,
        };
        let mut parts = data.chunks(room);
        let mut reply = self.apdu(code, parts.next().unwrap_or(&[]))?;
        for part in parts {
            if reply.0 != 0xAF {
                return Ok(reply);
            }
            reply = self.apdu(0xAF, part)?;
        }
        while reply.0 == 0xAF {
            let (status, more) = self.apdu(0xAF, &[])?;
            reply.0 = status;
            reply.1.extend(more);
        }
        Ok(reply)
    }

    /// An ordinary command in the session, if there is one.
    pub(crate) fn command(&mut self, code: u8, data: &[u8]) -> Result<Reply, Gone> {
        let mut sent = data.to_vec();
        match &mut self.session {
            Session::Ev1 { cipher, vector } if code != 0x5A => {
                cipher.cmac(vector, &[&[code], data].concat());
            }
            Session::Ev2 { .. } if code != 0x5A => {
                let mac = self.mac(code, data);
                sent.extend(mac);
            }
            _ => {}
        }
        let reply = self.frames(code, &sent)?;
        if code == 0x5A {
            self.session = Session::None;
        }
        Ok(self.opened(reply))
    }

    /// The same, and what it must come to.
    pub(crate) fn expect(&mut self, code: u8, data: &[u8], expected: &[u8]) {
        let (status, answer) = self.command(code, data).unwrap();
        assert_eq!(
            (status, &answer[..]),
            (0x00, expected),
            "command {code:02X}"
        );
    }

    /// The same, if it must fail.
    pub(crate) fn refused(&mut self, code: u8, data: &[u8]) -> u8 {
        let (status, _) = self.command(code, data).unwrap();
        assert_ne!(status, 0x00, "command {code:02X}");
        self.session = Session::None;
        status
    }

    /// A command with enciphered data behind its header; `check` is a new key's.
    pub(crate) fn sealed(
        &mut self,
        code: u8,
        header: &[u8],
        data: &[u8],
        check: &[u8],
    ) -> Result<Reply, Gone> {
        let mut body = data.to_vec();
        if let Session::Ev1 { cipher, vector } = &mut self.session {
            body.extend(crc32(&[&[code], header, data]));
            body.extend(check);
            body.resize(body.len().next_multiple_of(16), 0);
            cipher.encrypt(vector, &mut body);
        } else {
            body.extend(check);
            pad_with_80(&mut body, 16);
            let mut vector = self.vector(0xA55A, 0);
            self.encryption().encrypt(&mut vector, &mut body);
            let mac = self.mac(code, &[header, &body].concat());
            body.extend(mac);
        }
        let reply = self.frames(code, &[header, &body].concat())?;
        Ok(self.opened(reply))
    }

    /// A command whose answer is enciphered and has this length.
    pub(crate) fn secret(&mut self, code: u8, data: &[u8], length: usize) -> Vec<u8> {
        let mut sent = data.to_vec();
        if let Session::Ev1 { cipher, vector } = &mut self.session {
            cipher.cmac(vector, &[&[code], data].concat());
        } else {
            let mac = self.mac(code, data);
            sent.extend(mac);
        }
        let (status, mut answer) = self.frames(code, &sent).unwrap();
        assert_eq!(status, 0x00, "command {code:02X}");
        if let Session::Ev1 { cipher, vector } = &mut self.session {
            cipher.decrypt(vector, &mut answer);
            let (data, check) = answer.split_at(length);
            assert_eq!(check[..4], crc32(&[data, &[0x00]]));
            return data.to_vec();
        }
        let (status, mut answer) = self.opened((0x00, answer));
        assert_eq!(status, 0x00);
        let mut vector = self.vector(0x5AA5, 0);
        self.encryption().decrypt(&mut vector, &mut answer);
        let data = unpad_80(&answer).unwrap();
        assert_eq!(data.len(), length);
        data.to_vec()
    }

    /// Writes to the start of an enciphered file of a DESFire.
    pub(crate) fn write(&mut self, file: u8, data: &[u8]) -> Result<u8, Gone> {
        let length = u8::try_from(data.len()).unwrap();
        let header = [file, 0, 0, 0, length, 0, 0];
        Ok(self.sealed(0x3D, &header, data, &[])?.0)
    }

    /// Reads from the start of an enciphered file of a DESFire.
    pub(crate) fn read(&mut self, file: u8, length: u8) -> Vec<u8> {
        self.secret(0xBD, &[file, 0, 0, 0, length, 0, 0], length.into())
    }

    /// By the youngest authentication that the card has.
    pub(crate) fn authenticate(&mut self, number: u8, key: &[u8; 16]) {
        assert_eq!(self.try_to_authenticate(number, key).unwrap(), 0x00);
    }

    pub(crate) fn try_to_authenticate(&mut self, number: u8, key: &[u8; 16]) -> Result<u8, Gone> {
        self.session = Session::None;
        if self.card.technology() == Technology::DesfireEv1 {
            self.authenticate_ev1(number, key)
        } else {
            self.authenticate_ev2(number, key)
        }
    }

    fn authenticate_ev1(&mut self, number: u8, key: &[u8; 16]) -> Result<u8, Gone> {
        let cipher = Cipher::aes(key);
        let (status, mut rnd_b) = self.apdu(0xAA, &[number])?;
        if status != 0xAF {
            return Ok(status);
        }
        let mut vector = Vector::default();
        cipher.decrypt(&mut vector, &mut rnd_b);
        let mut proof = [&RND_A[..], &turned(&rnd_b)].concat();
        cipher.encrypt(&mut vector, &mut proof);
        let (status, mut answer) = self.apdu(0xAF, &proof)?;
        if status != 0x00 {
            return Ok(status);
        }
        cipher.decrypt(&mut vector, &mut answer);
        assert_eq!(answer, turned(&RND_A));
        let key = [&RND_A[..4], &rnd_b[..4], &RND_A[12..], &rnd_b[12..]].concat();
        self.session = Session::Ev1 {
            cipher: Cipher::aes(&key.try_into().unwrap()),
            vector: Vector::default(),
        };
        Ok(status)
    }

    pub(crate) fn authenticate_ev2(&mut self, number: u8, key: &[u8; 16]) -> Result<u8, Gone> {
        let cipher = Cipher::aes(key);
        let (status, mut rnd_b) = self.apdu(0x71, &[number, 0])?;
        if status != 0xAF {
            return Ok(status);
        }
        cipher.decrypt(&mut Vector::default(), &mut rnd_b);
        let mut proof = [&RND_A[..], &turned(&rnd_b)].concat();
        cipher.encrypt(&mut Vector::default(), &mut proof);
        let (status, mut answer) = self.apdu(0xAF, &proof)?;
        if status != 0x00 {
            return Ok(status);
        }
        cipher.decrypt(&mut Vector::default(), &mut answer);
        assert_eq!(answer[4..20], turned(&RND_A));
        let derive = |label: [u8; 2]| {
            let mixed: Vec<u8> = (0..6).map(|n| RND_A[2 + n] ^ rnd_b[n]).collect();
            let head = [label[0], label[1], 0x00, 0x01, 0x00, 0x80];
            let vector = [&head[..], &RND_A[..2], &mixed, &rnd_b[6..], &RND_A[8..]].concat();
            Cipher::aes(&cipher.cmac(&mut Vector::default(), &vector))
        };
        self.session = Session::Ev2 {
            encryption: derive([0xA5, 0x5A]),
            mac: derive([0x5A, 0xA5]),
            transaction: *answer.first_chunk().unwrap(),
            counter: 0,
        };
        Ok(status)
    }

    pub(crate) fn forget_session(&mut self) {
        self.session = Session::None;
    }

    /// Takes the protection off an ordinary answer.
    fn opened(&mut self, (status, data): Reply) -> Reply {
        if status != 0x00 || matches!(self.session, Session::None) {
            return (status, data);
        }
        if let Session::Ev2 { counter, .. } = &mut self.session {
            *counter += 1;
        }
        // After a change of its own key the answer comes bare.
        let Some((data, mac)) = data.split_last_chunk::<8>() else {
            self.session = Session::None;
            return (status, data);
        };
        let expected: [u8; 8] = match &mut self.session {
            Session::Ev1 { cipher, vector } => {
                let whole = cipher.cmac(vector, &[data, &[status]].concat());
                *whole.first_chunk().unwrap()
            }
            _ => self.mac(status, data),
        };
        assert_eq!(*mac, expected, "the answer's MAC");
        (status, data.to_vec())
    }

    fn encryption(&self) -> Cipher {
        match &self.session {
            Session::Ev2 { encryption, .. } => encryption.clone(),
            _ => panic!("no session"),
        }
    }

    fn mac(&self, first: u8, data: &[u8]) -> [u8; 8] {
        let Session::Ev2 {
            mac,
            transaction,
            counter,
            ..
        } = &self.session
        else {
            panic!("no session of EV2");
        };
        let message = [&[first][..], &counter.to_le_bytes(), transaction, data].concat();
        let whole = mac.cmac(&mut Vector::default(), &message);
        std::array::from_fn(|n| whole[2 * n + 1])
    }

    fn vector(&self, label: u16, ahead: u16) -> Vector {
        let Session::Ev2 {
            encryption,
            transaction,
            counter,
            ..
        } = &self.session
        else {
            panic!("no session of EV2");
        };
        let mut block = [0; 16];
        block[..2].copy_from_slice(&label.to_be_bytes());
        block[2..6].copy_from_slice(transaction);
        block[6..8].copy_from_slice(&(counter + ahead).to_le_bytes());
        encryption.encrypt_block(&mut block);
        Vector::of(block)
    }
}
