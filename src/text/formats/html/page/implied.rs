//! Ends that nobody wrote: a paragraph ends where the next one begins, an item with the next item. It must
//! never end what stands outside of the table or the list that it is in.

use super::super::names::{self, Role};
use super::Page;

impl Page<'_> {
    /// Elements that end where another one begins, without an end tag.
    pub(super) fn imply_ends(&mut self, name: usize, role: Role, at: usize) {
        let last = |names: &[&str]| {
            let found = names
                .iter()
                .map(|name| self.open[names::number(name)].last());
            found.max().flatten().copied()
        };
        let above =
            |ended: &[&str], within: &[&str]| last(ended).filter(|&it| Some(it) > last(within));
        let table = ["table", "template"];
        let ended = match role {
            Role::Item => above(&["li"], &["ul", "ol", "menu", "dir", "table"]),
            Role::Row => above(&["tr"], &table),
            Role::Cell => above(&["td", "th"], &["table", "tr", "template"]),
            Role::Link => above(&["a"], &["table", "template"]),
            _ if names::is_one(name, &["dt", "dd"]) => above(&["dt", "dd"], &["dl", "table"]),
            _ if names::is_one(name, &["rt", "rp"]) => above(&["rt", "rp"], &["ruby"]),
            _ if names::is_one(name, &["option", "optgroup"]) => above(&["option"], &["select"]),
            _ if names::is_one(name, &["tbody", "thead", "tfoot"]) => {
                above(&["tbody", "thead", "tfoot"], &table)
            }
            _ if role.is_block() => above(
                &["p"],
                &[
                    "td", "th", "table", "caption", "button", "object", "template", "svg",
                ],
            ),
            _ => None,
        };
        let head = last(&["head"]).filter(|_| !names::stands_in_head(name));
        // An item's end is that of the paragraph in it, and the outermost takes all with it.
        if let Some(ended) = ended.into_iter().chain(head).min() {
            self.pop_to(ended, at);
        }
    }
}
