//! InListPassiveTarget and InAutoPoll: looking for cards, for a while or for ever (UM0701-02 §7.3.5,
//! §7.3.13). A search never sleeps: it is tried when something changed, and given up at its deadline.

use std::time::Duration;

use super::radio::{Answer, MOST_TARGETS, Radio, Target};
use crate::card::Uid;
use crate::reader::{self, Blocks, Selected, Wake};

/// How long one try takes, activation of the field included. The manual gives no figure.
const ONE_TRY: Duration = Duration::from_millis(5);
/// MxRtyPassiveActivation and PollNr for "until a card comes".
const FOR_EVER: u8 = 0xFF;
/// The period of InAutoPoll is counted in these (§7.3.13).
const POLL_UNIT: Duration = Duration::from_millis(150);
/// InAutoPoll's name for a MIFARE card.
const POLLED_MIFARE: u8 = 0x10;

/// A search under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Search {
    form: Form,
    /// Type A at 106 kbit/s: nothing of any other kind ever lies on a slot.
    finds_type_a: bool,
    wanted: Option<Uid>,
    /// How long to look; `None` for ever.
    pub(super) patience: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    List { most: u8 },
    Poll,
}

impl Radio {
    /// `MaxTg BrTy [InitiatorData]`.
    pub(super) fn in_list_passive_target(&self, parameters: &[u8]) -> Answer {
        let &[most, kind, ref initiator @ ..] = parameters else {
            return Answer::SyntaxError;
        };
        if !(1..=MOST_TARGETS).contains(&most) || kind > 4 {
            return Answer::SyntaxError;
        }
        let wanted = match (kind, initiator) {
            (0, []) | (1..=4, _) => None,
            (0, cascaded) => match uid_of_levels(cascaded) {
                Some(uid) => Some(uid),
                None => return Answer::SyntaxError,
            },
            _ => return Answer::SyntaxError,
        };
        let patience = match self.passive_retries {
            FOR_EVER => None,
            retries => Some(ONE_TRY * (u32::from(retries) + 1)),
        };
        Answer::Search(Search {
            form: Form::List { most },
            finds_type_a: kind == 0,
            wanted,
            patience,
        })
    }

    /// `PollNr Period Type1 … TypeN`.
    pub(super) fn in_auto_poll(&self, parameters: &[u8]) -> Answer {
        let &[polls, period, ref types @ ..] = parameters else {
            return Answer::SyntaxError;
        };
        if polls == 0 || !(1..=15).contains(&period) || types.is_empty() || types.len() > 15 {
            return Answer::SyntaxError;
        }
        let per_poll =
            POLL_UNIT * u32::from(period) * u32::try_from(types.len()).expect("at most 15 types");
        let patience = (polls != FOR_EVER).then(|| per_poll * u32::from(polls));
        let finds_type_a = types
            .iter()
            .any(|kind| matches!(*kind, 0x00 | POLLED_MIFARE));
        Answer::Search(Search {
            form: Form::Poll,
            finds_type_a,
            wanted: None,
            patience,
        })
    }

    /// Forgets earlier targets and looks for new ones.
    pub(super) fn begin_search(&mut self) {
        // A card that was activated hears no request before it is deselected. The manual does not say that the chip
        // does so; libfreefare relies on it, which looks for a DESFire again that libnfc left activated.
        if let Some(number) = self.current {
            self.deselect(number);
        }
        self.targets.clear();
        self.current = None;
        self.set_field(true);
        self.registers.prepare_type_a();
    }

    /// One try: the response if a card was found.
    pub(super) fn attempt(&mut self, search: &Search) -> Option<Vec<u8>> {
        if !search.finds_type_a {
            return None;
        }
        let mut found = vec![self.find(Wake::All, search.wanted.as_ref())?];
        if search.form == (Form::List { most: MOST_TARGETS }) {
            match &found[0].1 {
                Some(blocks) => blocks.deselect(&self.slot),
                None => reader::halt(&self.slot),
            }
            match self.find(Wake::Idle, None) {
                Some(second) => found.push(second),
                None => found = vec![self.find(Wake::All, Some(&found[0].0.uid))?],
            }
        }
        self.targets = (1_u8..)
            .zip(&found)
            .map(|(number, (selected, blocks))| Target::new(number, selected.uid, blocks.clone()))
            .collect();
        let found: Vec<_> = found.into_iter().map(|(selected, _)| selected).collect();
        self.current = self.targets.last().map(|target| target.number);
        Some(search.response(&found))
    }
}

impl Radio {
    /// Selects a card, and activates it if it can.
    fn find(&self, wake: Wake, wanted: Option<&Uid>) -> Option<(Selected, Option<Blocks>)> {
        let mut selected = reader::select(&self.slot, wake, wanted)?;
        let blocks = self.activate(&mut selected);
        Some((selected, blocks))
    }
}

impl Search {
    /// The response when nothing was found.
    pub(super) fn nothing(&self) -> Vec<u8> {
        self.response(&[])
    }

    fn response(&self, found: &[Selected]) -> Vec<u8> {
        let count = u8::try_from(found.len()).expect("at most two are found");
        let mut response = match self.form {
            Form::List { .. } => vec![0x4B, count],
            Form::Poll => vec![0x61, count],
        };
        for (number, selected) in (1_u8..).zip(found) {
            let data = target_data(number, selected);
            if self.form == Form::Poll {
                response.extend([
                    POLLED_MIFARE,
                    u8::try_from(data.len()).expect("target data is short"),
                ]);
            }
            response.extend(data);
        }
        response
    }
}

/// `Tg SENS_RES SEL_RES NFCIDLength NFCID1 [ATS]`; the chip turns SENS_RES round, high byte first (§7.3.5).
fn target_data(number: u8, selected: &Selected) -> Vec<u8> {
    let [low, high] = selected.atqa;
    let uid = selected.uid.as_bytes();
    let mut data = vec![
        number,
        high,
        low,
        selected.sak,
        u8::try_from(uid.len()).expect("a UID is short"),
    ];
    data.extend(uid);
    data.extend(selected.ats.iter().flatten());
    data
}

/// Reads a UID from the form that the host gives it in: cascade tags before all but the last part.
fn uid_of_levels(cascaded: &[u8]) -> Option<Uid> {
    match *cascaded {
        [a, b, c, d] => Uid::new(&[a, b, c, d]),
        [0x88, a, b, c, d, e, f, g] => Uid::new(&[a, b, c, d, e, f, g]),
        [0x88, a, b, c, 0x88, d, e, f, g, h, i, j] => Uid::new(&[a, b, c, d, e, f, g, h, i, j]),
        _ => return None,
    }
    .ok()
}
