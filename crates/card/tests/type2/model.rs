//! Cards of pages in memory, true in what the procedures rely on: NAK and silence, READ that rolls over, AUTH0 and AUTHLIM,
//! lock bits, keys that count from the next selection on (NXP MF0ICU1, MF0ULX1, MF0ICU2, NTAG213_215_216). Written from the
//! data sheets for these tests; it shares nothing with the code under test.

use card::{Technology, Type2Command};
use des::TdesEde2;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

pub(crate) type Page = [u8; 4];

/// What the data sheet says of one type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sheet {
    pub(crate) technology: Technology,
    /// Pages in all.
    pub(crate) pages: u8,
    /// The last page of the user memory.
    pub(crate) user: u8,
    /// CFG0, on EV1 and NTAG.
    pub(crate) cfg0: Option<u8>,
    version: Option<[u8; 8]>,
}

const fn sheet(
    technology: Technology,
    pages: u8,
    user: u8,
    cfg0: Option<u8>,
    version: Option<[u8; 8]>,
) -> Sheet {
    Sheet {
        technology,
        pages,
        user,
        cfg0,
        version,
    }
}

pub(crate) const SHEETS: [Sheet; 7] = [
    sheet(Technology::MifareUltralight, 0x10, 0x0F, None, None),
    sheet(
        Technology::MifareUltralightEv1_48,
        0x14,
        0x0F,
        Some(0x10),
        Some([0, 4, 3, 1, 1, 0, 0x0B, 3]),
    ),
    sheet(
        Technology::MifareUltralightEv1_128,
        0x29,
        0x23,
        Some(0x25),
        Some([0, 4, 3, 1, 1, 0, 0x0E, 3]),
    ),
    sheet(Technology::MifareUltralightC, 0x30, 0x27, None, None),
    sheet(
        Technology::Ntag213,
        0x2D,
        0x27,
        Some(0x29),
        Some([0, 4, 4, 2, 1, 0, 0x0F, 3]),
    ),
    sheet(
        Technology::Ntag215,
        0x87,
        0x81,
        Some(0x83),
        Some([0, 4, 4, 2, 1, 0, 0x11, 3]),
    ),
    sheet(
        Technology::Ntag216,
        0xE7,
        0xE1,
        Some(0xE3),
        Some([0, 4, 4, 2, 1, 0, 0x13, 3]),
    ),
];

pub(crate) fn sheet_of(technology: Technology) -> Sheet {
    let found = SHEETS.iter().find(|sheet| sheet.technology == technology);
    *found.unwrap()
}

/// The card said no and answers nothing until it is selected again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct No;

#[derive(Clone)]
pub(crate) struct Type2Card {
    pub(crate) sheet: Sheet,
    pub(crate) memory: Vec<Page>,
    /// What a page that was written weakly may read as later.
    weak: Vec<Option<Page>>,
    /// Wrong passwords so far, and keys that were tried.
    pub(crate) wrong: u8,
    pub(crate) tries: usize,
    halted: bool,
    authenticated: bool,
    challenge: Option<[u8; 8]>,
    /// The key of an Ultralight C as it was when the card was selected.
    key: [u8; 16],
}

impl Type2Card {
    /// As delivered.
    pub(crate) fn blank(technology: Technology, uid: [u8; 7]) -> Self {
        let sheet = sheet_of(technology);
        let mut memory = vec![[0; 4]; usize::from(sheet.pages)];
        let [a, b, c, d, e, f, g] = uid;
        memory[0] = [a, b, c, 0x88 ^ a ^ b ^ c];
        memory[1] = [d, e, f, g];
        memory[2] = [d ^ e ^ f ^ g, 0x48, 0, 0];
        if let Some(cfg0) = sheet.cfg0 {
            let is_ntag = sheet.version.unwrap()[2] == 4;
            let cfg0 = usize::from(cfg0);
            memory[cfg0] = [if is_ntag { 0x04 } else { 0 }, 0, 0, 0xFF];
            memory[cfg0 + 1] = [0x00, 0x05, 0x00, 0x00];
            memory[cfg0 + 2] = [0xFF; 4];
            if cfg0 > usize::from(sheet.user) + 1 {
                memory[cfg0 - 1] = [0, 0, 0, 0xBD];
            }
            if is_ntag {
                memory[3] = [0xE1, 0x10, 0x12, 0x00];
            }
        }
        if technology == Technology::MifareUltralightC {
            memory[0x2A][0] = 0x30;
            for (page, bytes) in memory[0x2C..].iter_mut().zip(b"BREAKMEIFYOUCAN!".chunks(4)) {
                page.copy_from_slice(bytes);
            }
        }
        let mut card = Self {
            weak: vec![None; memory.len()],
            sheet,
            memory,
            wrong: 0,
            tries: 0,
            halted: false,
            authenticated: false,
            challenge: None,
            key: [0; 16],
        };
        card.select();
        card
    }

    pub(crate) fn is_ultralight_c(&self) -> bool {
        self.sheet.technology == Technology::MifareUltralightC
    }

    pub(crate) fn select(&mut self) {
        self.halted = false;
        self.authenticated = false;
        self.challenge = None;
        if self.is_ultralight_c() {
            let stored = self.memory[0x2C..].concat();
            for (half, bytes) in self.key.chunks_mut(8).zip(stored.chunks(8)) {
                half.copy_from_slice(bytes);
                half.reverse();
            }
        }
    }

    pub(crate) fn obey(&mut self, command: &Type2Command) -> Result<Option<Vec<u8>>, No> {
        if self.halted {
            return Err(No);
        }
        let pending = self.challenge.take();
        let result = match command {
            Type2Command::Read { page } => self.read(*page).map(Some),
            Type2Command::FastRead { first, last } => self.fast_read(*first, *last).map(Some),
            Type2Command::Write { page, data } => self.write(*page, *data.expose()).map(|()| None),
            Type2Command::GetVersion => self
                .sheet
                .version
                .map(|version| Some(version.to_vec()))
                .ok_or(No),
            Type2Command::PasswordAuthenticate { password } => {
                self.password(password.expose()).map(Some)
            }
            Type2Command::Authenticate => self.challenge().map(Some),
            Type2Command::AuthenticateAnswer { cryptogram } => {
                self.answer(pending, cryptogram).map(Some)
            }
        };
        if result.is_err() {
            self.halted = true;
            self.authenticated = false;
        }
        result
    }

    /// The page from which on the card asks for authentication, and whether for reading too.
    fn protection(&self) -> (u8, bool) {
        match self.sheet.cfg0 {
            Some(cfg0) => {
                let cfg0 = usize::from(cfg0);
                let reads = self.memory[cfg0 + 1][0] & 0x80 != 0;
                (self.memory[cfg0][3], reads)
            }
            None if self.is_ultralight_c() => (self.memory[0x2A][0], self.memory[0x2B][0] & 1 == 0),
            None => (0xFF, false),
        }
    }

    fn hides(&self, page: u8) -> bool {
        let (auth0, reads) = self.protection();
        let key = self.is_ultralight_c() && page >= 0x2C;
        key || reads && page >= auth0 && !self.authenticated
    }

    fn shown(&self, page: u8) -> Page {
        match self.sheet.cfg0 {
            // PWD and PACK read as zeros.
            Some(cfg0) if page >= cfg0 + 2 => [0; 4],
            _ => self.memory[usize::from(page)],
        }
    }

    fn read(&self, page: u8) -> Result<Vec<u8>, No> {
        if page >= self.sheet.pages || self.hides(page) {
            return Err(No);
        }
        let mut bytes = Vec::new();
        let mut at = page;
        for _ in 0..4 {
            if at >= self.sheet.pages || self.hides(at) {
                at = 0;
            }
            bytes.extend(self.shown(at));
            at += 1;
        }
        Ok(bytes)
    }

    fn fast_read(&self, first: u8, last: u8) -> Result<Vec<u8>, No> {
        let known = self.sheet.version.is_some();
        if !known || first > last || last >= self.sheet.pages {
            return Err(No);
        }
        assert!(last - first < 16, "more than an encoder can carry");
        if (first..=last).any(|page| self.hides(page)) {
            return Err(No);
        }
        Ok((first..=last).flat_map(|page| self.shown(page)).collect())
    }

    fn is_locked(&self, page: u8) -> bool {
        let bit = |byte: u8, bit: u8| byte >> bit & 1 == 1;
        let [_, _, lock0, lock1] = self.memory[2];
        match page {
            3..=7 => bit(lock0, page),
            8..=15 => bit(lock1, page - 8),
            _ => {
                let user = usize::from(self.sheet.user);
                let [a, b, ..] = self.memory.get(user + 1).copied().unwrap_or_default();
                let pair = (page - 16) / 2;
                match self.sheet.technology {
                    Technology::MifareUltralightEv1_128 | Technology::Ntag213
                        if page <= self.sheet.user =>
                    {
                        bit(if pair < 8 { a } else { b }, pair % 8)
                    }
                    Technology::Ntag215 | Technology::Ntag216 if page <= self.sheet.user => {
                        let group = (page - 16) / 16;
                        bit(if group < 8 { a } else { b }, group % 8)
                    }
                    Technology::MifareUltralightC => match page {
                        16..=27 => bit(a, (page - 16) / 4 + 1),
                        28..=39 => bit(a, (page - 28) / 4 + 5),
                        0x29..=0x2B => bit(b, page - 0x29 + 4),
                        0x2C.. => bit(b, 7),
                        _ => false,
                    },
                    _ => false,
                }
            }
        }
    }

    /// Whether the card would take a write to this page now. Lock bytes, OTP and counters are no business of these tests.
    pub(crate) fn may_write(&self, page: u8) -> bool {
        assert!(page >= 4, "page {page} is written");
        let (auth0, _) = self.protection();
        page < self.sheet.pages
            && !self.halted
            && (self.authenticated || page < auth0)
            && !self.is_locked(page)
    }

    fn write(&mut self, page: u8, data: Page) -> Result<(), No> {
        if !self.may_write(page) {
            return Err(No);
        }
        self.put(page, data);
        Ok(())
    }

    fn password(&mut self, password: &[u8; 4]) -> Result<Vec<u8>, No> {
        let cfg0 = usize::from(self.sheet.cfg0.ok_or(No)?);
        let limit = self.memory[cfg0 + 1][0] & 7;
        self.tries += 1;
        if limit != 0 && self.wrong >= limit || self.memory[cfg0 + 2] != *password {
            self.wrong = self.wrong.saturating_add(1);
            return Err(No);
        }
        self.authenticated = true;
        Ok(self.memory[cfg0 + 3][..2].to_vec())
    }

    fn challenge(&mut self) -> Result<Vec<u8>, No> {
        if !self.is_ultralight_c() {
            return Err(No);
        }
        let mut block = *b"a secret";
        TdesEde2::new(&self.key.into()).encrypt_block((&mut block).into());
        self.challenge = Some(block);
        Ok([&[0xAF][..], &block].concat())
    }

    fn answer(&mut self, challenge: Option<[u8; 8]>, cryptogram: &[u8; 16]) -> Result<Vec<u8>, No> {
        let sent = challenge.ok_or(No)?;
        self.tries += 1;
        let cipher = TdesEde2::new(&self.key.into());
        let chain = |block: &[u8], before: [u8; 8]| -> [u8; 8] {
            let mut plain: [u8; 8] = block.try_into().unwrap();
            cipher.decrypt_block((&mut plain).into());
            std::array::from_fn(|at| plain[at] ^ before[at])
        };
        let mut random = chain(&cryptogram[..8], sent);
        let turned = chain(&cryptogram[8..], cryptogram[..8].try_into().unwrap());
        if turned != *b" secreta" {
            return Err(No);
        }
        self.authenticated = true;
        random.rotate_left(1);
        let mut proof: [u8; 8] = std::array::from_fn(|at| random[at] ^ cryptogram[8 + at]);
        cipher.encrypt_block((&mut proof).into());
        Ok([&[0x00][..], &proof].concat())
    }

    /// Programs a page's cells for good, whatever they were.
    pub(crate) fn put(&mut self, page: u8, data: Page) {
        self.memory[usize::from(page)] = data;
        self.weak[usize::from(page)] = None;
    }

    /// Leaves a page's cells half charged.
    pub(crate) fn put_weakly(&mut self, page: u8, now: Page, later: Page) {
        self.memory[usize::from(page)] = now;
        self.weak[usize::from(page)] = Some(later);
    }

    /// Time passes: every page that was written weakly reads the other way. Says whether there is one.
    pub(crate) fn turn_weak_cells(&mut self) -> bool {
        for (page, weak) in self.memory.iter_mut().zip(&mut self.weak) {
            if let Some(later) = weak {
                std::mem::swap(page, later);
            }
        }
        self.weak.iter().any(Option::is_some)
    }
}
