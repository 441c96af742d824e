//! Looking for a text in rows. A long list is looked through in pieces, one a frame, so that no key
//! ever waits for a hundred thousand rows.

/// What is looked for, whatever the case of its letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needle {
    text: String,
    lower: String,
}

impl Needle {
    /// `None` if there is nothing to look for.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self {
            text: text.to_owned(),
            lower: text.to_lowercase(),
        })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_in(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.lower)
    }
}

/// The rows of a list that hold a text.
#[derive(Clone, Debug)]
pub(crate) struct Matches {
    needle: Needle,
    /// Ascending.
    rows: Vec<usize>,
    /// How many rows were looked at.
    seen: usize,
}

/// Rows that are looked at between two frames: about a millisecond.
const PIECE: usize = 8192;

impl Matches {
    pub(crate) fn new(needle: Needle) -> Self {
        Self {
            needle,
            rows: Vec::new(),
            seen: 0,
        }
    }

    pub(crate) fn needle(&self) -> &Needle {
        &self.needle
    }

    /// How many rows were looked at.
    pub(crate) fn seen(&self) -> usize {
        self.seen
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The list's row behind the one that is seen here.
    pub(crate) fn get(&self, at: usize) -> Option<usize> {
        self.rows.get(at).copied()
    }

    /// Where a row of the list is seen, or would be.
    pub(crate) fn place(&self, row: usize) -> usize {
        self.rows.partition_point(|&known| known < row)
    }

    /// Looks at some more of a list of `len` rows. Returns whether all have been looked at.
    pub(crate) fn look(&mut self, len: usize, holds: impl Fn(usize, &Needle) -> bool) -> bool {
        let until = len.min(self.seen.saturating_add(PIECE));
        for row in self.seen..until {
            if holds(row, &self.needle) {
                self.rows.push(row);
            }
        }
        self.seen = self.seen.max(until);
        self.seen >= len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_looked_through_in_pieces() {
        let rows = ["Rain", "sun", "RAINBOW"];
        let mut matches = Matches::new(Needle::new(" rain ").unwrap());
        let len = 3 * PIECE;
        let text = |row: usize, needle: &Needle| needle.is_in(rows[row % 3]);
        let mut pieces = 1;
        while !matches.look(len, text) {
            pieces += 1;
        }
        assert_eq!(pieces, 3);
        assert_eq!(matches.len(), 2 * PIECE);
        assert_eq!(matches.get(1), Some(2));
        assert_eq!(matches.place(3), 2);
        // What comes later is looked at as well.
        assert!(matches.look(len + 1, text));
        assert_eq!(matches.len(), 2 * PIECE + 1);
        assert_eq!(Needle::new("  "), None);
    }
}
