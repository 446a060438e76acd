//! One connection to the hub, from hello to break.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use protocol::link::{
    BridgeSnapshot, Frame, FromBridge, FromHub, HeldEncoder, Hello, HubSnapshot, Offer,
    OfferRefusal, RequestAnswer, Welcome,
};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{self, Message};
use uuid::Uuid;

use super::dial::Socket;
use super::roll::Roll;
use super::{LinkStatus, LinkTask, Outgoing, Wish};
use crate::encoder_task::Request;
use crate::encoders::Undelivered;
use crate::error_text::chain;
use crate::journal::JournalError;

/// How long the hub may take to answer the hello, and to acknowledge the snapshot.
const OPENING_PATIENCE: Duration = Duration::from_secs(10);
/// How often the bridge pings.
const PING: Duration = Duration::from_secs(10);
/// Silence after which the connection counts as broken.
const SILENCE: Duration = Duration::from_secs(25);

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error("the connection to the hub broke")]
    Broken(#[source] tungstenite::Error),
    #[error("the hub closed the connection: {0}")]
    Closed(String),
    #[error("the hub was silent for too long")]
    Silent,
    #[error("the hub takes no more messages")]
    Stuck,
    #[error("a message of the hub is missing or came twice")]
    Gap,
    #[error(
        "the hub sent a message that this version does not understand; update cardbridge on both sides"
    )]
    NotUnderstood(#[source] serde_json::Error),
    #[error("the hub sent {0} where the protocol has no place for it")]
    OutOfOrder(&'static str),
    #[error("the journal failed")]
    Journal(#[from] JournalError),
}

pub(super) struct Session<'a> {
    task: &'a mut LinkTask,
    socket: Socket,
    generation: u64,
    sent: u64,
    /// The number of the last frame of the hub.
    received: u64,
    /// The number of our snapshot until the hub has acknowledged it.
    unacknowledged: Option<u64>,
    /// Deltas that wait until then.
    held: Vec<FromBridge>,
    roll: Roll,
    is_up: bool,
    requests: HashMap<Uuid, oneshot::Sender<RequestAnswer>>,
    heard: Instant,
}

impl<'a> Session<'a> {
    pub(super) fn new(task: &'a mut LinkTask, socket: Socket) -> Self {
        Self {
            task,
            socket,
            generation: 0,
            sent: 0,
            received: 0,
            unacknowledged: None,
            held: Vec::new(),
            roll: Roll::default(),
            is_up: false,
            requests: HashMap::new(),
            heard: Instant::now(),
        }
    }

    /// Serves the connection until it ends, and says why it did.
    pub(super) async fn run(mut self) -> SessionError {
        match self.serve().await {
            Ok(never) => match never {},
            Err(error) => {
                let _ = tokio::time::timeout(Duration::from_secs(1), self.socket.close(None)).await;
                error
            }
        }
    }

    async fn serve(&mut self) -> Result<std::convert::Infallible, SessionError> {
        let welcome = match tokio::time::timeout(OPENING_PATIENCE, self.open()).await {
            Err(_) => return Err(SessionError::Silent),
            Ok(welcome) => welcome?,
        };
        tracing::info!(hub_id = %welcome.hub_id, generation = welcome.generation, "linked to the hub");
        if let Some(problem) = &welcome.site_key_problem {
            tracing::error!(problem, "the hub lets this PC encode nothing");
        }
        self.send_snapshot().await?;
        let opened = Instant::now();
        let mut ping = tokio::time::interval_at(opened + PING, PING);
        loop {
            let patience = match self.unacknowledged {
                Some(_) => (opened + OPENING_PATIENCE).min(self.heard + SILENCE),
                None => self.heard + SILENCE,
            };
            tokio::select! {
                frame = self.socket.next() => {
                    if let Some(message) = self.frame(frame)? {
                        self.take(message, &welcome).await?;
                    }
                }
                Some(outgoing) = self.task.outgoing.recv() => self.pass_on(outgoing).await?,
                _ = ping.tick() => self.put(Message::Ping(Vec::new().into())).await?,
                () = tokio::time::sleep_until(patience) => return Err(SessionError::Silent),
            }
        }
    }

    /// Says hello and takes the welcome.
    async fn open(&mut self) -> Result<Welcome, SessionError> {
        let hub_id = self.task.journal.hub_id().await?;
        let hello = Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: self.task.name.clone(),
            site_keys: self.task.site_keys.clone(),
            hub_id,
            fences: self.task.journal.fences().await?,
        };
        self.send(FromBridge::Hello(hello)).await?;
        loop {
            let frame = self.socket.next().await;
            match self.frame(frame)? {
                None => {}
                Some((_, FromHub::Welcome(welcome))) => {
                    self.generation = welcome.generation;
                    if hub_id != Some(welcome.hub_id) {
                        self.change_hub(welcome.hub_id).await?;
                    }
                    return Ok(welcome);
                }
                Some(_) => return Err(SessionError::OutOfOrder("a message before its welcome")),
            }
        }
    }

    /// Fences count per hub: with another hub the encoders go on from that hub's.
    async fn change_hub(&self, hub_id: Uuid) -> Result<(), SessionError> {
        self.task.journal.remember_hub(hub_id).await?;
        let fences = self.task.journal.fences().await?;
        for handle in self.task.encoders.all() {
            let identity = handle.status.borrow().state.identity.clone();
            let fence = fences
                .iter()
                .find(|fence| fence.identity == identity)
                .map_or(0, |fence| fence.fence);
            if handle
                .requests
                .send(Request::AcceptedFence(fence))
                .await
                .is_err()
            {
                tracing::warn!(identity, "an encoder's task has ended");
            }
        }
        Ok(())
    }

    async fn send_snapshot(&mut self) -> Result<(), SessionError> {
        // What was said before is in the snapshot, or was for an earlier connection.
        while let Ok(stale) = self.task.outgoing.try_recv() {
            drop(stale);
        }
        let snapshot = BridgeSnapshot {
            encoders: self.task.encoders.states(),
            jobs: self.task.journal.open_jobs().await?,
        };
        self.roll.snapshot(&snapshot.encoders);
        self.send(FromBridge::Snapshot(snapshot)).await?;
        self.unacknowledged = Some(self.sent);
        Ok(())
    }

    async fn pass_on(&mut self, outgoing: Outgoing) -> Result<(), SessionError> {
        let message = match outgoing {
            Outgoing::Message(message) => message,
            Outgoing::Request(wish, request, answer) => {
                self.requests.retain(|_, waiting| !waiting.is_closed());
                self.requests.insert(request.request_id, answer);
                match wish {
                    Wish::Card => FromBridge::RequestEncode(request),
                    Wish::Preview => FromBridge::PreviewEncode(request),
                }
            }
        };
        if self.unacknowledged.is_some() {
            self.held.push(message);
            return Ok(());
        }
        self.send(message).await
    }

    async fn take(
        &mut self,
        (number, message): (u64, FromHub),
        welcome: &Welcome,
    ) -> Result<(), SessionError> {
        match message {
            FromHub::Welcome(_) => return Err(SessionError::OutOfOrder("a second welcome")),
            FromHub::Snapshot(snapshot) => {
                self.take_snapshot(snapshot, welcome);
                self.send(FromBridge::Acknowledge { snapshot: number })
                    .await?;
                self.send_held().await?;
            }
            FromHub::Acknowledge { snapshot } if self.unacknowledged == Some(snapshot) => {
                self.unacknowledged = None;
                for report in self.task.journal.unacknowledged().await? {
                    self.send(FromBridge::Outcome(report)).await?;
                }
                self.send_held().await?;
                self.is_up = true;
                self.publish(welcome);
            }
            FromHub::Acknowledge { .. } => {}
            FromHub::EncoderRegistered(encoder) => {
                self.roll.registered(&encoder);
                self.task.encoders.set_held(&encoder.identity, None);
                self.publish(welcome);
            }
            FromHub::EncoderHeld(held) => {
                self.roll.held(&held.identity);
                self.held_elsewhere(held);
                self.publish(welcome);
            }
            FromHub::Offer(offer) => self.offer(offer).await?,
            FromHub::GrantAnswer(answer) => self
                .task
                .encoders
                .send_to_all(|| Request::Grant(answer.clone())),
            FromHub::Cancel { attempt_id } => self
                .task
                .encoders
                .send_to_all(|| Request::Cancel(attempt_id)),
            FromHub::OutcomeCommitted { attempt_id } => {
                if let Err(error) = self.task.journal.acknowledge(attempt_id).await {
                    // It is sent again with the next connection, which changes nothing.
                    tracing::error!(%attempt_id, error = chain(&error), "the journal could not be written");
                }
            }
            FromHub::RequestAnswer(answer) => {
                if let Some(waiting) = self.requests.remove(&answer.request_id) {
                    // Whoever asked may have gone; the attempt runs all the same.
                    let _ = waiting.send(answer);
                }
            }
        }
        Ok(())
    }

    /// Sends the deltas that waited for the snapshot to be acknowledged, once it is.
    async fn send_held(&mut self) -> Result<(), SessionError> {
        if self.unacknowledged.is_none() {
            for message in std::mem::take(&mut self.held) {
                self.send(message).await?;
            }
        }
        Ok(())
    }

    fn take_snapshot(&mut self, snapshot: HubSnapshot, welcome: &Welcome) {
        self.task.encoders.forget_held();
        for encoder in &snapshot.encoders {
            self.roll.listed(encoder);
        }
        for held in snapshot.held {
            self.held_elsewhere(held);
        }
        self.publish(welcome);
        for attempt_id in snapshot.cancelled {
            self.task
                .encoders
                .send_to_all(|| Request::Cancel(attempt_id));
        }
        for offer in snapshot.offers {
            if let Some(refusal) = self.hand_over(offer) {
                self.held.push(refusal);
            }
        }
    }

    fn held_elsewhere(&self, HeldEncoder { identity, reason }: HeldEncoder) {
        tracing::warn!(
            identity,
            reason,
            "the hub has this encoder at another encoder PC"
        );
        self.task.encoders.set_held(&identity, Some(reason));
    }

    async fn offer(&mut self, offer: Offer) -> Result<(), SessionError> {
        match self.hand_over(offer) {
            None => Ok(()),
            Some(refusal) => self.send(refusal).await,
        }
    }

    /// Hands an offer to its encoder, or says why not.
    fn hand_over(&self, offer: Offer) -> Option<FromBridge> {
        let (attempt_id, identity) = (offer.attempt_id, offer.identity.clone());
        let reason = match self.task.encoders.send(&identity, Request::Offer(offer)) {
            Ok(()) => return None,
            Err(Undelivered::NoSuchEncoder) => OfferRefusal::EncoderAbsent,
            Err(Undelivered::Busy) => OfferRefusal::QueueFull,
        };
        Some(FromBridge::Refused { attempt_id, reason })
    }

    /// Tells the rest of the bridge how the link is.
    fn publish(&self, welcome: &Welcome) {
        if self.is_up {
            self.task.status.send_replace(LinkStatus::Up {
                hub_id: welcome.hub_id,
                acs_system_id: welcome.acs_system_id,
                site_key_problem: welcome.site_key_problem.clone(),
                online: self.roll.online(),
            });
        }
    }

    async fn send(&mut self, message: FromBridge) -> Result<(), SessionError> {
        if let FromBridge::Encoder(state) = &message {
            self.roll.told(state);
        }
        self.sent += 1;
        let frame = Frame {
            generation: self.generation,
            number: self.sent,
            message,
        };
        let text = serde_json::to_string(&frame).map_err(SessionError::NotUnderstood)?;
        self.put(Message::text(text)).await
    }

    async fn put(&mut self, message: Message) -> Result<(), SessionError> {
        match tokio::time::timeout(OPENING_PATIENCE, self.socket.send(message)).await {
            Ok(sent) => sent.map_err(SessionError::Broken),
            Err(_) => Err(SessionError::Stuck),
        }
    }

    /// One frame of the socket; `None` for what carries no message, or one of an older generation.
    fn frame(
        &mut self,
        frame: Option<Result<Message, tungstenite::Error>>,
    ) -> Result<Option<(u64, FromHub)>, SessionError> {
        let message = match frame {
            None => return Err(SessionError::Closed("without a reason".to_owned())),
            Some(message) => message.map_err(SessionError::Broken)?,
        };
        self.heard = Instant::now();
        match message {
            Message::Close(Some(close)) => Err(SessionError::Closed(close.reason.to_string())),
            Message::Close(None) => Err(SessionError::Closed("without a reason".to_owned())),
            Message::Text(text) => {
                let frame: Frame<FromHub> =
                    serde_json::from_str(&text).map_err(SessionError::NotUnderstood)?;
                if self.generation != 0 && frame.generation != self.generation {
                    return Ok(None);
                }
                if frame.number != self.received + 1 {
                    return Err(SessionError::Gap);
                }
                self.received = frame.number;
                Ok(Some((frame.number, frame.message)))
            }
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
                Ok(None)
            }
        }
    }
}
