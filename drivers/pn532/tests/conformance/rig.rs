//! An emulated PN532 at the end of a serial line, with its cards.

use emulator::{
    Card, Cards, Fault, FaultKind, Moment, Options, Origin, Pn532Encoder, Slot, Technology, When,
};
use encoder::conformance::{self, Rig, Sample, Skip};
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
        let uid = match sample {
            Sample::First => "04A1B2C3",
            Sample::Second => "05000001",
            Sample::Foreign => "0600F0E1",
            Sample::Unsupported => "07C0FFEE",
        };
        let options = match sample {
            // What an old MIFARE Classic 2K says of itself (NXP AN10833, table 6).
            Sample::Unsupported => Options::default().with_sak(0x19),
            _ => Options::default(),
        };
        self.cards
            .card_with(
                Technology::MifareClassic1k,
                uid.parse().unwrap(),
                origin(sample),
                &options,
            )
            .unwrap()
    }
}

fn origin(sample: Sample) -> Origin {
    match sample {
        Sample::Foreign => Origin::Foreign,
        Sample::First | Sample::Second | Sample::Unsupported => Origin::Factory,
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
        self.card(sample).remake(origin(sample));
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

    fn fault(&self, kind: conformance::FaultKind, frame: u64) -> Result<(), Skip> {
        let kind = match kind {
            conformance::FaultKind::Lost => FaultKind::Drop,
            conformance::FaultKind::Late(time) => FaultKind::Delay(time),
            conformance::FaultKind::Garbage => FaultKind::Garble,
            conformance::FaultKind::Truncated => FaultKind::Truncate,
            conformance::FaultKind::Oversize => FaultKind::Oversize,
            conformance::FaultKind::Duplicate => FaultKind::Duplicate,
            conformance::FaultKind::Silence => FaultKind::Stall,
            other => return Err(Skip::because(format!("the emulator has no {other:?}"))),
        };
        let fault = Fault::new(kind, When::AtFrame(frame));
        self.encoder.faults().set(vec![fault]);
        Ok(())
    }

    fn mend(&self) -> Result<(), Skip> {
        self.encoder.faults().set(Vec::new());
        Ok(())
    }

    fn frames(&self) -> Result<u64, Skip> {
        Ok(self.encoder.faults().frames())
    }

    fn faults_happened(&self) -> Result<u64, Skip> {
        Ok(self.encoder.faults().happened())
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
