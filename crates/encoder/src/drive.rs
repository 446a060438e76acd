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

#[cfg(test)]
mod tests {
    use card::{Command, CommandKind, PresentedCard, Reply, SelectAnswer, Uid};

    use super::*;
    use crate::ErrorKind;

    /// Asks for the card anew as often as it is told, then yields how often it was answered.
    struct Asks {
        effects: Vec<Effect>,
        answers: usize,
    }

    impl Procedure for Asks {
        type Output = usize;

        fn next(&mut self, last: Option<Reply>) -> Step<usize> {
            self.answers += usize::from(last.is_some());
            match self.effects.pop() {
                Some(effect) => Step::Exchange(Command::Reselect, effect),
                None => Step::Done(Ok(self.answers)),
            }
        }
    }

    struct Session {
        card: PresentedCard,
        answers_left: usize,
    }

    impl CardSession for Session {
        fn card(&self) -> &PresentedCard {
            &self.card
        }

        fn supports(&self, _: CommandKind) -> bool {
            true
        }

        fn exchange(&mut self, _: &Command) -> Result<Reply, Error> {
            self.answers_left = self
                .answers_left
                .checked_sub(1)
                .ok_or(Error::new(ErrorKind::CardGone))?;
            Ok(Reply::Done)
        }
    }

    fn run(effects: &[Effect], answers_left: usize) -> (Result<usize, DriveError>, usize) {
        let mut session = Session {
            card: PresentedCard {
                uid: Uid::new(&[1, 2, 3, 4]).unwrap(),
                answer: SelectAnswer::Atr(Vec::new()),
            },
            answers_left,
        };
        let effects = effects.iter().rev().copied().collect();
        let result = drive(
            &mut session,
            Asks {
                effects,
                answers: 0,
            },
        );
        (result, session.answers_left)
    }

    #[test]
    fn every_answer_reaches_the_procedure() {
        let (result, _) = run(&[Effect::Reads; 3], 5);
        assert_eq!(result.unwrap(), 3);
    }

    #[test]
    fn the_first_failure_of_the_encoder_ends_it() {
        let (result, _) = run(&[Effect::Reads; 3], 1);
        assert!(matches!(
            result,
            Err(DriveError::Encoder(error)) if error.kind() == ErrorKind::CardGone
        ));
    }

    #[test]
    fn nothing_that_writes_is_sent() {
        for effect in [Effect::Prepares, Effect::Commits] {
            let (result, answers_left) = run(&[Effect::Reads, effect], 5);
            assert!(matches!(result, Err(DriveError::Writes)));
            assert_eq!(answers_left, 4);
        }
    }
}
