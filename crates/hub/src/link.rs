//! The hub's end of the link: one task per connected bridge. It checks who connects, takes hello and snapshots, then
//! carries messages to `transactions` and hands new work over in fence order (`protocol::link`, DESIGN §7).
//!
//! Nothing is only here: whatever breaks, the bridge connects again and both snapshots put everything right.

mod ending;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use protocol::link::{
    EncoderFence, EncoderState, Frame, FromBridge, FromHub, Hello, MAX_FRAME, SUBPROTOCOL,
};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

use crate::core::Core;
use crate::dispatch::Registration;
use crate::error::ApiError;
use crate::id::{AttemptId, BridgeId};
use crate::moment::Moment;
use crate::request::authenticate_bridge;
use crate::transactions::connect::LinkError;
use crate::transactions::keep_encoder::Kept;
use crate::transactions::outcome::Taken;

use ending::Ending;

/// From the connection until both snapshots are acknowledged.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// Opens a link for a bridge with a token.
pub(crate) async fn connect(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let bridge = authenticate_bridge(&core, &headers).await?;
    let upgrade = upgrade
        .map_err(|_| ApiError::malformed("this path takes WebSocket connections of bridges"))?
        .protocols([SUBPROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return Err(ApiError::malformed(
            "this hub speaks the subprotocol cardbridge.link.1; install a bridge of the same version",
        ));
    }
    Ok(upgrade
        .max_message_size(MAX_FRAME)
        .max_frame_size(MAX_FRAME)
        .on_upgrade(move |socket| Link::new(core, bridge, socket).run()))
}

/// What woke a link.
enum Turn {
    Heard(Option<Result<Message, axum::Error>>),
    Say(Option<FromHub>),
    Work,
    Released,
    Ping,
    TooLate,
}

/// One connection.
struct Link {
    core: Arc<Core>,
    bridge: BridgeId,
    socket: WebSocket,
    generation: u64,
    /// The number of the last frame from the bridge.
    heard: u64,
    /// The number of the last frame to the bridge.
    said: u64,
    stage: Stage,
    /// What the hello said of this hub's fences.
    fences: Vec<EncoderFence>,
    /// The encoders that this bridge has online and another one keeps.
    held: Vec<EncoderState>,
    /// The `seq` of the last attempt that was handed over.
    offered_up_to: i64,
}

/// How far the handshake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The bridge's snapshot has not come.
    Welcomed,
    /// The hub's snapshot went out under this number.
    Snapshot(u64),
    /// Both are acknowledged: deltas flow.
    Live,
}

impl Link {
    fn new(core: Arc<Core>, bridge: BridgeId, socket: WebSocket) -> Self {
        Self {
            core,
            bridge,
            socket,
            generation: 0,
            heard: 0,
            said: 0,
            stage: Stage::Welcomed,
            fences: Vec::new(),
            held: Vec::new(),
            offered_up_to: 0,
        }
    }

    async fn run(mut self) {
        let Err(ending) = self.talk().await;
        self.core.dispatch.unregister(self.bridge, self.generation);
        self.core.deadlines.notify_one();
        tracing::info!(bridge = %self.bridge, generation = self.generation, reason = %ending, "a link ended");
        if let Ending::Refused(LinkError::Database(error)) = &ending {
            tracing::error!(bridge = %self.bridge, %error, "a message of a bridge could not be committed");
        }
        let frame = CloseFrame {
            code: ending.code(),
            reason: ending.to_string().into(),
        };
        // Nobody may be there any more to hear it.
        let _ = timeout(
            HANDSHAKE_DEADLINE,
            self.socket.send(Message::Close(Some(frame))),
        )
        .await;
    }

    async fn talk(&mut self) -> Result<std::convert::Infallible, Ending> {
        let handshake_end = Instant::now() + HANDSHAKE_DEADLINE;
        let hello = timeout(HANDSHAKE_DEADLINE, self.hello())
            .await
            .map_err(|_| Ending::Silent)??;
        let welcome = self
            .core
            .take_hello(self.bridge, &hello, Moment::now())
            .await?;
        self.generation = welcome.generation;
        self.fences = self.core.own_fences(&hello).to_vec();
        tracing::info!(bridge = %self.bridge, generation = self.generation, name = hello.name, "a bridge connected");
        let Some(mut registration) = self.core.dispatch.register(self.bridge, self.generation)
        else {
            return Err(Ending::Dismissed);
        };
        self.say(FromHub::Welcome(welcome)).await?;

        let every = self.core.settings.ping_every;
        let mut pings = interval_at(Instant::now() + every, every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard_at = Instant::now();
        let mut releases = self.core.releases();
        let mut held_back = Vec::new();
        loop {
            let silent_at = heard_at + self.core.settings.silence_limit;
            let too_late = match self.stage {
                Stage::Live => silent_at,
                Stage::Welcomed | Stage::Snapshot(_) => silent_at.min(handshake_end),
            };
            match self
                .turn(&mut registration, &mut releases, &mut pings, too_late)
                .await
            {
                Turn::Heard(message) => {
                    heard_at = Instant::now();
                    self.heard(message).await?;
                }
                Turn::Say(None) => return Err(Ending::Dismissed),
                Turn::Say(Some(message)) => held_back.push(message),
                Turn::Work => self.offer().await?,
                Turn::Released => self.take_released().await?,
                Turn::Ping => self.send(Message::Ping(Vec::new().into())).await?,
                Turn::TooLate => return Err(Ending::Silent),
            }
            if self.stage == Stage::Live {
                for message in held_back.drain(..) {
                    self.say(message).await?;
                }
            }
        }
    }

    async fn turn(
        &mut self,
        registration: &mut Registration,
        releases: &mut watch::Receiver<u64>,
        pings: &mut tokio::time::Interval,
        too_late: Instant,
    ) -> Turn {
        let is_live = self.stage == Stage::Live;
        tokio::select! {
            message = self.socket.recv() => Turn::Heard(message),
            message = registration.say.recv() => Turn::Say(message),
            () = registration.work.notified(), if is_live => Turn::Work,
            // The sender lives in the core.
            _ = releases.changed(), if is_live && !self.held.is_empty() => Turn::Released,
            _ = pings.tick() => Turn::Ping,
            () = sleep_until(too_late) => Turn::TooLate,
        }
    }

    async fn hello(&mut self) -> Result<Hello, Ending> {
        loop {
            let message = self.socket.recv().await;
            let Some(frame) = self.parse(message)? else {
                continue;
            };
            return match frame {
                FromBridge::Hello(hello) => Ok(hello),
                _ => Err(LinkError::Protocol("a link begins with a hello").into()),
            };
        }
    }

    async fn heard(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), Ending> {
        match self.parse(message)? {
            Some(message) => self.take(message).await,
            None => Ok(()),
        }
    }

    /// Takes a message out of its frame; `None` for a ping or pong.
    fn parse(
        &mut self,
        message: Option<Result<Message, axum::Error>>,
    ) -> Result<Option<FromBridge>, Ending> {
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(None),
            Some(Ok(Message::Binary(_))) => {
                return Err(LinkError::Protocol("frames are JSON text").into());
            }
            Some(Ok(Message::Close(_))) | None => return Err(Ending::Closed),
            Some(Err(_)) => return Err(Ending::Broken),
        };
        let frame: Frame<FromBridge> = serde_json::from_str(&text).map_err(|error| {
            tracing::warn!(bridge = %self.bridge, %error, "a frame cannot be read");
            LinkError::Protocol("a frame cannot be read")
        })?;
        if frame.generation != self.generation {
            return Err(LinkError::Protocol("a frame is of another generation").into());
        }
        if frame.number != self.heard + 1 {
            return Err(LinkError::Protocol("a frame is missing or came twice").into());
        }
        self.heard = frame.number;
        Ok(Some(frame.message))
    }

    async fn take(&mut self, message: FromBridge) -> Result<(), Ending> {
        let core = Arc::clone(&self.core);
        let (bridge, generation, now) = (self.bridge, self.generation, Moment::now());
        match message {
            FromBridge::Hello(_) => return Err(LinkError::Protocol("a second hello").into()),
            FromBridge::Snapshot(snapshot) => {
                let held = core
                    .take_snapshot(bridge, generation, &snapshot, &self.fences, now)
                    .await?;
                self.held = snapshot
                    .encoders
                    .iter()
                    .filter(|state| state.is_online)
                    .filter(|state| held.iter().any(|held| held.identity == state.identity))
                    .cloned()
                    .collect();
                self.say(FromHub::Acknowledge {
                    snapshot: self.heard,
                })
                .await?;
                let told: Vec<_> = snapshot.jobs.iter().map(|job| job.attempt_id).collect();
                let (own, up_to) = core.snapshot_for(bridge, held, &told, now).await?;
                self.offered_up_to = up_to;
                self.say(FromHub::Snapshot(own)).await?;
                self.stage = Stage::Snapshot(self.said);
            }
            FromBridge::Acknowledge { snapshot } => {
                if self.stage == Stage::Snapshot(snapshot) {
                    self.stage = Stage::Live;
                    self.offer().await?;
                }
            }
            FromBridge::Encoder(state) => {
                let answer = self.keep(state).await?;
                self.say(answer).await?;
            }
            FromBridge::Refused { attempt_id, reason } => {
                let id = AttemptId(attempt_id);
                core.offer_refused(bridge, generation, id, reason, now)
                    .await?;
            }
            FromBridge::AskGrant(ask) => {
                let answer = core.ask_grant(bridge, generation, &ask, now).await?;
                self.say(FromHub::GrantAnswer(answer)).await?;
            }
            FromBridge::Outcome(report) => {
                let taken = core.take_outcome(bridge, generation, &report, now).await?;
                if taken == Taken::Committed {
                    self.say(FromHub::OutcomeCommitted {
                        attempt_id: report.attempt_id,
                    })
                    .await?;
                }
            }
            FromBridge::RequestEncode(request) => {
                let answer = core.take_request(bridge, generation, &request, now).await?;
                self.say(FromHub::RequestAnswer(answer)).await?;
            }
            FromBridge::PreviewEncode(request) => {
                let answer = core
                    .preview_request(bridge, generation, &request, now)
                    .await?;
                self.say(FromHub::RequestAnswer(answer)).await?;
            }
            FromBridge::Accepted { attempt_id, .. }
            | FromBridge::TooLate { attempt_id }
            | FromBridge::Progress { attempt_id, .. } => {
                tracing::debug!(%bridge, attempt = %attempt_id, "progress of an attempt");
            }
        }
        Ok(())
    }

    /// Keeps what the bridge says of an encoder; returns the answer.
    async fn keep(&mut self, state: EncoderState) -> Result<FromHub, Ending> {
        self.held.retain(|held| held.identity != state.identity);
        let core = Arc::clone(&self.core);
        let kept = core.take_encoder(
            self.bridge,
            self.generation,
            &state,
            &self.fences,
            Moment::now(),
        );
        Ok(match kept.await? {
            Kept::Registered(registered) => FromHub::EncoderRegistered(registered),
            Kept::Held(held) => {
                if state.is_online {
                    self.held.push(state);
                }
                FromHub::EncoderHeld(held)
            }
        })
    }

    /// Takes the encoders that another bridge kept and does not keep any more.
    async fn take_released(&mut self) -> Result<(), Ending> {
        for state in self.held.clone() {
            if let registered @ FromHub::EncoderRegistered(_) = self.keep(state).await? {
                self.say(registered).await?;
            }
        }
        Ok(())
    }

    /// Hands over what was not handed over on this connection.
    async fn offer(&mut self) -> Result<(), Ending> {
        let new = self
            .core
            .new_offers(self.bridge, self.offered_up_to, Moment::now())
            .await?;
        for offer in new.offers {
            self.say(FromHub::Offer(offer)).await?;
        }
        self.offered_up_to = new.up_to;
        Ok(())
    }

    async fn say(&mut self, message: FromHub) -> Result<(), Ending> {
        self.said += 1;
        let frame = Frame {
            generation: self.generation,
            number: self.said,
            message,
        };
        let text = serde_json::to_string(&frame).map_err(|error| {
            tracing::error!(%error, "a frame cannot be written");
            LinkError::Protocol("a frame cannot be written")
        })?;
        self.send(Message::Text(text.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Ending> {
        timeout(self.core.settings.silence_limit, self.socket.send(message))
            .await
            .map_err(|_| Ending::Silent)?
            .map_err(|_| Ending::Broken)
    }
}
