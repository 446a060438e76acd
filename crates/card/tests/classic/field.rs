//! An encoder in memory: runs procedures on the card that lies on it, and takes the card away when a test says so.

use card::{
    ClassicCommand, Command, Credential, Effect, Inspect, Inspected, Plan, PlanOptions,
    PresentedCard, Procedure, Purpose, ReadCopies, Refusal, Reply, SelectAnswer, SiteKeys, Step,
    Suspects, Uid, Write, Written, plan,
};

use crate::model::{Classic, Size};
use crate::site::{entropy, keys};

/// What happens to the card at one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is gone before the command reaches it.
    RemovedBefore,
    /// It did what it was told, and its answer is lost.
    RemovedAfter,
    /// It loses power while it writes: every bit of the block may be the old or the new one.
    TornMix(u64),
    /// It loses power while it writes: the block may hold anything.
    TornNoise(u64),
    /// It loses power while it writes and leaves the block's cells half charged: the block reads as the one, and later
    /// perhaps as the other.
    Weak(ReadsAs),
}

/// What a block that was written weakly reads as for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadsAs {
    /// What it held before.
    Old,
    /// What was written.
    New,
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
    pub(crate) card: Classic,
    pub(crate) uid: Uid,
    /// The keys of the encoder and of the lock.
    pub(crate) keys: SiteKeys,
    /// What was sent so far.
    pub(crate) exchanges: usize,
    /// The blocks that were written, in order.
    pub(crate) written: Vec<u8>,
    /// The exchanges at which that was.
    pub(crate) writes_at: Vec<usize>,
    /// What happens, and at which exchange.
    pub(crate) fault: Option<(usize, Fault)>,
    /// Whether a command with [`Effect::Commits`] was sent.
    pub(crate) committing: bool,
    gone: bool,
}

/// How an encode went, and what the bridge's journal would know of it.
pub(crate) struct Encode {
    pub(crate) ended: Ended<Written>,
    /// The copies in doubt.
    pub(crate) suspects: Suspects,
}

impl Field {
    pub(crate) fn new(card: Classic) -> Self {
        Self::with_uid(card, 4)
    }

    fn with_uid(card: Classic, length: usize) -> Self {
        Self {
            uid: Uid::new(&card.memory[0][..length]).unwrap(),
            keys: keys(),
            card,
            exchanges: 0,
            written: Vec::new(),
            writes_at: Vec::new(),
            fault: None,
            committing: false,
            gone: false,
        }
    }

    pub(crate) fn blank() -> Self {
        Self::blank_of(Size::OneK)
    }

    pub(crate) fn blank_of(size: Size) -> Self {
        Self::new(Classic::blank(size, &[0x04, 0xA1, 0xB2, 0xC3]))
    }

    pub(crate) fn blank_with_long_uid(size: Size) -> Self {
        let uid = [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6];
        Self::with_uid(Classic::blank(size, &uid), 7)
    }

    /// Takes the card up and puts it down again, with a fault to come.
    pub(crate) fn present(&mut self, fault: Option<(usize, Fault)>) {
        self.card.select();
        self.card.refused.clear();
        self.exchanges = 0;
        self.written.clear();
        self.writes_at.clear();
        self.fault = fault;
        self.committing = false;
        self.gone = false;
    }

    pub(crate) fn presented(&self) -> PresentedCard {
        let (mut atqa, sak) = self.card.size.answer();
        if self.uid.as_bytes().len() == 7 {
            atqa[1] |= 0x40;
        }
        PresentedCard {
            uid: self.uid,
            answer: SelectAnswer::Iso14443a {
                atqa,
                sak,
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
                    check_effect(&command, effect);
                    match self.exchange(&command) {
                        Some(reply) => last = Some(reply),
                        None => return Ended::Gone,
                    }
                }
            }
        }
    }

    fn exchange(&mut self, command: &Command) -> Option<Reply> {
        let Command::Classic(command) = command else {
            self.card.select();
            return (!self.gone).then(|| Reply::Reselected(self.presented()));
        };
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

    fn obey(&mut self, command: &ClassicCommand) -> Reply {
        let result = match command {
            ClassicCommand::Authenticate {
                block,
                key_type,
                key,
            } => self
                .card
                .authenticate(*block, *key_type, key.expose())
                .map(|()| Reply::Done),
            ClassicCommand::Read { block } => self
                .card
                .read(*block)
                .map(|bytes| Reply::Data(bytes.to_vec())),
            ClassicCommand::Write { block, data } => {
                self.written.push(*block);
                self.writes_at.push(self.exchanges - 1);
                self.card
                    .write(*block, *data.expose())
                    .map(|()| Reply::Done)
            }
        };
        result.unwrap_or(Reply::Refused)
    }

    fn tear(&mut self, command: &ClassicCommand, fault: Fault) {
        let ClassicCommand::Write { block, data } = command else {
            return;
        };
        if !self.card.may_write(*block) {
            return;
        }
        let old = self.card.memory[usize::from(*block)];
        let new = *data.expose();
        let mix = |seed, old: [u8; 16], new: [u8; 16]| {
            let noise = Random(seed).bytes();
            std::array::from_fn(|at| old[at] & noise[at] | new[at] & !noise[at])
        };
        match fault {
            Fault::TornMix(seed) => self.card.put(*block, mix(seed, old, new)),
            Fault::TornNoise(seed) => self.card.put(*block, Random(seed).bytes()),
            Fault::Weak(ReadsAs::Old) => self.card.put_weakly(*block, old, new),
            Fault::Weak(ReadsAs::New) => self.card.put_weakly(*block, new, old),
            Fault::RemovedBefore | Fault::RemovedAfter => {}
        }
    }

    pub(crate) fn inspect(&mut self, purpose: Purpose) -> Ended<Inspected> {
        let mut inspect = Inspect::new(self.presented(), &self.keys, purpose, entropy()).unwrap();
        self.run(&mut inspect)
    }

    pub(crate) fn plan(&mut self, credential: &Credential, options: &PlanOptions) -> Ended<Plan> {
        let purpose = match Purpose::encode(credential) {
            Ok(purpose) => purpose,
            Err(refusal) => return Ended::Done(Err(refusal)),
        };
        match self.inspect(purpose) {
            Ended::Done(Ok(inspected)) => {
                Ended::Done(plan(&inspected, credential, &self.keys, options))
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
        let target = plan.target_copy();
        let steps = plan.steps();
        let mut write = Write::new(plan, &self.keys, entropy());
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
    pub(crate) fn read_as_lock(&self) -> card::CopiesRead {
        let mut before_the_lock = self.clone();
        before_the_lock.present(None);
        let mut read = ReadCopies::new(self.presented(), self.keys.lock_keys(), entropy()).unwrap();
        before_the_lock.run(&mut read).done().unwrap()
    }
}

/// Whatever a procedure says about a command must be what the command is.
fn check_effect(command: &Command, effect: Effect) {
    let expected = match command {
        Command::Classic(ClassicCommand::Write { block, .. }) if block % 4 == 3 => Effect::Prepares,
        Command::Classic(ClassicCommand::Write { .. }) => Effect::Commits,
        _ => Effect::Reads,
    };
    assert_eq!(effect, expected, "{command:?}");
}

/// SplitMix64: the same seed, the same tear.
struct Random(u64);

impl Random {
    fn bytes(mut self) -> [u8; 16] {
        std::array::from_fn(|_| self.byte())
    }

    fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) as u8
    }
}
