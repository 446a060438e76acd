//! Virtual cards and encoders that speak the real wire protocols, so that drivers and software by
//! others can be tried without hardware. Threads, no async runtime, no sibling crate: access bits,
//! checksums and frames are written here from the documents, apart from the product's own.
//!
//! The map, from the plastic outwards:
//!
//! - [`Uid`], [`Technology`], [`Card`] and [`Cards`]: the cards and the drawer they live in. A known
//!   UID always comes back with its memory. `card/` holds how a card behaves on the air, one module
//!   per family; what comes from memory and not from a document at hand is marked there.
//! - [`Slot`]: the place on one encoder where cards lie. The steering thread places and removes
//!   cards there (at once, or in the midst of an exchange); the wire thread talks to them there; every
//!   exchange and every byte that reaches a card's EEPROM is in its [`Log`].
//! - [`Pn532Encoder`]: an NXP PN532 at the end of a serial line, on a pseudo-terminal.
//! - [`PcscReader`]: a contactless PC/SC reader behind `vpcd` under a real `pcscd`, and
//!   [`PrivatePcscd`], an unprivileged `pcscd` of one's own for tests.
//! - [`LockServer`]: a SALTO or Onity lock server with its encoders, by TCP or on a serial line. It makes the
//!   cards itself, for whom and for how long its clients say.
//! - [`Antenna`]: a reader without a wire, for what runs on a card in memory.
//!
//! What goes wrong has one place each: a card that leaves in the midst of an exchange in `slot/state.rs`, memory that
//! is torn or weak in `card/eeprom.rs`, frames that are lost or damaged on a wire in `faults/`. So has time: the
//! air's and the cards' in `air.rs` and `slot/pace.rs`, a serial line's in `pn532/line/lane.rs`. Nothing here knows
//! what the bytes on a card mean.
//!
//! ```no_run
//! use emulator::{Cards, Origin, Pn532Encoder, Slot, Technology};
//!
//! let cards = Cards::new();
//! let slot = Slot::new();
//! let encoder = Pn532Encoder::start(slot.clone(), "/tmp/front-desk")?;
//! let card = cards.card(Technology::MifareClassic1k, "04A1B2C3".parse()?, Origin::Factory)?;
//! slot.place(&card);
//! slot.remove_after_exchanges(3);
//! # drop(encoder);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod air;
mod antenna;
mod bell;
mod card;
mod cards;
mod faults;
mod lock_server;
mod pn532;
mod reader;
mod slot;
mod terminal;
mod vpcd;

pub use antenna::{Answer, Antenna};
pub use card::{Storage, StoredFile, Technology, Uid, UidError, UnknownTechnology};
pub use cards::{Card, Cards, CardsError, MemoryError, Options, Origin};
pub use faults::{Fault, FaultKind, Faults, Way, When};
pub use lock_server::{
    Dialect, ErrorCode, LateAnswers, LockServer, LockServerError, LockServerKnobs,
    LockServerSettings, LockServerSituation, LockServerWire, SecondConnection, Segments, Served,
    SpecialCard,
};
pub use pn532::{EncoderError, LinePace, Pn532Encoder};
pub use reader::Selected;
pub use slot::{
    EepromWrite, Exchange, ExchangeKind, KeyType, Log, Moment, Pace, Programming, Situation, Slot,
};
pub use vpcd::{
    KeyStructures, PcscReader, PcscdError, PrivatePcscd, RawFrames, ReaderError, ReaderSettings,
};
