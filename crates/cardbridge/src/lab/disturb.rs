//! Disturbing an encoder's wire and giving it its time: what may be asked, as JSON and as a type, and what is refused.

use std::num::NonZeroU32;
use std::time::Duration;

use emulator::{Fault, FaultKind, LinePace, Pace, Way, When};
use serde::{Deserialize, Serialize};

/// The longest delay, in milliseconds: no host waits for longer.
const LONGEST_DELAY: u64 = 60_000;
/// The speeds of a line, in bits a second: what old adapters can, and what a PN532 can (UM0701-02 §7.2.8).
const SPEEDS: std::ops::RangeInclusive<u32> = 300..=1_288_000;

/// How long an encoder takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timing {
    /// It does everything at once.
    Instant,
    /// It takes the time that a real one would.
    Paced {
        /// The speed of its serial line in bits a second, both ways; none for a wire that has none.
        baud: Option<u32>,
        /// Whether its cards take their time as well.
        card: bool,
    },
}

/// Why an encoder was not disturbed so; nothing was changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Undisturbed {
    /// A fault that makes no sense.
    #[error("fault {place} of the list {why}")]
    Fault {
        /// Its place in the list, from 1.
        place: usize,
        /// What is wrong with it, and what would be right.
        why: &'static str,
    },
    /// A speed that no line has.
    #[error("a line passes from {} to {} bits a second, not {baud}", SPEEDS.start(), SPEEDS.end())]
    Speed {
        /// The speed asked for.
        baud: u32,
    },
    /// A serial line has a speed.
    #[error("say how fast the line is to be, such as \"baud\":115200")]
    SpeedMissing,
    /// The encoder has no serial line.
    #[error("this encoder has no serial line to slow down; leave \"baud\" out")]
    NoLine,
    /// What is not plugged in meets no faults.
    #[error("the encoder is not plugged in; plug it in first")]
    Unplugged,
}

/// Whether an encoder has a serial line, for what differs by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WireKind {
    Serial,
    Reader,
    LockServer,
}

/// Looks whether every fault can be set on an encoder of this kind.
pub(super) fn check(faults: &[Fault], wire: WireKind) -> Result<(), Undisturbed> {
    for (place, fault) in (1..).zip(faults) {
        if let Some(why) = objection(fault, wire) {
            return Err(Undisturbed::Fault { place, why });
        }
    }
    Ok(())
}

fn objection(fault: &Fault, wire: WireKind) -> Option<&'static str> {
    let longest = Duration::from_millis(LONGEST_DELAY);
    match (fault.kind, fault.way) {
        (FaultKind::WrongUid, Way::FromHost) => {
            return Some("is about a UID, which only the encoder tells: leave \"way\" out");
        }
        (FaultKind::Duplicate, _) if wire == WireKind::Reader => {
            return Some(
                "sends a frame twice, which a PC/SC reader cannot: its messages are numbered",
            );
        }
        (FaultKind::Delay(time), _) if time > longest => {
            return Some("delays by more than a minute; give at most 60000 ms");
        }
        _ => {}
    }
    match fault.when {
        When::Rate { rate, .. } if !(0.0..=1.0).contains(&rate) => {
            Some("has a rate that is no share of frames; give 0 to 1")
        }
        When::AtExchange(0) | When::AtFrame(0) => Some("counts from 0; the first is 1"),
        _ => None,
    }
}

impl Timing {
    /// What the line and the cards are to do, on an encoder of this kind.
    pub(super) fn paces(self, wire: WireKind) -> Result<(LinePace, Pace), Undisturbed> {
        let Timing::Paced { baud, card } = self else {
            return Ok((LinePace::Instant, Pace::Instant));
        };
        let card = if card { Pace::Real } else { Pace::Instant };
        let line = match (baud, wire) {
            (None, WireKind::Reader | WireKind::LockServer) => LinePace::Instant,
            (None, WireKind::Serial) => return Err(Undisturbed::SpeedMissing),
            (Some(_), WireKind::Reader | WireKind::LockServer) => return Err(Undisturbed::NoLine),
            (Some(baud), WireKind::Serial) => NonZeroU32::new(baud)
                .filter(|_| SPEEDS.contains(&baud))
                .map(LinePace::Baud)
                .ok_or(Undisturbed::Speed { baud })?,
        };
        Ok((line, card))
    }
}

/// One of the list in `PUT /encoders/{name}/faults`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultShape {
    kind: KindShape,
    /// How late, for a delay.
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_exchange: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<f64>,
    /// Which frames, for a rate; 0 if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(default)]
    way: WayShape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum KindShape {
    Drop,
    Delay,
    Garble,
    Truncate,
    Nak,
    WrongUid,
    Stall,
    Duplicate,
    Oversize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum WayShape {
    #[default]
    ToHost,
    FromHost,
}

/// `PUT /encoders/{name}/timing`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, tag = "mode", rename_all = "snake_case")]
pub(super) enum TimingShape {
    Instant {},
    Paced {
        #[serde(skip_serializing_if = "Option::is_none")]
        baud: Option<u32>,
        #[serde(default)]
        card: bool,
    },
}

impl From<TimingShape> for Timing {
    fn from(shape: TimingShape) -> Self {
        match shape {
            TimingShape::Instant {} => Self::Instant,
            TimingShape::Paced { baud, card } => Self::Paced { baud, card },
        }
    }
}

/// The faults that a list tells.
pub(super) fn faults(shapes: &[FaultShape]) -> Result<Vec<Fault>, Undisturbed> {
    (1..)
        .zip(shapes)
        .map(|(place, shape)| {
            shape
                .fault()
                .map_err(|why| Undisturbed::Fault { place, why })
        })
        .collect()
}

impl FaultShape {
    fn fault(&self) -> Result<Fault, &'static str> {
        let when = match (self.at_exchange, self.at_frame, self.rate) {
            (Some(n), None, None) => When::AtExchange(n),
            (None, Some(n), None) => When::AtFrame(n),
            (None, None, Some(rate)) => When::Rate {
                rate,
                seed: self.seed.unwrap_or(0),
            },
            _ => {
                return Err("must say when, in one way: \"at_exchange\", \"at_frame\" or \"rate\"");
            }
        };
        if self.seed.is_some() && self.rate.is_none() {
            return Err("has a \"seed\" without the \"rate\" that it is for");
        }
        let fault = Fault::new(self.kind()?, when);
        Ok(match self.way {
            WayShape::ToHost => fault,
            WayShape::FromHost => fault.from_host(),
        })
    }

    fn kind(&self) -> Result<FaultKind, &'static str> {
        if self.ms.is_some() && self.kind != KindShape::Delay {
            return Err("has \"ms\", which only a delay has");
        }
        Ok(match self.kind {
            KindShape::Drop => FaultKind::Drop,
            KindShape::Delay => {
                let ms = self.ms.ok_or("is a delay without its \"ms\"")?;
                FaultKind::Delay(Duration::from_millis(ms))
            }
            KindShape::Garble => FaultKind::Garble,
            KindShape::Truncate => FaultKind::Truncate,
            KindShape::Nak => FaultKind::Nak,
            KindShape::WrongUid => FaultKind::WrongUid,
            KindShape::Stall => FaultKind::Stall,
            KindShape::Duplicate => FaultKind::Duplicate,
            KindShape::Oversize => FaultKind::Oversize,
        })
    }
}
