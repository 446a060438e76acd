//! Text in fields: one byte a character, never UTF-8.

use crate::frame::{SEPARATOR, may_be_sent};

/// Stands for a character that cannot be told or sent.
const UNKNOWN: char = '\u{FFFD}';

/// What text may have in it on the way to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    /// Printable characters up to U+007E.
    Ascii,
    /// The same, and U+00A0 to U+00FF but `³`, which is the separator.
    Latin1,
}

impl Charset {
    /// The bytes of a text; the first character that cannot be sent, otherwise.
    pub(crate) fn encode(self, text: &str) -> Result<Vec<u8>, char> {
        text.chars().map(|it| self.byte(it).ok_or(it)).collect()
    }

    /// The bytes of a text that nothing depends on: a `?` for each character that cannot be sent, and no more of them
    /// than `most`.
    pub(crate) fn encode_roughly(self, text: &str, most: usize) -> Vec<u8> {
        text.chars()
            .take(most)
            .map(|it| self.byte(it).unwrap_or(b'?'))
            .collect()
    }

    /// The text of a field. What is no character of this set becomes U+FFFD, control characters too, so that the
    /// text can be shown.
    pub(crate) fn decode(self, field: &[u8]) -> String {
        let character = |&byte: &u8| {
            let it = char::from(byte);
            if self.byte(it).is_some() { it } else { UNKNOWN }
        };
        field
            .iter()
            .map(character)
            .collect::<String>()
            .trim()
            .to_owned()
    }

    fn byte(self, character: char) -> Option<u8> {
        let byte = u8::try_from(character).ok()?;
        let is_in_set = match byte {
            0x20..=0x7E => true,
            0xA0..=0xFF => self == Self::Latin1 && byte != SEPARATOR,
            // Control characters.
            _ => false,
        };
        (is_in_set && may_be_sent(byte)).then_some(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_out_as_latin_1_to_salto_and_as_ascii_to_onity() {
        assert_eq!(
            Charset::Latin1.encode("Suite Zoë"),
            Ok(b"Suite Zo\xEB".to_vec())
        );
        assert_eq!(Charset::Latin1.decode(b"Suite Zo\xEB"), "Suite Zoë");
        assert_eq!(Charset::Ascii.encode("Suite Zoë"), Err('ë'));
        assert_eq!(Charset::Ascii.encode("Suite 1"), Ok(b"Suite 1".to_vec()));
    }

    #[test]
    fn what_cannot_be_sent_is_not_sent() {
        // The separator, control characters of both kinds, and what has no byte.
        for character in [
            '³', '\u{2}', '\u{3}', '\r', '\n', '\u{7F}', '\u{85}', '│', 'ł', '房',
        ] {
            let text = format!("10{character}1");
            assert_eq!(
                Charset::Latin1.encode(&text),
                Err(character),
                "{character:?}"
            );
            assert_eq!(
                Charset::Ascii.encode(&text),
                Err(character),
                "{character:?}"
            );
        }
    }

    #[test]
    fn a_text_for_a_log_is_cut_and_keeps_its_place() {
        assert_eq!(
            Charset::Ascii.encode_roughly("Zoë³ at the desk", 7),
            b"Zo?? at"
        );
        assert_eq!(Charset::Latin1.encode_roughly("Zoë³", 24), b"Zo\xEB?");
    }

    #[test]
    fn what_came_can_always_be_shown() {
        let bytes: Vec<u8> = (0..=0xFF).collect();
        for charset in [Charset::Ascii, Charset::Latin1] {
            assert!(!charset.decode(&bytes).contains(char::is_control));
        }
        assert_eq!(Charset::Ascii.decode(b" 10\xEB1 "), "10\u{FFFD}1");
    }
}
