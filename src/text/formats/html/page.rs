//! What tags mean for the words between them: which elements are open, what a block is, what is silent.
//! Markdown hands its HTML to it piece by piece, and its own words as well, so that an element that HTML
//! opens holds what Markdown says in it. It must never let a tag that nobody closes silence the rest.

mod implied;

use std::ops::Range;

use super::super::super::{BlockEnd, BlockKind, OmissionReason, Spoken};
use super::super::scripts;
use super::super::writer::{Mark, Writer};
use super::ends::EndTags;
use super::facts::Facts;
use super::fallback::{self, Pictures};
use super::names::{self, Role};
use super::pages;
use super::piece::Piece;
use super::preformatted::Preformatted;
use super::references::{decoded, reference};
use super::tokens::{Token, Tokens, What};

/// What holds where words stand.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Context {
    /// What a block that begins there is.
    pub(in super::super) kind: BlockKind,
    /// Why words there are left out, if they are.
    pub(in super::super) silent: Option<OmissionReason>,
    /// A link leads away from there.
    pub(in super::super) is_link: bool,
    /// `<pre>` there holds code, as a class says.
    holds_code: bool,
    /// An element within `<pre>` says that it holds code.
    is_code: bool,
}

impl Context {
    pub(in super::super) const OUTSIDE: Context = Context {
        kind: BlockKind::Paragraph,
        silent: None,
        is_link: false,
        holds_code: false,
        is_code: false,
    };
}

/// An open element.
struct Frame {
    name: usize,
    role: Role,
    context: Context,
    /// How deep the format around it was when it was opened.
    depth: usize,
    /// What was written before it.
    mark: Mark,
    /// How many pictures were told before it.
    pictures: usize,
    /// A link stands in it, or it leads to a place in this text.
    is_linked: bool,
    /// It says that it is the number of a page.
    page: Option<pages::Page>,
    /// How many frames there are up to the innermost block, itself included.
    up_to_block: usize,
}

/// A list whose items count.
struct List {
    frame: usize,
    next: Option<i64>,
    step: i64,
}

/// A page, or the HTML parts of a text in another format.
pub(in super::super) struct Page<'a> {
    pub(in super::super) writer: Writer<'a>,
    /// The title it gives itself.
    pub(in super::super) title: Option<String>,
    /// Its language, as it says.
    pub(in super::super) language: Option<String>,
    text: &'a str,
    ends: &'a EndTags<'a>,
    frames: Vec<Frame>,
    /// For each name the open elements, as indices of frames.
    open: Vec<Vec<usize>>,
    lists: Vec<List>,
    preformatted: Option<Preformatted>,
    pictures: Pictures,
    /// What the format around says, and how deep it is.
    outer: Context,
    depth: usize,
    naming: Option<String>,
}

impl<'a> Page<'a> {
    pub(in super::super) fn new(text: &'a str, ends: &'a EndTags<'a>) -> Self {
        Page {
            writer: Writer::new(text),
            title: None,
            language: None,
            text,
            ends,
            frames: Vec::new(),
            open: vec![Vec::new(); names::COUNT],
            lists: Vec::new(),
            preformatted: None,
            pictures: Pictures::default(),
            outer: Context::OUTSIDE,
            depth: 0,
            naming: None,
        }
    }

    /// What holds here.
    pub(in super::super) fn context(&self) -> Context {
        match self.frames.last() {
            Some(frame) if frame.depth == self.depth => frame.context,
            _ => self.outer,
        }
    }

    /// The format around goes into something, or comes out of it. What was opened deeper ends with it.
    pub(in super::super) fn surround(&mut self, depth: usize, outer: Context, at: usize) {
        while self.frames.last().is_some_and(|frame| frame.depth > depth) {
            self.pop(at);
        }
        (self.depth, self.outer) = (depth, outer);
    }

    /// Nothing comes any more.
    pub(in super::super) fn finish(&mut self) {
        if let Some(open) = self.preformatted.take() {
            open.finish(&mut self.writer, self.text);
        }
    }

    /// All of a piece.
    pub(in super::super) fn piece(&mut self, piece: &Piece<'_>) {
        let ends = self.ends;
        for token in Tokens::new(piece, ends) {
            self.token(token, piece);
        }
    }

    fn token(&mut self, token: Token, piece: &Piece<'_>) {
        match token.what {
            What::Text => {
                for part in piece.parts(token.span) {
                    self.words(part, Spoken::AsWritten);
                }
            }
            What::Reference(stands_for) => {
                let mut words = String::new();
                stands_for.push_to(&mut words);
                self.words(piece.span(&token.span), Spoken::Instead(words.into()));
            }
            What::Comment => self.omit(piece.span(&token.span), OmissionReason::Comment),
            What::Declaration => self.tag(piece.span(&token.span)),
            What::Start {
                name,
                attributes,
                closed,
            } => {
                let facts = Facts::of(piece.text(), attributes);
                let (name, role) = names::element(&piece.text()[name]);
                self.start((name, role), &facts, closed, piece, &token.span);
            }
            What::End { name } => {
                let (name, role) = names::element(&piece.text()[name]);
                self.end(name, role, piece.span(&token.span));
            }
        }
    }

    /// Words of the text.
    pub(in super::super) fn words(&mut self, span: Range<usize>, spoken: Spoken) {
        let words = match &spoken {
            Spoken::AsWritten => &self.text[span.clone()],
            Spoken::Instead(words) => words,
        };
        if let Some(name) = &mut self.naming {
            name.push_str(words);
        } else if self.frames.last().is_some_and(|top| top.role == Role::Head)
            && !words.chars().all(char::is_whitespace)
        {
            // What a head can't hold is in the body, whoever forgot to say so.
            self.pop(span.start);
        }
        let context = self.context();
        if let Some(reason) = context.silent {
            return self.writer.omit(span, reason);
        }
        if let Some(open) = &mut self.preformatted {
            open.count(words, context.is_code);
        }
        self.writer.run(context.kind, span, spoken);
    }

    /// Something that says nothing, for its reason or that of what it stands in.
    pub(in super::super) fn omit(&mut self, span: Range<usize>, reason: OmissionReason) {
        let reason = self.context().silent.unwrap_or(reason);
        self.writer.omit(span, reason);
    }

    /// A line that its author ended, by whatever mark.
    pub(in super::super) fn line_break(&mut self, span: Range<usize>) {
        let context = self.context();
        if context.silent.is_none() {
            self.writer.line_break(context.kind, span);
        }
    }

    fn tag(&mut self, span: Range<usize>) {
        self.omit(span, OmissionReason::Tag);
    }

    fn start(
        &mut self,
        (name, role): (usize, Role),
        facts: &Facts,
        closed: bool,
        piece: &Piece<'_>,
        token: &Range<usize>,
    ) {
        let span = piece.span(token);
        self.imply_ends(name, role, span.start);
        let mut context = self.context();
        if context.silent.is_none() {
            self.part(role, context, &span);
            if role == Role::Rule {
                self.writer.omit(span.clone(), OmissionReason::SceneBreak);
            }
        }
        if role != Role::Rule || context.silent.is_some() {
            self.tag(span.clone());
        }
        if let Role::Instead(attribute) = role
            && context.silent.is_none()
            && !facts.hidden
            && let Some(value) = facts.value(attribute)
        {
            let description = decoded(&piece.text()[value.clone()]);
            let is_fallback = ["noscript", "noframes"]
                .iter()
                .any(|name| !self.open[names::number(name)].is_empty());
            if !self.pictures.repeats(description, is_fallback) {
                self.value(piece, value);
            }
        }
        if role == Role::Root && self.language.is_none() {
            self.language.clone_from(&facts.language);
        }
        let begins_item = role == Role::Item && context.silent.is_none();
        if begins_item && let Some(number) = self.next_number(facts) {
            self.writer.number(span.clone(), format!("{number}. "));
        }
        if closed || role.is_void() {
            return;
        }
        self.describe(&mut context, role, facts, (name, piece, token));
        let up_to_block = match self.frames.last() {
            _ if role.is_block() => self.frames.len() + 1,
            Some(below) => below.up_to_block,
            None => 0,
        };
        // The title of a drawing is not that of the page.
        let is_front = context.silent == Some(OmissionReason::FrontMatter);
        if role == Role::Title && self.title.is_none() && is_front {
            self.naming = Some(String::new());
        }
        if let Role::List { counts } = role {
            self.lists.push(List {
                frame: self.frames.len(),
                next: counts.then_some(facts.start).flatten(),
                step: if facts.reversed { -1 } else { 1 },
            });
        }
        if role == Role::Link
            && let Some(&raised) = self.open[names::number("sup")].last()
        {
            self.frames[raised].is_linked = true;
        }
        context.is_code |= self.preformatted.is_some() && names::is_code(name);
        if self.preformatted.is_none() && role == Role::Preformatted && context.silent.is_none() {
            let is_code = facts.code || context.holds_code;
            let is_closed = self.has_end(piece, token);
            let (frame, mark) = (self.frames.len(), self.writer.mark());
            self.preformatted = Some(Preformatted::new(frame, mark, is_code, is_closed));
        }
        let is_in_line = matches!(role, Role::Inline | Role::Link);
        self.open[name].push(self.frames.len());
        self.frames.push(Frame {
            name,
            role,
            context,
            depth: self.depth,
            mark: self.writer.mark(),
            pictures: self.pictures.told(),
            is_linked: role == Role::Link && facts.leads_within,
            page: match role {
                Role::Heading(_) => None,
                _ if facts.page => Some(pages::Page::Class),
                _ if is_in_line => facts.page_name.clone().map(pages::Page::Name),
                _ => None,
            },
            up_to_block,
        });
    }

    /// Parts what is before from what comes.
    fn part(&mut self, role: Role, context: Context, span: &Range<usize>) {
        let in_cell = context.kind == BlockKind::TableRow;
        match role {
            Role::Break => self.writer.line_break(context.kind, span.clone()),
            Role::Cell => self.writer.separator(span.clone()),
            Role::Paragraph if in_cell => self.writer.end_in_cell(),
            _ if role.is_block() => self.writer.close(BlockEnd::Paragraph),
            _ => {}
        }
    }

    /// What holds in an element.
    fn describe(
        &mut self,
        context: &mut Context,
        role: Role,
        facts: &Facts,
        (name, piece, token): (usize, &Piece<'_>, &Range<usize>),
    ) {
        context.kind = match role {
            _ if facts.note => BlockKind::Footnote,
            _ if context.kind == BlockKind::Footnote => context.kind,
            Role::Heading(level) => BlockKind::Heading(level),
            Role::Item => BlockKind::ListItem,
            Role::Quote => BlockKind::Quote,
            Role::Row | Role::Cell => BlockKind::TableRow,
            _ => match facts.heading {
                Some(level) => BlockKind::Heading(level),
                None => context.kind,
            },
        };
        context.is_link |= role == Role::Link;
        context.holds_code |= facts.holds_code;
        let silent = match role {
            Role::Head | Role::Title => Some(OmissionReason::FrontMatter),
            Role::Silent(reason) => Some(reason),
            Role::Instead(_) => Some(OmissionReason::Html),
            _ if facts.note_link => Some(OmissionReason::Footnote),
            _ if facts.hidden => Some(OmissionReason::Hidden),
            _ => None,
        };
        // An end that others imply is found by them.
        let needs_end = !matches!(role, Role::Head | Role::Item | Role::Row | Role::Cell)
            && !names::may_lack_end(name)
            && (self.open[names::number("ruby")].is_empty() || !names::is_one(name, &["rt", "rp"]));
        if silent.is_some()
            && context.silent.is_none()
            && (!needs_end || self.has_end(piece, token))
        {
            context.silent = silent;
        }
    }

    /// Whether an end tag for this tag comes behind it.
    fn has_end(&self, piece: &Piece<'_>, token: &Range<usize>) -> bool {
        let written = &piece.text()[token.start + 1..token.end];
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>');
        let written = written.split(ends).next().unwrap_or_default();
        self.ends.follows(written, piece.source(token.start))
    }

    /// The words in the value of an attribute, apart from those around the tag.
    fn value(&mut self, piece: &Piece<'_>, value: Range<usize>) {
        let words = &piece.text()[value.clone()];
        if !decoded(words).contains(char::is_alphanumeric) {
            return;
        }
        // The quotes, or what stands there where there are none.
        let blank = || Spoken::Instead(" ".into());
        self.words(piece.span(&(value.start - 1..value.start)), blank());
        let mut from = value.start;
        let mut at = value.start;
        while let Some(found) = piece.text()[at..value.end].find('&') {
            at += found;
            let Some((len, stands_for)) = reference(&piece.text()[at..value.end]) else {
                at += 1;
                continue;
            };
            for part in piece.parts(from..at) {
                self.words(part, Spoken::AsWritten);
            }
            let mut instead = String::new();
            stands_for.push_to(&mut instead);
            self.words(piece.span(&(at..at + len)), Spoken::Instead(instead.into()));
            at += len;
            from = at;
        }
        for part in piece.parts(from..value.end) {
            self.words(part, Spoken::AsWritten);
        }
        self.words(piece.span(&(value.end..value.end + 1)), blank());
    }

    fn next_number(&mut self, facts: &Facts) -> Option<i64> {
        let list = self.lists.last_mut()?;
        let number = list.next.map(|next| facts.number.unwrap_or(next))?;
        list.next = Some(number.saturating_add(list.step));
        Some(number)
    }

    fn end(&mut self, name: usize, role: Role, span: Range<usize>) {
        let found = self.open[name].last().copied().filter(|&found| {
            let barrier = match role {
                Role::Inline | Role::Link | Role::Raised | Role::Lowered => {
                    self.frames.last().map_or(0, |top| top.up_to_block)
                }
                _ if names::is_of_table(name) => 0,
                _ => {
                    let cells =
                        ["td", "th", "caption"].map(|cell| self.open[names::number(cell)].last());
                    cells.into_iter().max().flatten().map_or(0, |&cell| cell)
                }
            };
            found >= barrier
        });
        if let Some(found) = found {
            self.pop_to(found, span.end);
        } else if self.context().silent.is_none()
            && (role == Role::Break || names::is_one(name, &["p"]))
        {
            // `</br>` and `</p>` without a beginning count all the same.
            self.part(role, self.context(), &span);
        }
        self.tag(span);
    }

    fn pop_to(&mut self, index: usize, at: usize) {
        while self.frames.len() > index {
            self.pop(at);
        }
    }

    /// Ends the innermost element; `at` is where the text goes on.
    fn pop(&mut self, at: usize) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        self.open[frame.name].pop();
        let index = self.frames.len();
        self.lists.pop_if(|list| list.frame == index);
        if frame.role == Role::Title
            && let Some(title) = self.naming.take()
        {
            self.title = Some(title).filter(|title| !title.trim().is_empty());
        }
        let ended = self.preformatted.take_if(|open| open.frame() == index);
        if self.context().silent.is_some() {
            return;
        }
        if let Some(page) = &frame.page {
            pages::end_page(&mut self.writer, frame.mark, page, frame.context.kind);
        }
        let in_cell = frame.context.kind == BlockKind::TableRow;
        match frame.role {
            Role::Raised => {
                let is_link = frame.is_linked || frame.context.is_link;
                let behind = self.text.get(at..).unwrap_or_default();
                scripts::end_raised(&mut self.writer, frame.mark, is_link, behind);
            }
            Role::Lowered => scripts::end_lowered(&mut self.writer, frame.mark),
            Role::Fallback => {
                let pictures = &mut self.pictures;
                fallback::end_fallback(&mut self.writer, frame.mark, pictures, frame.pictures);
            }
            Role::Link if frame.is_linked => scripts::end_link(&mut self.writer, frame.mark),
            Role::Cell => self.writer.end_in_cell(),
            Role::Paragraph if in_cell => self.writer.end_in_cell(),
            Role::Item => {
                self.writer.close(BlockEnd::Paragraph);
                self.writer.forget_number();
            }
            role if role.is_block() => self.writer.close(BlockEnd::Paragraph),
            _ => {}
        }
        if let Some(ended) = ended {
            ended.end(&mut self.writer, self.text);
        }
    }
}
