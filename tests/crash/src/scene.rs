//! One desk: an encoder with one card, the PC with its bridge, and the hub at the other end. Encoder and card belong to
//! the test, so they outlive a bridge that is killed, as they do on a real desk.

use std::path::Path;

use emulator::{Card, PcscReader, Pn532Encoder, ReaderSettings, Slot};
use protocol::link::{Offer, Outcome, OutcomeReport};
use tempfile::TempDir;

use crate::LIMIT;
use crate::bridge::{Bridge, Disk, Rights};
use crate::hub::{Hub, Link};
use crate::pcsc::Pcscd;
use crate::plastic::{Start, check_finished};
use crate::site::NEW;

/// A desk whose bridge may or may not run.
#[derive(Debug)]
pub struct Scene {
    /// The hub.
    pub hub: Hub,
    /// What the PC keeps when its bridge is killed.
    pub disk: Disk,
    /// The place on the encoder.
    pub slot: Slot,
    /// The card; at first it lies on the encoder.
    pub card: Card,
    wire: Wire,
    _folder: TempDir,
}

#[derive(Debug)]
enum Wire {
    /// A PN532 on a pseudo-terminal, held for its thread.
    Serial { _encoder: Pn532Encoder },
    /// A reader under a `pcscd` of its own, the reader held for its thread.
    Pcsc { _reader: PcscReader, pcscd: Pcscd },
}

/// A bridge that runs and is linked to the hub, its encoder ready.
#[derive(Debug)]
pub struct Running {
    /// The process.
    pub bridge: Bridge,
    /// The hub's end of its link.
    pub link: Link,
    /// The encoder, as the bridge calls it.
    pub identity: String,
}

/// How a report tells that a job ended, as the journal names it.
#[must_use]
pub fn kind(report: &OutcomeReport) -> &'static str {
    match report.outcome {
        Outcome::Written { .. } | Outcome::Issued { .. } => "written",
        Outcome::Unwritten { .. } => "unwritten",
        Outcome::Unknown { .. } => "unknown",
        Outcome::Scanned(_) | Outcome::Read(_) => "scanned",
    }
}

impl Scene {
    /// A desk with a PN532 on a serial line.
    #[must_use]
    pub fn serial(start: &Start) -> Self {
        Self::serial_with(&start.card())
    }

    /// The same, with a card of any technology on it.
    #[must_use]
    pub fn serial_with(card: &Card) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let slot = Slot::new();
        let encoder = Pn532Encoder::start(slot.clone(), folder.path().join("front-desk")).unwrap();
        let port = encoder.path().to_owned();
        Self::new(
            card,
            folder,
            slot,
            Wire::Serial { _encoder: encoder },
            Some(&port),
        )
    }

    /// A desk with a contactless reader behind a real `pcscd`, within [`with_pcscd`](crate::pcsc::with_pcscd).
    #[must_use]
    pub fn pcsc(start: &Start) -> Self {
        Self::pcsc_with(&start.card())
    }

    /// The same, with a card of any technology on it.
    #[must_use]
    pub fn pcsc_with(card: &Card) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let slot = Slot::new();
        let pcscd = Pcscd::start();
        let settings = ReaderSettings::default();
        let reader = PcscReader::start(slot.clone(), pcscd.port(), settings).unwrap();
        let wire = Wire::Pcsc {
            _reader: reader,
            pcscd,
        };
        Self::new(card, folder, slot, wire, None)
    }

    fn new(card: &Card, folder: TempDir, slot: Slot, wire: Wire, port: Option<&Path>) -> Self {
        let hub = Hub::start();
        slot.place(card);
        Self {
            disk: Disk::new(folder.path(), hub.address(), port),
            hub,
            slot,
            card: card.clone(),
            wire,
            _folder: folder,
        }
    }

    /// Starts the bridge and waits until its encoder can take jobs.
    pub fn start(&mut self) -> Running {
        self.start_with(Rights::AsTests)
    }

    /// The same, with other rights.
    pub fn start_with(&mut self, rights: Rights) -> Running {
        let (pcscd, name) = match &self.wire {
            Wire::Serial { .. } => (None, "Front Desk".to_owned()),
            Wire::Pcsc { pcscd, .. } => (Some(pcscd.socket()), pcscd.display_name()),
        };
        let bridge = self.disk.start(rights, pcscd);
        let mut link = self.hub.accept();
        let identity = link.online(&name);
        Running {
            bridge,
            link,
            identity,
        }
    }

    /// The next attempt to encode `NEW`.
    pub fn offer(&mut self, running: &Running) -> Offer {
        self.hub.encode(&running.identity, NEW)
    }

    /// Puts the card back on, once everybody has noticed that it was gone.
    pub fn present(&self) {
        if let Wire::Pcsc { pcscd, .. } = &self.wire {
            pcscd.wait_until_empty();
        }
        self.slot.place(&self.card);
    }

    /// Waits until an exchange is held before the card.
    pub fn wait_until_held(&self, case: &str) {
        assert!(
            self.slot.wait_for(LIMIT, |now| now.is_held),
            "{case}: the exchange did not come"
        );
    }

    /// Waits until the card was taken away.
    pub fn wait_until_pulled(&self, case: &str) {
        assert!(
            self.slot.wait_for(LIMIT, |now| now.cards.is_empty()),
            "{case}: the exchange did not come"
        );
    }

    /// A new attempt of the same credential on the card that lies there ends well.
    pub fn encode_again(&mut self, running: &mut Running, case: &str) -> Offer {
        let offer = self.offer(running);
        running.link.offer(&offer);
        let report = running.link.outcome_granted(&offer);
        assert_eq!(kind(&report), "written", "{case}: {report:?}");
        running.link.commit(&offer);
        check_finished(&self.card, NEW, case);
        offer
    }
}
