//! What a person with a magnifying glass could see of a DESFire: for tests that judge what was changed
//! on a card. No reader ever gets this.

use super::Desfire;
use super::keys::{Key, Scheme};
use super::picc::{AccessRights, Application, File};
use crate::card::chip::StoredFile;
use crate::card::pages::Pages;

impl Desfire {
    /// All files, by application and number, with what is valid in them.
    pub(in crate::card) fn files(&self) -> Vec<StoredFile> {
        let files = |(aid, application): (&[u8; 3], &Application)| {
            let aid = *aid;
            let stored = |(&number, file): (&u8, &File)| StoredFile {
                application: aid,
                number,
                content: file.data.read(),
            };
            application.files.iter().map(stored).collect::<Vec<_>>()
        };
        self.picc.applications.iter().flat_map(files).collect()
    }

    /// Everything that is stored, but for one application and for how much memory is left.
    pub(in crate::card) fn everything_but(&self, application: [u8; 3]) -> Vec<u8> {
        let mut picc = self.picc.clone();
        picc.applications.remove(&application);
        let keys = |keys: &[Key]| -> Vec<u8> {
            let one = |key: &Key| [key.bytes(), &[key.version(), key.scheme().bits()]].concat();
            keys.iter().flat_map(one).collect()
        };
        let mut dump = vec![
            picc.settings,
            picc.default_version,
            u8::from(picc.is_format_disabled),
            u8::from(picc.has_random_uid),
        ];
        dump.extend(picc.default_key);
        dump.extend(keys(&[picc.key]));
        for (aid, application) in &picc.applications {
            dump.extend(aid);
            dump.extend([application.settings, application.scheme.bits()]);
            dump.extend(application.iso_id.unwrap_or_default());
            dump.extend(&application.name);
            dump.extend(keys(&application.keys));
            for (number, file) in &application.files {
                dump.extend([*number, u8::from(file.is_backup), file.mode]);
                dump.extend(file.rights.bytes());
                dump.extend(file.data.read());
            }
        }
        dump
    }

    /// Somebody else's card: nobody here knows its keys, and nobody may create anything on it.
    pub(in crate::card) fn made_foreign(mut self) -> Desfire {
        const NO_FREE_CREATING: u8 = 0x0B;
        let [card_key, keys @ ..]: [Key; 4] =
            std::array::from_fn(|_| Key::new(Scheme::Aes, &self.random::<16>(), 0x01));
        self.picc.key = card_key;
        self.picc.settings = NO_FREE_CREATING;
        let content: [u8; 32] = self.random();
        let data = [&content[..], &self.random::<32>()].concat();
        let file = File {
            iso_id: None,
            is_backup: true,
            mode: 0x03,
            // Read with key 1, write with key 2, change with the master key.
            rights: AccessRights::of([0xF0, 0x12]),
            data: Pages::holding(0x01, &data),
        };
        let application = Application {
            settings: 0x09,
            scheme: Scheme::Aes,
            keys: keys.to_vec(),
            iso_id: None,
            name: Vec::new(),
            has_iso_files: false,
            files: [(0x01, file)].into(),
        };
        let aid = self.random();
        self.picc.applications.insert(aid, application);
        self
    }
}
