//! The rule of the issue number for any history of overrides, joiners, joiners of joiners, deletions and changes, and
//! any order in which the cards are used: judged by a lock that knows nothing but the highest number it saw.

use std::collections::HashMap;

use proptest::prelude::*;

use super::super::*;
use super::at;
use crate::issue_number::{Change, reassign};

/// How many doors there are: more than a card's run of rooms.
const DOORS: u128 = 40;

#[derive(Debug, Clone)]
enum Act {
    Override,
    Auto,
    /// Joins the credential of that place among those that there are.
    Join(usize),
    Delete(usize),
    /// Puts it on a card.
    Issue(usize),
    /// Gives it another start and other doors.
    Change(usize),
}

#[derive(Debug, Clone)]
struct Step {
    act: Act,
    rooms: BTreeSet<EntranceId>,
    start: i64,
    length: i64,
}

fn any_step() -> impl Strategy<Value = Step> {
    let act = prop_oneof![
        3 => Just(Act::Override),
        1 => Just(Act::Auto),
        3 => any::<usize>().prop_map(Act::Join),
        1 => any::<usize>().prop_map(Act::Delete),
        3 => any::<usize>().prop_map(Act::Issue),
        1 => any::<usize>().prop_map(Act::Change),
    ];
    let rooms = (1..DOORS, prop_oneof![4 => 1_u128..4, 1 => Just(33)]);
    // Equal starts and starts a minute apart are where numbers are scarce.
    let start = prop_oneof![0_i64..20, 0_i64..300];
    (act, rooms, start, 1_i64..120).prop_map(|(act, (first, count), start, length)| Step {
        act,
        rooms: (first..first + count)
            .map(|door| EntranceId(uuid::Uuid::from_u128(door)))
            .collect(),
        start,
        length,
    })
}

/// What was made, and of each two stays which one is the later guest's.
#[derive(Debug, Default)]
struct History {
    all: Vec<Neighbour>,
    /// Whether the first stay is later than the second: as it was when the newer of their numbers was given.
    is_later: HashMap<(CredentialId, CredentialId), bool>,
}

impl History {
    fn of(steps: &[Step]) -> Self {
        let mut history = Self::default();
        for step in steps {
            history.take(step);
        }
        history
    }

    fn take(&mut self, step: &Step) {
        let count = self.all.len();
        let pick = |place: usize| (count > 0).then(|| place % count.max(1));
        match step.act {
            Act::Override => self.create(step, Mode::Override),
            Act::Auto => self.create(step, Mode::Auto),
            Act::Join(place) => {
                if let Some(place) = pick(place) {
                    let named = self.all[place].clone();
                    let mut fewer = step.clone();
                    fewer.rooms = named
                        .guest_doors
                        .intersection(&step.rooms)
                        .copied()
                        .collect();
                    if fewer.rooms.is_empty() {
                        fewer.rooms = named.guest_doors;
                    }
                    self.create(&fewer, Mode::Joiner(vec![named.id]));
                }
            }
            Act::Delete(place) => {
                if let Some(place) = pick(place) {
                    self.all[place].is_deleted = true;
                }
            }
            Act::Issue(place) => {
                if let Some(place) = pick(place).filter(|place| !self.all[*place].is_deleted) {
                    self.all[place].is_issued = true;
                }
            }
            Act::Change(place) => {
                let is_override = |card: &Neighbour| card.stay == card.id && !card.is_deleted;
                if let Some(place) = pick(place).filter(|place| is_override(&self.all[*place])) {
                    self.change(step, place);
                }
            }
        }
    }

    fn wish(step: &Step, mode: Mode) -> Wish {
        Wish {
            mode,
            function: CardFunction::Guest,
            starts_at: at(step.start),
            is_start_given: true,
            ends_at: Some(at(step.start + step.length)),
            guest_doors: step.rooms.clone(),
        }
    }

    fn create(&mut self, step: &Step, mode: Mode) {
        let wish = Self::wish(step, mode);
        let Ok(issue) = assign(&wish, &self.all, at(0)) else {
            return;
        };
        let id = CredentialId(uuid::Uuid::from_u128(self.all.len() as u128 + 1));
        self.all.push(Neighbour {
            id,
            stay: issue.stay.unwrap_or(id),
            function: CardFunction::Guest,
            issue_number: issue.number,
            starts_at: issue.starts_at,
            ends_at: wish.ends_at,
            guest_doors: wish.guest_doors,
            is_issued: false,
            is_void: false,
            is_overridden: false,
            is_deleted: false,
        });
        if issue.stay.is_none() {
            self.settle(id);
        }
    }

    /// A stay was given its number: it is later than every stay of its doors of which a card opens before its own
    /// override ends, and the others come after it.
    fn settle(&mut self, stay: CredentialId) {
        let own = self.override_of(stay).clone();
        let end = own.ends_at.unwrap();
        let members = || {
            self.all
                .iter()
                .filter(|card| card.stay == stay && !card.is_deleted)
        };
        let doors: BTreeSet<EntranceId> = members()
            .flat_map(|card| card.guest_doors.clone())
            .collect();
        let mut begins: HashMap<CredentialId, Moment> = HashMap::new();
        for other in self
            .all
            .iter()
            .filter(|other| other.stay != stay && !other.guest_doors.is_disjoint(&doors))
        {
            let first = begins.entry(other.stay).or_insert(other.starts_at);
            *first = other.starts_at.min(*first);
        }
        for (other, begin) in begins {
            self.is_later.insert((stay, other), begin < end);
            self.is_later.insert((other, stay), begin >= end);
        }
    }

    fn change(&mut self, step: &Step, place: usize) {
        let own = self.all[place].clone();
        let wish = Self::wish(step, Mode::Auto);
        if own.starts_at == wish.starts_at {
            return;
        }
        let change = Change {
            own: &own,
            wish: &wish,
            may_be_known: self
                .all
                .iter()
                .any(|card| card.stay == own.stay && card.is_issued),
        };
        let Ok(issue) = reassign(&change, &self.all, at(0)) else {
            return;
        };
        let changed = &mut self.all[place];
        changed.starts_at = wish.starts_at;
        changed.ends_at = wish.ends_at;
        changed.guest_doors = wish.guest_doors;
        let begin = changed.starts_at;
        for card in self.all.iter_mut().filter(|card| card.stay == own.stay) {
            card.issue_number = issue.number;
            if !card.is_deleted {
                card.starts_at = card.starts_at.max(begin);
            }
        }
        self.settle(own.stay);
    }

    fn override_of(&self, stay: CredentialId) -> &Neighbour {
        let found = self.all.iter().find(|other| other.id == stay);
        found.expect("a stay is named after its override")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Cards are used at any times at which they are valid, each several times.
    #[test]
    fn the_later_stay_opens_and_the_earlier_one_is_locked_out_from_its_first_use_on(
        steps in prop::collection::vec(any_step(), 1..40),
        uses in prop::collection::vec((any::<usize>(), any::<u64>()), 0..60),
    ) {
        let history = History::of(&steps);
        let live: Vec<&Neighbour> = history.all.iter().filter(|card| !card.is_deleted).collect();
        let mut presented: Vec<(i64, &Neighbour)> = Vec::new();
        for (place, moment) in uses {
            let Some(card) = live.get(place % live.len().max(1)).copied() else { continue };
            let (start, end) = (card.starts_at.minutes(), card.ends_at.unwrap().minutes());
            presented.push((start + moment as i64 % (end - start), card));
        }
        presented.sort_by_key(|(minute, _)| *minute);
        let mut highest: HashMap<EntranceId, u32> = HashMap::new();
        let mut opened: HashMap<EntranceId, Vec<&Neighbour>> = HashMap::new();
        for (_, card) in presented {
            for door in &card.guest_doors {
                let seen = highest.entry(*door).or_default();
                let before = opened.entry(*door).or_default();
                let a_later_one_opened = before
                    .iter()
                    .any(|other| other.stay != card.stay && history.is_later[&(other.stay, card.stay)]);
                prop_assert_eq!(card.issue_number < *seen, a_later_one_opened, "{:?} at {:?}", card, door);
                if card.issue_number >= *seen {
                    *seen = card.issue_number;
                    before.push(card);
                }
            }
        }
    }

    #[test]
    fn a_stay_has_one_number_however_it_was_joined_and_changed(steps in prop::collection::vec(any_step(), 1..40)) {
        let history = History::of(&steps);
        for card in &history.all {
            let stay = history.override_of(card.stay);
            prop_assert_eq!(card.issue_number, stay.issue_number);
            prop_assert_eq!(stay.stay, stay.id, "a stay is named after its override, joiners of joiners too");
        }
    }
}
