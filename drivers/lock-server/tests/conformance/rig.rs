//! An emulated lock server with one encoder, and the cards for it.

use std::time::Duration;

use emulator::{
    Card, Cards, Dialect, Fault, FaultKind, LockServer, LockServerSettings, LockServerWire, Moment,
    Origin, Slot, Technology, When,
};
use encoder::conformance::{self, Rig, Sample, Skip};
use encoder::{LocalTime, Order, OrderKind, Settings, Value};

/// How long the server waits for a card: longer than a case that pulls its cable looks on, and short, as a case that
/// puts no card on lasts as long.
const CARD_WAIT: Duration = Duration::from_secs(1);

/// The server and its drawer of cards.
pub(crate) struct LockServerRig {
    server: LockServer,
    slot: Slot,
    cards: Cards,
    _home: tempfile::TempDir,
}

impl LockServerRig {
    pub(crate) fn salto() -> Result<Self, Skip> {
        Ok(Self::start(Dialect::Salto, |_| LockServerWire::Loopback(0)))
    }

    pub(crate) fn onity() -> Result<Self, Skip> {
        Ok(Self::start(Dialect::Onity, |home| {
            LockServerWire::Terminal(home.join("lock-server"))
        }))
    }

    fn start(dialect: Dialect, wire: impl FnOnce(&std::path::Path) -> LockServerWire) -> Self {
        let home = tempfile::tempdir().unwrap();
        let slot = Slot::new();
        let settings = LockServerSettings::new(dialect)
            .with_encoder("1", slot.clone())
            .with_rooms(["101", "102"]);
        let server = LockServer::start(&settings, wire(home.path())).unwrap();
        server.adjust(|knobs| knobs.card_wait = CARD_WAIT);
        Self {
            server,
            slot,
            cards: Cards::new(),
            _home: home,
        }
    }

    fn card(&self, sample: Sample) -> Card {
        let (technology, uid) = match sample {
            Sample::First => (Technology::MifareClassic1k, "04A1B2C3"),
            Sample::Second => (Technology::MifareClassic1k, "05000001"),
            Sample::Foreign => (Technology::MifareClassic1k, "0600F0E1"),
            Sample::Unsupported => (Technology::MifareUltralight, "04C0FFEE112233"),
        };
        self.cards
            .card(technology, uid.parse().unwrap(), origin(sample))
            .unwrap()
    }

    /// Whether anything tells that the server went or came.
    fn has_a_cable(&self) -> Result<(), Skip> {
        match self.server.address() {
            None => Ok(()),
            Some(_) => Err(Skip::because(
                "that a server on the network went shows only when it is talked to; tests/emulated has it",
            )),
        }
    }
}

fn origin(sample: Sample) -> Origin {
    match sample {
        Sample::Foreign => Origin::Foreign,
        Sample::First | Sample::Second | Sample::Unsupported => Origin::Factory,
    }
}

impl Rig for LockServerRig {
    fn settings(&self) -> Settings {
        let dialect = match self.server.dialect() {
            Dialect::Salto => "salto",
            Dialect::Onity => "onity",
        };
        let (key, place) = match self.server.wire() {
            LockServerWire::Loopback(port) => ("address", format!("tcp://127.0.0.1:{port}")),
            LockServerWire::Terminal(path) => ("port", path.to_str().unwrap().to_owned()),
            other => panic!("{other:?}"),
        };
        [
            (key, place.as_str()),
            ("dialect", dialect),
            ("encoder", "1"),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), Value::Text(value.to_owned())))
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
            conformance::FaultKind::Duplicate => FaultKind::Duplicate,
            conformance::FaultKind::Silence => FaultKind::Stall,
            other => return Err(Skip::because(format!("the emulator has no {other:?}"))),
        };
        self.server
            .faults()
            .set(vec![Fault::new(kind, When::AtFrame(frame))]);
        Ok(())
    }

    fn mend(&self) -> Result<(), Skip> {
        self.server.faults().set(Vec::new());
        Ok(())
    }

    fn frames(&self) -> Result<u64, Skip> {
        Ok(self.server.faults().frames())
    }

    fn faults_happened(&self) -> Result<u64, Skip> {
        Ok(self.server.faults().happened())
    }

    fn unplug(&self) -> Result<(), Skip> {
        self.has_a_cable()?;
        self.server.unplug();
        Ok(())
    }

    fn plug(&self) -> Result<(), Skip> {
        self.has_a_cable()?;
        self.server.plug().unwrap();
        Ok(())
    }

    fn order(&self) -> Result<Order, Skip> {
        let at = |day, hour| LocalTime {
            year: 2026,
            month: 11,
            day,
            hour,
            minute: 0,
        };
        Ok(Order {
            kind: OrderKind::New,
            rooms: vec!["101".to_owned()],
            granted: vec![2],
            denied: vec![],
            starts_at: Some(at(21, 14)),
            ends_at: at(22, 12),
            operator: Some("conformance".to_owned()),
        })
    }
}
