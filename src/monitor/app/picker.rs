//! A list to choose from by typing: every action, the themes, the voices. Knows what is chosen,
//! never what becomes of it.

use tui_input::Input;

use super::filter::Needle;
use crate::model::TaskId;
use crate::monitor::action::Action;

/// What is being chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Action,
    /// Shown at once; the number is the theme to go back to.
    Theme {
        before: usize,
    },
    /// One to be heard.
    Voice,
    /// The one that is to speak this narration from now on.
    Narrator(TaskId),
}

impl Choice {
    /// Whether voices are listed.
    pub(crate) fn is_of_voices(&self) -> bool {
        matches!(self, Self::Voice | Self::Narrator(_))
    }
}

/// One thing to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) about: String,
    /// Other words to find it by.
    pub(crate) also: &'static str,
    pub(crate) action: Option<Action>,
    /// Whether it can be chosen now.
    pub(crate) is_ready: bool,
}

/// The list, what is typed, and what of it fits.
#[derive(Clone, Debug)]
pub(crate) struct Picker {
    pub(crate) choice: Choice,
    pub(crate) input: Input,
    items: Vec<Item>,
    shown: Vec<usize>,
    row: usize,
}

impl Picker {
    pub(crate) fn new(choice: Choice, items: Vec<Item>) -> Self {
        let shown = (0..items.len()).collect();
        Self {
            choice,
            input: Input::default(),
            items,
            shown,
            row: 0,
        }
    }

    /// Takes other items, keeping what is typed.
    pub(crate) fn set_items(&mut self, items: Vec<Item>) {
        self.items = items;
        self.narrow();
    }

    pub(crate) fn len(&self) -> usize {
        self.shown.len()
    }

    pub(crate) fn row(&self) -> usize {
        self.row
    }

    pub(crate) fn get(&self, row: usize) -> Option<&Item> {
        self.items.get(*self.shown.get(row)?)
    }

    /// The item that would be taken, and its place among all.
    pub(crate) fn chosen(&self) -> Option<(usize, &Item)> {
        let place = *self.shown.get(self.row)?;
        Some((place, &self.items[place]))
    }

    /// Selects a row; beyond the end means the last.
    pub(crate) fn go_to(&mut self, row: usize) {
        self.row = row.min(self.shown.len().saturating_sub(1));
    }

    /// Selects the item at this place among all, if it is shown.
    pub(crate) fn go_to_place(&mut self, place: usize) {
        if let Some(row) = self.shown.iter().position(|shown| *shown == place) {
            self.row = row;
        }
    }

    /// Shows what fits what is typed: every word of it, in any order. A name that is exactly that
    /// goes first, then names that begin so, other names, descriptions, other words for it.
    pub(crate) fn narrow(&mut self) {
        let words: Vec<Needle> = self
            .input
            .value()
            .split_whitespace()
            .filter_map(Needle::new)
            .collect();
        let fits = |text: &str| words.iter().all(|word| word.is_in(text));
        let told = |item: &Item| fits(&format!("{} {}", item.name, item.about));
        let all = |item: &Item| fits(&format!("{} {} {}", item.name, item.about, item.also));
        let typed = self.input.value().trim().to_lowercase();
        let mut shown: Vec<usize> = (0..self.items.len())
            .filter(|place| all(&self.items[*place]))
            .collect();
        shown.sort_by_key(|place| {
            let item = &self.items[*place];
            let name = item.name.to_lowercase();
            (
                name != typed,
                !name.starts_with(&typed),
                !fits(&name),
                !told(item),
            )
        });
        self.shown = shown;
        self.row = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_any_order_narrow_the_list() {
        let item = |name: &str, about: &str| Item {
            name: name.into(),
            about: about.into(),
            also: "",
            action: None,
            is_ready: true,
        };
        let items = vec![
            item("theme", "choose a theme"),
            item("cancel", "cancel the selected task"),
            item("cancel-all", "cancel every task"),
            item("retry", "after a cancel, try again"),
        ];
        let mut picker = Picker::new(Choice::Action, items);
        picker.input = "task CANCEL".into();
        picker.narrow();
        assert_eq!(picker.len(), 2);
        picker.input = "cancel".into();
        picker.narrow();
        picker.go_to(99);
        assert_eq!(picker.chosen().unwrap().1.name, "retry");
        picker.input = "nothing like it".into();
        picker.narrow();
        assert_eq!(picker.chosen(), None);
    }
}
