//! Status bytes of DESFire commands (MF3ICD81 data sheet, table of status and error codes). A wrapped
//! answer has them behind 91.

/// All went well.
pub(super) const OK: u8 = 0x00;
/// Nothing to commit or abort.
pub(super) const NO_CHANGES: u8 = 0x0C;
/// Not enough memory.
pub(super) const OUT_OF_MEMORY: u8 = 0x0E;
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
/// There is no such application.
pub(super) const APPLICATION_NOT_FOUND: u8 = 0xA0;
/// The authentication in force, or none, does not allow it; or it just failed.
pub(super) const AUTHENTICATION: u8 = 0xAE;
/// More is to come, from the one side or the other.
pub(super) const ADDITIONAL_FRAME: u8 = 0xAF;
/// Beyond the end of a file.
pub(super) const BOUNDARY: u8 = 0xBE;
/// The command before was not brought to its end.
pub(super) const ABORTED: u8 = 0xCA;
/// No more applications or files fit in the directory.
pub(super) const COUNT: u8 = 0xCE;
/// There is one of this name already.
pub(super) const DUPLICATE: u8 = 0xDE;
/// There is no such file.
pub(super) const FILE_NOT_FOUND: u8 = 0xF0;
