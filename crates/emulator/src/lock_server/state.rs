//! All that a lock server is at one moment, under one lock: what it has heard, which tasks its encoders have, what it
//! is about to say. Everything here is done at once and waits for nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::command::{Command, Refusal, parse};
use super::error_code::ErrorCode;
use super::faulty::{Arriving, Kind};
use super::frame::{ACK, Ear, Field, Heard, NAK, Splitter, frame};
use super::served::Served;
use super::settings::{Dialect, LateAnswers, LockServerKnobs, LockServerSettings, Segments};
use super::site::Site;
use super::task::{Asked, Task, Work};
use crate::bell::Bell;
use crate::faults::{Arrival, Faults};
use crate::slot::Slot;

/// How many served commands are remembered; older ones are dropped.
const REMEMBERED: usize = 10_000;

/// Counted from 1 over a server's life; a serial line is one connection each time it is plugged in.
pub(super) type ConnectionId = u64;

#[derive(Debug)]
pub(super) struct State {
    dialect: Dialect,
    pub(super) site: Site,
    pub(super) knobs: LockServerKnobs,
    pub(super) encoders: Vec<Encoder>,
    pub(super) served: VecDeque<Served>,
    pub(super) connections: BTreeMap<ConnectionId, Connection>,
    /// Connections since the server was made.
    pub(super) connected: u64,
    pub(super) enquiries: u64,
    /// Commands since the server was made.
    pub(super) commands: u64,
    /// What clients sent, as it arrives.
    pub(super) inbox: VecDeque<Arriving>,
    pub(super) outbox: VecDeque<Outgoing>,
    pub(super) faults: Faults,
    /// Answers to clients that are gone, for the next one.
    late: Vec<Vec<u8>>,
    pub(super) is_stopping: bool,
    tasks: u64,
}

/// What is to be said to a client, not before a moment.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) to: ConnectionId,
    pub(super) bytes: Vec<u8>,
    pub(super) at: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Connection {
    /// Finds what faults may happen to.
    pub(super) splitter: Splitter,
    /// Hears what came of that.
    pub(super) ear: Ear,
    has_enquired: bool,
}

#[derive(Debug)]
pub(super) struct Encoder {
    pub(super) name: String,
    pub(super) slot: Slot,
    pub(super) is_plugged: bool,
    pub(super) task: Option<Task>,
    /// Rung at a new task, at a change of a task, and at every card that comes or goes.
    pub(super) bell: Arc<Bell>,
}

impl State {
    pub(super) fn new(
        settings: &LockServerSettings,
        bells: Vec<Arc<Bell>>,
        faults: Faults,
    ) -> State {
        let encoders = settings.encoders.iter().zip(bells);
        let encoders = encoders.map(|((name, slot), bell)| Encoder {
            name: name.clone(),
            slot: slot.clone(),
            is_plugged: true,
            task: None,
            bell,
        });
        State {
            dialect: settings.dialect,
            site: Site::new(settings.dialect, settings.site, &settings.rooms),
            knobs: LockServerKnobs::of(settings.dialect),
            encoders: encoders.collect(),
            served: VecDeque::new(),
            connections: BTreeMap::new(),
            connected: 0,
            enquiries: 0,
            commands: 0,
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            faults,
            late: Vec::new(),
            is_stopping: false,
            tasks: 0,
        }
    }

    pub(super) fn connect(&mut self) -> ConnectionId {
        self.connected += 1;
        let id = self.connected;
        self.connections.insert(id, Connection::default());
        for bytes in std::mem::take(&mut self.late) {
            self.say(id, bytes, Duration::ZERO);
        }
        id
    }

    /// The client is gone. What an encoder is at goes on.
    pub(super) fn disconnect(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
        self.outbox.retain(|outgoing| outgoing.to != id);
        self.inbox.retain(|arriving| arriving.from != id);
    }

    /// The server ends, and everything that was under way with it; the database stays.
    pub(super) fn halt(&mut self) {
        self.connections.clear();
        self.inbox.clear();
        self.outbox.clear();
        self.late.clear();
        for encoder in &mut self.encoders {
            encoder.task = None;
            encoder.bell.ring();
        }
    }

    /// Does what is to be done when a client was heard.
    pub(super) fn heard(&mut self, from: ConnectionId, heard: Heard) {
        match heard {
            Heard::Enquiry => self.enquired(from),
            Heard::Frame(fields) => self.asked(from, &fields),
            Heard::Damaged => self.acknowledge(from, NAK),
        }
    }

    fn enquired(&mut self, from: ConnectionId) {
        self.enquiries += 1;
        if !self.knobs.is_busy {
            if let Some(connection) = self.connections.get_mut(&from) {
                connection.has_enquired = true;
            }
            self.acknowledge(from, ACK);
        } else if self.dialect == Dialect::Salto {
            self.acknowledge(from, NAK);
        }
    }

    fn asked(&mut self, from: ConnectionId, fields: &[Field]) {
        let connection = self.connections.get_mut(&from);
        let has_enquired = connection.is_some_and(|it| std::mem::take(&mut it.has_enquired));
        let is_refused = self.knobs.refused_commands > 0;
        self.knobs.refused_commands = self.knobs.refused_commands.saturating_sub(1);
        if self.knobs.is_busy || is_refused || (self.knobs.requires_enquiry && !has_enquired) {
            self.acknowledge(from, NAK);
            return;
        }
        let asked = Asked {
            by: from,
            number: self.note(from, fields),
            name: fields.first().cloned().unwrap_or_default(),
            encoder: fields.get(1).cloned().unwrap_or_default(),
            owes_acknowledgement: self.knobs.segments == Segments::Joined,
        };
        if !asked.owes_acknowledgement {
            self.acknowledge(from, ACK);
        }
        let outcome = self.decide(fields, &asked);
        match outcome {
            Ok(None) => {}
            Ok(Some(answer)) => self.answer(&asked, answer),
            Err((code, subject)) => self.answer_error(&asked, code, subject),
        }
    }

    fn note(&mut self, from: ConnectionId, fields: &[Field]) -> u64 {
        self.commands += 1;
        if self.served.len() == REMEMBERED {
            self.served.pop_front();
        }
        self.served
            .push_back(Served::new(self.commands, from, fields));
        self.commands
    }

    /// The fields of the answer, or nothing yet if an encoder has a task now.
    fn decide(&mut self, fields: &[Field], asked: &Asked) -> Result<Option<Vec<Field>>, Refusal> {
        let command = parse(self.dialect, fields)?;
        let refuse = |code| (code, asked.encoder.clone());
        if self.knobs.is_database_missing {
            return Err(refuse(ErrorCode::Nf));
        }
        if let Some(code) = self.knobs.errors.pop_front() {
            return Err(refuse(code));
        }
        let work = match command {
            Command::CheckOut { encoder, room } => {
                self.site.check_out(&room).map_err(refuse)?;
                return Ok(Some(vec![asked.name.clone(), encoder]));
            }
            Command::Modify {
                from,
                to,
                expiry: _,
            } => {
                self.site.modify(&from, &to).map_err(refuse)?;
                return Ok(Some(vec![asked.name.clone(), from, to]));
            }
            Command::Eject { encoder } => {
                let at = self.find_encoder(&encoder).map_err(refuse)?;
                self.end_task(at, ErrorCode::Ed);
                return Ok(Some(vec![asked.name.clone(), encoder]));
            }
            Command::Unlicensed { subject } => return Err((ErrorCode::Eg, subject)),
            Command::Issue(issue) => {
                self.site.may_issue(&issue).map_err(refuse)?;
                Work::Issue(issue)
            }
            Command::Read(at) => Work::Read(at),
            Command::Track { at, number, text } => Work::Track { at, number, text },
        };
        self.begin(work, asked).map_err(refuse)?;
        Ok(None)
    }

    fn find_encoder(&self, name: &[u8]) -> Result<usize, ErrorCode> {
        let found = self
            .encoders
            .iter()
            .position(|encoder| encoder.name.as_bytes() == name && encoder.is_plugged);
        found.ok_or(ErrorCode::Nc)
    }

    fn begin(&mut self, work: Work, asked: &Asked) -> Result<(), ErrorCode> {
        self.tasks += 1;
        let task = Task {
            id: self.tasks,
            work,
            card_wait: self.knobs.card_wait,
            asked: Some(asked.clone()),
        };
        let at = self.find_encoder(&task.at().encoder)?;
        if self.encoders[at].task.is_some() {
            return Err(ErrorCode::Ov);
        }
        if let Work::Issue(issue) = &task.work
            && self.dialect == Dialect::Salto
            && self.is_issuing_for(&issue.rooms[0])
        {
            return Err(ErrorCode::Eo);
        }
        self.encoders[at].task = Some(task);
        self.encoders[at].bell.ring();
        Ok(())
    }

    /// Some encoder makes cards for this room.
    fn is_issuing_for(&self, room: &[u8]) -> bool {
        let tasks = self.encoders.iter().filter_map(|it| it.task.as_ref());
        tasks
            .filter(|task| task.is_open())
            .any(|task| matches!(&task.work, Work::Issue(issue) if issue.rooms[0] == room))
    }

    /// Ends what an encoder is at, and answers it by this error if it was not answered yet.
    pub(super) fn end_task(&mut self, at: usize, code: ErrorCode) {
        let task = self.encoders[at].task.take();
        self.encoders[at].bell.ring();
        if let Some(asked) = task.and_then(|task| task.asked) {
            let subject = asked.encoder.clone();
            self.answer_error(&asked, code, subject);
        }
    }

    /// An encoder has done what it was asked, or could not. The task stays, unanswerable, if the card is to be taken
    /// first; says whether it does. A task that was ended meanwhile is answered already.
    pub(super) fn finish(
        &mut self,
        at: usize,
        id: u64,
        result: Result<Vec<Field>, ErrorCode>,
    ) -> bool {
        let awaits_removal = self.knobs.awaits_removal && result.is_ok();
        let Some(task) = self.encoders[at].task.as_mut().filter(|task| task.id == id) else {
            return false;
        };
        let stays = awaits_removal && task.at().ejects;
        let asked = task.asked.take();
        if !stays {
            self.encoders[at].task = None;
        }
        match (asked, result) {
            (None, _) => {}
            (Some(asked), Ok(details)) => {
                let mut fields = vec![asked.name.clone(), asked.encoder.clone()];
                fields.extend(details);
                self.answer(&asked, fields);
            }
            (Some(asked), Err(code)) => {
                let subject = asked.encoder.clone();
                self.answer_error(&asked, code, subject);
            }
        }
        stays
    }

    fn answer_error(&mut self, asked: &Asked, code: ErrorCode, subject: Field) {
        let mut fields = vec![code.letters().as_bytes().to_vec(), subject];
        if code == ErrorCode::Eg {
            fields.push(b"it cannot be done here".to_vec());
        }
        self.answer(asked, fields);
    }

    fn answer(&mut self, asked: &Asked, fields: Vec<Field>) {
        let noted = self.served.iter_mut().rfind(|it| it.number == asked.number);
        if let Some(served) = noted {
            served.answer_is(&fields);
        }
        let whole = frame(&fields, self.knobs.has_checksums);
        let Arrival { delay, frames } = self.leaving(Kind::Answer, whole);
        let mut bytes = if asked.owes_acknowledgement {
            vec![ACK]
        } else {
            Vec::new()
        };
        for frame in frames {
            bytes.extend(&self.knobs.noise);
            bytes.extend(frame);
        }
        let delay = self.knobs.answer_delay + delay;
        if self.connections.contains_key(&asked.by) {
            self.say(asked.by, bytes, delay);
        } else if self.knobs.late_answers == LateAnswers::ToNewest {
            match self.connections.last_key_value().map(|(id, _)| *id) {
                Some(newest) => self.say(newest, bytes, delay),
                None => self.late.push(bytes),
            }
        }
    }

    fn acknowledge(&mut self, to: ConnectionId, byte: u8) {
        let Arrival { delay, frames } = self.leaving(Kind::Acknowledgement, vec![byte]);
        self.say(to, frames.concat(), delay);
    }

    fn say(&mut self, to: ConnectionId, bytes: Vec<u8>, delay: Duration) {
        let at = Instant::now() + delay;
        self.outbox.push_back(Outgoing { to, bytes, at });
    }
}
