//! Command APDUs of ISO/IEC 7816-4 in their short form, and the status words of their answers.

/// A command APDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Apdu<'a> {
    pub(super) class: u8,
    pub(super) instruction: u8,
    pub(super) p1: u8,
    pub(super) p2: u8,
    pub(super) data: &'a [u8],
    /// Le as written: 0 stands for "as much as there is".
    pub(super) le: Option<u8>,
}

impl<'a> Apdu<'a> {
    /// `None`: its lengths do not fit together.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Apdu<'a>> {
        let &[class, instruction, p1, p2, ref body @ ..] = bytes else {
            return None;
        };
        let (data, le) = match *body {
            [] => (&[][..], None),
            [le] => (&[][..], Some(le)),
            [lc, ref data @ ..] if data.len() == usize::from(lc) => (data, None),
            [lc, ref data @ .., le] if data.len() == usize::from(lc) => (data, Some(le)),
            _ => return None,
        };
        Some(Apdu {
            class,
            instruction,
            p1,
            p2,
            data,
            le,
        })
    }
}

/// Puts a status word behind an answer.
pub(super) fn respond(outcome: Result<Vec<u8>, u16>) -> Vec<u8> {
    let (mut response, status) = match outcome {
        Ok(data) => (data, OK),
        Err(status) => (Vec::new(), status),
    };
    response.extend(status.to_be_bytes());
    response
}

/// All went well.
pub(super) const OK: u16 = 0x9000;
/// The lengths do not fit.
pub(super) const WRONG_LENGTH: u16 = 0x6700;
/// The file's rights do not allow it.
pub(super) const SECURITY: u16 = 0x6982;
/// No file is selected.
pub(super) const NOT_ALLOWED: u16 = 0x6985;
/// There is no such file or application.
pub(super) const NOT_FOUND: u16 = 0x6A82;
/// P1 and P2 are wrong.
pub(super) const WRONG_P1_P2: u16 = 0x6A86;
/// Beyond the end of the file.
pub(super) const WRONG_OFFSET: u16 = 0x6B00;
/// The instruction is unknown.
pub(super) const UNKNOWN_INSTRUCTION: u16 = 0x6D00;
/// The class is unknown.
pub(super) const UNKNOWN_CLASS: u16 = 0x6E00;

#[cfg(test)]
mod tests {
    use super::Apdu;

    #[test]
    fn the_four_short_cases_are_told_apart() {
        for (bytes, data, le) in [
            (&[0x90, 0x60, 0, 0][..], &[][..], None),
            (&[0x90, 0x60, 0, 0, 0], &[], Some(0)),
            (&[0x90, 0x5A, 0, 0, 1, 7], &[7], None),
            (&[0x90, 0x5A, 0, 0, 1, 7, 0], &[7], Some(0)),
        ] {
            let apdu = Apdu::parse(bytes).unwrap();
            assert_eq!((apdu.data, apdu.le), (data, le));
        }
        for bytes in [&[0x90, 0x60, 0][..], &[0x90, 0x5A, 0, 0, 2, 7]] {
            assert_eq!(Apdu::parse(bytes), None);
        }
    }
}
