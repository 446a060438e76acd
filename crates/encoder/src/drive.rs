//! The loop that carries a procedure through on one session, for what writes nothing.

use card::{Effect, Procedure, Refusal, Step};

use crate::{CardSession, Error};

/// A procedure did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The encoder failed.
    #[error(transparent)]
    Encoder(#[from] Error),
    /// The card is not fit for it.
    #[error(transparent)]
    Card(#[from] Refusal),
    /// The procedure wanted to write. Writing needs a grant and a journal, so it goes through the job machine.
    #[error("a procedure that should only read wanted to write; run it as a job")]
    Writes,
}

/// Runs a procedure that only reads.
///
/// # Errors
/// Ends with the first failure of the encoder, with the procedure's own refusal, or, before anything was sent, with
/// [`DriveError::Writes`].
pub fn drive<P: Procedure>(
    session: &mut dyn CardSession,
    mut procedure: P,
) -> Result<P::Output, DriveError> {
    let mut last = None;
    loop {
        match procedure.next(last.take()) {
            Step::Done(result) => return Ok(result?),
            Step::Exchange(command, Effect::Reads) => last = Some(session.exchange(&command)?),
            Step::Exchange(_, Effect::Prepares | Effect::Commits) => {
                return Err(DriveError::Writes);
            }
        }
    }
}
