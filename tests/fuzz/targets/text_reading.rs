#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aloud::fuzzing::text_reading(bytes));
