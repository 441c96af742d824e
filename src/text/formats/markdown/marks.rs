//! The marks of people who take notes in Markdown: `==highlight==`, `%%comment%%`, `^[note]`, `x^2^`,
//! `:smile:`, ` ^id`, `> [!NOTE]`. No parser of Markdown knows them, so they are looked for in what it says
//! is plain text. It must never take a sign for a mark that has no partner.

use std::ops::Range;

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::super::super::OmissionReason;
use super::super::scripts;
use super::callout::callout;
use super::{emoji, is_inline, is_inline_end};

/// A stretch of plain text that means something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) span: Range<usize>,
    pub(super) what: What,
}

/// What a mark means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Omit(OmissionReason),
    /// This is spoken instead.
    Say(CowStr<'static>),
}

/// All marks of a text, in order and apart from each other, and how far they are used.
#[derive(Debug, Default)]
pub(super) struct Marks {
    list: Vec<Mark>,
    next: usize,
    /// Ends of lines that end a paragraph: behind the title of a callout.
    line_ends: Vec<usize>,
}

impl Marks {
    /// The marks in `text`, whose Markdown begins at `body`.
    pub(super) fn of(text: &str, body: usize, options: Options) -> Self {
        let signs = ["==", "%%", "^", "~", "[!"];
        let source = &text[body..];
        if !signs.iter().any(|sign| source.contains(sign)) && !emoji::may_be_in(source) {
            return Marks::default();
        }
        let plain = Plain::of(text, body, options);
        let mut finder = Finder {
            text,
            found: Vec::new(),
            brackets: Vec::new(),
            highlight: None,
        };
        let comments = finder.comments(&plain);
        let mut comments = comments.into_iter().peekable();
        let mut block = None;
        for (index, stretch) in plain.stretches.iter().enumerate() {
            if block != Some(stretch.block) {
                block = Some(stretch.block);
                finder.brackets.clear();
                finder.highlight = None;
            }
            let is_last =
                (plain.stretches.get(index + 1)).is_none_or(|next| Some(next.block) != block);
            let mut at = stretch.span.start;
            while at < stretch.span.end {
                while comments.next_if(|comment| comment.end <= at).is_some() {}
                let part = match comments.peek() {
                    Some(comment) if comment.contains(&at) => {
                        at = comment.end;
                        continue;
                    }
                    Some(comment) => stretch.span.start..comment.start.min(stretch.span.end),
                    None => stretch.span.clone(),
                };
                at = finder.look(at, &part, is_last && part.end == stretch.span.end);
            }
        }
        let mut line_ends = Vec::new();
        for start in plain.quotes {
            line_ends.extend(callout(text, start, &mut finder.found));
        }
        let list = apart(finder.found);
        Marks {
            list,
            next: 0,
            line_ends,
        }
    }

    /// The first mark that ends behind `at`, which must not go back between calls.
    pub(super) fn from(&mut self, at: usize) -> Option<&Mark> {
        while self
            .list
            .get(self.next)
            .is_some_and(|mark| mark.span.end <= at)
        {
            self.next += 1;
        }
        self.list.get(self.next)
    }

    /// Whether a paragraph ends with this end of a line.
    pub(super) fn ends_paragraph(&self, line_end: &Range<usize>) -> bool {
        let index = self.line_ends.partition_point(|&end| end < line_end.start);
        self.line_ends
            .get(index)
            .is_some_and(|end| *end < line_end.end)
    }
}

/// In order; of two that overlap the one that begins first, or the longer one.
fn apart(mut marks: Vec<Mark>) -> Vec<Mark> {
    marks.sort_by_key(|mark| (mark.span.start, usize::MAX - mark.span.end));
    let mut end = 0;
    marks.retain(|mark| {
        let is_apart = mark.span.start >= end;
        if is_apart {
            end = mark.span.end;
        }
        is_apart
    });
    marks
}

/// Where a text is plain: no code, no HTML, no addresses.
#[derive(Default)]
struct Plain {
    stretches: Vec<Stretch>,
    /// Where the first paragraphs of quotations begin.
    quotes: Vec<usize>,
}

struct Stretch {
    span: Range<usize>,
    /// The paragraph or the like that it is in.
    block: usize,
}

impl Plain {
    fn of(text: &str, body: usize, options: Options) -> Self {
        let mut plain = Plain::default();
        let (mut block, mut quiet, mut quotes) = (0, 0, false);
        for (event, range) in Parser::new_ext(&text[body..], options).into_offset_iter() {
            let span = body + range.start..body + range.end;
            if quotes && matches!(event, Event::Start(Tag::Paragraph)) {
                plain.quotes.push(span.start);
            }
            quotes = matches!(event, Event::Start(Tag::BlockQuote(_)));
            match event {
                Event::Start(tag) => {
                    quiet += usize::from(is_quiet(&tag));
                    block += usize::from(!is_inline(&tag));
                }
                Event::End(tag) => {
                    let ends_quiet = matches!(tag, TagEnd::CodeBlock | TagEnd::HtmlBlock);
                    // A link in a link is none, so that each end is that of the last beginning.
                    if ends_quiet || (tag == TagEnd::Link && quiet > 0) {
                        quiet -= 1;
                    }
                    block += usize::from(!is_inline_end(tag));
                }
                Event::Text(words) if quiet == 0 && text[span.clone()] == *words => {
                    match plain.stretches.last_mut() {
                        Some(last) if last.block == block && last.span.end == span.start => {
                            last.span.end = span.end;
                        }
                        _ => plain.stretches.push(Stretch { span, block }),
                    }
                }
                _ => {}
            }
        }
        plain
    }
}

/// What stands in it means itself.
fn is_quiet(tag: &Tag<'_>) -> bool {
    match tag {
        Tag::CodeBlock(_) | Tag::HtmlBlock => true,
        Tag::Link { link_type, .. } => matches!(
            link_type,
            LinkType::Autolink | LinkType::Email | LinkType::WikiLink { has_pothole: false }
        ),
        _ => false,
    }
}

struct Finder<'a> {
    text: &'a str,
    found: Vec<Mark>,
    /// Open brackets of the paragraph, and whether each begins a note.
    brackets: Vec<(usize, bool)>,
    highlight: Option<usize>,
}

impl Finder<'_> {
    fn before(&self, at: usize) -> Option<char> {
        self.text[..at].chars().next_back()
    }

    fn behind(&self, at: usize) -> Option<char> {
        self.text[at..].chars().next()
    }

    fn add(&mut self, span: Range<usize>, reason: OmissionReason) {
        let what = What::Omit(reason);
        self.found.push(Mark { span, what });
    }

    /// `%%` and the next one, wherever it stands.
    fn comments(&mut self, plain: &Plain) -> Vec<Range<usize>> {
        let mut comments = Vec::new();
        let mut open = None;
        for stretch in &plain.stretches {
            for (at, _) in self.text[stretch.span.clone()].match_indices("%%") {
                let at = stretch.span.start + at;
                let (before, behind) = (self.before(at), self.behind(at + 2));
                if before == Some('%') || behind == Some('%') {
                    continue;
                }
                match open {
                    Some(start) => {
                        comments.push(start..at + 2);
                        self.add(start..at + 2, OmissionReason::Comment);
                        open = None;
                    }
                    // "50%%" is a slip of the pen.
                    None if before.is_none_or(|c| !c.is_alphanumeric() && c != '\\') => {
                        open = Some(at);
                    }
                    None => {}
                }
            }
        }
        comments
    }

    /// Looks at what stands at `at` in a stretch, and returns where to go on.
    fn look(&mut self, at: usize, stretch: &Range<usize>, is_last: bool) -> usize {
        const SIGNS: [char; 6] = ['=', '^', '~', '[', ']', ':'];
        let Some(found) = self.text[at..stretch.end].find(SIGNS) else {
            return stretch.end;
        };
        let at = at + found;
        if self.before(at) == Some('\\') {
            return at + 1;
        }
        let length = match self.text.as_bytes()[at] {
            b'=' => self.highlight(at, stretch),
            b'[' => {
                let is_note = at > stretch.start
                    && self.before(at) == Some('^')
                    && self.before(at - 1) != Some('\\');
                self.brackets.push((at, is_note));
                1
            }
            b']' => {
                self.bracket(at);
                1
            }
            b'^' => self.raised_or_name(at, stretch, is_last),
            b'~' => self.script(at, stretch, '~', scripts::subscript),
            _ => self.emoji(at, stretch),
        };
        at + length
    }

    fn highlight(&mut self, at: usize, stretch: &Range<usize>) -> usize {
        let signs = &self.text[at..stretch.end];
        let length = signs.len() - signs.trim_start_matches('=').len();
        if length != 2 {
            return length;
        }
        let is = |c: Option<char>, what: fn(char) -> bool| c.is_some_and(what);
        let (before, behind) = (self.before(at), self.behind(at + 2));
        let may_end = is(before, |c| !c.is_whitespace()) && !is(behind, char::is_alphanumeric);
        let may_begin = is(behind, |c| !c.is_whitespace()) && !is(before, char::is_alphanumeric);
        match self.highlight {
            Some(start) if may_end && at > start + 2 => {
                self.add(start..start + 2, OmissionReason::Markup);
                self.add(at..at + 2, OmissionReason::Markup);
                self.highlight = None;
            }
            _ if may_begin => self.highlight = Some(at),
            _ => {}
        }
        2
    }

    fn bracket(&mut self, at: usize) {
        if let Some((start, true)) = self.brackets.pop() {
            let start = start - 1;
            // What was found inside goes with it.
            while (self.found.last()).is_some_and(|mark| mark.span.start > start) {
                self.found.pop();
            }
            self.highlight = self.highlight.filter(|&open| open < start);
            self.add(start..at + 1, OmissionReason::Footnote);
        }
    }

    /// `x^2^`, or ` ^name` at the end of a paragraph.
    fn raised_or_name(&mut self, at: usize, stretch: &Range<usize>, is_last: bool) -> usize {
        let name = self.text[at + 1..stretch.end].trim_end();
        let is_name = is_last
            && self.before(at).is_some_and(char::is_whitespace)
            && (2..=64).contains(&name.len())
            && name.contains(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if is_name {
            self.add(at..at + 1 + name.len(), OmissionReason::Link);
            return 1 + name.len();
        }
        self.script(at, stretch, '^', scripts::superscript)
    }

    /// A short word between two of these signs.
    fn script(
        &mut self,
        at: usize,
        stretch: &Range<usize>,
        sign: char,
        other: fn(char) -> Option<char>,
    ) -> usize {
        const LONGEST: usize = 24;
        let rest = &self.text[at + 1..stretch.end];
        let end = rest.char_indices().take(LONGEST).find(|&(_, c)| c == sign);
        let Some((end, _)) = end else {
            return 1;
        };
        let words = &rest[..end];
        let goes_on = |c: char| c.is_alphanumeric() || matches!(c, ')' | ']');
        let is_script = self.before(at).is_some_and(goes_on)
            && !words.is_empty()
            && words
                .chars()
                .all(|c| c.is_alphanumeric() || "+-−=()*,.".contains(c))
            && self.behind(at + end + 2) != Some(sign);
        if !is_script {
            return 1;
        }
        let start = at + 1;
        self.add(at..start, OmissionReason::Markup);
        if words.chars().all(|c| other(c).is_some()) {
            for (place, c) in words.char_indices() {
                let place = start + place;
                let said = other(c).unwrap_or(c).to_string();
                self.found.push(Mark {
                    span: place..place + c.len_utf8(),
                    what: What::Say(said.into()),
                });
            }
        }
        self.add(start + end..start + end + 1, OmissionReason::Markup);
        end + 2
    }

    fn emoji(&mut self, at: usize, stretch: &Range<usize>) -> usize {
        let opens = |c: char| c.is_whitespace() || matches!(c, '(' | '[' | '“' | '"' | '*' | '_');
        let closes =
            |c: char| c.is_whitespace() || c.is_ascii_punctuation() || matches!(c, '”' | '…');
        let after_another = (self.found.last()).is_some_and(|mark| {
            mark.span.end == at && mark.what == What::Omit(OmissionReason::Emoji)
        });
        if !after_another && self.before(at).is_some_and(|c| !opens(c)) {
            return 1;
        }
        let Some(length) = emoji::shortcode(&self.text[at..stretch.end]) else {
            return 1;
        };
        if self.behind(at + length).is_some_and(|c| !closes(c)) {
            return 1;
        }
        self.add(at..at + length, OmissionReason::Emoji);
        length
    }
}
