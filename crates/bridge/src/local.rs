//! What a program on the encoder PC may ask of a running bridge: a scan, and a card for doors.

mod shapes;

use std::time::Duration;

use protocol::link::{
    AttemptError, CardFunction, Outcome, Phase, RequestEncode, RequestResult, ScannedCredential,
};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::encoder_task::{EncoderStatus, Request};
use crate::encoders::EncoderHandle;
use crate::link::{LinkStatus, Wish};
use crate::machine::Work;
use crate::watchers::Update;
use crate::{Bridge, Preview, convert};
pub use shapes::{Encoded, Found, LocalEncode};

/// How long a local request waits for the hub's answer.
const HUB_PATIENCE: Duration = Duration::from_secs(10);
/// The longest that somebody at this PC may let an encoder wait for a card.
const LONGEST_CARD_WAIT: Duration = Duration::from_secs(600);
/// How much longer than its card wait a local job may take in all: a full queue of others, grant, writing.
const JOB_PATIENCE: Duration = Duration::from_secs(600);

/// Why a request from this PC came to nothing, in the names of the API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RequestError {
    /// A name for programs.
    pub kind: String,
    /// A sentence for people.
    pub message: String,
}

impl Bridge {
    /// Reads the card on an encoder, without the hub.
    ///
    /// # Errors
    /// No such encoder, no card in time, or whatever else kept it from being read.
    pub async fn scan(
        &self,
        encoder: Option<&str>,
        card_wait: Duration,
        progress: &mut (dyn FnMut(Phase) + Send),
    ) -> Result<Found, RequestError> {
        let handle = self.choose(encoder).await?;
        let outcome = match self.ask(handle, Work::Scan, card_wait, progress).await? {
            End::Job(outcome, _) => *outcome,
            End::Preview(_) => return Err(ended_otherwise()),
        };
        match outcome {
            Outcome::Scanned(scanned) => Ok(Found::Card(scanned)),
            Outcome::Read(card) => Ok(Found::ServerCard(card)),
            other => Err(why_not(other)),
        }
    }

    /// Says what an encode would change on the card, and writes nothing: the hub makes the credential and forgets it, no
    /// leave is asked, and the journal knows nothing of it.
    ///
    /// # Errors
    /// As [`Bridge::encode`].
    pub async fn preview(
        &self,
        wish: LocalEncode,
        card_wait: Duration,
        progress: &mut (dyn FnMut(Phase) + Send),
    ) -> Result<Preview, RequestError> {
        let handle = self.choose(wish.encoder.as_deref()).await?;
        if handle.status.borrow().state.is_issuing {
            return Err(RequestError::new(
                "uncategorized_error",
                "A lock server makes the cards of this encoder, and what it would write is not known here.",
            ));
        }
        let credential = match self.ask_hub(&handle, wish, Wish::Preview).await? {
            RequestResult::Previewed { credential } => credential,
            RequestResult::Refused { error } => return Err(error.into()),
            RequestResult::Taken { .. } => return Err(other_answer()),
        };
        let credential = convert::credential(&credential)
            .map_err(|error| RequestError::new("incompatible_card_format", &format!("{error}.")))?;
        let work = Work::Preview(Box::new(credential));
        match self.ask(handle, work, card_wait, progress).await? {
            End::Preview(preview) => Ok(*preview),
            End::Job(outcome, _) => Err(why_not(*outcome)),
        }
    }

    /// Asks an encoder something that the hub need not know.
    async fn ask(
        &self,
        handle: EncoderHandle,
        work: Work,
        card_wait: Duration,
        progress: &mut (dyn FnMut(Phase) + Send),
    ) -> Result<End, RequestError> {
        let id = Uuid::new_v4();
        let updates = self.watchers.subscribe();
        let card_wait = card_wait.min(LONGEST_CARD_WAIT);
        let _withdrawn = WithdrawOnDrop {
            handle: handle.clone(),
            id,
        };
        let request = Request::Ask {
            id,
            work,
            card_wait,
        };
        handle.requests.try_send(request).map_err(|_| {
            RequestError::new(
                "encoder_busy",
                "Too many jobs wait for this encoder already; try again later.",
            )
        })?;
        let patience = card_wait.saturating_add(JOB_PATIENCE);
        wait(updates, id, patience, progress).await
    }

    /// Encodes a card for doors, through the hub: there is one decider.
    ///
    /// # Errors
    /// No such encoder, no link, what the hub refused, or whatever kept the card from being written.
    pub async fn encode(
        &self,
        wish: LocalEncode,
        progress: &mut (dyn FnMut(Phase) + Send),
    ) -> Result<Encoded, RequestError> {
        let handle = self.choose(wish.encoder.as_deref()).await?;
        let updates = self.watchers.subscribe();
        let (attempt_id, acs_credential_id) = match self.ask_hub(&handle, wish, Wish::Card).await? {
            RequestResult::Taken {
                attempt_id,
                acs_credential_id,
            } => (attempt_id, acs_credential_id),
            RequestResult::Refused { error } => return Err(error.into()),
            RequestResult::Previewed { .. } => return Err(other_answer()),
        };
        let _withdrawn = WithdrawOnDrop {
            handle,
            id: attempt_id,
        };
        let (outcome, written) = match wait(updates, attempt_id, JOB_PATIENCE, progress).await? {
            End::Job(outcome, written) => (*outcome, written),
            End::Preview(_) => return Err(ended_otherwise()),
        };
        match (outcome, written) {
            (
                Outcome::Written {
                    uid, technology, ..
                },
                Some(credential),
            ) => Ok(Encoded {
                uid: Some(uid),
                technology: Some(technology),
                acs_credential_id,
                action_attempt_id: attempt_id,
                credential: Some(*credential),
            }),
            (Outcome::Issued { uid }, _) => Ok(Encoded {
                uid,
                technology: None,
                acs_credential_id,
                action_attempt_id: attempt_id,
                credential: None,
            }),
            (other, _) => Err(why_not(other)),
        }
    }

    /// Asks the hub for a card, or for what it would carry.
    async fn ask_hub(
        &self,
        handle: &EncoderHandle,
        wish: LocalEncode,
        what: Wish,
    ) -> Result<RequestResult, RequestError> {
        let identity = handle.status.borrow().state.identity.clone();
        if let Some(reason) = self.encoders.held(&identity) {
            return Err(RequestError::new("encoder_not_online", &reason));
        }
        let request = RequestEncode {
            request_id: Uuid::new_v4(),
            identity,
            doors: wish.doors,
            common_doors: wish.common_doors,
            format: wish.format,
            function: (wish.function != CardFunction::Guest).then_some(wish.function),
            starts_at: wish.starts_at,
            ends_at: wish.ends_at,
            overrides: wish.overrides,
        };
        let answer = tokio::time::timeout(HUB_PATIENCE, self.uplink.request(what, request)).await;
        if let Ok(Ok(answer)) = answer {
            return Ok(answer.result);
        }
        let reason = match &*self.link().borrow() {
            LinkStatus::None => "no [hub] is configured".to_owned(),
            LinkStatus::Down(reason) => reason.clone(),
            LinkStatus::Up { .. } => "it did not answer in time".to_owned(),
        };
        Err(RequestError::new(
            "bridge_disconnected",
            &format!("The hub cannot be asked, so nothing was written: {reason}."),
        ))
    }

    /// The encoder of that name or identity, or the only one. Waits a moment for one that is just being opened.
    async fn choose(&self, name: Option<&str>) -> Result<EncoderHandle, RequestError> {
        let all = self.encoders.all();
        let mut fitting: Vec<EncoderHandle> = all
            .iter()
            .filter(|handle| {
                let status = handle.status.borrow();
                name.is_none_or(|name| {
                    status.state.display_name == name || status.state.identity == name
                })
            })
            .cloned()
            .collect();
        let names = || {
            let names: Vec<String> = all
                .iter()
                .map(|handle| format!("\"{}\"", handle.status.borrow().state.display_name))
                .collect();
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            }
        };
        let mut handle = match (fitting.pop(), fitting.is_empty()) {
            (Some(handle), true) => handle,
            (Some(_), false) => {
                let message = format!(
                    "There are several encoders; name one with --encoder: {}.",
                    names()
                );
                return Err(RequestError::new("encoder_ambiguous", &message));
            }
            (None, _) => {
                let message = format!("There is no such encoder here. Known are: {}.", names());
                return Err(RequestError::new("acs_encoder_not_found", &message));
            }
        };
        let ready = tokio::time::timeout(
            HUB_PATIENCE,
            handle.status.wait_for(EncoderStatus::is_settled),
        )
        .await;
        drop(ready);
        let state = handle.status.borrow().state.clone();
        match state.reason {
            None => Ok(handle),
            Some(reason) => Err(RequestError::new(
                "encoder_not_online",
                &format!("{}: {reason}", state.display_name),
            )),
        }
    }
}

fn other_answer() -> RequestError {
    RequestError::new(
        "uncategorized_error",
        "The hub answered something else than was asked; install one version of cardbridge everywhere.",
    )
}

/// How something asked at this PC ended.
enum End {
    /// As a job does; with the credential that is on the card now, if one was written.
    Job(Box<Outcome>, Option<Box<ScannedCredential>>),
    /// With what an encode would change.
    Preview(Box<Preview>),
}

/// Why a job did not end as was hoped for.
fn why_not(outcome: Outcome) -> RequestError {
    match outcome {
        Outcome::Unwritten { error } | Outcome::Unknown { error, .. } => error.into(),
        Outcome::Written { .. }
        | Outcome::Issued { .. }
        | Outcome::Scanned(_)
        | Outcome::Read(_) => ended_otherwise(),
    }
}

fn ended_otherwise() -> RequestError {
    RequestError::new(
        "uncategorized_error",
        "The encoder did something else than was asked; `cardbridge scan` tells what is on the card.",
    )
}

/// Withdraws a job when nobody waits for it any more: whoever asked has gone, or has lost patience. A job that is over
/// is not known any more, and one that writes runs to its true end.
struct WithdrawOnDrop {
    handle: EncoderHandle,
    id: Uuid,
}

impl Drop for WithdrawOnDrop {
    fn drop(&mut self) {
        // An encoder whose queue is full has other worries; the job then ends when its card wait is over.
        let _ = self.handle.requests.try_send(Request::Cancel(self.id));
    }
}

impl RequestError {
    fn new(kind: &str, message: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            message: message.to_owned(),
        }
    }
}

impl From<AttemptError> for RequestError {
    fn from(AttemptError { kind, message }: AttemptError) -> Self {
        Self { kind, message }
    }
}

/// Waits for the end of one job.
async fn wait(
    mut updates: broadcast::Receiver<Update>,
    id: Uuid,
    patience: Duration,
    progress: &mut (dyn FnMut(Phase) + Send),
) -> Result<End, RequestError> {
    let end = async {
        loop {
            match updates.recv().await {
                Ok(Update::Progress(of, phase)) if of == id => progress(phase),
                Ok(Update::Finished(of, outcome, written)) if of == id => {
                    return Some(End::Job(outcome, written));
                }
                Ok(Update::Previewed(of, preview)) if of == id => {
                    return Some(End::Preview(preview));
                }
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    };
    match tokio::time::timeout(patience, end).await {
        Ok(Some(end)) => Ok(end),
        Ok(None) => Err(RequestError::new(
            "bridge_stopped",
            "The bridge was stopped.",
        )),
        Err(_) => Err(RequestError::new(
            "action_attempt_expired",
            "The job did not end in time; `cardbridge scan` tells what is on the card.",
        )),
    }
}
