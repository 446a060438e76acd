//! DESFire cards under an antenna. The host here is as small as it can be; that other people's hosts
//! get on with the card as well is shown by the tests with libfreefare and pyscard.

mod framing;
mod keys;
mod speed;
mod transactions;

use crate::card::host::Host;
use crate::{Card, Cards, Origin, Technology};

const UID: &str = "04A1B2C3D4E5F6";
const AID: [u8; 3] = [0x01, 0x02, 0xF4];
const ZERO: [u8; 16] = [0; 16];

fn card(technology: Technology, origin: Origin) -> Card {
    Cards::new()
        .card(technology, UID.parse().unwrap(), origin)
        .unwrap()
}

fn host(technology: Technology) -> Host {
    Host::before(card(technology, Origin::Factory))
}

/// A host with a card that has an application of five AES keys and is authenticated with its master key.
fn host_with_application(technology: Technology) -> Host {
    let mut host = host(technology);
    host.expect(0xCA, &[AID[0], AID[1], AID[2], 0x0B, 0x85], &[]);
    host.expect(0x5A, &AID, &[]);
    host.authenticate(0, &ZERO);
    host
}

/// The same, with a backup file 1 of 64 bytes, enciphered: read with 1, write with 2, change with 0.
/// The host is authenticated with key 2.
fn host_with_backup_file(technology: Technology) -> Host {
    let mut host = host_with_application(technology);
    host.expect(0xCB, &[1, 3, 0xF0, 0x12, 64, 0, 0], &[]);
    host.authenticate(2, &ZERO);
    host
}
