//! What the makers of lock servers do differently, as one table. Everything else is the same protocol.
//!
//! | | SALTO | Onity | source |
//! | --- | --- | --- | --- |
//! | ENQ | may come first | must come first | Python `Client`; C# `Client.Process` |
//! | ACK comes within | 30 s, here 10 s | 2 s, as its manual suggests | Python `READ_TIMEOUT`; C# `PROTOCOL_TIMEOUT` |
//! | times | `hhmmDDMMYY` | `HHDDMMYY` | PHP `DATE_FORMAT`, Python `DATETIME_FORMAT`; C# `FormatDateTime` |
//! | text | Latin-1 | ASCII | Python `ENCODING`; C# `Encoding.ASCII` |
//! | encoder | its name on the server | its number among the peripherals | Python `EncodeCard`; C# `WriteData.EncoderNumber` |
//! | authorisations | 62, a character each | 8, a digit each | Python `CardDetails`; C# `WriteData.Authorization` |
//! | a card's number | when field 15 asks for it | always, if it has one | Python `SerialNumberReturns`; C# `Client.Write` |
//! | takes a task back | no | `EX` | C# `Client.Eject` |

use std::time::Duration;

use crate::text::Charset;
use crate::time::Pattern;

/// Whose lock server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// SALTO ProAccess Space and its predecessors.
    Salto,
    /// Onity HT22, HT24, HT28 and OnPortal.
    Onity,
}

/// What a dialect asks for.
#[derive(Debug)]
pub(crate) struct Rules {
    /// As the configuration names it.
    pub(crate) name: &'static str,
    /// The longest that an ACK takes.
    pub(crate) acknowledges_within: Duration,
    /// How times are written.
    pub(crate) times: Pattern,
    /// What text may have in it.
    pub(crate) charset: Charset,
    /// Whether an encoder is known by a number, not by a name.
    pub(crate) numbers_encoders: bool,
    /// The character of each authorisation, from number 1 on.
    pub(crate) authorisations: &'static [u8],
    /// Whether a request says that the answer is to tell the card's own number.
    pub(crate) asks_for_serial: bool,
    /// Whether a task can be taken back while it waits for a card.
    pub(crate) takes_back: bool,
}

const SALTO: Rules = Rules {
    name: "salto",
    acknowledges_within: Duration::from_secs(10),
    times: Pattern::Minutes,
    charset: Charset::Latin1,
    numbers_encoders: false,
    // Neither quotation mark is among them.
    authorisations: br"123456789abcdefghijklmnopqrstuvwxyz!#$%&()*+,-./:;<=>?@[\]^_{}",
    asks_for_serial: true,
    takes_back: false,
};

const ONITY: Rules = Rules {
    name: "onity",
    acknowledges_within: Duration::from_secs(2),
    times: Pattern::Hours,
    charset: Charset::Ascii,
    numbers_encoders: true,
    authorisations: b"12345678",
    asks_for_serial: false,
    takes_back: true,
};

impl Dialect {
    /// The dialect with that name in a configuration.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Salto, Self::Onity]
            .into_iter()
            .find(|dialect| dialect.rules().name == name)
    }

    pub(crate) fn rules(self) -> &'static Rules {
        match self {
            Self::Salto => &SALTO,
            Self::Onity => &ONITY,
        }
    }
}

impl Rules {
    /// The field for these authorisations; the first number that does not exist on such a server, otherwise.
    pub(crate) fn write_authorisations(&self, numbers: &[u8]) -> Result<Vec<u8>, u8> {
        let character = |&number: &u8| {
            let index = usize::from(number).checked_sub(1).ok_or(number)?;
            self.authorisations.get(index).copied().ok_or(number)
        };
        numbers.iter().map(character).collect()
    }

    /// The authorisations in a field; `None` when a character stands for none.
    pub(crate) fn read_authorisations(&self, field: &[u8]) -> Option<Vec<u8>> {
        let number = |byte: &u8| {
            let index = self.authorisations.iter().position(|it| it == byte)?;
            u8::try_from(index + 1).ok()
        };
        field.iter().map(number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorisations_are_written_as_the_published_table_has_them() {
        let salto = Dialect::Salto.rules();
        assert_eq!(salto.authorisations.len(), 62);
        for (number, character) in [
            (1, '1'),
            (9, '9'),
            (10, 'a'),
            (35, 'z'),
            (36, '!'),
            (37, '#'),
            (41, '('),
            (50, ';'),
            (56, '['),
            (57, '\\'),
            (60, '_'),
            (61, '{'),
            (62, '}'),
        ] {
            let field = vec![u8::try_from(character).unwrap()];
            assert_eq!(salto.write_authorisations(&[number]), Ok(field.clone()));
            assert_eq!(salto.read_authorisations(&field), Some(vec![number]));
        }
        let onity = Dialect::Onity.rules();
        assert_eq!(onity.write_authorisations(&[3, 6]), Ok(b"36".to_vec()));
        assert_eq!(onity.read_authorisations(b"36"), Some(vec![3, 6]));
    }

    #[test]
    fn an_authorisation_that_the_server_does_not_have_is_not_sent() {
        for (dialect, number) in [
            (Dialect::Salto, 0),
            (Dialect::Salto, 63),
            (Dialect::Onity, 0),
            (Dialect::Onity, 9),
        ] {
            assert_eq!(
                dialect.rules().write_authorisations(&[1, number]),
                Err(number)
            );
        }
        assert_eq!(Dialect::Onity.rules().read_authorisations(b"1a"), None);
        assert_eq!(Dialect::Salto.rules().read_authorisations(b"1'"), None);
    }

    #[test]
    fn a_dialect_has_one_name() {
        assert_eq!(Dialect::named("salto"), Some(Dialect::Salto));
        assert_eq!(Dialect::named("onity"), Some(Dialect::Onity));
        assert_eq!(Dialect::named("Salto"), None);
    }
}
