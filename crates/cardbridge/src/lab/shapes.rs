//! The lab's JSON: what its requests may hold and what its answers look like.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::SystemTime;

use emulator::{Card, Dialect, EepromWrite, Exchange, Faults, Log, Programming};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::command::CommandShape;
use super::{EncoderView, LockServerView, Name};

/// `PUT /encoders/{name}/card`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceCard {
    pub(super) technology: Option<String>,
    pub(super) uid: Option<String>,
    #[serde(default)]
    pub(super) foreign: bool,
    #[serde(default)]
    pub(super) random_uid: bool,
    /// The cards that lie there stay.
    #[serde(default)]
    pub(super) beside: bool,
}

/// `DELETE /encoders/{name}/card`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveCard {
    pub(super) after_exchanges: Option<u64>,
}

/// `GET /locks/{entrance_id}/decision`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShowToLock {
    pub(super) uid: String,
    pub(super) at: Option<Timestamp>,
    #[serde(default)]
    pub(super) commit: bool,
}

/// An encoder.
#[derive(Debug, Serialize)]
pub(super) struct EncoderShape {
    name: Name,
    acs_encoder_id: Option<Uuid>,
    port: Option<PathBuf>,
    vpcd_port: Option<u16>,
    lock_server: Option<LockServerShape>,
    is_plugged: bool,
    card: Option<CardShape>,
    /// Cards that were put beside it.
    other_cards: Vec<CardShape>,
}

/// The lock server that an encoder belongs to, and what clients call the encoder there.
#[derive(Debug, Serialize)]
pub struct LockServerShape {
    dialect: &'static str,
    encoder: String,
    address: Option<SocketAddr>,
    port: Option<PathBuf>,
}

impl From<LockServerView> for LockServerShape {
    fn from(view: LockServerView) -> Self {
        Self {
            dialect: match view.dialect {
                Dialect::Salto => "salto",
                Dialect::Onity => "onity",
            },
            encoder: view.encoder,
            address: view.address,
            port: view.port,
        }
    }
}

/// A card.
#[derive(Debug, Serialize)]
pub(super) struct CardShape {
    uid: String,
    technology: &'static str,
}

impl From<EncoderView> for EncoderShape {
    fn from(view: EncoderView) -> Self {
        Self {
            card: view.cards.first().map(CardShape::from),
            other_cards: view.cards.iter().skip(1).map(CardShape::from).collect(),
            name: view.name,
            acs_encoder_id: view.acs_encoder_id,
            port: view.port,
            vpcd_port: view.vpcd_port,
            lock_server: view.lock_server.map(LockServerShape::from),
            is_plugged: view.is_plugged,
        }
    }
}

impl From<&Card> for CardShape {
    fn from(card: &Card) -> Self {
        Self {
            uid: card.uid().to_string(),
            technology: card.technology().name(),
        }
    }
}

/// What happened on an encoder.
#[derive(Debug, Serialize)]
pub(super) struct LogShape {
    /// Since the lab was started, selections not counted.
    exchanges: u64,
    /// Frames that the encoder sent since the lab was started.
    frames: u64,
    /// How many of the faults that were set have taken effect.
    faults_happened: u64,
    imposed_ms: ImposedShape,
    /// The latest exchanges, oldest first.
    recent_exchanges: Vec<ExchangeShape>,
    /// The latest writes, oldest first.
    writes: Vec<WriteShape>,
    /// Writes so old that they are no longer listed.
    forgotten_writes: u64,
}

#[derive(Debug, Serialize)]
struct ExchangeShape {
    number: u64,
    at: Option<Timestamp>,
    uid: String,
    #[serde(flatten)]
    command: CommandShape,
    action_attempt_id: Option<String>,
}

#[derive(Debug, Serialize)]
struct WriteShape {
    exchange: u64,
    at: Option<Timestamp>,
    uid: String,
    block: u16,
    before: String,
    after: String,
    is_torn: bool,
    is_weak: bool,
    action_attempt_id: Option<String>,
}

/// The time that a real line and real cards would have taken, in milliseconds, whether it was waited out or not.
#[derive(Debug, Serialize)]
struct ImposedShape {
    line: f64,
    card: f64,
}

impl LogShape {
    /// What happened on an encoder and on its wire.
    pub(super) fn of(log: &Log, faults: &Faults) -> Self {
        Self {
            exchanges: log.exchanges(),
            frames: faults.frames(),
            faults_happened: faults.happened(),
            imposed_ms: ImposedShape {
                line: log.imposed_by_line().as_secs_f64() * 1000.0,
                card: log.imposed().as_secs_f64() * 1000.0,
            },
            recent_exchanges: log.recent().iter().map(ExchangeShape::from).collect(),
            writes: log.writes().iter().map(WriteShape::from).collect(),
            forgotten_writes: log.forgotten_writes(),
        }
    }
}

impl From<&Exchange> for ExchangeShape {
    fn from(exchange: &Exchange) -> Self {
        Self {
            number: exchange.number,
            at: timestamp(exchange.at),
            uid: exchange.uid.to_string(),
            command: CommandShape::from(exchange.kind),
            action_attempt_id: exchange.attempt.clone(),
        }
    }
}

impl From<&EepromWrite> for WriteShape {
    fn from(write: &EepromWrite) -> Self {
        Self {
            exchange: write.exchange,
            at: timestamp(write.at),
            uid: write.uid.to_string(),
            block: write.block,
            before: hex::encode_upper(&write.before),
            after: hex::encode_upper(&write.after),
            is_torn: write.programming == Programming::Torn,
            is_weak: write.programming == Programming::Weak,
            action_attempt_id: write.attempt.clone(),
        }
    }
}

/// Absent only when the machine's clock is set beyond the year 9999.
fn timestamp(at: SystemTime) -> Option<Timestamp> {
    Timestamp::try_from(at).ok()
}
