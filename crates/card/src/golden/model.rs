//! A card as the golden files have it: bytes by block or page. It knows no more than what a lock asks of a MIFARE Classic or
//! a Type 2 card, so that the product reads the files as it reads cards.

use std::collections::BTreeMap;

use des::TdesEde2;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use crate::{ClassicCommand, Command, KeyType, PresentedCard, Reply, Type2Command};

/// Where the key of an Ultralight C lies (MF0ICU2, 7.5.7).
const TRIPLE_DES_PAGE: u8 = 0x2C;
/// What an Ultralight C draws; any value will do.
const DRAWN: [u8; 8] = [0x3A; 8];

pub(super) struct Model {
    presented: PresentedCard,
    /// By number of the block or page.
    units: BTreeMap<u8, Vec<u8>>,
    /// Whether its key protects it from being read, as it does an Ultralight C.
    protected: bool,
    /// Whether it was shown that key; the sector that a MIFARE Classic has open.
    proven: bool,
    sector: Option<u8>,
}

impl Model {
    /// Runs of bytes, each from a block or page on; `unit` is how many bytes one of those has.
    pub(super) fn new(presented: PresentedCard, runs: &[(u8, Vec<u8>)], unit: usize) -> Self {
        let split = |(at, bytes): &(u8, Vec<u8>)| {
            let units = bytes.chunks(unit).map(|chunk| {
                let mut padded = chunk.to_vec();
                padded.resize(unit, 0);
                padded
            });
            (*at..).zip(units).collect::<Vec<_>>()
        };
        Self {
            presented,
            units: runs.iter().flat_map(split).collect(),
            protected: false,
            proven: false,
            sector: None,
        }
    }

    /// The same card, which asks for its key before it is read.
    pub(super) fn protected(self) -> Self {
        Self {
            protected: true,
            ..self
        }
    }

    pub(super) fn answer(&mut self, command: &Command) -> Reply {
        match command {
            Command::Reselect => {
                (self.proven, self.sector) = (false, None);
                Reply::Reselected(self.presented.clone())
            }
            Command::Classic(command) => self.classic(command),
            Command::Type2(command) => self.type2(command),
            Command::Iso(_) => panic!("a lock asks no such card for an APDU"),
        }
    }

    fn classic(&mut self, command: &ClassicCommand) -> Reply {
        match command {
            ClassicCommand::Authenticate {
                block,
                key_type,
                key,
            } => {
                assert_eq!(*key_type, KeyType::A, "a lock has no key B");
                let trailer = self.units.get(&(block | 3));
                let opens = trailer.is_some_and(|trailer| trailer[..6] == *key.expose());
                self.sector = opens.then_some(block / 4);
                if opens { Reply::Done } else { Reply::Refused }
            }
            ClassicCommand::Read { block } if self.sector == Some(block / 4) => {
                Reply::Data(self.units[block].clone())
            }
            ClassicCommand::Read { .. } => Reply::Refused,
            ClassicCommand::Write { .. } => panic!("a lock writes nothing"),
        }
    }

    fn type2(&mut self, command: &Type2Command) -> Reply {
        match command {
            Type2Command::Read { page } => self.pages(*page, page + 3),
            Type2Command::FastRead { first, last } => self.pages(*first, *last),
            Type2Command::Authenticate => {
                let mut challenge = DRAWN;
                self.triple_des().encrypt_block((&mut challenge).into());
                Reply::Data([&[0xAF][..], &challenge].concat())
            }
            Type2Command::AuthenticateAnswer { cryptogram } => self.proof(cryptogram),
            other => panic!("a lock does not ask for {other:?}"),
        }
    }

    fn pages(&self, first: u8, last: u8) -> Reply {
        if self.protected && !self.proven {
            return Reply::Refused;
        }
        let page = |page| self.units.get(&page).cloned().unwrap_or(vec![0; 4]);
        Reply::Data((first..=last).flat_map(page).collect())
    }

    fn triple_des(&self) -> TdesEde2 {
        let page = |at| self.units[&(TRIPLE_DES_PAGE + at)].iter().rev();
        let key: Vec<u8> = [1, 0, 3, 2].into_iter().flat_map(page).copied().collect();
        TdesEde2::new_from_slice(&key).unwrap()
    }

    /// The second half of the authentication, from the card's side (MF0ICU2, 7.5.5).
    fn proof(&mut self, cryptogram: &[u8; 16]) -> Reply {
        let cipher = self.triple_des();
        let mut challenge = DRAWN;
        cipher.encrypt_block((&mut challenge).into());
        let (first, second) = cryptogram.split_at(8);
        let mut theirs = decrypt(&cipher, first, &challenge);
        let mut ours = decrypt(&cipher, second, first);
        ours.rotate_right(1);
        if ours != DRAWN {
            return Reply::Refused;
        }
        self.proven = true;
        theirs.rotate_left(1);
        for (byte, mask) in theirs.iter_mut().zip(second) {
            *byte ^= mask;
        }
        cipher.encrypt_block((&mut theirs).into());
        Reply::Data([&[0x00][..], &theirs].concat())
    }
}

fn decrypt(cipher: &TdesEde2, block: &[u8], chained: &[u8]) -> [u8; 8] {
    let mut plain: [u8; 8] = block.try_into().unwrap();
    cipher.decrypt_block((&mut plain).into());
    for (byte, mask) in plain.iter_mut().zip(chained) {
        *byte ^= mask;
    }
    plain
}
