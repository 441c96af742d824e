#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aloud::fuzzing::voice_messages(bytes));
