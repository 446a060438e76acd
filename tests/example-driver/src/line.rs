//! Lines as bytes: numbered, with a sum at the end. Nothing here knows what they say.

/// The line for a request, newline and all.
pub(crate) fn encode(number: u8, text: &str) -> String {
    let line = format!("{number:02X} {text}");
    let sum = sum(line.as_bytes());
    format!("{line}*{sum:02X}\n")
}

/// Number and text of a line without its newline; `None` for one that was spoiled on the way.
pub(crate) fn decode(line: &[u8]) -> Option<(u8, &str)> {
    let line = std::str::from_utf8(line).ok()?;
    let (before, given) = line.rsplit_once('*')?;
    if given.len() != 2 || u8::from_str_radix(given, 16).ok()? != sum(before.as_bytes()) {
        return None;
    }
    let (number, text) = before.split_once(' ')?;
    Some((u8::from_str_radix(number, 16).ok()?, text))
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_the_document_says() {
        assert_eq!(encode(7, "READ 04"), "07 READ 04*27\n");
        assert_eq!(decode(b"07 READ 04*27"), Some((7, "READ 04")));
    }

    #[test]
    fn a_line_with_one_byte_changed_or_missing_is_no_line() {
        let line = encode(7, "DATA 000102");
        let line = line.trim_end().as_bytes();
        for at in 0..line.len() {
            let mut spoiled = line.to_vec();
            spoiled[at] ^= 0x01;
            assert_eq!(decode(&spoiled), None, "{at}");
            spoiled.remove(at);
            assert_eq!(decode(&spoiled), None, "{at}");
        }
    }
}
