//! Status bytes of the chip's answers (UM0701-02 §7.1, table 15).

/// All went well.
pub(super) const OK: u8 = 0x00;
/// The card did not answer.
pub(super) const TIMEOUT: u8 = 0x01;
/// The card's checksum was wrong.
pub(super) const CRC: u8 = 0x02;
/// Several cards answered at once.
pub(super) const COLLISION: u8 = 0x06;
/// The card broke the protocol of ISO/IEC 14443-4.
pub(super) const PROTOCOL: u8 = 0x0B;
/// A parameter is out of range.
pub(super) const INVALID_PARAMETER: u8 = 0x10;
/// The card's answer was not of the form expected: a NAK.
pub(super) const INVALID_FORMAT: u8 = 0x13;
/// The card refused the authentication.
pub(super) const MIFARE_AUTHENTICATION: u8 = 0x14;
/// Not in this state of the DEP protocol.
pub(super) const DEP_STATE: u8 = 0x25;
/// Not allowed in this configuration.
pub(super) const NOT_ALLOWED: u8 = 0x26;
/// There is no such target.
pub(super) const WRONG_CONTEXT: u8 = 0x27;
