//! What comes unasked, too late or without end.

use super::*;

/// A line at which something talks without end, and never a frame.
struct Babbling;

impl Line for Babbling {
    fn read(&mut self, buffer: &mut [u8], _: Instant) -> Result<usize, Pn532Error> {
        buffer.fill(0x55);
        Ok(buffer.len())
    }

    fn write(&mut self, _: &[u8]) -> Result<(), Pn532Error> {
        Ok(())
    }

    fn set_speed(&mut self, _: u32) -> Result<(), Pn532Error> {
        Ok(())
    }
}

#[test]
fn what_never_stops_talking_is_not_listened_to_for_ever() {
    let (told, tells) = channel();
    std::thread::spawn(move || {
        let mut link = Link::new(Babbling, patience(), None);
        let is_there = link.wake(&COMMAND, patience().acknowledge);
        let asked = link.ask(&COMMAND);
        told.send((is_there, asked)).unwrap();
    });
    // Generous: it only keeps a broken test from hanging.
    let (is_there, asked) = tells.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(!is_there.unwrap());
    assert!(matches!(asked, Err(Pn532Error::Silent)));
}

#[test]
fn what_came_unasked_is_thrown_away_before_the_next_command() {
    let other: [u8; 13] = [
        0x00, 0x00, 0xFF, 0x06, 0xFA, 0xD5, 0x03, 0x32, 0x01, 0x07, 0x07, 0xE7, 0x00,
    ];
    // The second command is lost on its way.
    let script: [&[&[u8]]; 3] = [
        &[&ACKNOWLEDGEMENT, &ANSWER],
        &[],
        &[&ACKNOWLEDGEMENT, &other],
    ];
    let (mut link, _was_sent) = link(&script);
    assert_eq!(link.ask(&COMMAND).unwrap().to_vec(), FIRMWARE);
    link.line.reply(&ANSWER);
    assert_eq!(link.ask(&COMMAND).unwrap().to_vec(), [0x32, 1, 7, 7]);
}

#[test]
fn an_echo_of_the_past_settles_nothing() {
    let (mut link, _was_sent) = link(&[]);
    link.echoes = 7;
    let mut old = encode(&[0x01, 0x00, 0x00, 0x07]).to_vec();
    old[5] = 0xD5;
    old[10] = old[10].wrapping_sub(1);
    link.line.owed.push_back(old);
    link.line.is_dead = true;
    assert!(matches!(link.settle(None), Err(Pn532Error::Silent)));
}
