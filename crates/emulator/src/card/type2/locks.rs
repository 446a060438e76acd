//! Bits that only ever go one way: lock bits, which pages they make read-only and which of them can
//! still be set, and a counter that is a page. Pure; the tables are in `model`.

use super::model::{LockPage, PAGE};

impl LockPage {
    /// Whether `content` of this page makes another page read-only.
    pub(super) fn locks(&self, content: [u8; PAGE], page: u16) -> bool {
        self.locks.iter().any(|lock| {
            let (first, last) = lock.pages;
            (first..=last).contains(&page) && content[lock.byte] & (1 << lock.bit) != 0
        })
    }

    /// What the page holds after `asked` was written to it: lock bits are only ever set, those that a
    /// block-locking bit froze stay as they are, and so does all that is no lock bit.
    pub(super) fn written(&self, content: [u8; PAGE], asked: [u8; PAGE]) -> [u8; PAGE] {
        let mut frozen = [0; PAGE];
        for freeze in self.freezes {
            if content[freeze.byte] & (1 << freeze.bit) != 0 {
                for (frozen, mask) in frozen.iter_mut().zip(freeze.frozen) {
                    *frozen |= mask;
                }
            }
        }
        let mut written = content;
        for at in self.lock_bytes.clone() {
            written[at] |= asked[at] & !frozen[at];
        }
        written
    }
}

/// What a counter in a page of its own holds after `asked` was written there (MF0ICU2 §7.5.11):
/// first any value, then up to 15 more each time, in the low bits of the first byte; `None` beyond
/// FFFF. That the sum shows only after the field was off is not modelled.
pub(super) fn counted(content: [u8; PAGE], asked: [u8; PAGE]) -> Option<[u8; PAGE]> {
    let [low, high, third, fourth] = content;
    let count = match u16::from_le_bytes([low, high]) {
        0 => u16::from_le_bytes([asked[0], asked[1]]),
        count => count.checked_add(u16::from(asked[0] & 0x0F))?,
    };
    let [low, high] = count.to_le_bytes();
    Some([low, high, third, fourth])
}

#[cfg(test)]
mod tests {
    use super::super::model::{self, STATIC_LOCKS};
    use super::counted;
    use crate::Technology;

    #[test]
    fn the_static_bits_lock_their_pages() {
        for (content, page) in [
            ([0, 0, 0x08, 0], 3),
            ([0, 0, 0x10, 0], 4),
            ([0, 0, 0x80, 0], 7),
            ([0, 0, 0, 0x01], 8),
            ([0, 0, 0, 0x80], 15),
        ] {
            let locked: Vec<_> = (0..256)
                .filter(|&page| STATIC_LOCKS.locks(content, page))
                .collect();
            assert_eq!(locked, [page]);
        }
    }

    #[test]
    fn a_counter_takes_any_first_value_and_then_small_steps_up_to_its_end() {
        assert_eq!(
            counted([0; 4], [0x34, 0x12, 9, 9]),
            Some([0x34, 0x12, 0, 0])
        );
        let count = counted([0x34, 0x12, 0, 0], [0x5F, 0xFF, 0, 0]);
        assert_eq!(count, Some([0x43, 0x12, 0, 0]));
        assert_eq!(counted([0xF8, 0xFF, 0, 0], [0x08, 0, 0, 0]), None);
        let count = counted([0xF8, 0xFF, 0, 0], [0x07, 0, 0, 0]);
        assert_eq!(count, Some([0xFF, 0xFF, 0, 0]));
    }

    #[test]
    fn lock_bits_are_never_taken_back_and_other_bytes_never_change() {
        let content = [0xB1, 0x48, 0x10, 0x01];
        let written = STATIC_LOCKS.written(content, [0xFF, 0xFF, 0x20, 0x00]);
        assert_eq!(written, [0xB1, 0x48, 0x30, 0x01]);
    }

    #[test]
    fn a_block_locking_bit_freezes_its_lock_bits_and_no_others() {
        for (block_lock, still) in [
            (0x01, [0, 0, 0xF7, 0xFF]),
            (0x02, [0, 0, 0x0F, 0xFC]),
            (0x04, [0, 0, 0xFF, 0x03]),
        ] {
            let written = STATIC_LOCKS.written([0, 0, block_lock, 0], [0xFF; 4]);
            assert_eq!(written, still, "block-locking bits {block_lock:02X}");
        }
    }

    #[test]
    fn dynamic_bits_cover_every_page_of_data_beyond_the_static_ones() {
        for (technology, last) in [
            (Technology::MifareUltralightEv1_128, 35),
            (Technology::MifareUltralightC, 39),
            (Technology::Ntag213, 39),
            (Technology::Ntag215, 129),
            (Technology::Ntag216, 225),
        ] {
            let model = model::of(technology).unwrap();
            let page = model.dynamic_locks.as_ref().unwrap();
            let covered: Vec<_> = (0..=last).filter(|&at| page.locks([0xFF; 4], at)).collect();
            assert_eq!(covered, (16..=last).collect::<Vec<_>>(), "{technology}");
            assert!(last < page.page, "{technology}");
        }
    }

    #[test]
    fn every_dynamic_lock_bit_is_frozen_by_exactly_one_block_locking_bit() {
        for technology in Technology::ALL {
            let model = model::of(technology);
            let Some(page) = model.and_then(|model| model.dynamic_locks.as_ref()) else {
                continue;
            };
            let mut bits = [0; 4];
            for lock in page.locks {
                bits[lock.byte] |= 1 << lock.bit;
            }
            let mut frozen = [0; 4];
            for freeze in page.freezes {
                for (seen, mask) in frozen.iter_mut().zip(freeze.frozen) {
                    assert_eq!(*seen & mask, 0, "{technology}");
                    *seen |= mask;
                }
            }
            assert_eq!(bits, frozen, "{technology}");
        }
    }

    #[test]
    fn the_answer_of_ntag213s_maker_to_its_users_holds() {
        // community.nxp.com, thread 399134: 03 00 00 locks pages 16 to 19; 00 00 3F locks none and
        // keeps all from ever being locked.
        let model = model::of(Technology::Ntag213).unwrap();
        let page = model.dynamic_locks.as_ref().unwrap();
        let locked = |content| {
            (0..45)
                .filter(|&at| page.locks(content, at))
                .collect::<Vec<u16>>()
        };
        assert_eq!(locked([0x03, 0, 0, 0xBD]), [16, 17, 18, 19]);
        assert_eq!(locked([0, 0, 0x3F, 0xBD]), []);
        assert_eq!(
            page.written([0, 0, 0x3F, 0xBD], [0xFF, 0x0F, 0, 0]),
            [0, 0, 0x3F, 0xBD]
        );
    }
}
