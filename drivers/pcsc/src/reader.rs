//! A reader as an encoder: it waits for a card by PC/SC's events and lends it within a transaction.

use std::ffi::CString;
use std::time::{Duration, Instant};

use card::PresentedCard;
use encoder::{BlockEncoder, CardSession, CardWait, Error, Facts, Recorder, Signal, Stop};
use pcsc::{Context, Error as Pcsc, ReaderState, State};

use crate::context::{self, establish};
use crate::direct;
use crate::error::PcscError;
use crate::holder::Processes;
use crate::quirks::{Feedback, Quirks};
use crate::session::{self, Findings, Session};
use crate::signal::Lights;
use crate::take::Takers;
use crate::wire::{Wire, in_session};

/// The longest single wait for an event: a `cancel` that comes just before the wait begins is lost.
const SLICE: Duration = Duration::from_secs(1);

/// A reader that was chosen. It is connected to while a card is lent only, so that other programs can use it meanwhile.
pub(crate) struct Reader {
    name: CString,
    /// Made anew when the service was restarted.
    context: Option<Context>,
    takers: Takers,
    findings: Findings,
    processes: Processes,
    recorder: Option<Recorder>,
    lights: Option<Lights>,
    facts: Facts,
    /// The service's count of insertions and removals when it last showed a card.
    counted_in: Option<u32>,
}

/// How a reader is opened.
pub(crate) struct How {
    pub(crate) takers: Takers,
    pub(crate) processes: Processes,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) quirks: &'static Quirks,
    /// The reader's lights, where they are wanted.
    pub(crate) feedback: Option<&'static Feedback>,
}

impl Reader {
    /// Makes sure that the reader is there.
    pub(crate) fn open(name: &str, how: How) -> Result<Self, PcscError> {
        let name = context::name(name)?;
        let context = establish()?;
        context::state(&context, &name)?;
        let model = Facts::default()
            .with("model", how.quirks.model)
            .with("source", how.quirks.source);
        Ok(Self {
            facts: direct::facts(&context, &name, model),
            lights: how
                .feedback
                .map(|feedback| Lights::new(name.clone(), feedback)),
            name,
            context: Some(context),
            takers: how.takers,
            findings: Findings::new(how.quirks),
            processes: how.processes,
            recorder: how.recorder,
            counted_in: None,
        })
    }

    fn context(&mut self) -> Result<Context, PcscError> {
        let context = match self.context.take() {
            Some(context) => context,
            None => establish()?,
        };
        Ok(self.context.insert(context).clone())
    }

    /// Waits for a card and connects to it.
    fn wait(
        &mut self,
        wait: CardWait,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<(Wire, PresentedCard), PcscError> {
        let context = self.context()?;
        let _nudging = stop.nudge({
            let context = context.clone();
            move || context::cancel(context.clone())
        });
        let mut states = [ReaderState::new(self.name.clone(), State::UNAWARE)];
        look(&context, &mut states, deadline)?;
        // The reader counts insertions and removals: another count, another card or the same one again.
        let resting = self.may_have_card(&states).then(|| states[0].event_count());
        loop {
            let serves = match wait {
                CardWait::Resting => true,
                CardWait::Fresh => resting != Some(states[0].event_count()),
            };
            if self.may_have_card(&states) && serves {
                match self.take(&context, deadline, stop) {
                    Err(error) if error.passes() => {}
                    taken => return taken,
                }
            }
            if stop.is_raised() {
                return Err(PcscError::Stopped);
            }
            if Instant::now() >= deadline {
                return Err(PcscError::NoCard);
            }
            look(&context, &mut states, deadline)?;
        }
    }

    /// Whether a card lies there, mute or not, or whether only taking hold of one can tell.
    ///
    /// When the reset that ends a session finds no card, `pcscd` shows the reader as empty; if the card is back before
    /// its thread looks, within 400 ms, that thread has missed nothing and never shows it again (pcsc-lite 1.9.9 and
    /// 2.3.3, winscard.c, SCardDisconnect; eventhandler.c, EHStatusHandlerThread). Its count gives that away: no removal
    /// follows the insertion. From an empty reader on, odd is an insertion; a card that lay there from the start is none.
    fn may_have_card(&mut self, states: &[ReaderState; 1]) -> bool {
        let count = states[0].event_count();
        if states[0].event_state().contains(State::PRESENT) {
            self.counted_in = Some(count);
            return true;
        }
        count % 2 == 1 || self.counted_in == Some(count)
    }

    /// Keeps every other program away from the card and asks it who it is.
    fn take(
        &self,
        context: &Context,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<(Wire, PresentedCard), PcscError> {
        let Some(connection) = self.takers.take(&self.name, deadline, stop)? else {
            let others = State::INUSE | State::EXCLUSIVE;
            return Err(if context::state(context, &self.name)?.intersects(others) {
                PcscError::Held
            } else {
                PcscError::ConnectsTooSlowly
            });
        };
        let wire = Wire::new(connection, self.recorder.clone());
        let card = session::present(&wire)?;
        Ok((wire, card))
    }
}

impl BlockEncoder for Reader {
    fn select<'a>(
        &'a mut self,
        wait: CardWait,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<Box<dyn CardSession + 'a>, Error> {
        match self.wait(wait, deadline, stop) {
            Ok((wire, card)) => Ok(Box::new(Session::new(wire, card, &mut self.findings))),
            Err(error) => {
                if error.ends_context() {
                    self.context = None;
                }
                Err(match error {
                    PcscError::Held => PcscError::HeldBy(self.processes.suspects()).into(),
                    error => error.into(),
                })
            }
        }
    }

    fn signal(&mut self, signal: Signal) {
        if let Some(lights) = &self.lights {
            lights.show(signal);
        }
    }

    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

/// Waits for an event at the reader until the deadline, or for a short while.
fn look(
    context: &Context,
    states: &mut [ReaderState; 1],
    deadline: Instant,
) -> Result<(), PcscError> {
    states[0].sync_current_state();
    let left = deadline.saturating_duration_since(Instant::now());
    match context.get_status_change(left.min(SLICE), states) {
        Ok(()) | Err(Pcsc::Timeout | Pcsc::Cancelled) => {}
        Err(error) => return Err(in_session(error)),
    }
    if states[0]
        .event_state()
        .intersects(State::UNKNOWN | State::UNAVAILABLE)
    {
        return Err(PcscError::NoSuchReader);
    }
    Ok(())
}
