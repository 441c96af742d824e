//! What no event of the parser mentions: marks, addresses, definitions of links, surplus cells. It must name
//! each of them, and speak whatever has words and no name.

use std::ops::Range;

use super::super::super::super::{OmissionReason, Spoken};
use super::super::marks::What;
use super::Reader;

impl Reader<'_> {
    /// Deals with what lies between the last event and this place.
    pub(super) fn gap(&mut self, to: usize) {
        while self.at < to {
            let at = self.at;
            let (end, reason) = match self.marks.from(at) {
                Some(mark) if mark.span.start <= at => match mark.what {
                    What::Omit(reason) => (mark.span.end.min(to), Some(reason)),
                    What::Say(_) => (to, None),
                },
                Some(mark) => (mark.span.start.min(to), None),
                None => (to, None),
            };
            match reason {
                Some(reason) => {
                    self.at = end;
                    self.page.omit(at..end, reason);
                }
                None => self.plain_gap(at..end),
            }
        }
    }

    fn plain_gap(&mut self, gap: Range<usize>) {
        let source = &self.text[gap.clone()];
        let has_words = source.contains(char::is_alphanumeric);
        let reason = match self.frame().named {
            Some(OmissionReason::Link | OmissionReason::Image) if !has_words => None,
            named => named,
        };
        if let Some(reason) = reason {
            self.leave_out(gap, reason);
        } else if !has_words {
            self.leave_out(gap, OmissionReason::Markup);
        } else if is_link_definition(source) {
            self.leave_out(gap, OmissionReason::Link);
        } else {
            self.unmentioned(gap);
        }
    }

    /// Words that no event mentions.
    fn unmentioned(&mut self, gap: Range<usize>) {
        let mut start = gap.start;
        for part in self.text[gap.clone()].split_inclusive('|') {
            let words = part.trim_end_matches('|').trim();
            let end = start + part.len();
            if words.contains(char::is_alphanumeric) {
                let from = start + (part.len() - part.trim_start().len());
                self.leave_out(start..from, OmissionReason::Markup);
                self.new_cell = true;
                self.run(from..from + words.len(), Spoken::AsWritten);
            }
            self.leave_out(self.at..end, OmissionReason::Markup);
            start = end;
        }
    }
}

/// `[label]: address`, which the parser keeps to itself; maybe several, maybe in a quotation. Its title may
/// stand on a line of its own.
fn is_link_definition(source: &str) -> bool {
    let mut lines = source
        .lines()
        .map(|line| line.trim_start_matches(|c: char| c.is_whitespace() || c == '>'))
        .filter(|line| !line.is_empty());
    let mut is_first = true;
    lines.all(|line| {
        let defines = line.starts_with('[') && line.contains("]:");
        let is_rest =
            !is_first && (line.starts_with(['"', '\'', '(']) || !line.trim().contains(' '));
        is_first = false;
        defines || is_rest
    })
}
