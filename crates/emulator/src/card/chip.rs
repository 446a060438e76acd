//! Cards with a processor: the block protocol of ISO/IEC 14443-4 in front, an application that takes
//! whole commands behind it.

use std::time::Duration;

use super::desfire::Desfire;
use super::iso_dep::{IsoDep, Sense, Step};
use super::noise::Noise;
use super::ntag424::Ntag424;
use super::{Eeprom, Outcome, Purpose, Technology, Uid};
use crate::air::Frame;
use crate::cards::Options;
use crate::slot::ExchangeKind;

/// One file of a card that has files, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredFile {
    /// The DESFire application that it belongs to, low byte first; zeros on an NTAG 424 DNA.
    pub application: [u8; 3],
    /// Its number.
    pub number: u8,
    /// What it holds; of a backup file what was committed.
    pub content: Vec<u8>,
}

#[derive(Debug, Clone)]
pub(super) struct Chip {
    protocol: IsoDep,
    program: Program,
    /// UIDs to make up: always the same sequence for the same card.
    uids: Noise,
}

#[derive(Debug, Clone)]
enum Program {
    Desfire(Box<Desfire>),
    Ntag424(Box<Ntag424>),
}

/// How long a page of EEPROM takes to be programmed, and how long a card thinks about a command. From
/// memory of what such cards take; the data sheets that are public give no figures.
pub(super) const PROGRAMMING: Duration = Duration::from_micros(2_500);
const THINKING: Duration = Duration::from_millis(1);

/// Answers to RATS of DESFire (§"ATS" of the MF3ICD81 data sheet: frames of 64 bytes) and of NTAG 424
/// DNA (AN12196 §3: frames of 128 bytes). Their one historical byte is 80.
const ATS_DESFIRE: [u8; 6] = [0x06, 0x75, 0x77, 0x81, 0x02, 0x80];
const ATS_NTAG424: [u8; 6] = [0x06, 0x77, 0x77, 0x71, 0x02, 0x80];

impl Chip {
    pub(super) fn factory(technology: Technology, uid: &Uid, options: &Options) -> Chip {
        if technology == Technology::Ntag424Dna {
            let program = Ntag424::delivered(uid, options.random_uid);
            return Chip::running(uid, &ATS_NTAG424, Program::Ntag424(Box::new(program)));
        }
        let mut program = Desfire::delivered(technology, uid, options.storage);
        if options.random_uid {
            program = program.with_random_uid();
        }
        Chip::running(uid, &ATS_DESFIRE, Program::Desfire(Box::new(program)))
    }

    pub(super) fn foreign(technology: Technology, uid: &Uid, options: &Options) -> Chip {
        let mut chip = Chip::factory(technology, uid, options);
        chip.program = match chip.program {
            Program::Desfire(program) => Program::Desfire(Box::new(program.made_foreign())),
            Program::Ntag424(program) => Program::Ntag424(Box::new(program.made_foreign())),
        };
        chip
    }

    fn running(uid: &Uid, ats: &[u8], program: Program) -> Chip {
        Chip {
            uids: Noise::of(&[uid.as_bytes(), ats].concat()),
            protocol: IsoDep::new(ats.to_vec()),
            program,
        }
    }

    /// A UID in place of the true one, for as long as the next supply lasts (ISO/IEC 14443-3 §6.5.4:
    /// four bytes, the first 08), if the card is configured so.
    pub(super) fn made_up_uid(&mut self) -> Option<Uid> {
        let makes_up = match &self.program {
            Program::Desfire(program) => program.has_random_uid(),
            Program::Ntag424(program) => program.has_random_uid(),
        };
        if !makes_up {
            return None;
        }
        let mut bytes = [0x08; 4];
        self.uids.fill(&mut bytes[1..]);
        Uid::new(&bytes).ok()
    }

    pub(super) fn files(&self) -> Vec<StoredFile> {
        match &self.program {
            Program::Desfire(program) => program.files(),
            Program::Ntag424(program) => program.files(),
        }
    }

    /// Everything that is stored, but for one application of a DESFire, or for what a placing on an
    /// NTAG 424 DNA uses: file 3, and the keys' values.
    pub(super) fn everything_but(&self, application: [u8; 3]) -> Vec<u8> {
        match &self.program {
            Program::Desfire(program) => program.everything_but(application),
            Program::Ntag424(program) => program.everything_but_file_3(),
        }
    }

    /// Frames are blocks of the protocol, and nothing of the selection is left.
    pub(super) fn is_active(&self) -> bool {
        self.protocol.is_active()
    }

    pub(super) fn goes_on(&self) -> bool {
        self.protocol.goes_on()
    }

    /// What a frame is to a selected card: part of the protocol, of an exchange, or a new one.
    pub(super) fn purpose(&self, frame: &Frame) -> Purpose {
        match self.protocol.sense(frame) {
            Sense::Begins(_) => Purpose::Exchange(self.kind(frame)),
            Sense::Continues => Purpose::Continuing,
            Sense::Protocol => Purpose::Selecting,
            // An activated card does not react to it.
            Sense::Nonsense if self.is_active() => Purpose::Selecting,
            Sense::Nonsense => Purpose::Exchange(self.kind(frame)),
        }
    }

    /// What the log calls the command of a frame: the instruction of an APDU, a native command's code.
    pub(super) fn kind(&self, frame: &Frame) -> ExchangeKind {
        match self.protocol.sense(frame) {
            Sense::Begins([0x00 | 0x90, code, _, ..] | [code, ..]) => {
                ExchangeKind::Command { code: *code }
            }
            _ => ExchangeKind::Other {
                code: frame.bytes().first().copied().unwrap_or(0),
            },
        }
    }

    pub(super) fn deselected(&mut self) {
        self.protocol.reset();
        match &mut self.program {
            Program::Desfire(program) => program.power_off(),
            Program::Ntag424(program) => program.power_off(),
        }
    }

    pub(super) fn receive(&mut self, frame: &Frame, eeprom: &mut Eeprom) -> Outcome {
        let reaction = match self.protocol.receive(frame) {
            Step::Done(reaction) => reaction,
            Step::Command(command) => {
                let response = match &mut self.program {
                    Program::Desfire(program) => program.run(&command, eeprom),
                    Program::Ntag424(program) => program.run(&command, eeprom),
                };
                let mut reaction = self.protocol.answer(response);
                reaction.takes = THINKING;
                reaction
            }
            Step::Halts(reaction) => return Outcome::halted(reaction),
            Step::FallsBack => return Outcome::dropped_out(),
        };
        Outcome::of(reaction)
    }
}
