//! How the lab's log tells of a command that reached a card. Names are for people who read the log; what was in the
//! command beside its address (data, keys, cryptograms) is never told.

use emulator::{ExchangeKind, KeyType};
use serde::Serialize;

/// A command, by its name and what it addressed.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct CommandShape {
    command: &'static str,
    /// The block or page; of a run of pages the first.
    block: Option<u16>,
    /// The last of a run of pages.
    last_block: Option<u16>,
    /// Which key of a MIFARE Classic sector.
    key: Option<&'static str>,
    /// The command's code in hexadecimal, where `command` names no block.
    code: Option<String>,
}

impl From<ExchangeKind> for CommandShape {
    fn from(kind: ExchangeKind) -> Self {
        match kind {
            ExchangeKind::Authenticate { block, key_type } => Self {
                key: Some(match key_type {
                    KeyType::A => "A",
                    KeyType::B => "B",
                }),
                ..Self::on("authenticate", block)
            },
            ExchangeKind::Read { block } => Self::on("read", block),
            ExchangeKind::Write { block } => Self::on("write", block),
            ExchangeKind::Increment { block } => Self::on("increment", block),
            ExchangeKind::Decrement { block } => Self::on("decrement", block),
            ExchangeKind::Restore { block } => Self::on("restore", block),
            ExchangeKind::Transfer { block } => Self::on("transfer", block),
            ExchangeKind::ReadRange { first, last } => Self {
                last_block: Some(last),
                ..Self::on("fast_read", first)
            },
            ExchangeKind::Command { code } => Self::coded(name(code), code),
            ExchangeKind::Other { code } => Self::coded("other", code),
            _ => Self {
                command: "other",
                ..Self::default()
            },
        }
    }
}

impl CommandShape {
    fn on(command: &'static str, block: u16) -> Self {
        Self {
            command,
            block: Some(block),
            ..Self::default()
        }
    }

    fn coded(command: &'static str, code: u8) -> Self {
        Self {
            command,
            code: Some(format!("{code:02X}")),
            ..Self::default()
        }
    }
}

/// What a code means to cards of pages and to those with files; none means two things.
fn name(code: u8) -> &'static str {
    CODES
        .iter()
        .find(|(of, _)| *of == code)
        .map_or("other", |(_, name)| name)
}

/// Codes and names as the data sheets have them: MF0ICU2 (Ultralight C) §7.6, MF0ULx1 (Ultralight EV1) §10, NTAG213/215/216
/// §10, MF3ICDx1 and MF3D(H)x2 (DESFire), NT4H2421Gx (NTAG 424 DNA) §10; ISO/IEC 7816-4 for those that are its own.
const CODES: [(u8, &str); 50] = [
    // Cards of pages.
    (0x1A, "authenticate"),
    (0x1B, "pwd_auth"),
    (0x39, "read_cnt"),
    (0x3C, "read_sig"),
    (0x3E, "check_tearing_event"),
    (0x4B, "vcsl"),
    (0x60, "get_version"),
    (0xA0, "compatibility_write"),
    (0xA5, "incr_cnt"),
    (0xAF, "additional_frame"),
    // Cards with files.
    (0x0A, "authenticate_legacy"),
    (0xAA, "authenticate_aes"),
    (0x71, "authenticate_ev2_first"),
    (0x77, "authenticate_ev2_non_first"),
    (0x45, "get_key_settings"),
    (0x54, "change_key_settings"),
    (0x5C, "set_configuration"),
    (0xC4, "change_key"),
    (0x64, "get_key_version"),
    (0xCA, "create_application"),
    (0xDA, "delete_application"),
    (0x5A, "select_application"),
    (0x6A, "get_application_ids"),
    (0x6D, "get_df_names"),
    (0x6E, "free_memory"),
    (0xFC, "format_picc"),
    (0x51, "get_card_uid"),
    (0x6F, "get_file_ids"),
    (0x61, "get_iso_file_ids"),
    (0xF5, "get_file_settings"),
    (0x5F, "change_file_settings"),
    (0xCD, "create_standard_data_file"),
    (0xCB, "create_backup_data_file"),
    (0xCC, "create_value_file"),
    (0xC1, "create_linear_record_file"),
    (0xC0, "create_cyclic_record_file"),
    (0xDF, "delete_file"),
    (0xBD, "read_data"),
    (0xAD, "read_data"),
    (0x3D, "write_data"),
    (0x8D, "write_data"),
    (0x6C, "get_value"),
    (0xBB, "read_records"),
    (0x3B, "write_record"),
    (0xC7, "commit_transaction"),
    (0xA7, "abort_transaction"),
    (0xF6, "get_file_counters"),
    // ISO/IEC 7816-4.
    (0xA4, "iso_select_file"),
    (0xB0, "iso_read_binary"),
    (0xD6, "iso_update_binary"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_has_two_names() {
        for (at, (code, name)) in CODES.iter().enumerate() {
            let again = CODES[at + 1..].iter().find(|(other, _)| other == code);
            assert_eq!(again, None, "{code:02X} {name}");
        }
    }

    #[test]
    fn a_run_of_pages_is_told_by_its_first_and_last() {
        let told = CommandShape::from(ExchangeKind::ReadRange { first: 4, last: 39 });
        assert_eq!((told.command, told.block), ("fast_read", Some(4)));
        assert_eq!(told.last_block, Some(39));
    }

    #[test]
    fn a_command_of_a_card_with_files_is_told_by_its_name_and_code() {
        let told = CommandShape::from(ExchangeKind::Command { code: 0xC7 });
        assert_eq!(told.command, "commit_transaction");
        assert_eq!(told.code.as_deref(), Some("C7"));
        let unheard_of = CommandShape::from(ExchangeKind::Command { code: 0x01 });
        assert_eq!(unheard_of.command, "other");
    }
}
