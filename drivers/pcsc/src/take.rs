//! Takes hold of the card in a reader by a deadline, which PC/SC itself does not offer.
//!
//! While another program keeps a transaction, pcsc-lite lets whoever wants the card wait for it without any limit:
//! `SCardConnect` inside the service, `SCardBeginTransaction` inside the client library, and `SCardCancel` ends neither
//! (winscard.c, winscard_clnt.c; LudovicRousseau/PCSC#254). So each reader has one thread that waits there on behalf of
//! everybody, in contexts of its own, as a call that hangs locks its context. What it gets when nobody waits for it any
//! more it lets go at once. However long the other program goes on, no second thread joins the first.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SendError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use encoder::Stop;
use pcsc::{Card, Context, Disposition, Error as Pcsc, Protocols, ShareMode};

use crate::context::establish;
use crate::error::PcscError;

/// How long connecting to a card that has just come may take, even past the deadline for its coming.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// The threads that take hold of cards, by their readers. Each ends when nobody is left who could ask it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Takers(Arc<Mutex<BTreeMap<CString, Sender<Request>>>>);

#[derive(Debug)]
struct Request {
    deadline: Instant,
    stop: Stop,
    news: Sender<News>,
}

enum News {
    Taken(Result<Card, PcscError>),
    Stopped,
}

impl Takers {
    /// A connection to the card in the reader with a transaction in it, which lasts as long as the connection. `None`
    /// when it could not be had in time.
    pub(crate) fn take(
        &self,
        reader: &CStr,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<Option<Card>, PcscError> {
        let deadline = deadline.max(Instant::now() + CONNECT_LIMIT);
        let (news, arriving) = channel();
        let _nudging = stop.nudge({
            let news = news.clone();
            // Nobody listens any more when the card was taken just before.
            move || news.send(News::Stopped).unwrap_or_default()
        });
        let stop = stop.clone();
        let request = Request {
            deadline,
            stop,
            news,
        };
        self.ask(reader, request)?;
        match arriving.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(News::Taken(taken)) => taken.map(Some),
            Ok(News::Stopped) => Err(PcscError::Stopped),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(None),
        }
    }

    /// Puts a request to the reader's thread, which is started when there is none.
    fn ask(&self, reader: &CStr, request: Request) -> Result<(), PcscError> {
        let mut takers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let request = match takers.get(reader) {
            Some(taker) => match taker.send(request) {
                Ok(()) => return Ok(()),
                // It panicked.
                Err(SendError(request)) => request,
            },
            None => request,
        };
        let (taker, asked) = channel();
        let name = reader.to_owned();
        std::thread::Builder::new()
            .name("pcsc take".to_owned())
            .spawn(move || serve(&name, &asked))
            .map_err(PcscError::NoThread)?;
        let _ = taker.send(request);
        takers.insert(reader.to_owned(), taker);
        Ok(())
    }
}

fn serve(reader: &CStr, asked: &Receiver<Request>) {
    for request in asked {
        if request.stop.is_raised() || Instant::now() >= request.deadline {
            continue;
        }
        // A connection that nobody receives ends here, and with it the transaction.
        let _ = request.news.send(News::Taken(take(reader)));
    }
}

/// Takes hold of a card, however long that takes.
fn take(reader: &CStr) -> Result<Card, PcscError> {
    let held = |error| match error {
        Pcsc::SharingViolation => PcscError::Held,
        error => error.into(),
    };
    // Shared, as an exclusive connection fails beside every program that merely watches the reader; the transaction
    // keeps them all out just as well.
    let context = establish()?;
    let connected = match context.connect(reader, ShareMode::Shared, Protocols::ANY) {
        Err(Pcsc::NoSmartcard | Pcsc::UnpoweredCard | Pcsc::UnresponsiveCard) => {
            wake(&context, reader)
        }
        connected => connected,
    };
    let mut connection = connected.map_err(held)?;
    // Disconnecting ends it (pcsc-lite, SCardDisconnect). As a value of its own it could not be kept beside the
    // connection that it borrows.
    std::mem::forget(connection.transaction().map_err(held)?);
    Ok(connection)
}

/// Connects to a card that the service takes for gone or mute because it was so for a moment, and that it would take for
/// so until it sees it leave. A connection to the reader alone has it look and power the card (pcsc-lite, SCardReconnect).
/// Without a card the reader is not touched.
fn wake(context: &Context, reader: &CStr) -> Result<Card, Pcsc> {
    let mut connection = context.connect(reader, ShareMode::Direct, Protocols::UNDEFINED)?;
    connection.reconnect(ShareMode::Shared, Protocols::ANY, Disposition::UnpowerCard)?;
    Ok(connection)
}
