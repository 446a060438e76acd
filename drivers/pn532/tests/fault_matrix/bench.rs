//! One encoder with a card, a fault on its line, and what must be true afterwards.

use std::time::{Duration, Instant};

use card::Suspects;
use driver_pn532::{Patience, Pn532Driver};
use emulator::{Card, Cards, Fault, FaultKind, Origin, Pn532Encoder, Slot, StoredFile, Technology};
use encoder::{BlockEncoder, Driver as _, Encoder, Error, ErrorKind, Opening, Selector};

use crate::procedures::{Failure, credential, encode, scan};

/// The room of the guest whose credential is on the card, and of the one who gets it next.
const OLD: u32 = 107;
const NEW: u32 = 109;

/// A case that takes longer hangs. Generous: many run side by side on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);
/// Times that a sound line is tried.
const TRIES: usize = 5;
/// How long a card is waited for, which lies there.
const CARD_WAIT: Duration = Duration::from_secs(2);

/// What is done while a fault is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Open,
    Scan,
    Encode,
}

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Unharmed,
    Failed,
    Reopened,
    Unmet,
}

/// The driver's time limits, short: an emulator answers at once, and a fault should not cost real seconds.
fn patience() -> Patience {
    Patience {
        acknowledge: Duration::from_millis(80),
        probe: Duration::from_millis(60),
        wake: Duration::from_millis(150),
        answer: Duration::from_millis(120),
        iso_answer: Duration::from_millis(120),
        look_again: Duration::from_millis(200),
        gap: Duration::from_millis(20),
        settle: Duration::ZERO,
    }
}

/// All that a card holds: an image, or files.
type Content = (Vec<u8>, Vec<StoredFile>);

fn content(card: &Card) -> Content {
    (card.memory(), card.files())
}

pub(crate) struct Bench {
    emulated: Pn532Encoder,
    /// A card with the old credential; each case gets one like it.
    sample: Card,
    /// The one that lies there.
    card: Card,
    /// What is on a card with the old credential, and with the new one in its place.
    old: Content,
    new: Content,
    encoder: Option<Box<dyn BlockEncoder>>,
    _home: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new(technology: Technology) -> Self {
        let home = tempfile::tempdir().unwrap();
        let emulated = Pn532Encoder::start(Slot::new(), home.path().join("front-desk")).unwrap();
        let uid = "04A1B2C3D4E5F6".parse().unwrap();
        let card = Cards::new().card(technology, uid, Origin::Factory).unwrap();
        emulated.slot().place(&card);
        let mut bench = Self {
            emulated,
            sample: card.twin(),
            old: content(&card),
            new: content(&card),
            card,
            encoder: None,
            _home: home,
        };
        bench.old = bench.encoded(OLD);
        bench.sample = bench.card.twin();
        bench.new = bench.encoded(NEW);
        bench
    }

    /// What is on the card after it was encoded on a sound line.
    fn encoded(&mut self, room: u32) -> Content {
        let mut encoder = self.open_surely(Patience::default());
        encode(encoder.as_mut(), room, &mut Suspects::NONE.clone(), LIMIT).unwrap();
        content(&self.card)
    }

    fn open(&self, patience: Patience) -> Result<Box<dyn BlockEncoder>, Error> {
        let driver = Pn532Driver::default().with_patience(patience);
        let selector = Selector::Port(self.emulated.path().to_owned());
        match driver.open(&selector, &Opening::default())? {
            Encoder::Block(encoder) => Ok(encoder),
            Encoder::Issuing(_) => panic!("an encoder of another kind"),
        }
    }

    /// Opens the encoder while the line is sound. The machine may be too busy for a time limit, so it has some tries.
    fn open_surely(&self, patience: Patience) -> Box<dyn BlockEncoder> {
        (1..TRIES)
            .find_map(|_| self.open(patience).ok())
            .unwrap_or_else(|| self.open(patience).unwrap())
    }

    /// The frames that the chip sends in a task without faults.
    pub(crate) fn frames_of(mut self, task: Task) -> u64 {
        self.prepare(task);
        let before = self.emulated.faults().frames();
        let mut suspects = Suspects::NONE;
        self.perform(task, &mut suspects).unwrap();
        self.emulated.faults().frames() - before
    }

    /// The card as it was, and the encoder open unless that is the task.
    fn prepare(&mut self, task: Task) {
        self.emulated.faults().set(Vec::new());
        self.card = self.sample.twin();
        self.emulated.slot().place(&self.card);
        if task == Task::Open {
            self.encoder = None;
        } else if self.encoder.is_none() {
            self.encoder = Some(self.open_surely(patience()));
        }
    }

    fn perform(&mut self, task: Task, suspects: &mut Suspects) -> Result<(), Failure> {
        if self.encoder.is_none() {
            self.encoder = Some(self.open(patience())?);
        }
        let encoder = self.encoder.as_deref_mut().unwrap();
        match task {
            Task::Open => Ok(()),
            Task::Scan => {
                let found = scan(encoder, CARD_WAIT)?;
                assert_eq!(
                    found,
                    Some(credential(OLD)),
                    "what was scanned is not on the card"
                );
                Ok(())
            }
            Task::Encode => encode(encoder, NEW, suspects, CARD_WAIT),
        }
    }

    /// One case.
    pub(crate) fn run(&mut self, task: Task, fault: Fault) -> Ended {
        let case = format!("{task:?} of {}, {fault:?}", self.card.technology());
        self.prepare(task);
        let mut suspects = Suspects::NONE;
        let faults = self.emulated.faults().clone();
        let before = faults.happened();
        faults.set(vec![fault]);
        let began = Instant::now();
        let outcome = self.perform(task, &mut suspects);
        assert!(
            began.elapsed() < LIMIT,
            "{case}: took {:?}",
            began.elapsed()
        );
        let is_met = faults.happened() > before;
        faults.set(Vec::new());

        if let Err(failure) = &outcome {
            assert!(is_true(failure, fault.kind), "{case}: {failure:?}");
        } else if task == Task::Encode {
            assert!(
                content(&self.card) == self.new,
                "{case}: success, and the card has something else"
            );
        }
        let is_reopened = self.works_again(&case, suspects);
        match outcome {
            _ if !is_met => Ended::Unmet,
            Ok(()) => Ended::Unharmed,
            Err(_) if is_reopened => Ended::Reopened,
            Err(_) => Ended::Failed,
        }
    }

    /// The line is sound: what is on the card is told truly, and the card can be finished. Whether the encoder had to be
    /// opened anew for that.
    fn works_again(&mut self, case: &str, mut suspects: Suspects) -> bool {
        let is_old = content(&self.card) == self.old;
        let is_new = content(&self.card) == self.new;
        let same = self
            .encoder
            .as_deref_mut()
            .map(|encoder| scan(encoder, CARD_WAIT));
        let (found, is_reopened) = match same {
            Some(Ok(found)) => (found, false),
            _ => {
                self.encoder = None;
                let mut encoder = self.open_surely(Patience::default());
                let found = scan(encoder.as_mut(), LIMIT);
                (
                    found.unwrap_or_else(|failure| panic!("{case}: {failure:?}")),
                    true,
                )
            }
        };
        let holds = |room| found == Some(credential(room));
        assert!(
            !is_old || holds(OLD),
            "{case}: then {found:?} for the old one"
        );
        assert!(
            !is_new || holds(NEW),
            "{case}: then {found:?} for the new one"
        );
        assert!(
            found.is_none() || holds(OLD) || holds(NEW),
            "{case}: then {found:?}"
        );
        if !is_old && !is_new {
            let mut encoder = match self.encoder.take() {
                Some(encoder) => encoder,
                None => self.open_surely(Patience::default()),
            };
            let finished = encode(encoder.as_mut(), NEW, &mut suspects, LIMIT);
            assert_eq!(finished, Ok(()), "{case}: the card cannot be finished");
        }
        is_reopened
    }
}

/// Whether a failure may be told of a card that is there and is ours: nothing of what the line does makes it somebody
/// else's, or another kind of card. Only another UID is another card.
fn is_true(failure: &Failure, fault: FaultKind) -> bool {
    match failure {
        Failure::Encoder(kind) => matches!(
            kind,
            ErrorKind::Unresponsive | ErrorKind::Protocol | ErrorKind::CardGone | ErrorKind::NoCard
        ),
        Failure::Card(refusal) => {
            fault == FaultKind::WrongUid && *refusal == card::Refusal::Swapped
        }
    }
}
