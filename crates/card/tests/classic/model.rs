//! A MIFARE Classic 1K in memory, true in what the procedures rely on: keys, access bits, halting (NXP MF1S50YYX_V1,
//! 8.7 and 10). Written from the data sheet for these tests; it shares nothing with the code under test.

use card::KeyType;

/// Bits `C1 C2 C3` of a block.
type Condition = (bool, bool, bool);

/// The card said no and is halted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct No;

#[derive(Clone)]
pub(crate) struct Classic1k {
    pub(crate) memory: [[u8; 16]; 64],
    /// What a block that was written weakly may read as later.
    weak: [Option<[u8; 16]>; 64],
    open: Option<(u8, KeyType)>,
    halted: bool,
}

impl Classic1k {
    /// As delivered: manufacturer block, zeros, transport trailers.
    pub(crate) fn blank(uid: [u8; 4]) -> Self {
        let mut memory = [[0; 16]; 64];
        memory[0][..4].copy_from_slice(&uid);
        memory[0][4] = uid.iter().fold(0, |check, byte| check ^ byte);
        memory[0][5..8].copy_from_slice(&[0x08, 0x04, 0x00]);
        for trailer in memory.iter_mut().skip(3).step_by(4) {
            *trailer = transport_trailer();
        }
        Self {
            memory,
            weak: [None; 64],
            open: None,
            halted: false,
        }
    }

    pub(crate) fn select(&mut self) {
        self.open = None;
        self.halted = false;
    }

    pub(crate) fn authenticate(
        &mut self,
        block: u8,
        key_type: KeyType,
        key: &[u8; 6],
    ) -> Result<(), No> {
        let trailer = self.trailer(block);
        let fits = match key_type {
            KeyType::A => trailer[..6] == *key,
            KeyType::B => trailer[10..] == *key && !self.key_b_is_data(block),
        };
        if self.halted || !fits {
            return self.refuse();
        }
        self.open = Some((block / 4, key_type));
        Ok(())
    }

    pub(crate) fn read(&mut self, block: u8) -> Result<[u8; 16], No> {
        let Some(key_type) = self.opened_by(block) else {
            return self.refuse();
        };
        let mut bytes = self.memory[usize::from(block)];
        if block % 4 == 3 {
            bytes[..6].fill(0);
            if !self.key_b_is_data(block) {
                bytes[10..].fill(0);
            }
            return Ok(bytes);
        }
        let readable = match self.condition(block) {
            (true, true, true) => false,
            (false, true, true) | (true, false, true) => key_type == KeyType::B,
            _ => true,
        };
        if readable { Ok(bytes) } else { self.refuse() }
    }

    /// Whether the card would take a write to this block now.
    pub(crate) fn may_write(&self, block: u8) -> bool {
        let Some(key_type) = self.opened_by(block) else {
            return false;
        };
        if block == 0 {
            return false;
        }
        if block % 4 == 3 {
            // Only the two conditions under which every field can be written.
            return match self.condition(block) {
                (false, false, true) => key_type == KeyType::A,
                (false, true, true) => key_type == KeyType::B,
                _ => false,
            };
        }
        match self.condition(block) {
            (false, false, false) => true,
            (true, false, false) | (true, true, false) | (false, true, true) => {
                key_type == KeyType::B
            }
            _ => false,
        }
    }

    pub(crate) fn write(&mut self, block: u8, data: [u8; 16]) -> Result<(), No> {
        if !self.may_write(block) {
            return self.refuse();
        }
        self.put(block, data);
        Ok(())
    }

    /// Programs a block's cells for good, whatever they were.
    pub(crate) fn put(&mut self, block: u8, data: [u8; 16]) {
        self.memory[usize::from(block)] = data;
        self.weak[usize::from(block)] = None;
    }

    /// Leaves a block's cells half charged.
    pub(crate) fn put_weakly(&mut self, block: u8, now: [u8; 16], later: [u8; 16]) {
        self.memory[usize::from(block)] = now;
        self.weak[usize::from(block)] = Some(later);
    }

    /// Time passes: every block that was written weakly reads the other way.
    pub(crate) fn turn_weak_cells(&mut self) {
        for (block, weak) in self.memory.iter_mut().zip(&mut self.weak) {
            if let Some(later) = weak {
                std::mem::swap(block, later);
            }
        }
    }

    fn refuse<T>(&mut self) -> Result<T, No> {
        self.open = None;
        self.halted = true;
        Err(No)
    }

    fn opened_by(&self, block: u8) -> Option<KeyType> {
        match self.open {
            Some((sector, key_type)) if sector == block / 4 && self.access_is_consistent(block) => {
                Some(key_type)
            }
            _ => None,
        }
    }

    fn trailer(&self, block: u8) -> [u8; 16] {
        self.memory[usize::from(block / 4 * 4 + 3)]
    }

    fn access_is_consistent(&self, block: u8) -> bool {
        let trailer = self.trailer(block);
        let (c1, c2, c3) = (trailer[7] >> 4, trailer[8] & 0xF, trailer[8] >> 4);
        trailer[6] == (!c2 & 0xF) << 4 | (!c1 & 0xF) && trailer[7] & 0xF == !c3 & 0xF
    }

    fn condition(&self, block: u8) -> Condition {
        let trailer = self.trailer(block);
        let bit = |nibble: u8| nibble >> (block % 4) & 1 == 1;
        (
            bit(trailer[7] >> 4),
            bit(trailer[8] & 0xF),
            bit(trailer[8] >> 4),
        )
    }

    fn key_b_is_data(&self, block: u8) -> bool {
        let (c1, c2, c3) = self.condition(block / 4 * 4 + 3);
        matches!((c1, c2, c3), (false, false, _) | (false, true, false))
    }
}

pub(crate) fn transport_trailer() -> [u8; 16] {
    let mut trailer = [0xFF; 16];
    trailer[6..10].copy_from_slice(&[0xFF, 0x07, 0x80, 0x69]);
    trailer
}
