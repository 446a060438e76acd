//! The driver: the readers that there are, whether they can be used, and opening one.

mod listing;
#[cfg(test)]
mod tests;

use encoder::{
    Changed, Driver, Encoder, Error, ErrorKind, Listing, Opening, Probing, Selector, Settings,
    SettingsError,
};
use pcsc::Context;

use crate::context::{establish, readers};
use crate::direct::Addresses;
use crate::error::PcscError;
use crate::find::{Found, find};
use crate::holder::Processes;
use crate::name::{DRIVER, Wanted};
use crate::quirks::Quirks;
use crate::reader::{How, Reader};
use crate::take::Takers;
use crate::usb::UsbTree;
use crate::watch::Watch;

const READER: &str = "reader";
const MODEL: &str = "model";
const FEEDBACK: &str = "feedback";

/// Every reader behind PC/SC.
#[derive(Debug, Clone, Default)]
pub struct PcscDriver {
    /// Outlive each opened reader, so that opening one again and again does not pile up threads that wait at it.
    takers: Takers,
    usb: UsbTree,
    addresses: Addresses,
    processes: Processes,
}

impl Driver for PcscDriver {
    fn name(&self) -> &'static str {
        DRIVER
    }

    /// `reader`, the reader's name as the listing shows it or as PC/SC gives it; `model`, its row in the table of quirks
    /// where the name does not tell; `feedback`, whether it may show how a job ended. Readers need no entry to be found.
    fn configure(&self, settings: &Settings) -> Result<Selector, SettingsError> {
        let example = "write the full name that `cardbridge encoders` shows";
        settings.only(&[READER, MODEL, FEEDBACK])?;
        model(settings)?;
        settings.boolean(FEEDBACK)?;
        let reader = settings
            .text(READER)?
            .ok_or_else(|| SettingsError::missing(READER, example))?;
        if reader.is_empty() || reader.contains('\0') {
            let problem = format!("`{READER}` is no name");
            return Err(SettingsError::wrong(READER, problem, example));
        }
        Ok(Selector::Reader(reader.to_owned()))
    }

    /// Every reader, those for cards with contacts too where their names do not tell, and devices of the table that PC/SC
    /// does not show. Nothing is sent to any; of twins without serial numbers PC/SC is asked where they are.
    fn list(&self, _probing: Probing, claimed: &[Selector]) -> Vec<Listing> {
        let (service, found) = self.look();
        if let Err(error) = &service {
            tracing::debug!(%error, "PC/SC lists no readers");
        }
        let claimed: Vec<_> = claimed.iter().filter_map(wanted).collect();
        found
            .iter()
            .filter(|found| !claimed.iter().any(|claimed| means(claimed, found)))
            .map(|found| {
                let selector = Selector::Reader(found.wanted.text());
                let access = listing::access(service.as_ref(), found, &self.processes);
                listing::of(selector, &found.wanted, access, Some(found))
            })
            .collect()
    }

    fn look_up(&self, selector: &Selector) -> Listing {
        let Some(wanted) = wanted(selector) else {
            let wanted = Wanted::parse(&selector.to_string());
            let absent = listing::refused(&PcscError::NoSuchReader);
            return listing::of(selector.clone(), &wanted, absent, None);
        };
        let (service, found) = self.look();
        let (access, one) = match only(&wanted, &found) {
            Ok(one) => (
                listing::access(service.as_ref(), one, &self.processes),
                Some(one),
            ),
            // One of those whose port is not known may be it.
            Err(_) if found.iter().any(|found| may_mean(&wanted, found)) => {
                (listing::in_doubt(), None)
            }
            Err(missing) => (
                listing::refused(service.as_ref().err().unwrap_or(&missing)),
                None,
            ),
        };
        listing::of(selector.clone(), &wanted, access, one)
    }

    fn open(&self, selector: &Selector, how: &Opening) -> Result<Encoder, Error> {
        let wanted = wanted(selector).ok_or(PcscError::NoSuchReader)?;
        let refused = |error| Error::with_source(ErrorKind::Unsupported, error);
        let model = model(&how.settings).map_err(refused)?;
        let shows = how.settings.boolean(FEEDBACK).map_err(refused)?;
        let (service, found) = self.look();
        service?;
        let seen = &only(&wanted, &found)?.seen;
        let name = seen.full.as_deref().ok_or(PcscError::NoSuchReader)?;
        let quirks = model.unwrap_or(seen.quirks);
        let reader = Reader::open(
            name,
            How {
                takers: self.takers.clone(),
                processes: self.processes.clone(),
                recorder: how.recorder.clone(),
                quirks,
                feedback: quirks.feedback.filter(|_| shows == Some(true)),
            },
        )?;
        Ok(Encoder::Block(Box::new(reader)))
    }

    fn watch(
        &self,
        _settings: &[(Selector, Settings)],
        changed: Changed,
    ) -> Result<Box<dyn Send>, Error> {
        Ok(Box::new(Watch::start(changed)?))
    }
}

impl PcscDriver {
    /// The service, if it is there, and the readers that are plugged in.
    fn look(&self) -> (Result<Context, PcscError>, Vec<Found>) {
        let usb = self.usb.readers();
        let (service, names) = match establish().and_then(|context| {
            let names = readers(&context)?;
            Ok((context, names))
        }) {
            Ok((context, names)) => (Ok(context), names),
            Err(error) => (Err(error), Vec::new()),
        };
        let names: Vec<_> = names
            .iter()
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        let found = find(&names, &usb, |reader| self.addresses.of(reader, &usb));
        (service, found)
    }
}

/// The row of the table that an entry names.
fn model(settings: &Settings) -> Result<Option<&'static Quirks>, SettingsError> {
    let Some(named) = settings.text(MODEL)? else {
        return Ok(None);
    };
    Quirks::of_model(named).map(Some).ok_or_else(|| {
        let known: Vec<_> = Quirks::all().map(|row| row.model).collect();
        let remedy = format!("leave it out, or write one of {}", known.join(", "));
        SettingsError::wrong(MODEL, format!("no model is called `{named}`"), remedy)
    })
}

/// What a selector means. One of another driver means nothing here.
fn wanted(selector: &Selector) -> Option<Wanted> {
    match selector {
        Selector::Reader(text) => Some(Wanted::parse(text)),
        _ => None,
    }
}

fn means(wanted: &Wanted, found: &Found) -> bool {
    let seen = &found.seen;
    wanted.is(seen.full.as_deref(), &seen.name, seen.port.as_deref())
}

fn may_mean(wanted: &Wanted, found: &Found) -> bool {
    let seen = &found.seen;
    match wanted {
        Wanted::UsbPort(name, _) => seen.is_in_doubt && name.is_like(&seen.name),
        Wanted::Serial(_) | Wanted::Name(_) | Wanted::Exactly(_) => false,
    }
}

/// The one reader that is meant.
fn only<'a>(wanted: &Wanted, found: &'a [Found]) -> Result<&'a Found, PcscError> {
    let mut meant = found.iter().filter(|found| means(wanted, found));
    match (meant.next(), meant.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(PcscError::SeveralReaders),
        (None, _) => Err(PcscError::NoSuchReader),
    }
}
