//! Whole cards of every technology: what lies on them, what a lock reads there and decides.

use serde_json::Value;
use zeroize::Zeroizing;

use super::file::{Checked, check_site, decision, fields, hexadecimal, list, number, site};
use super::file::{technology, text};
use super::model::Model;
use crate::classic::{self, SectorTrailer, sector_key};
use crate::copies::{Counts, which_counts};
use crate::format::{self, Opened};
use crate::placing::Place;
use crate::read_copies::LockTask;
use crate::technology::Family;
use crate::{
    CopiesRead, CopyIndex, Entropy, KeyVersion, PresentedCard, Procedure, SelectAnswer, SiteKeys,
    Step, Technology, Uid, desfire, ntag424, type2,
};

const FILES: [&str; 12] = [
    include_str!("../../tests/data/mifare_classic_mini.json"),
    include_str!("../../tests/data/mifare_classic_1k.json"),
    include_str!("../../tests/data/mifare_classic_4k.json"),
    include_str!("../../tests/data/mifare_ultralight.json"),
    include_str!("../../tests/data/mifare_ultralight_ev1_48.json"),
    include_str!("../../tests/data/mifare_ultralight_ev1_128.json"),
    include_str!("../../tests/data/mifare_ultralight_c.json"),
    include_str!("../../tests/data/ntag213.json"),
    include_str!("../../tests/data/ntag215.json"),
    include_str!("../../tests/data/ntag216.json"),
    include_str!("../../tests/data/desfire.json"),
    include_str!("../../tests/data/ntag424_dna.json"),
];

/// How many values the files hold.
const VALUES: usize = 6_925;
const ELSEWHERE: &str = "prepared by another site";

/// One card of a file, and the keys of the lock that reads it.
struct Golden<'a> {
    card: &'a Value,
    technology: Technology,
    uid: Uid,
    /// Every version of the site's key, as a writer holds them.
    writer: SiteKeys,
    /// Those that the lock holds.
    lock: SiteKeys,
}

#[test]
fn every_golden_card_reads_and_opens_doors_as_the_page_says() {
    let checked = Checked::default();
    let mut technologies = Vec::new();
    for file in FILES {
        let file: Value = serde_json::from_str(file).unwrap();
        check_site(&file["site"], &checked);
        for technology in list(&file["technologies"]).iter().map(technology) {
            technologies.push(technology);
            for card in list(&file["cards"]) {
                Golden::new(card, &file["site"], technology).check(&checked);
            }
        }
    }
    technologies.sort();
    let mut all = Technology::ALL;
    all.sort();
    assert_eq!(technologies, all);
    checked.total(VALUES);
}

impl<'a> Golden<'a> {
    fn new(card: &'a Value, block: &Value, technology: Technology) -> Self {
        let held: Vec<u8> = list(&card["held"])
            .iter()
            .map(|version| number(version) as u8)
            .collect();
        Self {
            card,
            technology,
            uid: text(&card["uid"]).parse().unwrap(),
            writer: site(block, &[1, 2]),
            lock: site(block, &held),
        }
    }

    fn what(&self, what: &str) -> String {
        format!("{}: {}: {what}", self.technology, text(&self.card["name"]))
    }

    fn check(&self, checked: &Checked) {
        self.check_keys(checked);
        let read = self.read();
        let opened = CopyIndex::BOTH.map(|copy| self.open(&read, copy));
        for (copy, expected) in self
            .technology
            .copies()
            .iter()
            .zip(list(&self.card["copies"]))
        {
            let found = opened[copy.index()].as_ref();
            let what = self.what(&format!("copy {}", copy.letter()));
            checked.equal(&what, found.map_or(Value::Null, fields), expected.clone());
            if let Some(found) = found {
                let sealed = self.seal(found, *copy);
                let on_card = read.copies[copy.index()].as_ref().unwrap();
                checked.equal(&what, &sealed, &on_card[..sealed.len()].to_vec());
            }
        }
        let counts = match which_counts(
            opened
                .each_ref()
                .map(|copy| copy.as_ref().map(|copy| (copy.sequence, &copy.credential))),
        ) {
            Counts::Neither => "none",
            Counts::Ambiguous => "ambiguous",
            Counts::This(CopyIndex::A) => "A",
            Counts::This(CopyIndex::B) => "B",
        };
        match text(&self.card["counts"]) {
            "either" => checked.equal(&self.what("counts"), counts, "A"),
            expected => checked.equal(&self.what("counts"), counts, expected),
        }
        for case in list(&self.card["decisions"]) {
            let decided = decision(&self.lock, &read, case);
            checked.equal(
                &self.what(&case.to_string()),
                &*decided,
                text(&case["decision"]),
            );
        }
    }

    fn place(&self, copy: CopyIndex) -> Place {
        Place {
            technology: self.technology,
            uid: self.uid,
            copy,
        }
    }

    fn open(&self, read: &CopiesRead, copy: CopyIndex) -> Option<Opened> {
        let bytes = read.copies[copy.index()].as_ref()?;
        format::open(bytes, self.lock.lock(), &self.place(copy)).ok()
    }

    fn seal(&self, opened: &Opened, copy: CopyIndex) -> Vec<u8> {
        let (version, place) = (opened.key_version, self.place(copy));
        let image = format::seal(
            self.lock.lock(),
            version,
            &place,
            opened.sequence,
            &opened.credential,
        );
        image.unwrap().bytes().to_vec()
    }

    fn runs(&self) -> Vec<(u8, Vec<u8>)> {
        let run = |run: &Value| (number(&run["at"]) as u8, hexadecimal(&run["bytes"]));
        list(&self.card["memory"]).iter().map(run).collect()
    }

    // --- What a lock reads -------------------------------------------------------------------------------------

    fn read(&self) -> CopiesRead {
        let presented = PresentedCard {
            uid: self.uid,
            answer: SelectAnswer::Atr(Vec::new()),
        };
        let task = LockTask {
            presented: presented.clone(),
            keys: self.lock.lock_keys(),
            entropy: Entropy::new([9; 32]),
        };
        let runs = self.runs();
        match self.technology.family() {
            Family::Classic => run(
                classic::Read::new(task, self.technology),
                Model::new(presented, &runs, 16),
            ),
            Family::Type2 => {
                let card = Model::new(presented, &runs, 4);
                let card = match self.technology {
                    Technology::MifareUltralightC => card.protected(),
                    _ => card,
                };
                run(type2::Read::new(task, self.technology, None), card)
            }
            Family::Desfire => {
                self.read_file(&runs, desfire::application(self.technology).read_key)
            }
            Family::Ntag424 => self.read_file(&runs, ntag424::APPLICATION.read_key),
        }
    }

    /// A file whose key the lock holds; the messages that it is read with are tested on whole cards elsewhere.
    fn read_file(&self, runs: &[(u8, Vec<u8>)], read_key: u8) -> CopiesRead {
        let mut read = CopiesRead::nothing(self.uid, self.technology);
        let mut keys = list(&self.card["keys"]).iter();
        let key = keys.find(|key| number(&key["number"]) == u32::from(read_key));
        let version = KeyVersion::new(number(&key.unwrap()["version"]) as u8).unwrap();
        let derived = self
            .lock
            .lock()
            .read_key(version, &self.uid, self.technology, read_key);
        if derived.is_some_and(|derived| derived.to_vec() == hexadecimal(&key.unwrap()["key"])) {
            let copies = self.technology.copies();
            let size = if copies.len() == 1 { 256 } else { 64 };
            let mut content = runs.first().map_or(Vec::new(), |(_, bytes)| bytes.clone());
            content.resize(size * copies.len(), 0);
            for (copy, content) in copies.iter().zip(content.chunks(size)) {
                read.copies[copy.index()] = Some(Zeroizing::new(content.to_vec()));
            }
        }
        read
    }

    // --- The keys as they lie on the card ----------------------------------------------------------------------

    fn check_keys(&self, checked: &Checked) {
        let runs = self.runs();
        match self.technology.family() {
            Family::Classic => {
                for (at, sector) in &runs {
                    let found = |version| self.trailer(version, at / 4).to_vec();
                    self.one_of(&sector[48..], found, checked);
                }
            }
            Family::Type2 => self.check_type2_key(&runs, checked),
            Family::Desfire | Family::Ntag424 => {
                for key in list(&self.card["keys"]) {
                    let version = KeyVersion::new(number(&key["version"]) as u8).unwrap();
                    let found = |held| {
                        let derived = self.application_key(version, number(&key["number"]) as u8);
                        if held == version { derived } else { Vec::new() }
                    };
                    self.one_of(&hexadecimal(&key["key"]), found, checked);
                }
            }
        }
    }

    /// The key is that of one version of the site's key, and of none on another site's card.
    fn one_of(&self, key: &[u8], derived: impl Fn(KeyVersion) -> Vec<u8>, checked: &Checked) {
        let ours = self
            .writer
            .versions()
            .any(|version| derived(version) == key);
        let expected = text(&self.card["name"]) != ELSEWHERE;
        checked.equal(&self.what("keys on the card"), ours, expected);
    }

    fn trailer(&self, version: KeyVersion, sector: u8) -> [u8; 16] {
        let (keys, uid, technology) = (&self.writer, &self.uid, self.technology);
        let trailer = SectorTrailer {
            key_a: sector_key(keys.read_key(version, uid, technology, sector)),
            key_b: sector_key(keys.write_key(version, uid, technology, sector)),
        };
        *trailer.to_block().expose()
    }

    fn check_type2_key(&self, runs: &[(u8, Vec<u8>)], checked: &Checked) {
        let (keys, uid, technology) = (&self.writer, &self.uid, self.technology);
        let page = match technology {
            Technology::MifareUltralight => return,
            Technology::MifareUltralightC => 0x2C,
            Technology::MifareUltralightEv1_48 => 0x12,
            Technology::MifareUltralightEv1_128 => 0x27,
            Technology::Ntag213 => 0x2B,
            Technology::Ntag215 => 0x85,
            _ => 0xE5,
        };
        let (_, on_card) = runs.iter().find(|(at, _)| *at == page).unwrap();
        let derived = |version| {
            if technology == Technology::MifareUltralightC {
                let mut key = keys.read_key(version, uid, technology, 0).unwrap().to_vec();
                key.chunks_mut(8).for_each(<[u8]>::reverse);
                return key;
            }
            let key = keys.write_key(version, uid, technology, 0).unwrap();
            [&key[..6], &[0; 2]].concat()
        };
        self.one_of(on_card, derived, checked);
    }

    fn application_key(&self, version: KeyVersion, index: u8) -> Vec<u8> {
        let (keys, uid, technology) = (&self.writer, &self.uid, self.technology);
        let application = match technology.family() {
            Family::Ntag424 => ntag424::APPLICATION,
            _ => desfire::application(technology),
        };
        let key = if application.identify_key == Some(index) {
            keys.lock().site_wide_key(version, technology, index)
        } else if application.read_key == index {
            keys.read_key(version, uid, technology, index)
        } else {
            keys.write_key(version, uid, technology, index)
        };
        key.unwrap().to_vec()
    }
}

fn run(mut read: impl Procedure<Output = CopiesRead>, mut card: Model) -> CopiesRead {
    let mut last = None;
    for _ in 0..1000 {
        match read.next(last.take()) {
            Step::Exchange(command, _) => last = Some(card.answer(&command)),
            Step::Done(read) => return read.unwrap(),
        }
    }
    panic!("the reading of a card goes on for ever")
}
