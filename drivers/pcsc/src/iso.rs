//! APDUs for a card in ISO/IEC 14443-4, which the reader passes on as they are. Where it does not fetch the rest of an
//! answer by itself, that is done here (ISO/IEC 7816-4, 5.3.4).

use card::Apdu;
use zeroize::Zeroizing;

use crate::error::PcscError;
use crate::wire::Wire;

/// The longest answer without extended length: 256 bytes and the status word (ISO/IEC 7816-4, 5.1).
const LONGEST: usize = 258;
/// The most times that a card is asked for the rest of one answer.
const ROUNDS: usize = 8;

/// Sends an APDU; yields everything that the card answered, status word included.
pub(crate) fn exchange(wire: &Wire, apdu: &Apdu) -> Result<Zeroizing<Vec<u8>>, PcscError> {
    follow(apdu.expose(), |command| {
        let answer = wire.transmit(command)?;
        Ok((answer.data, answer.word))
    })
}

/// What the status word says of the rest of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Complete,
    /// 61 xx: so many bytes more, to be asked for.
    More(u8),
    /// 6C xx: nothing was done; the command wants this Le.
    WrongLe(u8),
}

fn rest(word: u16) -> Rest {
    match word.to_be_bytes() {
        [0x61, more] => Rest::More(more),
        [0x6C, le] => Rest::WrongLe(le),
        _ => Rest::Complete,
    }
}

pub(crate) fn follow(
    command: &[u8],
    mut transmit: impl FnMut(&[u8]) -> Result<(Zeroizing<Vec<u8>>, u16), PcscError>,
) -> Result<Zeroizing<Vec<u8>>, PcscError> {
    let mut next = Zeroizing::new(command.to_vec());
    let mut whole = Zeroizing::new(Vec::with_capacity(LONGEST));
    for _ in 0..ROUNDS {
        let (data, word) = transmit(&next)?;
        if whole.len() + data.len() + 2 > LONGEST {
            break;
        }
        whole.extend(data.iter());
        next = match (rest(word), &next[..]) {
            // The class of the command on the first logical channel, without its proprietary bit.
            (Rest::More(le), _) => Zeroizing::new(vec![0x00, 0xC0, 0x00, 0x00, le]),
            (Rest::WrongLe(le), [head @ .., _]) if next.len() >= 5 => {
                Zeroizing::new([head, &[le]].concat())
            }
            (Rest::Complete | Rest::WrongLe(_), _) => {
                whole.extend(word.to_be_bytes());
                return Ok(whole);
            }
        };
    }
    Err(PcscError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers the commands of a script in their order.
    fn run(script: &[(&[u8], &[u8], u16)]) -> Result<Vec<u8>, PcscError> {
        let mut steps = script.iter();
        let whole = follow(script[0].0, |command| {
            let (expected, data, word) = steps.next().expect("no further command");
            assert_eq!(command, *expected);
            Ok((Zeroizing::new(data.to_vec()), *word))
        })?;
        assert!(steps.next().is_none());
        Ok(whole.to_vec())
    }

    #[test]
    fn an_answer_keeps_its_status_word() {
        let get_version = [0x90, 0x60, 0x00, 0x00, 0x00];
        let answer = run(&[(&get_version, &[4, 1, 1], 0x91AF)]).unwrap();
        assert_eq!(answer, [4, 1, 1, 0x91, 0xAF]);
        let refused = run(&[(&get_version, &[], 0x6D00)]).unwrap();
        assert_eq!(refused, [0x6D, 0x00]);
    }

    #[test]
    fn the_rest_of_an_answer_is_asked_for() {
        let read = [0x00, 0xB0, 0x00, 0x00, 0x00];
        let answer = run(&[
            (&read, &[1, 2], 0x6102),
            (&[0x00, 0xC0, 0x00, 0x00, 0x02], &[3, 4], 0x9000),
        ]);
        assert_eq!(answer.unwrap(), [1, 2, 3, 4, 0x90, 0x00]);
    }

    #[test]
    fn a_wrong_le_is_put_right() {
        let read = [0x00, 0xB0, 0x00, 0x00, 0x00];
        let again = [0x00, 0xB0, 0x00, 0x00, 0x03];
        let answer = run(&[(&read, &[], 0x6C03), (&again, &[7, 8, 9], 0x9000)]);
        assert_eq!(answer.unwrap(), [7, 8, 9, 0x90, 0x00]);
    }

    #[test]
    fn a_card_that_never_ends_its_answer_is_given_up() {
        let command = [0x00, 0xB0, 0x00, 0x00, 0x00];
        let endless = follow(&command, |_| Ok((Zeroizing::new(vec![0]), 0x6101)));
        assert!(matches!(endless, Err(PcscError::Malformed)));
    }
}
