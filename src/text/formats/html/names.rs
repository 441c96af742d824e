//! What the elements of HTML mean to a listener. It knows names only, and must never say that an element
//! is silent unless a browser would show nothing of what stands in it either.

use super::super::super::OmissionReason;

/// What an element means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A part of a line.
    Inline,
    /// A part of a line that leads elsewhere.
    Link,
    /// Raised or lowered signs.
    Raised,
    Lowered,
    /// Its words stand apart from those around it.
    Block,
    /// The same, but two of them may share a cell of a table.
    Paragraph,
    Heading(u8),
    List {
        counts: bool,
    },
    Item,
    Quote,
    Row,
    Cell,
    /// Lines that stand as they are written: of a program, or of verse.
    Preformatted,
    /// What browsers show that run no scripts or know no frames.
    Fallback,
    /// The end of a line.
    Break,
    /// A line across the page.
    Rule,
    /// What is spoken for it stands in this attribute.
    Instead(&'static str),
    /// It is empty and says nothing.
    Empty,
    /// What stands in it is not for the page.
    Silent(OmissionReason),
    Head,
    Title,
    Root,
}

impl Role {
    /// No end tag belongs to it.
    pub(super) fn is_void(self) -> bool {
        matches!(
            self,
            Role::Break | Role::Rule | Role::Empty | Role::Instead("alt")
        )
    }

    /// Its beginning and its end part what is before from what is behind.
    pub(super) fn is_block(self) -> bool {
        let is_in_line = matches!(
            self,
            Role::Inline | Role::Link | Role::Raised | Role::Lowered
        );
        let is_nothing = matches!(
            self,
            Role::Break
                | Role::Empty
                | Role::Title
                | Role::Instead(_)
                | Role::Silent(_)
                | Role::Fallback
        );
        !is_in_line && !is_nothing
    }
}

const HTML: Role = Role::Silent(OmissionReason::Html);
const SCRIPT: Role = Role::Silent(OmissionReason::Script);
const BULLETS: Role = Role::List { counts: false };

/// In the order of their names.
const NAMES: &[(&str, Role)] = &[
    ("a", Role::Link),
    ("address", Role::Block),
    ("area", Role::Empty),
    ("article", Role::Block),
    ("aside", Role::Block),
    ("audio", HTML),
    ("base", Role::Empty),
    ("blockquote", Role::Quote),
    ("body", Role::Block),
    ("br", Role::Break),
    ("canvas", HTML),
    ("caption", Role::Block),
    ("center", Role::Block),
    ("col", Role::Empty),
    ("colgroup", Role::Block),
    ("dd", Role::Block),
    ("details", Role::Block),
    ("dialog", Role::Block),
    ("dir", BULLETS),
    ("div", Role::Paragraph),
    ("dl", Role::Block),
    ("dt", Role::Block),
    ("embed", Role::Empty),
    ("fieldset", Role::Block),
    ("figcaption", Role::Block),
    ("figure", Role::Block),
    ("footer", Role::Block),
    ("form", Role::Block),
    ("frame", Role::Empty),
    ("frameset", Role::Block),
    ("h1", Role::Heading(1)),
    ("h2", Role::Heading(2)),
    ("h3", Role::Heading(3)),
    ("h4", Role::Heading(4)),
    ("h5", Role::Heading(5)),
    ("h6", Role::Heading(6)),
    ("head", Role::Head),
    ("header", Role::Block),
    ("hgroup", Role::Block),
    ("hr", Role::Rule),
    ("html", Role::Root),
    ("iframe", HTML),
    ("image", Role::Instead("alt")),
    ("img", Role::Instead("alt")),
    ("input", Role::Empty),
    ("legend", Role::Block),
    ("li", Role::Item),
    ("link", Role::Empty),
    ("listing", Role::Preformatted),
    ("main", Role::Block),
    ("math", Role::Instead("alttext")),
    ("menu", BULLETS),
    ("meta", Role::Empty),
    ("nav", Role::Block),
    ("noembed", HTML),
    ("noframes", Role::Fallback),
    ("noscript", Role::Fallback),
    ("ol", Role::List { counts: true }),
    ("optgroup", Role::Block),
    ("option", Role::Block),
    ("p", Role::Paragraph),
    ("param", Role::Empty),
    ("pre", Role::Preformatted),
    ("rp", HTML),
    ("rt", HTML),
    ("rtc", HTML),
    ("script", SCRIPT),
    ("search", Role::Block),
    ("section", Role::Block),
    ("select", Role::Block),
    ("source", Role::Empty),
    ("style", SCRIPT),
    ("sub", Role::Lowered),
    ("summary", Role::Block),
    ("sup", Role::Raised),
    ("svg", HTML),
    ("table", Role::Block),
    ("tbody", Role::Block),
    ("td", Role::Cell),
    ("template", HTML),
    ("textarea", Role::Block),
    ("tfoot", Role::Block),
    ("th", Role::Cell),
    ("thead", Role::Block),
    ("title", Role::Title),
    ("tr", Role::Row),
    ("track", Role::Empty),
    ("ul", BULLETS),
    ("video", HTML),
    ("wbr", Role::Empty),
    ("xmp", Role::Preformatted),
];

/// Parts of a line without any meaning of their own.
const INLINE: &[&str] = &[
    "abbr", "acronym", "b", "bdi", "bdo", "big", "blink", "button", "cite", "code", "data",
    "datalist", "del", "dfn", "em", "font", "i", "ins", "kbd", "label", "map", "mark", "marquee",
    "meter", "nobr", "object", "output", "picture", "progress", "q", "rb", "ruby", "s", "samp",
    "slot", "small", "span", "strike", "strong", "time", "tt", "u", "var",
];

/// How many names there are: known blocks, known parts of lines, and one for all others.
pub(super) const COUNT: usize = NAMES.len() + INLINE.len() + 1;

/// The number of an element, below [`COUNT`], and what it means.
pub(super) fn element(name: &str) -> (usize, Role) {
    // `h:p` in XHTML.
    let local = name.rsplit(':').next().unwrap_or(name);
    let lower;
    let local = if local.bytes().any(|b| b.is_ascii_uppercase()) {
        lower = local.to_ascii_lowercase();
        lower.as_str()
    } else {
        local
    };
    if let Ok(found) = NAMES.binary_search_by_key(&local, |known| known.0) {
        return (found, NAMES[found].1);
    }
    let found = INLINE.binary_search(&local).unwrap_or(INLINE.len());
    (NAMES.len() + found, Role::Inline)
}

/// The number of a name that is known.
pub(super) fn number(name: &str) -> usize {
    element(name).0
}

/// Whether it is one of these.
pub(super) fn is_one(found: usize, of: &[&str]) -> bool {
    NAMES.get(found).is_some_and(|known| of.contains(&known.0))
}

/// Whether it is a part of a line that holds code.
pub(super) fn is_code(found: usize) -> bool {
    let name = found
        .checked_sub(NAMES.len())
        .and_then(|found| INLINE.get(found));
    name.is_some_and(|name| ["code", "kbd", "samp"].contains(name))
}

/// An element that ends where another begins or ends.
pub(super) fn may_lack_end(found: usize) -> bool {
    const OPTIONAL: &[&str] = &[
        "body", "dd", "dt", "html", "optgroup", "option", "p", "tbody", "tfoot", "thead",
    ];
    is_one(found, OPTIONAL)
}

/// What a head may hold; anything else begins the body.
pub(super) fn stands_in_head(found: usize) -> bool {
    const IN_HEAD: &[&str] = &[
        "base", "head", "html", "link", "meta", "noscript", "script", "style", "template", "title",
    ];
    is_one(found, IN_HEAD)
}

/// Its end tag ends the cells in it, too.
pub(super) fn is_of_table(found: usize) -> bool {
    const OF_TABLE: &[&str] = &[
        "body", "caption", "html", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
    ];
    is_one(found, OF_TABLE)
}

pub(super) fn is_unknown(name: &str) -> bool {
    number(name) == COUNT - 1
}

/// Whether the content of this element is no markup, and if so, whether references count in it.
pub(super) fn raw(name: &str) -> Option<bool> {
    // Browsers take the inside of `noframes` for text; here it is shown, so it is markup.
    const RAW: [&str; 5] = ["script", "style", "xmp", "iframe", "noembed"];
    let is = |known: &&str| name.eq_ignore_ascii_case(known);
    if ["title", "textarea"].iter().any(&is) {
        return Some(true);
    }
    RAW.iter().any(is).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found() {
        assert!(NAMES.is_sorted_by_key(|known| known.0) && INLINE.is_sorted());
        assert_eq!(element("P").1, Role::Paragraph);
        assert_eq!(element("h:section").1, Role::Block);
        assert!(is_unknown("name") && !is_unknown("span"));
    }
}
