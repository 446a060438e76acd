//! The seeds of the fuzz targets, and that what watches the procedures sees what it should.

use super::bounds::Bounds;
use super::*;
use crate::{Apdu, BlockData, ClassicCommand, Command, Effect, PageData, Type2Command};

#[path = "../../../../fuzz/replay.rs"]
mod corpus;
use corpus::replay;

#[test]
fn the_seeds_of_every_target_hold() {
    replay("card_image", image);
    replay("card_tagged_image", tagged_image);
    replay("card_version", version);
    replay("card_protected_answer", protected_answer);
    replay("card_encode", encode);
    replay("card_scan", scan);
    replay("card_read_copies", read_copies);
}

#[test]
#[should_panic(expected = "seeds of card_version mean anything")]
fn seeds_that_mean_nothing_are_noticed() {
    replay("card_version", |_| false);
}

#[test]
#[should_panic(expected = "corpus/card_nothing")]
fn a_corpus_that_is_missing_is_noticed() {
    replay("card_nothing", |_| true);
}

fn write_block(block: u8) -> Command {
    let data = BlockData::ZERO;
    Command::Classic(ClassicCommand::Write { block, data })
}

fn write_page(page: u8) -> Command {
    let data = PageData::ZERO;
    Command::Type2(Type2Command::Write { page, data })
}

fn is_noticed(technology: Option<Technology>, commands: &[Command], effect: Effect) -> bool {
    std::panic::catch_unwind(|| {
        let mut bounds = technology.map_or_else(Bounds::reading, Bounds::writing);
        for command in commands {
            bounds.check(command, effect);
        }
    })
    .is_err()
}

#[test]
fn a_command_outside_the_placing_is_noticed() {
    let classic = Some(Technology::MifareClassic1k);
    let commits = Effect::Commits;
    assert!(!is_noticed(classic, &[write_block(4)], commits));
    for block in [0, 3, 7, 60, 64] {
        assert!(
            is_noticed(classic, &[write_block(block)], commits),
            "{block}"
        );
    }
    let ntag = Some(Technology::Ntag213);
    assert!(!is_noticed(ntag, &[write_page(0x04)], commits));
    for page in [0x02, 0x03, 0x28, 0x2A] {
        assert!(is_noticed(ntag, &[write_page(page)], commits), "{page:02X}");
    }
    let desfire = Some(Technology::DesfireEv2);
    let select = |id: [u8; 3]| Apdu::new([&[0x90, 0x5A, 0, 0, 3][..], &id, &[0]].concat());
    let change_key = Command::Iso(Apdu::new(vec![0x90, 0xC4, 0, 0, 0]));
    let within = [Command::Iso(select(*b"CB1")), change_key.clone()];
    assert!(!is_noticed(desfire, &within, Effect::Prepares));
    let of_the_card = [Command::Iso(select([0; 3])), change_key];
    assert!(is_noticed(desfire, &of_the_card, Effect::Prepares));
    let format = Command::Iso(Apdu::new(vec![0x90, 0xFC, 0, 0, 0]));
    assert!(is_noticed(desfire, &[format], Effect::Prepares));
}

#[test]
fn a_write_by_what_only_reads_or_without_an_effect_is_noticed() {
    assert!(is_noticed(None, &[write_block(4)], Effect::Commits));
    assert!(is_noticed(None, &[write_page(4)], Effect::Commits));
    let ntag = Some(Technology::Ntag213);
    assert!(is_noticed(ntag, &[write_page(4)], Effect::Reads));
}
