//! What every driver must do, asked of this one with an emulated reader behind a `pcscd` of its own.

use std::cell::{Cell, RefCell};

use driver_pcsc::PcscDriver;
use emulator::{
    Card, Cards, Fault, FaultKind, Moment, Origin, PcscdError, PrivatePcscd, RawFrames,
    ReaderSettings, Slot, Technology, When,
};
use encoder::conformance::{self, Rig, Sample, Skip};
use encoder::{Settings, Value};

use crate::rig::{RunningPcscd, await_news, watched, with_pcscd};

encoder::conformance_tests! {
    driver: PcscDriver::default(),
    rig: PcscRig::start(),
    around: with_pcscd,
}

/// The service with one reader that has no way to send raw frames, and a drawer of cards.
struct PcscRig {
    slot: Slot,
    cards: Cards,
    reader: String,
    pcscd: RefCell<Option<RunningPcscd>>,
    /// Frames and faults of the readers before: each start of the service has one of its own.
    before: Cell<(u64, u64)>,
}

impl PcscRig {
    fn start() -> Result<Self, Skip> {
        if let Err(PcscdError::Missing { what, package }) = PrivatePcscd::start(1) {
            return Err(Skip::because(format!("{what} is missing ({package})")));
        }
        let slot = Slot::new();
        let pcscd = start(&slot);
        Ok(Self {
            reader: pcscd.name.clone(),
            slot,
            cards: Cards::new(),
            pcscd: RefCell::new(Some(pcscd)),
            before: Cell::new((0, 0)),
        })
    }

    fn card(&self, sample: Sample) -> Card {
        let (technology, uid) = match sample {
            Sample::First => (Technology::MifareClassic1k, "04A1B2C3"),
            Sample::Second => (Technology::MifareClassic1k, "05000001"),
            Sample::Foreign => (Technology::MifareClassic1k, "0600F0E1"),
            // Its version is asked by a raw frame.
            Sample::Unsupported => (Technology::Ntag213, "04A1B2C3D4E5F6"),
        };
        let uid = uid.parse().unwrap();
        self.cards.card(technology, uid, origin(sample)).unwrap()
    }

    /// Waits until the service has seen whether a card lies there. It looks every 400 ms, and what comes and goes between
    /// two looks it never sees. It counts insertions and removals, the first insertion with 1.
    fn await_pcscd(&self) {
        if self.pcscd.borrow().is_some() {
            let (context, mut states) = watched(&self.reader);
            while states[0].event_count() % 2 != u32::from(!self.slot.cards().is_empty()) {
                let count = states[0].event_count();
                await_news(&context, &mut states, count);
            }
        }
    }

    fn set_faults(&self, faults: Vec<Fault>) {
        if let Some(pcscd) = &*self.pcscd.borrow() {
            pcscd.reader.faults().set(faults);
        }
    }

    /// Frames and faults so far.
    fn counted(&self) -> (u64, u64) {
        let (frames, happened) = self.before.get();
        match &*self.pcscd.borrow() {
            Some(pcscd) => {
                let faults = pcscd.reader.faults();
                (frames + faults.frames(), happened + faults.happened())
            }
            None => (frames, happened),
        }
    }
}

fn start(slot: &Slot) -> RunningPcscd {
    let settings = ReaderSettings::default().with_raw_frames(RawFrames::None);
    RunningPcscd::start(slot, settings)
}

fn origin(sample: Sample) -> Origin {
    match sample {
        Sample::Foreign => Origin::Foreign,
        Sample::First | Sample::Second | Sample::Unsupported => Origin::Factory,
    }
}

impl Rig for PcscRig {
    fn settings(&self) -> Settings {
        [("reader".to_owned(), Value::Text(self.reader.clone()))]
            .into_iter()
            .collect()
    }

    fn place(&self, sample: Sample) -> Result<(), Skip> {
        self.remove()?;
        self.slot.place(&self.card(sample));
        self.await_pcscd();
        Ok(())
    }

    fn add(&self, _: Sample) -> Result<(), Skip> {
        Err(Skip::because(
            "a PC/SC reader shows one card, however many lie on it",
        ))
    }

    fn remove(&self) -> Result<(), Skip> {
        self.slot.remove();
        self.await_pcscd();
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
        // Behind the service's back the card would have lost its supply.
        self.remove()?;
        self.card(sample).remake(origin(sample));
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

    fn fault(&self, kind: conformance::FaultKind, frame: u64) -> Result<(), Skip> {
        let kind = match kind {
            conformance::FaultKind::Lost => FaultKind::Drop,
            conformance::FaultKind::Late(time) => FaultKind::Delay(time),
            conformance::FaultKind::Garbage => FaultKind::Garble,
            conformance::FaultKind::Truncated => FaultKind::Truncate,
            conformance::FaultKind::Oversize => FaultKind::Oversize,
            conformance::FaultKind::Silence => FaultKind::Stall,
            conformance::FaultKind::Duplicate => {
                return Err(Skip::because(
                    "CCID numbers its messages: none is taken twice",
                ));
            }
            other => return Err(Skip::because(format!("no PC/SC reader has {other:?}"))),
        };
        self.set_faults(vec![Fault::new(kind, When::AtFrame(frame))]);
        Ok(())
    }

    fn mend(&self) -> Result<(), Skip> {
        self.set_faults(Vec::new());
        // A card that fell silent may be seen to leave and to come back.
        self.await_pcscd();
        Ok(())
    }

    fn frames(&self) -> Result<u64, Skip> {
        Ok(self.counted().0)
    }

    fn faults_happened(&self) -> Result<u64, Skip> {
        Ok(self.counted().1)
    }

    /// `vpcd` shows no cable: the service goes, and the reader with it.
    fn unplug(&self) -> Result<(), Skip> {
        self.before.set(self.counted());
        if let Some(pcscd) = self.pcscd.take() {
            pcscd.stop();
        }
        Ok(())
    }

    fn plug(&self) -> Result<(), Skip> {
        *self.pcscd.borrow_mut() = Some(start(&self.slot));
        self.await_pcscd();
        Ok(())
    }
}
