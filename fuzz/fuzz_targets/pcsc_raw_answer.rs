//! Fuzzes `driver_pcsc::fuzzing::raw_answer`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = driver_pcsc::fuzzing::raw_answer(bytes);
});
