//! Many short texts with something known of each, in few allocations: one string, and where in it each
//! begins, in order. It must never change once it is made.

/// What is known of texts. Looking one up takes as many comparisons as their number has binary digits.
pub(super) struct Table<V> {
    text: String,
    /// Where each key begins and ends in `text`, and its value; in the order of the keys.
    entries: Box<[(u32, u32, V)]>,
}

impl<V: Copy> Table<V> {
    /// What is known of a text.
    pub(super) fn get(&self, key: &str) -> Option<V> {
        let at =
            (self.entries).binary_search_by(|(start, end, _)| self.slice(*start, *end).cmp(key));
        Some(self.entries[at.ok()?].2)
    }

    /// A stretch of the string that the keys are in.
    pub(super) fn slice(&self, start: u32, end: u32) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }
}

/// A table in the making.
pub(super) struct Builder<V> {
    text: String,
    entries: Vec<(u32, u32, V)>,
}

impl<V> Default for Builder<V> {
    fn default() -> Self {
        Self {
            text: String::new(),
            entries: Vec::new(),
        }
    }
}

impl<V: Copy> Builder<V> {
    /// Adds text, and tells where it begins and ends. No file that is read here has 4 GB.
    pub(super) fn text(&mut self, text: &str) -> (u32, u32) {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        (start, self.text.len() as u32)
    }

    /// Adds a key that has been added as text before.
    pub(super) fn add(&mut self, (start, end): (u32, u32), value: V) {
        self.entries.push((start, end, value));
    }

    /// Of the same key the first counts.
    pub(super) fn finish(mut self) -> Table<V> {
        self.text.shrink_to_fit();
        let text = self.text;
        let key = |(start, end, _): &(u32, u32, V)| &text[*start as usize..*end as usize];
        // The lexicons are in order already, which a stable sort finds out in one pass.
        self.entries.sort_by(|a, b| key(a).cmp(key(b)));
        self.entries.dedup_by(|b, a| key(a) == key(b));
        let entries = self.entries.into_boxed_slice();
        Table { text, entries }
    }
}
