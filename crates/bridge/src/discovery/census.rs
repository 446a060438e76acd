//! Which encoder is which, from one look at the system to the next. Pure: what was seen goes in, what is to be done
//! comes out.
//!
//! An encoder is the same by its identity, wherever it is plugged in. One that stays where it is stays who it is, even
//! when its twin comes and neither is to be told by its serial number any more.

use std::collections::{BTreeMap, BTreeSet};

use encoder::{Access, Listing, Scope, Selector};

/// The encoders that were taken in, by identity.
#[derive(Debug, Default)]
pub(crate) struct Census {
    places: BTreeMap<String, Place>,
}

#[derive(Debug)]
struct Place {
    selector: Selector,
    /// How far the identity reaches that the encoder was taken in with.
    scope: Scope,
    /// It was there at the last look.
    is_present: bool,
}

/// What a look at the system saw.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub listing: Listing,
    /// Which entry of the configuration means it.
    pub entry: Option<usize>,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Encoders to be taken in; [`Census::taken_in`] is told when that was done.
    pub new: Vec<Seen>,
    /// Encoders that are at another place now, by identity.
    pub moved: Vec<(String, Listing)>,
    /// Encoders that are where they were, by identity, absent ones included.
    pub same: Vec<(String, Listing)>,
    /// Devices that are there and not used, each with the reason.
    pub unused: Vec<Listing>,
}

impl Census {
    /// Compares what was seen with what is known. Of several devices of one identity, the one that was there first is
    /// used. What a look that did not come to an end has not seen is taken to be as it was.
    pub(crate) fn take(&mut self, seen: Vec<Seen>, is_complete: bool) -> Changes {
        let mut changes = Changes::default();
        let mut encoders: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
        let mut claimed = BTreeSet::new();
        let mut unclaimed = Vec::new();
        for seen in seen {
            if matches!(seen.listing.access, Access::Unclaimed { .. }) {
                unclaimed.push(seen.listing);
                continue;
            }
            claimed.insert(seen.listing.selector.to_string());
            let identity = self.identity_of(&seen.listing);
            encoders.entry(identity).or_default().push(seen);
        }
        if is_complete {
            for (identity, place) in &mut self.places {
                place.is_present &= encoders.contains_key(identity);
            }
        }
        for (identity, seen) in encoders {
            self.settle(identity, seen, &mut changes);
        }
        // Several drivers may wonder about one port, or one of them may know better.
        for listing in unclaimed {
            if claimed.insert(listing.selector.to_string()) {
                changes.unused.push(listing);
            }
        }
        changes
    }

    /// An encoder was taken in.
    pub(crate) fn taken_in(&mut self, listing: &Listing) {
        let place = Place {
            selector: listing.selector.clone(),
            scope: listing.identity.scope,
            is_present: is_present(listing),
        };
        self.places.insert(listing.identity.text.clone(), place);
    }

    /// Whose identity a device has: that of the encoder that was at its place already at the last look, else its own. Two
    /// serial numbers are two devices: they swapped their places between two looks.
    fn identity_of(&self, listing: &Listing) -> String {
        let stayed = self.places.iter().find(|(_, place)| {
            let both_carry_one =
                place.scope == Scope::Site && listing.identity.scope == Scope::Site;
            place.is_present
                && place.selector == listing.selector
                && is_present(listing)
                && !both_carry_one
        });
        match stayed {
            Some((identity, _)) => identity.clone(),
            None => listing.identity.text.clone(),
        }
    }

    fn settle(&mut self, identity: String, seen: Vec<Seen>, changes: &mut Changes) {
        let at_home = |seen: &Seen, place: &Place| seen.listing.selector == place.selector;
        let place = self.places.get_mut(&identity);
        // The one at the known place, else whichever is there, else the absent one that has an entry.
        let chosen = place
            .as_ref()
            .and_then(|place| {
                seen.iter()
                    .position(|seen| is_present(&seen.listing) && at_home(seen, place))
            })
            .or_else(|| seen.iter().position(|seen| is_present(&seen.listing)))
            .unwrap_or_default();
        for (at, seen) in seen.into_iter().enumerate() {
            let present = is_present(&seen.listing);
            match &place {
                _ if at != chosen => {
                    if present {
                        changes.unused.push(conflict(&identity, seen.listing));
                    }
                }
                None => changes.new.push(seen),
                Some(place) if present && !at_home(&seen, place) => {
                    changes.moved.push((identity.clone(), seen.listing));
                }
                Some(_) => changes.same.push((identity.clone(), seen.listing)),
            }
        }
        if let Some(place) = place {
            let moved = changes.moved.last().filter(|(moved, _)| *moved == identity);
            let same = changes.same.last().filter(|(same, _)| *same == identity);
            if let Some((_, listing)) = moved {
                place.selector = listing.selector.clone();
            }
            place.is_present = moved
                .or(same)
                .is_some_and(|(_, listing)| is_present(listing));
        }
    }
}

fn is_present(listing: &Listing) -> bool {
    !matches!(listing.access, Access::Absent { .. })
}

/// A device whose identity another one has that is used.
fn conflict(identity: &str, listing: Listing) -> Listing {
    let reason = format!(
        "it says that it is the same encoder as another one that is plugged in ({identity}), which was there first and is \
         used; unplug one of them, or give each an [[encoder]] entry that names its port"
    );
    Listing {
        access: Access::Inaccessible { reason },
        ..listing
    }
}

#[cfg(test)]
mod tests {
    use encoder::{Facts, Identity};

    use super::*;

    fn seen(port: &str, identity: Identity) -> Seen {
        Seen {
            listing: Listing {
                driver: "fake",
                selector: Selector::Port(port.into()),
                identity,
                description: "Encoder".to_owned(),
                access: Access::Accessible,
                facts: Facts::default(),
            },
            entry: None,
        }
    }

    fn serial(port: &str, serial: &str) -> Seen {
        seen(port, Identity::of_serial_number("fake", serial))
    }

    fn after(first: Vec<Seen>) -> Census {
        let mut census = Census::default();
        for seen in census.take(first, true).new {
            census.taken_in(&seen.listing);
        }
        census
    }

    fn places(found: &[(String, Listing)]) -> Vec<(&str, String)> {
        found
            .iter()
            .map(|(identity, listing)| (identity.as_str(), listing.selector.to_string()))
            .collect()
    }

    #[test]
    fn two_that_swap_their_places_between_two_looks_have_both_moved() {
        let mut census = after(vec![serial("usb0", "A1"), serial("usb1", "B2")]);
        let changes = census.take(vec![serial("usb0", "B2"), serial("usb1", "A1")], true);
        let moved = [
            ("fake:serial:A1", "usb1".to_owned()),
            ("fake:serial:B2", "usb0".to_owned()),
        ];
        assert_eq!(places(&changes.moved), moved);
        assert!(changes.new.is_empty() && changes.same.is_empty());
    }

    #[test]
    fn what_a_look_that_did_not_come_to_an_end_has_not_seen_is_as_it_was() {
        for (is_complete, is_new) in [(false, false), (true, true)] {
            let mut census = after(vec![serial("usb0", "A1")]);
            census.take(Vec::new(), is_complete);
            let by_port = seen("usb0", Identity::of_usb_port("fake", "usb0"));
            let changes = census.take(vec![by_port], true);
            assert_eq!(changes.new.len(), usize::from(is_new));
            assert_eq!(changes.same.len(), usize::from(!is_new));
        }
    }
}
