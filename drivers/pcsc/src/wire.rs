//! The connection to a reader with a card in it: commands and answers, written down where somebody records.

use encoder::{Direction, Recorder};
use pcsc::{Card, Disposition, Error as Pcsc, Protocols, ShareMode};
use zeroize::Zeroizing;

use crate::apdu;
use crate::error::PcscError;
use crate::secrets::Secrecy;

/// The answer to any command here: 256 bytes and the status word (ISO/IEC 7816-4, 5.1).
const ANSWER: usize = 258;
/// The longest ATR (ISO/IEC 7816-3, 8.2.1).
const ATR: usize = 33;

/// A connection with a transaction in it.
pub(crate) struct Wire {
    connection: Card,
    recorder: Option<Recorder>,
}

/// What a reader answered.
pub(crate) struct Response {
    pub(crate) data: Zeroizing<Vec<u8>>,
    pub(crate) word: u16,
}

impl Wire {
    pub(crate) fn new(connection: Card, recorder: Option<Recorder>) -> Self {
        Self {
            connection,
            recorder,
        }
    }

    /// Sends one command to the reader.
    pub(crate) fn transmit(&self, command: &[u8]) -> Result<Response, PcscError> {
        let secrecy = Secrecy::of(command);
        if let Some(recorder) = &self.recorder {
            recorder.note(Direction::ToDevice, command, &[secrecy.in_command()]);
        }
        let mut buffer = Zeroizing::new([0; ANSWER]);
        let answer = self
            .connection
            .transmit(command, buffer.as_mut())
            .map_err(in_session)?;
        if let Some(recorder) = &self.recorder {
            recorder.note(Direction::FromDevice, answer, &[secrecy.in_answer(answer)]);
        }
        let (data, word) = apdu::split(answer)?;
        Ok(Response {
            data: Zeroizing::new(data.to_vec()),
            word,
        })
    }

    /// The ATR of the card.
    pub(crate) fn atr(&self) -> Result<Vec<u8>, PcscError> {
        let (mut names, mut atr) = ([0; 256], [0; ATR]);
        let status = self
            .connection
            .status2(&mut names, &mut atr)
            .map_err(in_session)?;
        Ok(status.atr().to_vec())
    }

    /// Takes the power from the card and gives it back.
    pub(crate) fn reconnect(&mut self) -> Result<(), PcscError> {
        let (mode, protocols) = (ShareMode::Shared, Protocols::ANY);
        self.connection
            .reconnect(mode, protocols, Disposition::UnpowerCard)
            .map_err(in_session)
    }
}

/// Whoever has a session, or waits in a context, was admitted: a service that closes its door now has gone (pcsc-lite, winscard_msg.c).
pub(crate) fn in_session(error: Pcsc) -> PcscError {
    match error {
        Pcsc::SecurityViolation => Pcsc::NoService.into(),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use encoder::ErrorKind;

    use super::*;

    #[test]
    fn a_pcscd_that_goes_in_a_session_does_not_look_like_a_missing_permission() {
        let gone = in_session(Pcsc::SecurityViolation);
        assert_eq!(gone.kind(), ErrorKind::Absent);
        assert!(gone.ends_context());
        assert_eq!(in_session(Pcsc::RemovedCard).kind(), ErrorKind::CardGone);
    }
}
