//! One emulated encoder with its cards, and the commands that the tests send.

use std::time::{Duration, Instant};

use card::{BlockData, ClassicCommand, ClassicKey, Command, KeyType};
use driver_pn532::Pn532Driver;
use emulator::{Card, Cards, Options, Origin, Pn532Encoder, Slot, Technology};
use encoder::{
    BlockEncoder, CardSession, CardWait, Driver as _, Encoder, Error, ErrorKind, Opening, Selector,
    Stop,
};

/// Generous: it only keeps a broken test from hanging.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
pub(crate) const TRANSPORT: [u8; 6] = [0xFF; 6];
pub(crate) const NEW_UID: &str = "04A1B2C3D4E5F6";

/// One emulated encoder with its drawer of cards.
pub(crate) struct Rig {
    pub(crate) encoder: Pn532Encoder,
    cards: Cards,
    _home: tempfile::TempDir,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self {
            encoder: Pn532Encoder::start(Slot::new(), home.path().join("front-desk")).unwrap(),
            cards: Cards::new(),
            _home: home,
        }
    }

    pub(crate) fn slot(&self) -> &Slot {
        self.encoder.slot()
    }

    pub(crate) fn card(&self, uid: &str) -> Card {
        self.cards
            .card(
                Technology::MifareClassic1k,
                uid.parse().unwrap(),
                Origin::Factory,
            )
            .unwrap()
    }

    pub(crate) fn place(&self, uid: &str) {
        self.slot().place(&self.card(uid));
    }

    /// Places a card of any technology as it leaves the factory.
    pub(crate) fn place_new(&self, technology: Technology) -> Card {
        let uid = NEW_UID.parse().unwrap();
        let card = self.cards.card(technology, uid, Origin::Factory).unwrap();
        self.slot().place(&card);
        card
    }

    /// Places a card that says another UID whenever it gets power.
    pub(crate) fn place_with_changing_uid(&self, technology: Technology) {
        let uid = NEW_UID.parse().unwrap();
        let options = Options::default().with_random_uid();
        let card = self
            .cards
            .card_with(technology, uid, Origin::Factory, &options);
        self.slot().place(&card.unwrap());
    }

    /// Lays one more card beside what lies there.
    pub(crate) fn add(&self, technology: Technology, uid: &str) {
        let uid = uid.parse().unwrap();
        let card = self.cards.card(technology, uid, Origin::Factory).unwrap();
        self.slot().add(&card);
    }

    pub(crate) fn selector(&self) -> Selector {
        Selector::Port(self.encoder.path().to_owned())
    }

    pub(crate) fn try_open(&self) -> Result<Box<dyn BlockEncoder>, Error> {
        self.try_open_by(&Pn532Driver::default())
    }

    pub(crate) fn try_open_by(&self, driver: &Pn532Driver) -> Result<Box<dyn BlockEncoder>, Error> {
        let Encoder::Block(encoder) = driver.open(&self.selector(), &Opening::default())? else {
            panic!("an encoder of another kind");
        };
        Ok(encoder)
    }

    pub(crate) fn open(&self) -> Box<dyn BlockEncoder> {
        self.try_open().unwrap()
    }

    pub(crate) fn field_becomes(&self, on: bool) {
        assert!(self.slot().wait_for(LIMIT, |now| now.is_field_on == on));
    }
}

pub(crate) fn select(encoder: &mut dyn BlockEncoder) -> Box<dyn CardSession + '_> {
    encoder
        .select(CardWait::Resting, Instant::now() + LIMIT, &Stop::default())
        .unwrap()
}

pub(crate) fn refusal(
    encoder: &mut dyn BlockEncoder,
    wait: CardWait,
    within_ms: u64,
    stop: &Stop,
) -> ErrorKind {
    let deadline = Instant::now() + Duration::from_millis(within_ms);
    match encoder.select(wait, deadline, stop) {
        Ok(session) => panic!("selected {:?}", session.card()),
        Err(error) => error.kind(),
    }
}

pub(crate) fn authenticate(block: u8, key: [u8; 6]) -> Command {
    Command::Classic(ClassicCommand::Authenticate {
        block,
        key_type: KeyType::A,
        key: ClassicKey::new(key),
    })
}

pub(crate) fn read(block: u8) -> Command {
    Command::Classic(ClassicCommand::Read { block })
}

pub(crate) fn write(block: u8, bytes: [u8; 16]) -> Command {
    Command::Classic(ClassicCommand::Write {
        block,
        data: BlockData::new(bytes),
    })
}
