//! Status words of the reader's commands (PC/SC part 3 §3.2.2; ACR122U API §4 where it is silent).

/// All went well.
pub(super) const OK: u16 = 0x9000;
/// The data ends before the length asked for.
pub(super) const END_OF_DATA: u16 = 0x6282;
/// The chip within the reader gave no answer (ACR122U API).
pub(super) const CHIP_SILENT: u16 = 0x6301;
/// The card gave no answer.
pub(super) const NO_RESPONSE: u16 = 0x6401;
/// The operation failed: a wrong key, or the card is gone.
pub(super) const FAILED: u16 = 0x6300;
/// The card took the command and then did not write.
pub(super) const MEMORY_FAILURE: u16 = 0x6581;
/// A length field that the command does not allow.
pub(super) const WRONG_LENGTH: u16 = 0x6700;
/// The card does not allow it with the key in use.
pub(super) const SECURITY: u16 = 0x6982;
/// The reader keeps no keys of this kind (reader keys).
pub(super) const READER_KEY: u16 = 0x6983;
/// The key named was never loaded.
pub(super) const KEY_UNUSABLE: u16 = 0x6984;
/// Keys cannot be loaded enciphered; also: there is no session to do that in.
pub(super) const SECURED_LOADING: u16 = 0x6985;
pub(super) const CONDITIONS: u16 = 0x6985;
/// The reader has no volatile memory for keys; also: a key type that it does not know.
pub(super) const NO_VOLATILE_KEYS: u16 = 0x6986;
pub(super) const KEY_TYPE: u16 = 0x6986;
/// The key number, or the memory that it means, does not exist.
pub(super) const KEY_NUMBER: u16 = 0x6988;
/// A key has another length.
pub(super) const KEY_LENGTH: u16 = 0x6989;
/// The data within the command makes no sense.
pub(super) const WRONG_DATA: u16 = 0x6A80;
/// The card has no such thing.
pub(super) const UNSUPPORTED: u16 = 0x6A81;
/// There is no such block.
pub(super) const NO_SUCH_BLOCK: u16 = 0x6A82;
/// P1 or P2 are wrong.
pub(super) const WRONG_P1_P2: u16 = 0x6B00;
/// Add the right length.
pub(super) const WRONG_LE: u16 = 0x6C00;
/// The instruction is unknown.
pub(super) const UNKNOWN_INSTRUCTION: u16 = 0x6D00;
/// The class is unknown: storage cards take no commands of their own.
pub(super) const UNKNOWN_CLASS: u16 = 0x6E00;
