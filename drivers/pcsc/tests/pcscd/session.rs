//! What a card that was selected is asked, and how it ends.

use card::{Command, Reply};
use emulator::{KeyStructures, Moment};
use encoder::{Error, ErrorKind};

use crate::rig::{Rig, TRANSPORT, authenticate, await_news, read, select, with_pcscd, write};

#[test]
fn through_pcscd_a_block_is_written_and_read_back_with_either_key_structure() {
    with_pcscd(
        "session::through_pcscd_a_block_is_written_and_read_back_with_either_key_structure",
        || {
            for keys in [KeyStructures::Volatile, KeyStructures::Persistent] {
                let rig = Rig::with_keys(keys);
                rig.place("04A1B2C3");
                let mut encoder = rig.open();
                let mut session = select(encoder.as_mut());
                let open = session.exchange(&authenticate(7, TRANSPORT)).unwrap();
                assert_eq!(open, Reply::Done, "{keys:?}");
                let written = session.exchange(&write(5, [0x5A; 16])).unwrap();
                assert_eq!(written, Reply::Done);
                let data = session.exchange(&read(5)).unwrap();
                assert_eq!(data, Reply::Data(vec![0x5A; 16]));
                assert_eq!(rig.card("04A1B2C3").memory()[80..96], [0x5A; 16]);
                assert_eq!(rig.slot.log().exchanges(), 3);
                drop(session);
                drop(encoder);
                rig.pcscd.stop();
            }
        },
    );
}

#[test]
fn through_pcscd_a_card_answers_again_after_a_wrong_key_once_it_is_selected_anew() {
    with_pcscd(
        "session::through_pcscd_a_card_answers_again_after_a_wrong_key_once_it_is_selected_anew",
        || {
            let rig = Rig::new();
            rig.place("04A1B2C3");
            let mut encoder = rig.open();
            let mut session = select(encoder.as_mut());
            for _ in 0..3 {
                let refused = session.exchange(&authenticate(7, [0xA0; 6])).unwrap();
                assert_eq!(refused, Reply::Refused);
                assert_eq!(session.exchange(&read(5)).unwrap(), Reply::Refused);
                let again = session.exchange(&Command::Reselect).unwrap();
                assert_eq!(again, Reply::Reselected(session.card().clone()));
            }
            let open = session.exchange(&authenticate(7, TRANSPORT)).unwrap();
            assert_eq!(open, Reply::Done);
            let refused = session.exchange(&write(0, [0; 16])).unwrap();
            assert_eq!(refused, Reply::Refused);
        },
    );
}

#[test]
fn a_card_that_was_opened_in_one_session_is_closed_in_the_next_under_pcscd() {
    with_pcscd(
        "session::a_card_that_was_opened_in_one_session_is_closed_in_the_next_under_pcscd",
        || {
            let rig = Rig::new();
            rig.place("04A1B2C3");
            let mut encoder = rig.open();
            let mut session = select(encoder.as_mut());
            session.exchange(&authenticate(7, TRANSPORT)).unwrap();
            drop(session);
            let mut session = select(encoder.as_mut());
            assert_eq!(session.exchange(&read(5)).unwrap(), Reply::Refused);
        },
    );
}

#[test]
fn pcscd_tells_that_a_card_was_taken_off_midway() {
    with_pcscd(
        "session::pcscd_tells_that_a_card_was_taken_off_midway",
        || {
            let rig = Rig::new();
            let mut encoder = rig.open();
            for moment in [Moment::Before, Moment::Unanswered, Moment::After] {
                rig.place("04A1B2C3");
                let mut session = select(encoder.as_mut());
                let (context, mut states) = rig.watched();
                let present = states[0].event_count();
                session.exchange(&authenticate(7, TRANSPORT)).unwrap();
                rig.slot.remove_at(1, moment);
                // Whether the card refused or has gone is open at first; selecting it again tells.
                let gone = |result: Result<Reply, Error>| match result {
                    Ok(Reply::Refused) => {}
                    Ok(reply) => panic!("{reply:?} at {moment:?}"),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::CardGone, "{moment:?} {error:?}")
                    }
                };
                let last = session.exchange(&read(5));
                match moment {
                    Moment::After => assert!(matches!(last, Ok(Reply::Data(_)))),
                    _ => gone(last),
                }
                gone(session.exchange(&read(5)));
                let error = session.exchange(&Command::Reselect).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::CardGone, "{moment:?}");
                drop(session);
                // A card that comes back before that is never seen again.
                await_news(&context, &mut states, present);
            }
        },
    );
}

#[test]
fn a_key_of_a_card_that_was_taken_off_is_forgotten_by_the_reader_before_the_next_session() {
    with_pcscd(
        "session::a_key_of_a_card_that_was_taken_off_is_forgotten_by_the_reader_before_the_next_session",
        || {
            const SITE: [u8; 6] = [0x51, 0x7E, 0x51, 0x7E, 0x51, 0x7E];
            const TRAILER: std::ops::Range<usize> = 7 * 16..7 * 16 + 6;
            let rig = Rig::with_keys(KeyStructures::Persistent);
            let card = rig.card("04A1B2C3");
            let mut memory = card.memory();
            memory[TRAILER].copy_from_slice(&SITE);
            card.set_memory(&memory).unwrap();
            let mut encoder = rig.open();
            // Asks with whatever key lies in the reader.
            let opens = || {
                let authenticate = [0xFF, 0x86, 0, 0, 5, 1, 0, 7, 0x60, 0];
                let (other, mut buffer) = (rig.another_program(pcsc::ShareMode::Shared), [0; 16]);
                other.unwrap().transmit(&authenticate, &mut buffer).unwrap() == [0x90, 0x00]
            };

            rig.slot.place(&card);
            let mut session = select(encoder.as_mut());
            let open = session.exchange(&authenticate(7, SITE)).unwrap();
            assert_eq!(open, Reply::Done);
            drop(session);
            assert!(!opens(), "the key went with the session");

            let mut session = select(encoder.as_mut());
            session.exchange(&authenticate(7, SITE)).unwrap();
            let (context, mut states) = rig.watched();
            let present = states[0].event_count();
            rig.slot.remove();
            await_news(&context, &mut states, present);
            drop(session);
            let absent = states[0].event_count();
            rig.slot.place(&card);
            await_news(&context, &mut states, absent);
            assert!(opens(), "nothing could be done about it without a card");
            drop(select(encoder.as_mut()));
            assert!(!opens());
        },
    );
}

#[test]
fn a_card_that_leaves_before_it_is_opened_is_no_fault_of_the_reader() {
    with_pcscd(
        "session::a_card_that_leaves_before_it_is_opened_is_no_fault_of_the_reader",
        || {
            let rig = Rig::new();
            rig.place("04A1B2C3");
            let mut encoder = rig.open();
            let mut session = select(encoder.as_mut());
            rig.slot.remove();
            match session.exchange(&authenticate(7, TRANSPORT)) {
                Ok(reply) => assert_eq!(reply, Reply::Refused),
                Err(error) => assert_eq!(error.kind(), ErrorKind::CardGone, "{error:?}"),
            }
        },
    );
}
