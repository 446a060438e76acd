//! A hub that follows a script: it says on the link what a test tells it to, no more, and shows what the bridge said.
//! What a real hub does by itself (grants, commits) happens here at the very moment that the test chooses.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Instant;

use jiff::Timestamp;
use protocol::link::{
    Action, AskGrant, BridgeSnapshot, EncoderState, Frame, FromBridge, FromHub, GrantAnswer,
    GrantDecision, HubSnapshot, Offer, OutcomeReport, PATH, SUBPROTOCOL, Welcome,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept_hdr};
use uuid::Uuid;

use crate::LIMIT;
use crate::site::Guest;

/// A hub on loopback.
#[derive(Debug)]
pub struct Hub {
    listener: TcpListener,
    id: Uuid,
    generation: u64,
    fence: u64,
}

/// One connection of the bridge, opened and with both snapshots exchanged.
#[derive(Debug)]
pub struct Link {
    socket: WebSocket<TcpStream>,
    generation: u64,
    sent: u64,
    backlog: VecDeque<FromBridge>,
    encoders: Vec<EncoderState>,
    /// What the bridge said of its journal when it connected.
    pub snapshot: BridgeSnapshot,
    /// The outcomes that it sent again by itself.
    pub replayed: Vec<OutcomeReport>,
}

impl Hub {
    /// A hub that waits for its bridge.
    #[must_use]
    pub fn start() -> Self {
        Self {
            listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(),
            id: Uuid::new_v4(),
            generation: 0,
            fence: 0,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// The next attempt for an encoder.
    pub fn encode(&mut self, identity: &str, guest: Guest) -> Offer {
        self.fence += 1;
        Offer {
            attempt_id: Uuid::new_v4(),
            identity: identity.to_owned(),
            fence: self.fence,
            card_wait_ms: LIMIT.as_millis() as u64,
            expires_in_ms: 2 * LIMIT.as_millis() as u64,
            action: Action::Encode(guest.on_link()),
        }
    }

    /// Takes the bridge's next connection, up to where both sides know what the other had.
    pub fn accept(&mut self) -> Link {
        let left = Timespec {
            tv_sec: LIMIT.as_secs() as i64,
            tv_nsec: 0,
        };
        let mut fds = [PollFd::new(&self.listener, PollFlags::IN)];
        assert_eq!(
            poll(&mut fds, Some(&left)).unwrap(),
            1,
            "no bridge connected"
        );
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_nodelay(true).unwrap();
        let socket = accept_hdr(stream, take_subprotocol).unwrap();
        self.generation += 1;
        let mut link = Link {
            socket,
            generation: self.generation,
            sent: 0,
            backlog: VecDeque::new(),
            encoders: Vec::new(),
            snapshot: BridgeSnapshot {
                encoders: Vec::new(),
                jobs: Vec::new(),
            },
            replayed: Vec::new(),
        };
        link.open(self.id);
        link
    }
}

#[expect(
    clippy::result_large_err,
    reason = "the callback's type is given by the WebSocket library"
)]
fn take_subprotocol(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    assert_eq!(request.uri().path(), PATH);
    let name = HeaderValue::from_static(SUBPROTOCOL);
    assert_eq!(request.headers()["sec-websocket-protocol"], name);
    response
        .headers_mut()
        .insert("sec-websocket-protocol", name);
    Ok(response)
}

impl Link {
    fn open(&mut self, hub_id: Uuid) {
        assert!(matches!(self.receive().1, FromBridge::Hello(_)));
        self.say(FromHub::Welcome(Welcome {
            hub_id,
            bridge_id: Uuid::from_u128(1),
            generation: self.generation,
            acs_system_id: Uuid::from_u128(2),
            time_zone: "Europe/Zurich".to_owned(),
            now: Timestamp::now(),
            site_key_problem: None,
        }));
        let (number, FromBridge::Snapshot(snapshot)) = self.receive() else {
            panic!("no snapshot follows the welcome");
        };
        self.encoders.clone_from(&snapshot.encoders);
        self.snapshot = snapshot;
        self.say(FromHub::Acknowledge { snapshot: number });
        self.say(FromHub::Snapshot(HubSnapshot {
            held: Vec::new(),
            encoders: Vec::new(),
            offers: Vec::new(),
            cancelled: Vec::new(),
        }));
        // What it has to send again comes before it answers our snapshot.
        loop {
            match self.next() {
                FromBridge::Acknowledge { .. } => break,
                FromBridge::Outcome(report) => self.replayed.push(report),
                other => self.backlog.push_back(other),
            }
        }
    }

    /// Says something.
    pub fn say(&mut self, message: FromHub) {
        self.sent += 1;
        let frame = Frame {
            generation: self.generation,
            number: self.sent,
            message,
        };
        let text = serde_json::to_string(&frame).unwrap();
        self.socket.send(Message::text(text)).unwrap();
    }

    fn receive(&mut self) -> (u64, FromBridge) {
        let deadline = Instant::now() + LIMIT;
        while Instant::now() < deadline {
            let message = self.socket.read();
            let message = message.unwrap_or_else(|error| panic!("the bridge is silent: {error}"));
            if let Message::Text(text) = message {
                let frame: Frame<FromBridge> = serde_json::from_str(&text).unwrap();
                return (frame.number, frame.message);
            }
        }
        panic!("the bridge says nothing but pings");
    }

    /// The next message that belongs to a job; what encoders do is noted beside.
    fn next(&mut self) -> FromBridge {
        loop {
            match self.receive().1 {
                FromBridge::Progress { .. } => {}
                FromBridge::Encoder(state) => {
                    self.encoders
                        .retain(|known| known.identity != state.identity);
                    self.encoders.push(state);
                }
                message => return message,
            }
        }
    }

    fn expect(&mut self) -> FromBridge {
        self.backlog.pop_front().unwrap_or_else(|| self.next())
    }

    /// Waits until an encoder of that name can take jobs, and tells its identity.
    pub fn online(&mut self, name: &str) -> String {
        loop {
            // The whole name: a reader's other slot begins with it.
            let ready = |state: &&EncoderState| state.is_online && state.display_name == name;
            if let Some(state) = self.encoders.iter().find(ready) {
                return state.identity.clone();
            }
            match self.receive().1 {
                FromBridge::Encoder(state) => {
                    self.encoders
                        .retain(|known| known.identity != state.identity);
                    self.encoders.push(state);
                }
                message => self.backlog.push_back(message),
            }
        }
    }

    /// Offers work and waits until it is in the bridge's journal.
    pub fn offer(&mut self, offer: &Offer) {
        self.say(FromHub::Offer(offer.clone()));
        match self.expect() {
            FromBridge::Accepted { attempt_id, .. } if attempt_id == offer.attempt_id => {}
            other => panic!("the offer was answered with {other:?}"),
        }
    }

    /// Offers what the bridge has ended already, and takes the report that it answers with.
    pub fn offer_again(&mut self, offer: &Offer) -> OutcomeReport {
        self.say(FromHub::Offer(offer.clone()));
        self.outcome(offer)
    }

    /// Waits until the bridge asks for leave to write.
    pub fn asked(&mut self, offer: &Offer) -> AskGrant {
        match self.expect() {
            FromBridge::AskGrant(ask) if ask.attempt_id == offer.attempt_id => ask,
            other => panic!("no ask but {other:?}"),
        }
    }

    /// Gives leave to write.
    pub fn grant(&mut self, offer: &Offer) -> Uuid {
        let grant_id = Uuid::new_v4();
        self.say(FromHub::GrantAnswer(GrantAnswer {
            attempt_id: offer.attempt_id,
            decision: GrantDecision::Granted { grant_id },
        }));
        grant_id
    }

    /// Waits for the end of an attempt. It is not committed yet: see [`Link::commit`].
    pub fn outcome(&mut self, offer: &Offer) -> OutcomeReport {
        match self.expect() {
            FromBridge::Outcome(report) if report.attempt_id == offer.attempt_id => report,
            other => panic!("no outcome but {other:?}"),
        }
    }

    /// Lets an attempt run, with leave as soon as it asks, and waits for its end.
    pub fn outcome_granted(&mut self, offer: &Offer) -> OutcomeReport {
        loop {
            match self.expect() {
                FromBridge::AskGrant(ask) if ask.attempt_id == offer.attempt_id => {
                    self.grant(offer);
                }
                FromBridge::Outcome(report) if report.attempt_id == offer.attempt_id => {
                    return report;
                }
                other => panic!("no outcome but {other:?}"),
            }
        }
    }

    /// Says that an outcome is committed, and waits until the bridge has noted that: it takes messages in turn, so what
    /// it answers to a stale offer comes after.
    pub fn commit(&mut self, offer: &Offer) {
        self.say(FromHub::OutcomeCommitted {
            attempt_id: offer.attempt_id,
        });
        let stale = Offer {
            attempt_id: Uuid::new_v4(),
            fence: 0,
            ..offer.clone()
        };
        self.say(FromHub::Offer(stale.clone()));
        match self.expect() {
            FromBridge::Refused { attempt_id, .. } if attempt_id == stale.attempt_id => {}
            other => panic!("a stale offer was answered with {other:?}"),
        }
    }
}
