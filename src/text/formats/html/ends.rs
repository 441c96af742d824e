//! Which end tags a text has. What is hidden until an end tag that never comes would hide the rest of a
//! text, so whoever hides something asks here first. It must never scan a text twice.

use std::cell::OnceCell;
use std::collections::HashMap;

/// Where the last end tag of each name begins.
pub(in super::super) struct EndTags<'a> {
    text: &'a str,
    last: OnceCell<HashMap<String, usize>>,
}

impl<'a> EndTags<'a> {
    /// Those of a whole source. They are looked for when the first one is asked for.
    pub(in super::super) fn of(text: &'a str) -> Self {
        let last = OnceCell::new();
        EndTags { text, last }
    }

    /// Whether an end tag of this name comes behind `at`.
    pub(super) fn follows(&self, name: &str, at: usize) -> bool {
        let last = self.last.get_or_init(|| self.find());
        let last = last.get(&name.to_ascii_lowercase());
        last.is_some_and(|&last| last > at)
    }

    fn find(&self) -> HashMap<String, usize> {
        // No name is longer.
        const LONGEST: usize = 64;
        let mut last = HashMap::new();
        for (found, _) in self.text.match_indices("</") {
            let rest = &self.text.as_bytes()[found + 2..];
            let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'/' | b'>' | b'<');
            let most = &rest[..rest.len().min(LONGEST)];
            let name = most.iter().position(ends).map(|len| &most[..len]);
            if let Some(name) = name.and_then(|name| std::str::from_utf8(name).ok()) {
                last.insert(name.to_ascii_lowercase(), found);
            }
        }
        last
    }
}
