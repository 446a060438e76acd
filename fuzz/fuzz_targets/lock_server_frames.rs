//! Fuzzes `driver_lock_server::fuzzing::frames`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = driver_lock_server::fuzzing::frames(bytes);
});
