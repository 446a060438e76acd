//! An encoder in memory: runs procedures on the card that lies on it, and takes the card away when a test says so.

use card::{
    Command, CopiesRead, Credential, Effect, Entropy, Inspect, Inspected, Plan, PlanOptions,
    PresentedCard, Procedure, Purpose, ReadCopies, Refusal, Reply, SiteKeys, Step, Suspects, Write,
    Written, plan,
};

/// A card that takes wrapped native commands.
pub(crate) trait Model: Clone {
    /// Power on, selected.
    fn present(&mut self) -> PresentedCard;
    /// One command.
    fn apdu(&mut self, apdu: &[u8]) -> Vec<u8>;
    /// The command that it is just carrying out loses its power.
    fn tear(&mut self, apdu: &[u8], fault: Fault);
    /// What was written weakly reads as the other.
    fn turn_weak_cells(&mut self);
    /// Keys that were tried in vain since it was presented.
    fn wrong_keys(&self) -> &[u8];
}

/// What happens to the card at one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is gone before the command reaches it.
    RemovedBefore,
    /// It did what it was told, and its answer is lost.
    RemovedAfter,
    /// It loses power while it writes: every bit may be the old or the new one.
    TornMix(u64),
    /// It loses power while it writes: what is written may hold anything.
    TornNoise(u64),
    /// It loses power while it writes and reads as before; later as what was written.
    WeakOld,
    /// It loses power while it writes and reads as what was written; later as before.
    WeakNew,
    /// It is put back, by an encoder that does not tell: its session is lost.
    Renewed,
    /// A bit of its answer changes on the way.
    Garbled,
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
pub(crate) struct Field<M> {
    pub(crate) card: M,
    pub(crate) keys: SiteKeys,
    pub(crate) presented: PresentedCard,
    pub(crate) exchanges: usize,
    /// The exchanges at which the card was written, with what effect.
    pub(crate) writes_at: Vec<(usize, Effect)>,
    pub(crate) fault: Option<(usize, Fault)>,
    pub(crate) committing: bool,
    gone: bool,
    entropy: Entropy,
}

/// How an encode went, and what the bridge's journal would know of it.
pub(crate) struct Encode {
    pub(crate) ended: Ended<Written>,
    pub(crate) suspects: Suspects,
}

impl<M: Model> Field<M> {
    pub(crate) fn new(mut card: M, keys: SiteKeys) -> Self {
        let presented = card.present();
        Self {
            card,
            keys,
            presented,
            exchanges: 0,
            writes_at: Vec::new(),
            fault: None,
            committing: false,
            gone: false,
            entropy: Entropy::new([0xE5; 32]),
        }
    }

    /// Takes the card up and puts it down again, with a fault to come.
    pub(crate) fn present(&mut self, fault: Option<(usize, Fault)>) {
        self.presented = self.card.present();
        self.exchanges = 0;
        self.writes_at.clear();
        self.fault = fault;
        self.committing = false;
        self.gone = false;
    }

    pub(crate) fn run<P: Procedure>(&mut self, procedure: &mut P) -> Ended<P::Output> {
        let mut last = None;
        loop {
            match procedure.next(last.take()) {
                Step::Done(result) => return Ended::Done(result),
                Step::Exchange(command, effect) => {
                    self.committing |= effect == Effect::Commits;
                    let Command::Iso(apdu) = command else {
                        panic!("these cards need no other command: {command:?}");
                    };
                    match self.exchange(apdu.expose(), effect) {
                        Some(answer) => last = Some(Reply::Data(answer)),
                        None => return Ended::Gone,
                    }
                }
            }
        }
    }

    fn exchange(&mut self, apdu: &[u8], effect: Effect) -> Option<Vec<u8>> {
        let fault = match self.fault {
            Some((at, fault)) if at == self.exchanges => Some(fault),
            _ => None,
        };
        if effect != Effect::Reads {
            self.writes_at.push((self.exchanges, effect));
        }
        self.exchanges += 1;
        match fault {
            None => (!self.gone).then(|| self.card.apdu(apdu)),
            Some(Fault::RemovedBefore) => {
                self.gone = true;
                None
            }
            Some(Fault::RemovedAfter) => {
                self.card.apdu(apdu);
                self.gone = true;
                None
            }
            Some(Fault::Renewed) => {
                self.card.present();
                Some(self.card.apdu(apdu))
            }
            Some(Fault::Garbled) => {
                let mut answer = self.card.apdu(apdu);
                answer[0] ^= 0x04;
                Some(answer)
            }
            Some(torn) => {
                self.card.tear(apdu, torn);
                self.gone = true;
                None
            }
        }
    }

    pub(crate) fn inspect(&mut self, purpose: Purpose) -> Ended<Inspected> {
        let entropy = self.entropy.split();
        let mut inspect =
            Inspect::new(self.presented.clone(), &self.keys, purpose, entropy).unwrap();
        let ended = self.run(&mut inspect);
        let mut wrong = self.card.wrong_keys().to_vec();
        wrong.sort_unstable();
        wrong.dedup();
        assert_eq!(
            wrong.len(),
            self.card.wrong_keys().len(),
            "a key was tried twice"
        );
        ended
    }

    pub(crate) fn plan(&mut self, credential: &Credential, options: &PlanOptions) -> Ended<Plan> {
        match self.inspect(Purpose::encode(credential).unwrap()) {
            Ended::Done(Ok(inspected)) => {
                let made = plan(&inspected, credential, &self.keys, options);
                if let Ok(plan) = &made {
                    // Shown to people: must not fail on any plan.
                    let changes = plan.changes(&inspected);
                    assert_eq!(changes.is_empty(), plan.is_noop());
                }
                Ended::Done(made)
            }
            Ended::Done(Err(refusal)) => Ended::Done(Err(refusal)),
            Ended::Gone => Ended::Gone,
        }
    }

    /// Inspects, plans and writes, as a bridge does whose journal has no doubts of the card.
    pub(crate) fn encode(&mut self, credential: &Credential) -> Encode {
        self.encode_doubting(credential, Suspects::NONE)
    }

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
        let (target, steps) = (plan.target_copy(), plan.steps());
        let mut write = Write::new(plan, &self.keys, self.entropy.split());
        let ended = self.run(&mut write);
        assert_eq!(write.progress().total, steps);
        let suspects = match &ended {
            Ended::Done(Ok(_)) => {
                assert_eq!(write.progress().done, steps);
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
        let presented = before_the_lock.presented.clone();
        let mut read = ReadCopies::new(
            presented,
            self.keys.lock_keys(),
            before_the_lock.entropy.split(),
        )
        .unwrap();
        before_the_lock.run(&mut read).done().unwrap()
    }
}

/// SplitMix64: the same seed, the same tear.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) as u8
    }
}
