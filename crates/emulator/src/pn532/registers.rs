//! The chip's registers as far as hosts touch them: the contactless interface (CIU) of UM0701-02
//! §7.2.4 and the PN532 data sheet §8.6.23. Unknown registers hold what is written to them.

use std::collections::BTreeMap;

const TX_MODE: u16 = 0x6302;
const RX_MODE: u16 = 0x6303;
const TX_AUTO: u16 = 0x6305;
const MANUAL_RCV: u16 = 0x630D;
const CONTROL: u16 = 0x633C;
const BIT_FRAMING: u16 = 0x633D;
const STATUS_2: u16 = 0x6338;

/// TxMode and RxMode: the CIU appends, or checks and removes, the checksum.
const CRC_ENABLED: u8 = 0x80;
/// TxMode: the modulation, 0 for that of type A.
const FRAMING: u8 = 0x03;
/// ManualRCV: the host makes the parity bits.
const PARITY_DISABLED: u8 = 0x10;
/// Control and BitFraming: bits of the last byte, 0 for all eight.
const LAST_BITS: u8 = 0x07;
/// Status2: Crypto1 is switched on.
const CRYPTO1_ON: u8 = 0x08;

#[derive(Debug)]
pub(super) struct Registers {
    values: BTreeMap<u16, u8>,
}

impl Registers {
    /// After reset (data sheet §8.6.23).
    pub(super) fn new() -> Registers {
        let values = [
            (TX_MODE, 0x00),
            (RX_MODE, 0x00),
            (TX_AUTO, 0x00),
            (CONTROL, 0x10),
        ];
        Registers {
            values: BTreeMap::from(values),
        }
    }

    pub(super) fn read(&self, address: u16) -> u8 {
        self.values.get(&address).copied().unwrap_or(0)
    }

    pub(super) fn write(&mut self, address: u16, value: u8) {
        self.values.insert(address, value);
    }

    /// What the firmware sets when it looks for type A cards at 106 kbit/s.
    pub(super) fn prepare_type_a(&mut self) {
        self.write(TX_MODE, CRC_ENABLED);
        self.write(RX_MODE, CRC_ENABLED);
        self.write(TX_AUTO, self.read(TX_AUTO) | 0x40);
        self.set_crypto1(false);
    }

    /// Frames are modulated as type A cards hear them.
    pub(super) fn speaks_type_a(&self) -> bool {
        self.read(TX_MODE) & FRAMING == 0
    }

    pub(super) fn sends_crc(&self) -> bool {
        self.read(TX_MODE) & CRC_ENABLED != 0
    }

    pub(super) fn checks_crc(&self) -> bool {
        self.read(RX_MODE) & CRC_ENABLED != 0
    }

    pub(super) fn makes_parity(&self) -> bool {
        self.read(MANUAL_RCV) & PARITY_DISABLED == 0
    }

    /// Bits of the last byte to send, 1–8.
    pub(super) fn tx_last_bits(&self) -> u8 {
        match self.read(BIT_FRAMING) & LAST_BITS {
            0 => 8,
            bits => bits,
        }
    }

    /// Notes how many bits of the last byte were received, 1–8.
    pub(super) fn set_rx_last_bits(&mut self, bits: u8) {
        self.write(CONTROL, self.read(CONTROL) & !LAST_BITS | bits & LAST_BITS);
    }

    pub(super) fn set_crypto1(&mut self, on: bool) {
        let others = self.read(STATUS_2) & !CRYPTO1_ON;
        self.write(STATUS_2, if on { others | CRYPTO1_ON } else { others });
    }
}
