//! An encoder in memory: runs procedures on the card that lies on it, and takes the card away when a test says so.

use card::{
    Command, CopiesRead, Credential, Effect, Inspect, Inspected, Plan, PlanOptions, PresentedCard,
    Procedure, Purpose, ReadCopies, Refusal, Reply, SelectAnswer, SiteKeys, Step, Suspects,
    Technology, Type2Command, Uid, Write, Written, plan,
};

use crate::model::{Page, Type2Card};
use crate::site::{entropy, keys};

/// What happens to the card at one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is gone before the command reaches it.
    RemovedBefore,
    /// It did what it was told, and its answer is lost.
    RemovedAfter,
    /// It loses power while it writes: every bit of the page may be the old or the new one.
    TornMix(u64),
    /// It loses power while it writes: the page may hold anything.
    TornNoise(u64),
    /// It loses power while it writes and leaves the page's cells half charged: it reads as before.
    WeakOld,
    /// The same, but it reads as written.
    WeakNew,
}

/// How a procedure ended.
#[derive(Debug)]
pub(crate) enum Ended<T> {
    /// By itself.
    Done(Result<T, Refusal>),
    /// Because the card was gone.
    Gone,
}

impl<T: std::fmt::Debug> Ended<T> {
    pub(crate) fn done(self) -> Result<T, Refusal> {
        match self {
            Self::Done(result) => result,
            Self::Gone => panic!("the card was taken away"),
        }
    }
}

/// A card on an encoder.
#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) card: Type2Card,
    pub(crate) uid: Uid,
    pub(crate) keys: SiteKeys,
    /// What was sent so far.
    pub(crate) exchanges: usize,
    /// The pages that were written, in order, and the exchanges at which that was.
    pub(crate) written: Vec<u8>,
    pub(crate) writes_at: Vec<usize>,
    /// What happens, and at which exchange.
    pub(crate) fault: Option<(usize, Fault)>,
    /// After how many exchanges the encoder drops the card's state and selects it again.
    pub(crate) reselected_at: Option<usize>,
    committing: bool,
    gone: bool,
}

/// How an encode went, and what the bridge's journal would know of it.
pub(crate) struct Encode {
    pub(crate) ended: Ended<Written>,
    /// The copies in doubt.
    pub(crate) suspects: Suspects,
}

impl Field {
    pub(crate) fn new(card: Type2Card) -> Self {
        let (a, b) = (card.memory[0], card.memory[1]);
        let uid = [a[0], a[1], a[2], b[0], b[1], b[2], b[3]];
        Self {
            uid: Uid::new(&uid).unwrap(),
            card,
            keys: keys(),
            exchanges: 0,
            written: Vec::new(),
            writes_at: Vec::new(),
            fault: None,
            reselected_at: None,
            committing: false,
            gone: false,
        }
    }

    pub(crate) fn blank(technology: Technology) -> Self {
        let uid = [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6];
        Self::new(Type2Card::blank(technology, uid))
    }

    /// Takes the card up and puts it down again, with a fault to come.
    pub(crate) fn present(&mut self, fault: Option<(usize, Fault)>) {
        self.card.select();
        self.card.tries = 0;
        self.exchanges = 0;
        self.written.clear();
        self.writes_at.clear();
        self.fault = fault;
        self.reselected_at = None;
        self.committing = false;
        self.gone = false;
    }

    pub(crate) fn presented(&self) -> PresentedCard {
        PresentedCard {
            uid: self.uid,
            answer: SelectAnswer::Iso14443a {
                atqa: [0x00, 0x44],
                sak: 0x00,
                ats: Vec::new(),
            },
        }
    }

    pub(crate) fn run<P: Procedure>(&mut self, procedure: &mut P) -> Ended<P::Output> {
        let mut last = None;
        loop {
            match procedure.next(last.take()) {
                Step::Done(result) => return Ended::Done(result),
                Step::Exchange(command, effect) => {
                    self.committing |= effect == Effect::Commits;
                    self.check_effect(&command, effect);
                    match self.exchange(&command) {
                        Some(reply) => last = Some(reply),
                        None => return Ended::Gone,
                    }
                }
            }
        }
    }

    /// Whatever a procedure says about a command must be what the command is.
    fn check_effect(&self, command: &Command, effect: Effect) {
        let expected = match command {
            Command::Type2(Type2Command::Write { page, .. }) if *page > self.card.sheet.user => {
                Effect::Prepares
            }
            Command::Type2(Type2Command::Write { .. }) => Effect::Commits,
            _ => Effect::Reads,
        };
        assert_eq!(effect, expected, "{command:?}");
    }

    fn exchange(&mut self, command: &Command) -> Option<Reply> {
        let Command::Type2(command) = command else {
            self.card.select();
            return (!self.gone).then(|| Reply::Reselected(self.presented()));
        };
        if self.reselected_at == Some(self.exchanges) {
            self.reselected_at = None;
            self.card.select();
        }
        let fault = match self.fault {
            Some((at, fault)) if at == self.exchanges => Some(fault),
            _ => None,
        };
        self.exchanges += 1;
        self.gone |= fault.is_some();
        match fault {
            Some(Fault::RemovedBefore) => None,
            Some(Fault::RemovedAfter) | None => {
                let reply = self.obey(command);
                (!self.gone).then_some(reply)
            }
            Some(torn) => {
                self.tear(command, torn);
                None
            }
        }
    }

    fn obey(&mut self, command: &Type2Command) -> Reply {
        if let Type2Command::Write { page, .. } = command {
            self.written.push(*page);
            self.writes_at.push(self.exchanges - 1);
        }
        match self.card.obey(command) {
            Ok(Some(bytes)) => {
                assert_eq!(Some(bytes.len()), command.answer_length());
                Reply::Data(bytes)
            }
            Ok(None) => Reply::Done,
            Err(crate::model::No) => Reply::Refused,
        }
    }

    fn tear(&mut self, command: &Type2Command, fault: Fault) {
        let Type2Command::Write { page, data } = command else {
            return;
        };
        if !self.card.may_write(*page) {
            return;
        }
        let old = self.card.memory[usize::from(*page)];
        let new = *data.expose();
        match fault {
            Fault::TornMix(seed) => {
                let mask = noise(seed);
                let mix = std::array::from_fn(|at| old[at] & mask[at] | new[at] & !mask[at]);
                self.card.put(*page, mix);
            }
            Fault::TornNoise(seed) => self.card.put(*page, noise(seed)),
            Fault::WeakOld => self.card.put_weakly(*page, old, new),
            Fault::WeakNew => self.card.put_weakly(*page, new, old),
            Fault::RemovedBefore | Fault::RemovedAfter => {}
        }
    }

    pub(crate) fn inspect(&mut self, purpose: Purpose) -> Ended<Inspected> {
        let keys = self.keys.clone();
        let mut inspect = Inspect::new(self.presented(), &keys, purpose, entropy()).unwrap();
        let ended = self.run(&mut inspect);
        if let Ended::Done(Ok(_)) = ended {
            assert_eq!(inspect.technology(), Some(self.card.sheet.technology));
        }
        ended
    }

    pub(crate) fn plan(&mut self, credential: &Credential, options: &PlanOptions) -> Ended<Plan> {
        match self.inspect(Purpose::encode(credential).unwrap()) {
            Ended::Done(Ok(inspected)) => {
                let planned = plan(&inspected, credential, &self.keys, options);
                if let Ok(plan) = &planned {
                    let writes = plan.changes(&inspected).len();
                    assert!(writes <= plan.steps());
                }
                Ended::Done(planned)
            }
            Ended::Done(Err(refusal)) => Ended::Done(Err(refusal)),
            Ended::Gone => Ended::Gone,
        }
    }

    /// Inspects, plans and writes, as a bridge does whose journal has no doubts of the card.
    pub(crate) fn encode(&mut self, credential: &Credential) -> Encode {
        self.encode_doubting(credential, Suspects::NONE)
    }

    /// The same for a card that earlier encodes have left in doubt.
    pub(crate) fn encode_doubting(
        &mut self,
        credential: &Credential,
        suspects: Suspects,
    ) -> Encode {
        let options = PlanOptions {
            suspects,
            ..PlanOptions::default()
        };
        let plan = match self.plan(credential, &options) {
            Ended::Done(Ok(plan)) => plan,
            Ended::Done(Err(refusal)) => {
                return Encode {
                    ended: Ended::Done(Err(refusal)),
                    suspects,
                };
            }
            Ended::Gone => {
                return Encode {
                    ended: Ended::Gone,
                    suspects,
                };
            }
        };
        self.write(plan, suspects)
    }

    pub(crate) fn write(&mut self, plan: Plan, suspects: Suspects) -> Encode {
        let (target, steps) = (plan.target_copy(), plan.steps());
        let keys = self.keys.clone();
        let mut write = Write::new(plan, &keys, entropy());
        let ended = self.run(&mut write);
        let progress = write.progress();
        assert_eq!(progress.total, steps);
        let suspects = match &ended {
            Ended::Done(Ok(_)) => {
                assert_eq!(progress.done, steps);
                Suspects::NONE
            }
            _ if self.committing => suspects.with(target),
            _ => suspects,
        };
        Encode { ended, suspects }
    }

    /// What a lock reads of the card, which is put before it for that.
    pub(crate) fn read_as_lock(&self) -> CopiesRead {
        let mut before_the_lock = self.clone();
        before_the_lock.present(None);
        let lock_keys = self.keys.lock_keys();
        let mut read = ReadCopies::new(self.presented(), lock_keys, entropy()).unwrap();
        before_the_lock.run(&mut read).done().unwrap()
    }
}

/// SplitMix64: the same seed, the same tear.
fn noise(seed: u64) -> Page {
    let mut mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let [a, b, c, d, ..] = (mixed ^ (mixed >> 31)).to_be_bytes();
    [a, b, c, d]
}
