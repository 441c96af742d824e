//! What fuzz targets call: for each parser of foreign bytes, one function that takes any bytes and
//! panics if a promise is broken. The property tests of the rooms call the same. No part of the
//! library's interface; it exists only in tests and with the feature `fuzzing`.

/// The bytes of a text file, from decoding to segments.
pub fn text_decode(bytes: &[u8]) {
    crate::text::invariants::check_bytes(bytes);
}

/// Bytes as a text that is read aloud, and as a lexicon in TOML and in PLS.
pub fn text_reading(bytes: &[u8]) {
    crate::text::reading::invariants::check_bytes(bytes);
}

/// The bytes of a model, as fields, as a graph, without its shapes and cut in two.
pub fn onnx_fields(bytes: &[u8]) {
    crate::speech::check_model_bytes(bytes);
}

/// The bytes of a narration's journal.
pub fn journal(bytes: &[u8]) {
    crate::engine::check_journal_bytes(bytes);
}

/// The bytes that a voice in a process of its own and its parent send each other.
pub fn voice_messages(bytes: &[u8]) {
    crate::speech::check_process_bytes(bytes);
}
