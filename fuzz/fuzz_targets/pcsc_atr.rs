//! Fuzzes `driver_pcsc::fuzzing::atr`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = driver_pcsc::fuzzing::atr(bytes);
});
