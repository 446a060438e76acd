//! An emulated PN532 at the end of a serial line, with its cards.

use emulator::{Card, Cards, Moment, Origin, Pn532Encoder, Slot, Technology};
use encoder::conformance::{Rig, Sample, Skip};
use encoder::{Settings, Value};

/// The encoder and its drawer of cards.
pub(crate) struct Pn532Rig {
    encoder: Pn532Encoder,
    cards: Cards,
    _home: tempfile::TempDir,
}

impl Pn532Rig {
    pub(crate) fn start() -> Result<Self, Skip> {
        let home = tempfile::tempdir().unwrap();
        Ok(Self {
            encoder: Pn532Encoder::start(Slot::new(), home.path().join("front-desk")).unwrap(),
            cards: Cards::new(),
            _home: home,
        })
    }

    fn card(&self, sample: Sample) -> Card {
        let (technology, uid, origin) = kind(sample);
        let uid = uid.parse().unwrap();
        self.cards.card(technology, uid, origin).unwrap()
    }
}

fn kind(sample: Sample) -> (Technology, &'static str, Origin) {
    match sample {
        Sample::First => (Technology::MifareClassic1k, "04A1B2C3", Origin::Factory),
        Sample::Second => (Technology::MifareClassic1k, "05000001", Origin::Factory),
        Sample::Foreign => (Technology::MifareClassic1k, "0600F0E1", Origin::Foreign),
        Sample::Unsupported => (Technology::MifareClassicMini, "07C0FFEE", Origin::Factory),
    }
}

impl Rig for Pn532Rig {
    fn settings(&self) -> Settings {
        let port = self.encoder.path().to_str().unwrap().to_owned();
        [("port".to_owned(), Value::Text(port))]
            .into_iter()
            .collect()
    }

    fn place(&self, sample: Sample) -> Result<(), Skip> {
        self.encoder.slot().place(&self.card(sample));
        Ok(())
    }

    fn add(&self, sample: Sample) -> Result<(), Skip> {
        self.encoder.slot().add(&self.card(sample));
        Ok(())
    }

    fn remove(&self) -> Result<(), Skip> {
        self.encoder.slot().remove();
        Ok(())
    }

    fn remove_at(&self, exchange: u64) -> Result<(), Skip> {
        assert!(
            self.encoder.slot().remove_at(exchange, Moment::Unanswered),
            "a card lies there"
        );
        Ok(())
    }

    fn renew(&self, sample: Sample) -> Result<(), Skip> {
        let (_, _, origin) = kind(sample);
        self.card(sample).remake(origin);
        Ok(())
    }

    fn memory(&self, sample: Sample) -> Result<Vec<u8>, Skip> {
        Ok(self.card(sample).memory())
    }

    fn exchanges(&self) -> Result<u64, Skip> {
        Ok(self.encoder.slot().log().exchanges())
    }

    fn writes(&self) -> Result<u64, Skip> {
        let log = self.encoder.slot().log();
        Ok(log.forgotten_writes() + log.writes().len() as u64)
    }

    fn unplug(&self) -> Result<(), Skip> {
        self.encoder.unplug();
        Ok(())
    }

    fn plug(&self) -> Result<(), Skip> {
        self.encoder.plug().unwrap();
        Ok(())
    }
}
