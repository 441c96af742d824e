//! What the child says on its standard error goes into the parent's log, line by line. Foreign
//! libraries say things there as well, so neither the lines nor their number are trusted.

use std::io::{BufRead, BufReader, Read};

use tracing::Span;

use crate::text::printable;

/// The longest piece of a line that is one line in the log, in bytes.
const LONGEST: u64 = 2000;
/// After so many lines a child's words are read, but no longer kept.
const MOST: u32 = 10_000;

/// Reads to the end; `look` is shown every line, and says where in the log it belongs.
pub(super) fn read(from: impl Read, voice: &str, mut look: impl FnMut(&str) -> Span) {
    let mut from = BufReader::new(from);
    let mut bytes = Vec::new();
    let mut lines = 0_u32;
    loop {
        bytes.clear();
        match from.by_ref().take(LONGEST).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => break,
            Ok(_) => lines = lines.saturating_add(1),
        }
        let line = String::from_utf8_lossy(&bytes);
        let _entered = look(&line).entered();
        if lines < MOST {
            put(&line, voice);
        } else if lines == MOST {
            tracing::warn!(
                voice,
                "the voice has said {MOST} lines; what follows is left out"
            );
        }
    }
}

fn put(line: &str, voice: &str) {
    let line = line.trim();
    // As our own log writes it: the level comes first.
    let (level, rest) = line.split_once(' ').unwrap_or(("", line));
    let said = |text| printable(text).into_owned();
    match level {
        "ERROR" => tracing::error!(voice, "{}", said(rest)),
        "WARN" => tracing::warn!(voice, "{}", said(rest)),
        "DEBUG" | "TRACE" => tracing::debug!(voice, "{}", said(rest)),
        "INFO" => tracing::info!(voice, "{}", said(rest)),
        _ if line.is_empty() => {}
        _ => tracing::info!(voice, "{}", said(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_said_it_is_read_to_the_end() {
        let said: [&[u8]; 4] = [
            b"",
            b"\n\n WARN ort: x\nERROR",
            &[0xff; 3 * LONGEST as usize],
            &b"x\n".repeat(2 * MOST as usize),
        ];
        for mut said in said {
            read(&mut said, "a voice", |_| Span::none());
            assert!(said.is_empty());
        }
    }
}
