//! A driver that hangs, and comes back late.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use encoder::{
    Abandoned, Access, BlockEncoder, CardSession, CardWait, Changed, Driver, Encoder, Error,
    ErrorKind, Facts, Identity, Listing, Opening, Probing, Selector, Settings, SettingsError, Stop,
};

use super::{Connection, News};
use crate::about::{About, Notes};
use crate::encoder_task::device::Device;

/// Generous: it only keeps a broken test from hanging.
const LIMIT: Duration = Duration::from_secs(20);

/// An encoder that is always plugged in. Its first opening hangs in every wait for a card until it is let go.
struct Hangs(Arc<Mutex<Option<Receiver<()>>>>);

impl Driver for Hangs {
    fn name(&self) -> &'static str {
        "hangs"
    }
    fn configure(&self, _: &Settings) -> Result<Selector, SettingsError> {
        Ok(Selector::Port("port".into()))
    }
    fn list(&self, _: Probing, _: &[Selector]) -> Vec<Listing> {
        Vec::new()
    }
    fn look_up(&self, selector: &Selector) -> Listing {
        Listing {
            driver: "hangs",
            selector: selector.clone(),
            identity: Identity::of_port("port".as_ref()),
            description: "Encoder".to_owned(),
            access: Access::Accessible,
            facts: Facts::default(),
        }
    }
    fn open(&self, _: &Selector, _: &Opening) -> Result<Encoder, Error> {
        let until = self.0.lock().unwrap().take();
        Ok(Encoder::Block(Box::new(Open(until))))
    }
    fn watch(&self, _: &[(Selector, Settings)], _: Changed) -> Result<Box<dyn Send>, Error> {
        Ok(Box::new(()))
    }
}

struct Open(Option<Receiver<()>>);

impl BlockEncoder for Open {
    fn select<'a>(
        &'a mut self,
        _: CardWait,
        _: Instant,
        _: &Stop,
    ) -> Result<Box<dyn CardSession + 'a>, Error> {
        if let Some(until) = &self.0 {
            let _ = until.recv();
        }
        Err(Error::new(ErrorKind::NoCard))
    }
    fn facts(&self) -> Facts {
        Facts::default()
    }
}

/// A connection to an encoder that hangs until something is sent or the sender dropped.
fn hanging() -> (Connection, Sender<()>) {
    let (go, until) = channel();
    let device = Device {
        driver: Arc::new(Hangs(Arc::new(Mutex::new(Some(until))))),
        selector: Selector::Port("port".into()),
        settings: Settings::default(),
        identity: Identity::of_port("port".as_ref()),
        display_name: "Encoder".to_owned(),
        notes: Notes::new(About::default(), None),
    };
    (Connection::open(device, Abandoned::default()), go)
}

async fn next(connection: &mut Connection) -> News {
    tokio::time::timeout(LIMIT, connection.next())
        .await
        .unwrap()
}

/// As when pcscd was stopped and goes on: nobody pulls a cable for that.
#[tokio::test]
async fn an_encoder_that_was_given_up_is_opened_again_once_its_driver_returns() {
    let (mut connection, go) = hanging();
    assert!(matches!(next(&mut connection).await, News::Opened(_)));
    connection.select(CardWait::Fresh, Duration::ZERO);
    let News::Lost(error) = next(&mut connection).await else {
        panic!("it hangs and is not given up");
    };
    assert_eq!(error.kind(), ErrorKind::Unresponsive);
    drop(go);
    assert!(matches!(next(&mut connection).await, News::Opened(_)));
    assert_eq!(connection.abandoned.count(), 0);
}
