//! A bridge over a real WebSocket that says exactly what a test tells it to.

use futures_util::{SinkExt, StreamExt};
use protocol::link::{
    Action, AskGrant, AttemptError, BridgeSnapshot, CardCondition, Credential, EncoderState, Frame,
    FromBridge, FromHub, GrantAnswer, GrantDecision, Hello, HubSnapshot, IdentityScope, JobState,
    Offer, Outcome, OutcomeReport, Scanned, ScannedCredential, SiteKeyCheck, Welcome,
};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

use super::{GENEROUS, World};

pub(crate) const IDENTITY: &str = "pn532//dev/ttyUSB0";
pub(crate) const SECOND_IDENTITY: &str = "pn532//dev/ttyUSB1";
pub(crate) const CARD: &str = "04A1B2C3";
pub(crate) const OTHER_CARD: &str = "04D4E5F6";

/// One connection of a bridge.
pub(crate) struct Bridge {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    generation: u64,
    said: u64,
    heard: u64,
    pub(crate) welcome: Option<Welcome>,
    pub(crate) snapshot: Option<HubSnapshot>,
}

/// What a bridge brings along.
#[derive(Clone)]
pub(crate) struct Luggage {
    pub(crate) hello: Hello,
    pub(crate) snapshot: BridgeSnapshot,
}

impl Default for Luggage {
    fn default() -> Self {
        Self {
            hello: Hello {
                version: "0.1.0".to_owned(),
                name: "front-desk-pc".to_owned(),
                site_keys: vec![site_key(1, "0123456789abcdef")],
                hub_id: None,
                fences: Vec::new(),
            },
            snapshot: BridgeSnapshot {
                encoders: vec![
                    encoder(IDENTITY, "Front Desk", true),
                    encoder(SECOND_IDENTITY, "Back Office", true),
                ],
                jobs: Vec::new(),
            },
        }
    }
}

pub(crate) fn site_key(version: u8, check: &str) -> SiteKeyCheck {
    SiteKeyCheck {
        version,
        check: check.to_owned(),
    }
}

pub(crate) fn encoder(identity: &str, display_name: &str, is_online: bool) -> EncoderState {
    EncoderState {
        identity: identity.to_owned(),
        identity_scope: IdentityScope::Computer,
        display_name: display_name.to_owned(),
        driver: "pn532".to_owned(),
        is_online,
        is_issuing: false,
        reason: (!is_online).then(|| "The cable is out.".to_owned()),
    }
}

pub(crate) fn error(kind: &str) -> AttemptError {
    AttemptError {
        kind: kind.to_owned(),
        message: "Put a card on the encoder.".to_owned(),
    }
}

impl Bridge {
    /// Connects and says nothing.
    pub(crate) async fn dial(world: &World, token: &str) -> Self {
        let url = format!("{}{}", world.endpoint, protocol::link::PATH).replace("http://", "ws://");
        let mut request = url.into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        headers.insert(
            "sec-websocket-protocol",
            protocol::link::SUBPROTOCOL.parse().unwrap(),
        );
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        Self {
            socket,
            generation: 0,
            said: 0,
            heard: 0,
            welcome: None,
            snapshot: None,
        }
    }

    /// Connects and goes through the whole handshake.
    pub(crate) async fn connect_with(world: &World, token: &str, luggage: Luggage) -> Self {
        let mut bridge = Self::dial(world, token).await;
        bridge.greet(luggage).await;
        bridge
    }

    pub(crate) async fn connect(world: &World, token: &str) -> Self {
        Self::connect_with(world, token, Luggage::default()).await
    }

    async fn greet(&mut self, luggage: Luggage) {
        self.say(FromBridge::Hello(luggage.hello)).await;
        let FromHub::Welcome(welcome) = self.hear().await else {
            panic!("a welcome answers the hello");
        };
        self.generation = welcome.generation;
        self.welcome = Some(welcome);
        self.say(FromBridge::Snapshot(luggage.snapshot)).await;
        let number = self.said;
        assert_eq!(self.hear().await, FromHub::Acknowledge { snapshot: number });
        let FromHub::Snapshot(snapshot) = self.hear().await else {
            panic!("the hub's snapshot follows its acknowledgement");
        };
        self.snapshot = Some(snapshot);
        self.say(FromBridge::Acknowledge {
            snapshot: self.heard,
        })
        .await;
    }

    /// The id of an encoder, as the hub's snapshot told it.
    pub(crate) fn encoder_id(&self, identity: &str) -> String {
        let encoders = &self.snapshot.as_ref().unwrap().encoders;
        let found = encoders
            .iter()
            .find(|encoder| encoder.identity == identity)
            .unwrap();
        found.acs_encoder_id.to_string()
    }

    pub(crate) async fn say(&mut self, message: FromBridge) {
        self.said += 1;
        let frame = Frame {
            generation: self.generation,
            number: self.said,
            message,
        };
        self.say_text(serde_json::to_string(&frame).unwrap()).await;
    }

    pub(crate) async fn say_text(&mut self, text: String) {
        self.socket.send(Message::Text(text.into())).await.unwrap();
    }

    /// The next message; `None` when the hub closed the link.
    pub(crate) async fn try_hear(&mut self) -> Option<FromHub> {
        loop {
            let message = tokio::time::timeout(GENEROUS, self.socket.next())
                .await
                .unwrap();
            match message {
                Some(Ok(Message::Text(text))) => {
                    let frame: Frame<FromHub> = serde_json::from_str(&text).unwrap();
                    assert_eq!(frame.number, self.heard + 1, "frames are numbered");
                    self.heard = frame.number;
                    return Some(frame.message);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    }

    pub(crate) async fn hear(&mut self) -> FromHub {
        self.try_hear().await.expect("the hub keeps the link open")
    }

    pub(crate) async fn hear_offer(&mut self) -> Offer {
        match self.hear().await {
            FromHub::Offer(offer) => offer,
            other => panic!("expected an offer, got {other:?}"),
        }
    }

    pub(crate) async fn ask(&mut self, offer: &Offer, uid: &str) -> GrantAnswer {
        self.ask_with(AskGrant {
            attempt_id: offer.attempt_id,
            fence: offer.fence,
            uid: Some(uid.to_owned()),
            digest: "ab".repeat(32),
        })
        .await
    }

    pub(crate) async fn ask_with(&mut self, ask: AskGrant) -> GrantAnswer {
        self.say(FromBridge::AskGrant(ask)).await;
        match self.hear().await {
            FromHub::GrantAnswer(answer) => answer,
            other => panic!("expected an answer, got {other:?}"),
        }
    }

    /// Asks and must get leave.
    pub(crate) async fn ask_granted(&mut self, offer: &Offer, uid: &str) -> Uuid {
        match self.ask(offer, uid).await.decision {
            GrantDecision::Granted { grant_id } => grant_id,
            GrantDecision::Denied { error } => panic!("denied: {error:?}"),
        }
    }

    /// Asks and must be denied; returns the error's name.
    pub(crate) async fn ask_denied(&mut self, offer: &Offer, uid: &str) -> AttemptError {
        match self.ask(offer, uid).await.decision {
            GrantDecision::Denied { error } => error,
            GrantDecision::Granted { .. } => panic!("granted"),
        }
    }

    /// Reports an outcome and waits until it is committed.
    pub(crate) async fn report(&mut self, offer: &Offer, outcome: Outcome) {
        self.say(report_of(offer, outcome)).await;
        assert_eq!(
            self.hear().await,
            FromHub::OutcomeCommitted {
                attempt_id: offer.attempt_id
            }
        );
    }

    /// Does a whole encode on a card that held `held_number`.
    pub(crate) async fn encode_card(&mut self, offer: &Offer, uid: &str, held_number: Option<u32>) {
        self.say(accepted(offer)).await;
        self.ask_granted(offer, uid).await;
        self.report(offer, written(uid, held_number)).await;
    }

    pub(crate) async fn close(mut self) {
        let _ = self.socket.close(None).await;
        while let Ok(Some(Ok(_))) = tokio::time::timeout(GENEROUS, self.socket.next()).await {}
    }
}

pub(crate) fn accepted(offer: &Offer) -> FromBridge {
    FromBridge::Accepted {
        attempt_id: offer.attempt_id,
        place: 0,
    }
}

pub(crate) fn report_of(offer: &Offer, outcome: Outcome) -> FromBridge {
    FromBridge::Outcome(OutcomeReport {
        attempt_id: offer.attempt_id,
        fence: offer.fence,
        ended_at: "2026-11-22T15:00:00Z".parse().unwrap(),
        outcome,
    })
}

pub(crate) fn written(uid: &str, held_number: Option<u32>) -> Outcome {
    Outcome::Written {
        uid: uid.to_owned(),
        technology: "mifare_classic_1k".to_owned(),
        held_number,
    }
}

pub(crate) fn unwritten(kind: &str) -> Outcome {
    Outcome::Unwritten { error: error(kind) }
}

pub(crate) fn unknown(uid: &str) -> Outcome {
    Outcome::Unknown {
        uid: Some(uid.to_owned()),
        error: error("encoding_interrupted"),
    }
}

/// What is offered to be written.
pub(crate) fn credential_of(offer: &Offer) -> Credential {
    match &offer.action {
        Action::Encode(credential) => credential.clone(),
        Action::Issue(_) | Action::Scan => panic!("expected an encode"),
    }
}

/// A card that holds exactly what was offered.
pub(crate) fn scanned(uid: &str, credential: &Credential) -> Outcome {
    Outcome::Scanned(Scanned {
        uid: uid.to_owned(),
        technology: "mifare_classic_1k".to_owned(),
        condition: CardCondition::Ours,
        credential: Some(ScannedCredential {
            number: credential.number,
            format: credential.format,
            function: credential.function,
            starts_at: credential.starts_at,
            ends_at: credential.ends_at,
            issue_number: credential.issue_number,
            first_room: credential.first_room,
            room_count: credential.room_count,
            common_doors: credential.common_doors.clone(),
            additional_doors: credential.additional_doors.clone(),
        }),
        key_version: None,
    })
}

pub(crate) fn scanned_as(condition: CardCondition) -> Outcome {
    Outcome::Scanned(Scanned {
        uid: CARD.to_owned(),
        technology: "mifare_classic_1k".to_owned(),
        condition,
        credential: None,
        key_version: None,
    })
}

pub(crate) fn job(offer: &Offer, stage: protocol::link::JobStage) -> JobState {
    JobState {
        attempt_id: offer.attempt_id,
        fence: offer.fence,
        stage,
    }
}
