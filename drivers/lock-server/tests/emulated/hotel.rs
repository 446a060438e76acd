//! A hotel: a lock server with two encoders and some rooms, the driver, and a drawer of cards.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use driver_lock_server::LockServerDriver;
use emulator::{
    Cards, Dialect, LockServer, LockServerKnobs, LockServerSettings, LockServerWire, Origin, Slot,
    Technology,
};
use encoder::{
    Driver as _, Encoder, Error, IssueError, Issued, IssuingEncoder, LocalTime, Opening, Order,
    OrderKind, Recorder, ServerCard, ServerCardContent, ServerGuestCard, Settings, Stop, Value,
};

/// Generous: it only keeps a broken test from hanging.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) const BOTH: [Dialect; 2] = [Dialect::Salto, Dialect::Onity];

pub(crate) struct Hotel {
    pub(crate) server: LockServer,
    pub(crate) driver: LockServerDriver,
    slots: [Slot; 2],
    cards: Cards,
}

impl Hotel {
    /// By TCP.
    pub(crate) fn new(dialect: Dialect) -> Self {
        let slots = [Slot::new(), Slot::new()];
        let settings = LockServerSettings::new(dialect)
            .with_encoder("1", slots[0].clone())
            .with_encoder("2", slots[1].clone())
            .with_rooms(["101", "102", "103", "104"]);
        let server = LockServer::start(&settings, LockServerWire::Loopback(0)).unwrap();
        Self {
            server,
            driver: LockServerDriver::default(),
            slots,
            cards: Cards::new(),
        }
    }

    pub(crate) fn adjust(&self, turn: impl FnOnce(&mut LockServerKnobs)) {
        self.server.adjust(turn);
    }

    /// Puts a card on an encoder, a new one if it was never there.
    pub(crate) fn place(&self, encoder: usize, uid: &str) {
        let technology = Technology::MifareClassic1k;
        let card = self
            .cards
            .card(technology, uid.parse().unwrap(), Origin::Factory)
            .unwrap();
        self.slots[encoder - 1].place(&card);
    }

    pub(crate) fn remove(&self, encoder: usize) {
        self.slots[encoder - 1].remove();
    }

    pub(crate) fn try_open(&self, encoder: &str) -> Result<Desk, Error> {
        let address = self.server.address().unwrap();
        open_at(&self.driver, address, self.server.dialect(), encoder, None)
    }

    pub(crate) fn open(&self, encoder: &str) -> Desk {
        self.try_open(encoder).unwrap()
    }

    /// How many cards the server was asked to make, as far as it acknowledged.
    pub(crate) fn cards_asked_for(&self) -> usize {
        let served = self.server.served();
        served
            .iter()
            .filter(|it| matches!(it.asked[0].as_str(), "CN" | "CC"))
            .count()
    }
}

/// Opens an encoder of whatever is at that address.
pub(crate) fn open_at(
    driver: &LockServerDriver,
    address: SocketAddr,
    dialect: Dialect,
    encoder: &str,
    recorder: Option<Recorder>,
) -> Result<Desk, Error> {
    let dialect = match dialect {
        Dialect::Salto => "salto",
        Dialect::Onity => "onity",
    };
    let address = format!("tcp://{address}");
    let settings: Settings = [
        ("address", address.as_str()),
        ("dialect", dialect),
        ("encoder", encoder),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), Value::Text(value.to_owned())))
    .collect();
    let selector = driver.configure(&settings).unwrap();
    match driver.open(&selector, &Opening { settings, recorder })? {
        Encoder::Issuing(encoder) => Ok(Desk(encoder)),
        Encoder::Block(_) => panic!("it lends cards"),
    }
}

pub(crate) struct Desk(Box<dyn IssuingEncoder>);

impl Desk {
    pub(crate) fn issue(&mut self, order: &Order) -> Result<Issued, IssueError> {
        self.0
            .issue(order, Instant::now() + LIMIT, &Stop::default())
    }

    pub(crate) fn read(&mut self) -> Result<ServerCard, Error> {
        self.0.read(Instant::now() + LIMIT, &Stop::default())
    }

    #[track_caller]
    pub(crate) fn reads_a_guests_card(&mut self) -> ServerGuestCard {
        match self.read().unwrap().content {
            ServerCardContent::Guest(card) => *card,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn at(day: u8, hour: u8, minute: u8) -> LocalTime {
    LocalTime {
        year: 2026,
        month: 11,
        day,
        hour,
        minute,
    }
}

pub(crate) fn order(kind: OrderKind, rooms: &[&str]) -> Order {
    Order {
        kind,
        rooms: rooms.iter().map(|&it| it.to_owned()).collect(),
        granted: vec![3, 6],
        denied: vec![],
        starts_at: Some(at(21, 14, 20)),
        ends_at: at(22, 11, 30),
        operator: Some("night desk".to_owned()),
    }
}
