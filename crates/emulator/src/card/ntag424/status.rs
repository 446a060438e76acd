//! Status bytes behind 91 (NT4H2421Gx data sheet §10.1, table 23).

pub(super) const OK: u8 = 0x00;
/// The card has no such command.
pub(super) const ILLEGAL_COMMAND: u8 = 0x1C;
/// A checksum, a MAC or a padding is wrong.
pub(super) const INTEGRITY: u8 = 0x1E;
/// There is no such key.
pub(super) const NO_SUCH_KEY: u8 = 0x40;
/// The command has another length.
pub(super) const LENGTH: u8 = 0x7E;
/// The configuration forbids it, whoever asks.
pub(super) const PERMISSION_DENIED: u8 = 0x9D;
/// A parameter has a value that it cannot have.
pub(super) const PARAMETER: u8 = 0x9E;
/// Too many wrong keys: this attempt is not looked at.
pub(super) const AUTHENTICATION_DELAY: u8 = 0xAD;
/// The authentication in force, or none, does not allow it; or it just failed.
pub(super) const AUTHENTICATION: u8 = 0xAE;
/// More is to come, from the one side or the other.
pub(super) const ADDITIONAL_FRAME: u8 = 0xAF;
/// Beyond the end of a file.
pub(super) const BOUNDARY: u8 = 0xBE;
/// The command before was not brought to its end.
pub(super) const ABORTED: u8 = 0xCA;
/// There is no such file.
pub(super) const FILE_NOT_FOUND: u8 = 0xF0;
