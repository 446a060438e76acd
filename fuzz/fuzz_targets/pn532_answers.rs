//! Fuzzes `driver_pn532::fuzzing::answers`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = driver_pn532::fuzzing::answers(bytes);
});
