//! The pages of a Type 2 card and who may do what to them: lock bits, one-way bits, protected pages,
//! and where reading starts again from page 0. It knows no commands.

use super::content;
use super::locks;
use super::model::{Counting, Model, PAGE, Protection, STATIC_LOCKS};
use super::triple_des::Key;
use crate::card::{Cells, Eeprom, Technology, Uid};

/// The page whose bits are only ever set: OTP bytes, or the capability container.
const ONE_WAY: u16 = 3;
/// AUTH0, AUTH1 and the key of an Ultralight C.
const C_AUTH0: u16 = 0x2A;
const C_AUTH1: u16 = 0x2B;
const C_KEY: u16 = 0x2C;
/// Bits of ACCESS (MF0ULx1 table 10, NTAG213_215_216 table 10).
const ACCESS_PROT: u8 = 0x80;
const ACCESS_CFGLCK: u8 = 0x40;

/// A command that the card refuses as an invalid argument.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAllowed;

#[derive(Debug, Clone)]
pub(super) struct Memory {
    pub(super) model: &'static Model,
    pages: Cells<PAGE>,
    /// CFGLCK as it was at power-on: it locks from the next one on (NTAG213_215_216 §8.5.7).
    is_configuration_locked: bool,
    /// What an Ultralight and an Ultralight C go by until they are activated again.
    activated: Activated,
}

/// Lock bytes (MF0ICU2 §7.5.2, §7.5.3) and key (§7.5.7) take effect at the next activation.
#[derive(Debug, Clone)]
struct Activated {
    static_locks: [u8; PAGE],
    dynamic_locks: [u8; PAGE],
    key: Key,
}

impl Memory {
    pub(super) fn factory(technology: Technology, model: &'static Model, uid: &Uid) -> Memory {
        Memory::holding(model, content::factory(technology, model, uid))
    }

    pub(super) fn foreign(technology: Technology, model: &'static Model, uid: &Uid) -> Memory {
        Memory::holding(model, content::foreign(technology, model, uid))
    }

    fn holding(model: &'static Model, pages: Vec<[u8; PAGE]>) -> Memory {
        let mut memory = Memory {
            model,
            pages: Cells::holding(pages),
            is_configuration_locked: false,
            activated: Activated {
                static_locks: [0; PAGE],
                dynamic_locks: [0; PAGE],
                key: Key::of_pages([[0; PAGE]; 4]),
            },
        };
        memory.power_on();
        memory
    }

    pub(super) fn image(&self) -> Vec<u8> {
        self.pages.read_all()
    }

    /// Puts an image onto the card; the serial number stays.
    ///
    /// # Errors
    /// The length that it should have had.
    pub(super) fn set_image(&mut self, image: &[u8]) -> Result<(), usize> {
        let expected = self.pages.len() * PAGE;
        if image.len() != expected {
            return Err(expected);
        }
        let mut pages = image.as_chunks().0.to_vec();
        content::keep_serial_number(&mut pages, &[self.page(0), self.page(1), self.page(2)]);
        for (page, content) in (0..).zip(pages) {
            self.pages.put(page, content);
        }
        self.power_on();
        Ok(())
    }

    /// The card is activated anew.
    pub(super) fn activate(&mut self) {
        let dynamic = self.model.dynamic_locks.as_ref();
        self.activated = Activated {
            static_locks: self.page(STATIC_LOCKS.page),
            dynamic_locks: dynamic.map_or([0; PAGE], |locks| self.page(locks.page)),
            key: match self.model.protection {
                Protection::TripleDes => {
                    Key::of_pages([0, 1, 2, 3].map(|at| self.page(C_KEY + at)))
                }
                _ => Key::of_pages([[0; PAGE]; 4]),
            },
        };
    }

    /// The card gets its supply back.
    pub(super) fn power_on(&mut self) {
        self.activate();
        self.is_configuration_locked = self.access() & ACCESS_CFGLCK != 0;
    }

    /// The key that an authentication is checked with.
    pub(super) fn key(&self) -> Key {
        self.activated.key
    }

    /// The ACCESS byte; 0 on a card that has none.
    pub(super) fn access(&self) -> u8 {
        self.configuration().map_or(0, |at| self.page(at + 1)[0])
    }

    pub(super) fn password(&self) -> Option<[u8; PAGE]> {
        self.configuration().map(|at| self.page(at + 2))
    }

    /// PACK, which proves to the reader that the card knows the password too.
    pub(super) fn password_acknowledge(&self) -> [u8; 2] {
        let [a, b, ..] = self
            .configuration()
            .map_or([0; PAGE], |at| self.page(at + 3));
        [a, b]
    }

    /// Four pages from this one on. After the last page that may be read comes page 0 again.
    pub(super) fn read(&self, page: u8, authenticated: bool) -> Result<Vec<u8>, NotAllowed> {
        let end = self.end_of_reading(authenticated);
        let page = u16::from(page);
        if page >= end {
            return Err(NotAllowed);
        }
        let pages = (0..4).map(|step| self.shown((page + step) % end));
        Ok(pages.flatten().collect())
    }

    /// All pages of a run, of which every one must be there and readable.
    pub(super) fn read_range(
        &self,
        first: u8,
        last: u8,
        authenticated: bool,
    ) -> Result<Vec<u8>, NotAllowed> {
        if last < first || u16::from(last) >= self.end_of_reading(authenticated) {
            return Err(NotAllowed);
        }
        let pages = (first..=last).map(|page| self.shown(page.into()));
        Ok(pages.flatten().collect())
    }

    /// Whether a WRITE there would be done, as far as that can be told without its data.
    pub(super) fn may_write(&self, page: u8, authenticated: bool) -> Result<(), NotAllowed> {
        let page = u16::from(page);
        let exists = (STATIC_LOCKS.page..self.model.pages).contains(&page);
        let is_open = authenticated || page < self.protected_from();
        let is_frozen = self.is_configuration_locked
            && self
                .configuration()
                .is_some_and(|at| page == at || page == at + 1);
        if exists && is_open && !is_frozen && !self.is_locked(page) {
            Ok(())
        } else {
            Err(NotAllowed)
        }
    }

    pub(super) fn write(
        &mut self,
        page: u8,
        asked: [u8; PAGE],
        authenticated: bool,
        eeprom: &mut Eeprom,
    ) -> Result<(), NotAllowed> {
        self.may_write(page, authenticated)?;
        let page = u16::from(page);
        let stored = self.page(page);
        let dynamic = self.model.dynamic_locks.as_ref();
        // The card guards these pages against tearing (MF0ICU2 §7.5.3, §7.5.4, MF0ULx1 §10.4,
        // NTAG213_215_216 §10.4); that the first Ultralight does is assumed.
        let guarded = if page == STATIC_LOCKS.page {
            STATIC_LOCKS.written(stored, asked)
        } else if page == ONE_WAY {
            std::array::from_fn(|at| stored[at] | asked[at])
        } else if let Some(locks) = dynamic.filter(|locks| locks.page == page) {
            locks.written(stored, asked)
        } else if self.model.counting == Counting::Page(page) {
            locks::counted(stored, asked).ok_or(NotAllowed)?
        } else {
            eeprom.program(&mut self.pages, page, &asked);
            return Ok(());
        };
        eeprom.program_guarded(&mut self.pages, page, &guarded, &stored);
        Ok(())
    }

    /// The page behind the last that may be read just now.
    fn end_of_reading(&self, authenticated: bool) -> u16 {
        let (end, is_protected) = match self.model.protection {
            Protection::Nothing => (self.model.pages, false),
            Protection::Password { .. } => (self.model.pages, self.access() & ACCESS_PROT != 0),
            // The key can never be read; the lowest bit of AUTH1 frees reading (MF0ICU2 table 12).
            Protection::TripleDes => (C_KEY, self.page(C_AUTH1)[0] & 1 == 0),
        };
        if is_protected && !authenticated {
            end.min(self.protected_from())
        } else {
            end
        }
    }

    /// AUTH0: the first page that is protected.
    fn protected_from(&self) -> u16 {
        match self.model.protection {
            Protection::Nothing => self.model.pages,
            Protection::Password { config } => self.page(config)[3].into(),
            Protection::TripleDes => self.page(C_AUTH0)[0].into(),
        }
    }

    fn is_locked(&self, page: u16) -> bool {
        // From memory: on an EV1 and an NTAG a lock bit takes effect at once.
        let at_once = matches!(self.model.protection, Protection::Password { .. });
        let static_locks = if at_once {
            self.page(STATIC_LOCKS.page)
        } else {
            self.activated.static_locks
        };
        STATIC_LOCKS.locks(static_locks, page)
            || self.model.dynamic_locks.as_ref().is_some_and(|locks| {
                let content = if at_once {
                    self.page(locks.page)
                } else {
                    self.activated.dynamic_locks
                };
                locks.locks(content, page)
            })
    }

    fn configuration(&self) -> Option<u16> {
        match self.model.protection {
            Protection::Password { config } => Some(config),
            _ => None,
        }
    }

    /// A page as reading shows it: password and PACK are zeros (NTAG213_215_216 §8.8.1).
    fn shown(&self, page: u16) -> [u8; PAGE] {
        match self.configuration() {
            Some(at) if page >= at + 2 => [0; PAGE],
            _ => self.page(page),
        }
    }

    /// One reading of a page that the model has.
    fn page(&self, page: u16) -> [u8; PAGE] {
        self.pages
            .read(page)
            .expect("a model names only pages that it has")
    }
}
