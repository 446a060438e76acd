//! What a listing says of a reader: whether it can be used, else why not and what to do.

use encoder::{Access, ErrorKind, Facts, Listing, Selector};
use pcsc::{Context, State};

use crate::context::{name, state};
use crate::error::PcscError;
use crate::find::Found;
use crate::holder::Processes;
use crate::name::{DRIVER, Wanted};

/// The kernel's driver for readers with a PN533 inside. It takes the ACR122U too (LudovicRousseau/pcsc-tools#97).
const PN533: &str = "pn533_usb";

pub(super) fn of(
    selector: Selector,
    wanted: &Wanted,
    access: Access,
    found: Option<&Found>,
) -> Listing {
    Listing {
        driver: DRIVER,
        selector,
        identity: wanted.identity(),
        description: wanted.text(),
        access,
        facts: found.map(facts).unwrap_or_default(),
    }
}

fn facts(found: &Found) -> Facts {
    let (seen, quirks) = (&found.seen, found.seen.quirks);
    let told_by = match (&found.wanted, found.alike) {
        (Wanted::Serial(_), _) => "its serial number".to_owned(),
        (Wanted::UsbPort(..), 0 | 1) => {
            "its USB port, as it has no serial number of its own".to_owned()
        }
        (Wanted::UsbPort(..), alike) => format!(
            "its USB port: {alike} of this kind are plugged in, without serial numbers of their own; put each back \
             where it was"
        ),
        (Wanted::Name(_), _) => "its name".to_owned(),
        (Wanted::Exactly(_), _) => {
            "its number, which changes when it is plugged in again".to_owned()
        }
    };
    let facts = Facts::default()
        .with_known("name in PC/SC", seen.full.clone())
        .with_known("interface", seen.name.interface.clone())
        .with_known("serial number", seen.name.serial.clone())
        .with_known("usb port", seen.port.clone())
        .with("told apart by", told_by)
        .with("model", quirks.model);
    quirks
        .notes
        .iter()
        .fold(facts, |facts, note| facts.with("note", *note))
        .with("source", quirks.source)
}

/// Whether a reader that is there can be used.
pub(super) fn access(
    service: Result<&Context, &PcscError>,
    found: &Found,
    processes: &Processes,
) -> Access {
    let seen = &found.seen;
    if let Some(what) = seen.other() {
        let reason = format!("it is {what} and no encoder; nothing has to be done");
        return Access::Unclaimed { reason };
    }
    if seen.is_in_doubt {
        return in_doubt();
    }
    let Some(full) = &seen.full else {
        return not_shown(seen.kernel_driver.as_deref(), service.err());
    };
    let state = match service {
        Ok(context) => name(full).and_then(|reader| state(context, &reader)),
        Err(error) => return refused(error),
    };
    match state {
        Ok(state) if state.contains(State::EXCLUSIVE) => Access::Inaccessible {
            reason: format!(
                "another program has this reader for itself; {}",
                processes.suspects()
            ),
        },
        Ok(_) => Access::Accessible,
        Err(error) => refused(&error),
    }
}

/// Which of several alike a reader is, nobody can tell while it is used.
pub(super) fn in_doubt() -> Access {
    Access::Unclaimed {
        reason: "another program uses it, and it has no serial number to tell it from others of its kind; close that \
                 program, and plug the reader in again"
            .to_owned(),
    }
}

/// Why PC/SC does not show a device that is plugged in.
pub(super) fn not_shown(kernel_driver: Option<&str>, service: Option<&PcscError>) -> Access {
    if kernel_driver == Some(PN533) {
        return Access::Inaccessible {
            reason: format!(
                "the kernel's module {PN533} holds it; run `modprobe -r {PN533}` as root, and write `blacklist {PN533}` \
                 into /etc/modprobe.d/cardbridge.conf so that it stays away"
            ),
        };
    }
    // To PC/SC it is absent, and comes back as a reader that was plugged in does.
    service.map_or_else(
        || Access::Absent {
            reason: "it is plugged in, and the PC/SC service does not offer it; install its driver (libccid, for readers \
                     of ACS libacsccid1), and see `journalctl -u pcscd`"
                .to_owned(),
        },
        refused,
    )
}

/// Why a reader cannot be used, with what to do.
pub(super) fn refused(error: &PcscError) -> Access {
    match error.kind() {
        ErrorKind::NotPermitted => Access::Inaccessible {
            reason: "the PC/SC service admits only users with a session at the screen; install the polkit rule for this \
                     program's user, which allows org.debian.pcsc-lite.access_pcsc and org.debian.pcsc-lite.access_card"
                .to_owned(),
        },
        ErrorKind::Absent if error.ends_context() => Access::Absent {
            reason: "the PC/SC service does not run; start pcscd".to_owned(),
        },
        ErrorKind::Absent => Access::Absent {
            reason: error.to_string(),
        },
        _ => Access::Inaccessible {
            reason: "the PC/SC service does not answer as it should; restart pcscd".to_owned(),
        },
    }
}
