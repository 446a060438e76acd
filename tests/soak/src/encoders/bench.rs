//! The desk: a hub, a bridge, four encoders with a card on each, and hands for their cables.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use e2e::{EncoderPc, Hub, Process};
use emulator::{
    Cards, Origin, PcscReader, Pn532Encoder, PrivatePcscd, ReaderSettings, Slot, Technology,
};
use tempfile::TempDir;

use super::load::Load;

/// Encoders on a serial line.
const SERIAL: usize = 3;

/// A running desk.
pub(super) struct Bench {
    // In this order: the bridge goes before the encoders it uses.
    pub(super) bridge: Process,
    pub(super) encoders: Vec<Encoder>,
    pcscd: Option<PrivatePcscd>,
    pub(super) hub: Hub,
    _pc: EncoderPc,
    _cards: Cards,
    folder: TempDir,
}

/// One encoder, and what the hub calls it.
pub(super) struct Encoder {
    pub(super) acs_encoder_id: String,
    device: Device,
}

enum Device {
    Serial(Pn532Encoder),
    Reader { reader: PcscReader, slot: Slot },
}

impl Bench {
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let cards = Cards::new();
        let card = |n: usize| {
            let uid = format!("04A1B2C{n}").parse().expect("a UID");
            cards
                .card(Technology::MifareClassic1k, uid, Origin::Factory)
                .expect("a card")
        };
        let serial: Vec<_> = (0..SERIAL)
            .map(|n| {
                let port = folder.path().join(format!("desk-{n}"));
                let encoder = Pn532Encoder::start(Slot::new(), port).expect("a terminal");
                encoder.slot().place(&card(n));
                encoder
            })
            .collect();
        let pcscd = PrivatePcscd::start(1).unwrap_or_else(|error| panic!("{error}"));
        symlink(pcscd.socket(), socket(folder.path())).expect("a link can be made");
        let slot = Slot::new();
        slot.place(&card(SERIAL));
        let reader = reader(&slot, &pcscd);
        // The bridge leaves out the numbers behind the name, which change.
        let reader_name = pcscd.reader_name(0).replace(" 00 00", "");

        let hub = Hub::start("1s");
        let entries: String = serial
            .iter()
            .enumerate()
            .map(|(n, encoder)| {
                let port = encoder.path().display();
                format!("[[encoder]]\ndriver = \"pn532\"\nport = \"{port}\"\nname = \"Desk {n}\"\n")
            })
            .collect();
        let pc = EncoderPc::new(&format!("{}{entries}", hub.section()));
        let mut run = pc.command("run");
        run.env("PCSCLITE_CSOCK_NAME", socket(folder.path()));
        let bridge = Process::start(run);
        let mut encoders = Vec::new();
        for (n, encoder) in serial.into_iter().enumerate() {
            encoders.push(Encoder {
                acs_encoder_id: hub.encoder(&format!("Desk {n}")).await,
                device: Device::Serial(encoder),
            });
        }
        encoders.push(Encoder {
            acs_encoder_id: hub.encoder(&reader_name).await,
            device: Device::Reader { reader, slot },
        });
        Self {
            bridge,
            encoders,
            pcscd: Some(pcscd),
            hub,
            _pc: pc,
            _cards: cards,
            folder,
        }
    }

    /// Pulls an encoder's cable in the midst of its jobs, puts it back once the bridge has seen it, and says how long it
    /// took from then to the next job that succeeds.
    pub(super) async fn replug(&mut self, encoder: usize, load: &Load) -> Duration {
        let pulled = Instant::now();
        self.encoders[encoder].device.unplug();
        load.fails_after(encoder, pulled).await;
        let plugged = Instant::now();
        self.encoders[encoder].device.plug();
        load.succeeds_after(encoder, plugged).await - plugged
    }

    /// Ends pcscd in the midst of jobs, starts another in its place with the same reader, and says how long it took from
    /// then to the next job that succeeds.
    pub(super) async fn restart_pcscd(&mut self, load: &Load) -> Duration {
        let reader_at = self.encoders.len() - 1;
        let ended = Instant::now();
        drop(self.pcscd.take());
        load.fails_after(reader_at, ended).await;
        let pcscd = PrivatePcscd::start(1).unwrap_or_else(|error| panic!("{error}"));
        let Device::Reader { reader: old, slot } = &mut self.encoders[reader_at].device else {
            panic!("the last encoder is the reader");
        };
        *old = reader(slot, &pcscd);
        relink(pcscd.socket(), &socket(self.folder.path()));
        self.pcscd = Some(pcscd);
        let started = Instant::now();
        load.succeeds_after(reader_at, started).await - started
    }
}

impl Device {
    fn unplug(&self) {
        match self {
            Self::Serial(encoder) => encoder.unplug(),
            Self::Reader { reader, .. } => reader.unplug(),
        }
    }

    fn plug(&self) {
        match self {
            Self::Serial(encoder) => encoder.plug().expect("a terminal"),
            Self::Reader { reader, .. } => reader.plug(),
        }
    }
}

fn reader(slot: &Slot, pcscd: &PrivatePcscd) -> PcscReader {
    PcscReader::start(slot.clone(), pcscd.ports()[0], ReaderSettings::default())
        .expect("a reader at pcscd")
}

/// Where the bridge looks for pcscd: a link, as the real one has a new place with every start.
fn socket(folder: &Path) -> PathBuf {
    folder.join("pcscd.comm")
}

/// Replaces the link in one step.
fn relink(target: &Path, link: &Path) {
    let new = link.with_extension("new");
    symlink(target, &new).expect("a link can be made");
    fs::rename(new, link).expect("a link can be replaced");
}
