//! A MIFARE Classic in memory, true in what the procedures rely on: sectors, keys, access bits, halting (NXP
//! MF1S50YYX_V1, 8.6, 8.7 and 10; MF1S70YYX_V1, 8.6). Written from the data sheets for these tests; it shares nothing with
//! the code under test.

use card::KeyType;

/// Bits `C1 C2 C3` of a block.
type Condition = (bool, bool, bool);

/// The card said no and is halted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct No;

/// Which MIFARE Classic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Mini,
    OneK,
    FourK,
}

impl Size {
    pub(crate) fn blocks(self) -> usize {
        match self {
            Self::Mini => 20,
            Self::OneK => 64,
            Self::FourK => 256,
        }
    }

    /// SENS_RES and SEL_RES of the card, the former for a 4-byte UID (NXP AN10833, tables 5 and 6).
    pub(crate) fn answer(self) -> ([u8; 2], u8) {
        match self {
            Self::Mini => ([0x00, 0x04], 0x09),
            Self::OneK => ([0x00, 0x04], 0x08),
            Self::FourK => ([0x00, 0x02], 0x18),
        }
    }
}

/// The sector of a block.
fn sector(block: u8) -> u8 {
    match block {
        0..128 => block / 4,
        128.. => 32 + (block - 128) / 16,
    }
}

/// The trailer of a block's sector.
fn trailer_of(block: u8) -> u8 {
    match block {
        0..128 => block | 3,
        128.. => block | 15,
    }
}

/// Which group of access bits a block belongs to; 3 is the trailer.
fn group(block: u8) -> u8 {
    match block {
        0..128 => block % 4,
        128.. => block % 16 / 5,
    }
}

#[derive(Clone)]
pub(crate) struct Classic {
    pub(crate) size: Size,
    /// Only the blocks that the card has are used.
    pub(crate) memory: [[u8; 16]; 256],
    /// What a block that was written weakly may read as later.
    weak: [Option<[u8; 16]>; 256],
    /// The keys that were refused: block, kind, key.
    pub(crate) refused: Vec<(u8, KeyType, [u8; 6])>,
    open: Option<(u8, KeyType)>,
    halted: bool,
}

impl Classic {
    /// As delivered: manufacturer block, zeros, transport trailers.
    pub(crate) fn blank(size: Size, uid: &[u8]) -> Self {
        let mut memory = [[0; 16]; 256];
        memory[0][..uid.len()].copy_from_slice(uid);
        if uid.len() == 4 {
            memory[0][4] = uid.iter().fold(0, |check, byte| check ^ byte);
        }
        for block in (0..size.blocks() as u32).map(|block| block as u8) {
            if group(block) == 3 {
                memory[usize::from(block)] = transport_trailer();
            }
        }
        Self {
            size,
            memory,
            weak: [None; 256],
            refused: Vec::new(),
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
        if self.halted || !fits || usize::from(block) >= self.size.blocks() {
            self.refused.push((block, key_type, *key));
            return self.refuse();
        }
        self.open = Some((sector(block), key_type));
        Ok(())
    }

    pub(crate) fn read(&mut self, block: u8) -> Result<[u8; 16], No> {
        let Some(key_type) = self.opened_by(block) else {
            return self.refuse();
        };
        let mut bytes = self.memory[usize::from(block)];
        if group(block) == 3 {
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
        if group(block) == 3 {
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
            Some((open, key_type)) if open == sector(block) && self.access_is_consistent(block) => {
                Some(key_type)
            }
            _ => None,
        }
    }

    fn trailer(&self, block: u8) -> [u8; 16] {
        self.memory[usize::from(trailer_of(block))]
    }

    fn access_is_consistent(&self, block: u8) -> bool {
        let trailer = self.trailer(block);
        let (c1, c2, c3) = (trailer[7] >> 4, trailer[8] & 0xF, trailer[8] >> 4);
        trailer[6] == (!c2 & 0xF) << 4 | (!c1 & 0xF) && trailer[7] & 0xF == !c3 & 0xF
    }

    fn condition(&self, block: u8) -> Condition {
        let trailer = self.trailer(block);
        let bit = |nibble: u8| nibble >> group(block) & 1 == 1;
        (
            bit(trailer[7] >> 4),
            bit(trailer[8] & 0xF),
            bit(trailer[8] >> 4),
        )
    }

    fn key_b_is_data(&self, block: u8) -> bool {
        let (c1, c2, c3) = self.condition(trailer_of(block));
        matches!((c1, c2, c3), (false, false, _) | (false, true, false))
    }
}

pub(crate) fn transport_trailer() -> [u8; 16] {
    let mut trailer = [0xFF; 16];
    trailer[6..10].copy_from_slice(&[0xFF, 0x07, 0x80, 0x69]);
    trailer
}
