//! What a lock server was asked, in order, and what it answered.

use super::frame::Field;

/// A command that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Served {
    /// Counted from 1 since the server was made.
    pub number: u64,
    /// The connection it came by, counted from 1 since the server was made.
    pub connection: u64,
    /// Its fields, the name first.
    pub asked: Vec<String>,
    /// The fields of its answer, once it is answered, whether or not anybody is there to hear it.
    pub answered: Option<Vec<String>>,
}

impl Served {
    pub(super) fn new(number: u64, connection: u64, fields: &[Field]) -> Served {
        Served {
            number,
            connection,
            asked: readable(fields),
            answered: None,
        }
    }

    pub(super) fn answer_is(&mut self, fields: &[Field]) {
        self.answered = Some(readable(fields));
    }

    /// Its fields in one line, with a bar between them.
    #[must_use]
    pub fn line(&self) -> String {
        self.asked.join("|")
    }

    /// The fields of the answer in one line; empty if there is none yet.
    #[must_use]
    pub fn answer_line(&self) -> String {
        self.answered.as_deref().unwrap_or_default().join("|")
    }
}

/// One character for each byte, as in Latin-1.
fn readable(fields: &[Field]) -> Vec<String> {
    let text = |field: &Field| field.iter().map(|byte| char::from(*byte)).collect();
    fields.iter().map(text).collect()
}
