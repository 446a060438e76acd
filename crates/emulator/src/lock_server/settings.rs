//! What a lock server is, and how it behaves where servers differ or misbehave.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use super::error_code::ErrorCode;
use crate::slot::Slot;

/// Whose way to speak the "PMS Industry Standard".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SALTO: encoders have names, times have minutes, an enquiry is optional.
    Salto,
    /// Onity HT22, HT24, HT28: encoders have numbers, times have hours only, every command needs an enquiry.
    Onity,
}

/// How clients reach a server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockServerWire {
    /// TCP at this port of 127.0.0.1; 0 for a free one, kept when the server is restarted.
    Loopback(u16),
    /// RS-232: a pseudo-terminal behind a symbolic link at this path.
    Terminal(PathBuf),
}

/// What a lock server is set up with.
#[derive(Debug, Clone)]
pub struct LockServerSettings {
    pub(super) dialect: Dialect,
    pub(super) encoders: Vec<(String, Slot)>,
    pub(super) rooms: Vec<String>,
    pub(super) site: u32,
}

impl LockServerSettings {
    /// A server without encoders and rooms.
    #[must_use]
    pub fn new(dialect: Dialect) -> LockServerSettings {
        LockServerSettings {
            dialect,
            encoders: Vec::new(),
            rooms: Vec::new(),
            site: 1,
        }
    }

    /// The same with an encoder more. To SALTO's clients it has this name (`Online Encoder 1`), to Onity's
    /// it is a number (`1`).
    #[must_use]
    pub fn with_encoder(mut self, name: &str, slot: Slot) -> LockServerSettings {
        self.encoders.push((name.to_owned(), slot));
        self
    }

    /// The same with these rooms more.
    #[must_use]
    pub fn with_rooms<R: AsRef<str>>(
        mut self,
        rooms: impl IntoIterator<Item = R>,
    ) -> LockServerSettings {
        let rooms = rooms.into_iter().map(|room| room.as_ref().to_owned());
        self.rooms.extend(rooms);
        self
    }

    /// The same for another hotel: cards of one are unknown to the other.
    #[must_use]
    pub fn with_site(mut self, site: u32) -> LockServerSettings {
        self.site = site;
        self
    }
}

/// What becomes of a connection while another one is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SecondConnection {
    /// It is not served until the first is closed: it connects, and hears nothing.
    #[default]
    Waits,
    /// It is closed at once.
    Closed,
    /// Both are served.
    Served,
}

/// How an answer is cut into pieces on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Segments {
    /// Each acknowledgement and each answer by itself.
    #[default]
    Whole,
    /// Every so many bytes by themselves, 2 ms apart.
    Split(usize),
    /// The acknowledgement is kept back until the answer goes, and goes with it.
    Joined,
}

/// What becomes of an answer whose connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LateAnswers {
    /// Nobody gets it.
    #[default]
    Lost,
    /// The newest connection gets it, or the next one as soon as it is open: an answer to a question it did not ask.
    ToNewest,
}

/// How a server behaves; see [`LockServer::adjust`](super::LockServer::adjust). All of it may be changed at any time,
/// and holds for what comes after.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LockServerKnobs {
    /// How long an encoder waits for a card. 20 s at first, which is less than any known client waits for the answer.
    pub card_wait: Duration,
    /// Not ready: enquiries are answered by NAK (SALTO) or not at all (Onity), commands by NAK.
    pub is_busy: bool,
    /// So many more commands are answered by NAK.
    pub refused_commands: u32,
    /// The next commands are answered by these errors, and not carried out.
    pub errors: VecDeque<ErrorCode>,
    /// The database is missing: every command is answered by `NF`.
    pub is_database_missing: bool,
    /// A command without an enquiry before it is answered by NAK. At first so for Onity alone.
    pub requires_enquiry: bool,
    /// Answers have a checksum, rather than the byte that says they have none.
    pub has_checksums: bool,
    /// After ejecting (`E`, `T`) an encoder is busy until the card was taken, `card_wait` at most.
    pub awaits_removal: bool,
    /// Other connections.
    pub second_connection: SecondConnection,
    /// Pieces of answers.
    pub segments: Segments,
    /// Answers come so much later than they could.
    pub answer_delay: Duration,
    /// Answers to clients that are gone.
    pub late_answers: LateAnswers,
    /// These bytes come before every answer.
    pub noise: Vec<u8>,
    /// The connection is cut when so many more bytes were sent to clients. A serial line loses the rest instead.
    pub cut_after_sent: Option<usize>,
    /// The connection is cut when so many more bytes were received from clients, the last ones unheard.
    pub cut_after_received: Option<usize>,
}

impl LockServerKnobs {
    pub(super) fn of(dialect: Dialect) -> LockServerKnobs {
        LockServerKnobs {
            card_wait: Duration::from_secs(20),
            is_busy: false,
            refused_commands: 0,
            errors: VecDeque::new(),
            is_database_missing: false,
            requires_enquiry: dialect == Dialect::Onity,
            has_checksums: true,
            awaits_removal: true,
            second_connection: SecondConnection::default(),
            segments: Segments::default(),
            answer_delay: Duration::ZERO,
            late_answers: LateAnswers::default(),
            noise: Vec::new(),
            cut_after_sent: None,
            cut_after_received: None,
        }
    }
}
