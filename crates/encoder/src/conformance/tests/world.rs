//! A device in a folder: what lies on it, what it holds and what is to go wrong are files, so that two processes see the
//! same one. It is also the rig.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::conformance::{FaultKind, Rig, Sample, Skip};
use crate::{Settings, Value};

/// Bytes of a MIFARE Classic 1K.
const SIZE: usize = 1024;

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct World(PathBuf);

impl World {
    pub(super) fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn text(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.file(name)).ok()
    }

    pub(super) fn number(&self, name: &str) -> u64 {
        self.text(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    }

    /// Written beside and put in place, so that nobody reads half of it.
    pub(super) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let beside = self.file("beside");
        fs::write(&beside, content).unwrap();
        fs::rename(beside, self.file(name)).unwrap();
    }

    fn forget(&self, name: &str) {
        let _ = fs::remove_file(self.file(name));
    }

    pub(super) fn count(&self, name: &str) -> u64 {
        let number = self.number(name) + 1;
        self.put(name, number.to_string());
        number
    }

    pub(super) fn is_plugged(&self) -> bool {
        self.file("plugged").exists()
    }

    pub(super) fn is_silent(&self) -> bool {
        self.file("silent").exists()
    }

    /// The cards on the device, by their numbers in [`SAMPLES`].
    pub(super) fn lying(&self) -> Vec<usize> {
        let text = self.text("lying").unwrap_or_default();
        text.split_whitespace()
            .map(|sample| sample.parse().unwrap())
            .collect()
    }

    pub(super) fn lay(&self, cards: &[usize]) {
        let cards: Vec<_> = cards.iter().map(usize::to_string).collect();
        self.put("lying", cards.join(" "));
    }

    pub(super) fn content(&self, card: usize) -> Vec<u8> {
        fs::read(self.file(&format!("card {card}"))).unwrap()
    }

    pub(super) fn set_content(&self, card: usize, content: &[u8]) {
        self.put(&format!("card {card}"), content);
    }

    /// One more frame of the device: whether it is spoiled, or lost in silence.
    pub(super) fn frame(&self) -> Option<&'static str> {
        let frame = self.count("frames");
        if self.number("spoiled frame") != frame {
            return None;
        }
        self.count("spoiled");
        if self.file("is to be silent").exists() {
            self.put("silent", "");
        }
        Some("a frame makes no sense")
    }
}

/// The cards.
const SAMPLES: [Sample; 4] = [
    Sample::First,
    Sample::Second,
    Sample::Foreign,
    Sample::Unsupported,
];

/// The number of the card that the encoder cannot work with.
pub(super) const UNSUPPORTED: usize = 3;

fn number(sample: Sample) -> usize {
    SAMPLES.iter().position(|known| *known == sample).unwrap()
}

/// What a card is made with: in every sector three blocks of data and a trailer.
fn made(sample: Sample) -> Vec<u8> {
    let (key, fill) = match sample {
        Sample::Foreign => ([0xC0, 0xDE, 0x0F, 0xF1, 0xCE, 0x5A], 0x77),
        _ => ([0xFF; 6], 0),
    };
    let mut content = vec![fill; SIZE];
    for trailer in content.chunks_mut(16).skip(3).step_by(4) {
        trailer[..6].copy_from_slice(&key);
        trailer[6..10].copy_from_slice(&[0xFF, 0x07, 0x80, 0x69]);
        trailer[10..].copy_from_slice(&key);
    }
    content[..4].copy_from_slice(&uid(number(sample)));
    content
}

pub(super) fn uid(card: usize) -> [u8; 4] {
    [0x04, 0xA1, 0xB2, 0xC0 + u8::try_from(card).unwrap()]
}

/// The rig: the folder, and where it lies.
pub(super) struct WorldRig {
    world: World,
    home: tempfile::TempDir,
    patience: Duration,
}

impl WorldRig {
    /// A rig whose patience is this.
    pub(super) fn new(patience: Duration) -> Self {
        // In memory where there is such a place: every exchange is a few files.
        let home = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let home = home.unwrap();
        let world = World::at(home.path());
        for sample in SAMPLES {
            world.set_content(number(sample), &made(sample));
        }
        world.put("plugged", "");
        Self {
            world,
            home,
            patience,
        }
    }
}

impl Rig for WorldRig {
    fn settings(&self) -> Settings {
        let folder = self.home.path().to_str().unwrap().to_owned();
        [("folder".to_owned(), Value::Text(folder))]
            .into_iter()
            .collect()
    }

    fn place(&self, sample: Sample) -> Result<(), Skip> {
        self.world.lay(&[number(sample)]);
        Ok(())
    }

    fn add(&self, sample: Sample) -> Result<(), Skip> {
        let mut lying = self.world.lying();
        lying.push(number(sample));
        self.world.lay(&lying);
        Ok(())
    }

    fn remove(&self) -> Result<(), Skip> {
        self.world.lay(&[]);
        Ok(())
    }

    fn remove_at(&self, exchange: u64) -> Result<(), Skip> {
        let at = self.world.number("exchanges") + exchange;
        self.world.put("removed at", at.to_string());
        Ok(())
    }

    fn renew(&self, sample: Sample) -> Result<(), Skip> {
        self.world.set_content(number(sample), &made(sample));
        Ok(())
    }

    fn memory(&self, sample: Sample) -> Result<Vec<u8>, Skip> {
        Ok(self.world.content(number(sample)))
    }

    fn exchanges(&self) -> Result<u64, Skip> {
        Ok(self.world.number("exchanges"))
    }

    fn writes(&self) -> Result<u64, Skip> {
        Ok(self.world.number("writes"))
    }

    fn fault(&self, kind: FaultKind, frame: u64) -> Result<(), Skip> {
        self.mend()?;
        if kind == FaultKind::Silence {
            self.world.put("is to be silent", "");
        }
        let at = self.world.number("frames") + frame;
        self.world.put("spoiled frame", at.to_string());
        Ok(())
    }

    fn mend(&self) -> Result<(), Skip> {
        self.world.forget("spoiled frame");
        self.world.forget("is to be silent");
        Ok(())
    }

    fn frames(&self) -> Result<u64, Skip> {
        Ok(self.world.number("frames"))
    }

    fn faults_happened(&self) -> Result<u64, Skip> {
        Ok(self.world.number("spoiled"))
    }

    fn unplug(&self) -> Result<(), Skip> {
        self.world.forget("plugged");
        self.world.forget("silent");
        Ok(())
    }

    fn plug(&self) -> Result<(), Skip> {
        self.mend()?;
        self.world.put("plugged", "");
        Ok(())
    }

    fn patience(&self) -> Duration {
        self.patience
    }
}
