//! A service that stops takes its readers with it and brings them back.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Instant;

use driver_pcsc::PcscDriver;
use encoder::{Access, CardWait, Driver as _, ErrorKind, Probing, Selector, Stop};

use crate::rig::{LIMIT, Rig, TRANSPORT, authenticate, open, refusal, select, with_pcscd};

#[test]
fn a_pcscd_that_stops_takes_the_reader_with_it_and_brings_it_back() {
    with_pcscd(
        "restart::a_pcscd_that_stops_takes_the_reader_with_it_and_brings_it_back",
        || {
            let (tx, changes) = channel();
            let changed = Arc::new(move || tx.send(()).unwrap_or_default());
            // Begun before there is a service at all.
            let watch = PcscDriver::default().watch(&[], changed).unwrap();
            let becomes = |wanted: bool| {
                let end = Instant::now() + LIMIT;
                while PcscDriver::default()
                    .list(Probing::Forbidden, &[])
                    .is_empty()
                    == wanted
                {
                    let left = end.saturating_duration_since(Instant::now());
                    changes.recv_timeout(left).expect("a change is told");
                }
            };
            let missing = Selector::Reader("None 00 00".to_owned());
            assert_eq!(open(&missing).err().unwrap().kind(), ErrorKind::Absent);

            let mut rig = Rig::new();
            becomes(true);
            let listing = PcscDriver::default().look_up(&rig.selector());
            assert_eq!(listing.access, Access::Accessible);
            assert!(
                PcscDriver::default()
                    .list(Probing::Forbidden, &[])
                    .contains(&listing)
            );
            assert_eq!(open(&missing).err().unwrap().kind(), ErrorKind::Absent);

            rig.place("04A1B2C3");
            let mut encoder = rig.open();
            let mut session = select(encoder.as_mut());
            let Rig { pcscd, .. } = rig;
            pcscd.stop();
            let error = session.exchange(&authenticate(7, TRANSPORT)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Absent);
            drop(session);
            let kind = refusal(encoder.as_mut(), CardWait::Resting, 1000, &Stop::default());
            assert_eq!(kind, ErrorKind::Absent);
            becomes(false);

            rig = Rig::new();
            becomes(true);
            rig.place("04A1B2C3");
            select(encoder.as_mut());
            drop(watch);
            // The callback, and with it the sender, goes when the watch's thread ends.
            while changes.recv_timeout(LIMIT) != Err(RecvTimeoutError::Disconnected) {}
        },
    );
}
