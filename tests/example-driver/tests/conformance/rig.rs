//! An emulated box, with its cards.

use std::cell::RefCell;
use std::path::PathBuf;

use emulator::{Card, Cards, Moment, Origin, Slot, Technology};
use encoder::conformance::{FaultKind, Rig, Sample, Skip};
use encoder::{Settings, Value};

use crate::emulated::{EmulatedBox, SpoiledWire};

/// The box and its drawer of cards.
pub(crate) struct TextboxRig {
    encoder: RefCell<Option<EmulatedBox>>,
    slot: Slot,
    cards: Cards,
    socket: PathBuf,
    _home: tempfile::TempDir,
}

impl TextboxRig {
    pub(crate) fn start() -> Result<Self, Skip> {
        let home = tempfile::tempdir().unwrap();
        let (socket, slot) = (home.path().join("textbox"), Slot::new());
        Ok(Self {
            encoder: RefCell::new(Some(EmulatedBox::start(&socket, slot.clone()))),
            slot,
            cards: Cards::new(),
            socket,
            _home: home,
        })
    }

    fn card(&self, sample: Sample) -> Card {
        let (technology, uid, origin) = kind(sample);
        let uid = uid.parse().unwrap();
        self.cards.card(technology, uid, origin).unwrap()
    }

    fn wire<T>(&self, change: impl FnOnce(&mut SpoiledWire) -> T) -> Result<T, Skip> {
        match &*self.encoder.borrow() {
            Some(encoder) => Ok(encoder.wire(change)),
            None => Err(Skip::because("the box is off")),
        }
    }
}

fn kind(sample: Sample) -> (Technology, &'static str, Origin) {
    match sample {
        Sample::First => (Technology::MifareClassic1k, "04A1B2C3", Origin::Factory),
        Sample::Second => (Technology::MifareClassic1k, "05000001", Origin::Factory),
        Sample::Foreign => (Technology::MifareClassic1k, "0600F0E1", Origin::Foreign),
        Sample::Unsupported => (Technology::Ntag213, "04C0FFEE112233", Origin::Factory),
    }
}

impl Rig for TextboxRig {
    fn settings(&self) -> Settings {
        let socket = self.socket.to_str().unwrap().to_owned();
        [("socket".to_owned(), Value::Text(socket))]
            .into_iter()
            .collect()
    }

    fn place(&self, sample: Sample) -> Result<(), Skip> {
        self.slot.place(&self.card(sample));
        Ok(())
    }

    fn add(&self, sample: Sample) -> Result<(), Skip> {
        self.slot.add(&self.card(sample));
        Ok(())
    }

    fn remove(&self) -> Result<(), Skip> {
        self.slot.remove();
        Ok(())
    }

    fn remove_at(&self, exchange: u64) -> Result<(), Skip> {
        assert!(
            self.slot.remove_at(exchange, Moment::Unanswered),
            "a card lies there"
        );
        Ok(())
    }

    fn renew(&self, sample: Sample) -> Result<(), Skip> {
        self.card(sample).remake(kind(sample).2);
        Ok(())
    }

    fn memory(&self, sample: Sample) -> Result<Vec<u8>, Skip> {
        Ok(self.card(sample).memory())
    }

    fn exchanges(&self) -> Result<u64, Skip> {
        Ok(self.slot.log().exchanges())
    }

    fn writes(&self) -> Result<u64, Skip> {
        let log = self.slot.log();
        Ok(log.forgotten_writes() + log.writes().len() as u64)
    }

    fn fault(&self, kind: FaultKind, frame: u64) -> Result<(), Skip> {
        self.wire(|wire| {
            wire.fault = Some((kind, wire.frames + frame));
            wire.happened = 0;
        })
    }

    fn mend(&self) -> Result<(), Skip> {
        self.wire(|wire| wire.fault = None)
    }

    fn frames(&self) -> Result<u64, Skip> {
        self.wire(|wire| wire.frames)
    }

    fn faults_happened(&self) -> Result<u64, Skip> {
        self.wire(|wire| wire.happened)
    }

    fn unplug(&self) -> Result<(), Skip> {
        self.encoder.replace(None);
        Ok(())
    }

    fn plug(&self) -> Result<(), Skip> {
        let again = EmulatedBox::start(&self.socket, self.slot.clone());
        self.encoder.replace(Some(again));
        Ok(())
    }
}
