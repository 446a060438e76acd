//! Fuzzes `card::fuzzing::encode`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = card::fuzzing::encode(bytes);
});
