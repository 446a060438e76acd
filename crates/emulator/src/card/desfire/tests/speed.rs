//! The tear table runs tens of thousands of encodes; a card must not be what they wait for.

use std::time::{Duration, Instant};

use super::{AID, ZERO, host_with_backup_file};
use crate::Technology;

#[test]
fn a_hundred_encodes_take_no_time_to_speak_of() {
    let mut host = host_with_backup_file(Technology::DesfireEv2);
    let began = Instant::now();
    for number in 0..100 {
        host.again();
        host.expect(0x5A, &AID, &[]);
        host.authenticate(2, &ZERO);
        assert_eq!(host.write(1, &[number; 64]).unwrap(), 0x00);
        host.expect(0xC7, &[], &[]);
        host.authenticate(1, &ZERO);
        assert_eq!(host.read(1, 64), [number; 64]);
    }
    // Generous: a loaded machine and no optimisation.
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
}
