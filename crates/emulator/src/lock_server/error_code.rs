//! The two letters with which a lock server says why it did not do what it was asked.

use std::fmt;

use super::Dialect;

/// An error of the protocol, named as its two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorCode {
    /// Syntax error.
    Es,
    /// No communication with the encoder.
    Nc,
    /// No files: the server's database.
    Nf,
    /// Overflow: the encoder is busy.
    Ov,
    /// Card error.
    Ep,
    /// Format error.
    Ef,
    /// Level error.
    En,
    /// Card stuck.
    Et,
    /// Unknown room.
    Td,
    /// Timed out.
    Ed,
    /// Room checked out, or too many one-shot cards.
    Ea,
    /// Room out of service.
    Os,
    /// Encoded elsewhere at this moment.
    Eo,
    /// Card validity error.
    Ev,
    /// General error, with a text.
    Eg,
}

/// Which of the two dialects has an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Both,
    Salto,
    Onity,
}

/// Every error: letters, who sends it, what it says. Sources: S = coucounco/salto `SaltoClient::$_errors`, O = batiati/Onity
/// `ErrorCode.cs`, C = a C# client that lists `EV` (its text); each tells it from the vendor's document.
const ERRORS: [(ErrorCode, &str, Of, &str); 15] = [
    (ErrorCode::Es, "ES", Of::Both, "syntax error"), // S, O
    (ErrorCode::Nc, "NC", Of::Both, "the encoder does not answer"), // S, O
    (
        ErrorCode::Nf,
        "NF",
        Of::Both,
        "database damaged or not found",
    ), // S, O
    (
        ErrorCode::Ov,
        "OV",
        Of::Both,
        "the encoder is busy with a previous task",
    ), // S, O
    (
        ErrorCode::Ep,
        "EP",
        Of::Both,
        "card not found or wrongly inserted",
    ), // S, O
    (
        ErrorCode::Ef,
        "EF",
        Of::Both,
        "card of another system, or damaged",
    ), // S, O
    (
        ErrorCode::En,
        "EN",
        Of::Onity,
        "recorded too low, or dirty head",
    ), // O
    (ErrorCode::Et, "ET", Of::Onity, "card stuck"),  // O
    (ErrorCode::Td, "TD", Of::Both, "unknown room"), // S, O
    (ErrorCode::Ed, "ED", Of::Both, "waited too long for a card"), // S, O
    (
        ErrorCode::Ea,
        "EA",
        Of::Both,
        "room checked out, or too many one-shot cards",
    ), // S the first, O the second
    (ErrorCode::Os, "OS", Of::Both, "room out of service"), // S, O
    (
        ErrorCode::Eo,
        "EO",
        Of::Salto,
        "the guest's card is being encoded by another station",
    ), // S
    (ErrorCode::Ev, "EV", Of::Salto, "card validity error"), // C
    (ErrorCode::Eg, "EG", Of::Salto, "general error"), // S
];

impl ErrorCode {
    /// Every error there is.
    pub const ALL: [ErrorCode; 15] = {
        let mut all = [ErrorCode::Es; 15];
        let mut at = 0;
        while at < all.len() {
            all[at] = ERRORS[at].0;
            at += 1;
        }
        all
    };

    fn row(self) -> &'static (ErrorCode, &'static str, Of, &'static str) {
        ERRORS
            .iter()
            .find(|row| row.0 == self)
            .expect("every error is in the table")
    }

    /// Its two letters.
    #[must_use]
    pub fn letters(self) -> &'static str {
        self.row().1
    }

    /// What it says, in a few words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.row().3
    }

    /// Servers of this dialect send it, as far as is known.
    #[must_use]
    pub fn is_of(self, dialect: Dialect) -> bool {
        match self.row().2 {
            Of::Both => true,
            Of::Salto => dialect == Dialect::Salto,
            Of::Onity => dialect == Dialect::Onity,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letters())
    }
}
