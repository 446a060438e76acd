//! A context of its own, and what every use of one needs: readers by name and their states.

use std::ffi::{CStr, CString};
use std::time::Duration;

use pcsc::{Context, Error as Pcsc, ReaderState, Scope, State};

use crate::error::PcscError;

/// Connects to the service. One that goes away in the middle of it looks like one that closes its door to this user
/// (pcsc-lite, winscard_msg.c): asking again tells.
pub(crate) fn establish() -> Result<Context, PcscError> {
    match Context::establish(Scope::System) {
        Err(Pcsc::SecurityViolation) => Ok(Context::establish(Scope::System)?),
        context => Ok(context?),
    }
}

/// Ends a wait in a context without waiting for that: a service that hangs keeps whoever cancels, too. A cancellation
/// that cannot be had leaves the wait to end by itself.
pub(crate) fn cancel(context: Context) {
    let spawned = std::thread::Builder::new()
        .name("pcsc cancel".to_owned())
        .spawn(move || context.cancel().unwrap_or_default());
    if let Err(error) = spawned {
        tracing::warn!(%error, "no thread to end a wait with");
    }
}

/// The names of all readers that are plugged in.
pub(crate) fn readers(context: &Context) -> Result<Vec<CString>, PcscError> {
    match context.list_readers_owned() {
        Err(Pcsc::NoReadersAvailable) => Ok(Vec::new()),
        names => Ok(names?),
    }
}

/// How one reader is now.
pub(crate) fn state(context: &Context, reader: &CStr) -> Result<State, PcscError> {
    let mut states = [ReaderState::new(reader, State::UNAWARE)];
    match context.get_status_change(Duration::ZERO, &mut states) {
        Ok(()) | Err(Pcsc::Timeout) => {}
        Err(Pcsc::UnknownReader) => return Err(PcscError::NoSuchReader),
        Err(error) => return Err(error.into()),
    }
    let state = states[0].event_state();
    if state.intersects(State::UNKNOWN | State::UNAVAILABLE) {
        return Err(PcscError::NoSuchReader);
    }
    Ok(state)
}

/// A reader's name as PC/SC wants it.
pub(crate) fn name(text: &str) -> Result<CString, PcscError> {
    CString::new(text).map_err(|_| PcscError::ImpossibleName)
}
