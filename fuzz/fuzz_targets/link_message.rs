//! Fuzzes `protocol::fuzzing::message`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = protocol::fuzzing::message(bytes);
});
