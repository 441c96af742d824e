//! Lines that a person fills in, one below the other: typed, or chosen from some values. One of them has
//! the keys. What all forms share; what a line is about is its form's.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

/// The longest line in bytes that is typed, and the most characters that are pasted into one.
const LONGEST: usize = 4096;

/// A form, with one line that has the keys.
pub(crate) trait Fields {
    /// To the line so many lines on.
    fn step(&mut self, by: isize);

    /// To this line, counted from 0, and to this of its values.
    fn point(&mut self, line: usize, value: Option<usize>);

    /// The value so many places on, where there are some to choose from. Returns whether there are.
    fn turn(&mut self, by: isize) -> bool;

    /// The line that is being typed in, if it is one.
    fn input(&mut self) -> Option<&mut Input>;

    /// Something is another one now: what was said of it holds no more.
    fn touch(&mut self);

    /// Something is typed into the line with the keys: letters, or else a change of what stands there.
    fn begin(&mut self, _letters: bool) {}

    /// Takes a key that no action has.
    fn key(&mut self, event: KeyEvent) {
        self.touch();
        let held = KeyModifiers::CONTROL | KeyModifiers::ALT;
        let is_letter = matches!(event.code, KeyCode::Char(_));
        self.begin(is_letter && !event.modifiers.intersects(held));
        if let Some(input) = self.input() {
            type_into(input, event);
        }
    }

    /// Takes a paste, which goes where the cursor is.
    fn paste(&mut self, text: &str) {
        self.touch();
        let text = text.trim();
        self.begin(!text.is_empty());
        insert(self.input(), text);
    }
}

/// Puts a text into a line where its cursor is, without what is no letter.
pub(super) fn insert(line: Option<&mut Input>, text: &str) {
    let Some(input) = line else { return };
    for letter in text.chars().filter(|c| !c.is_control()).take(LONGEST) {
        input.handle(tui_input::InputRequest::InsertChar(letter));
    }
}

/// Types a key into a line. Returns whether its text is another one now.
pub(super) fn type_into(input: &mut Input, event: KeyEvent) -> bool {
    if input.value().len() > LONGEST && matches!(event.code, KeyCode::Char(_)) {
        return false;
    }
    let changed = input.handle_event(&Event::Key(event));
    changed.is_some_and(|changed| changed.value)
}

/// The one so many places on, which ends with the first and the last.
pub(super) fn stepped<T: Copy + PartialEq>(all: &[T], here: T, by: isize) -> T {
    let at = all.iter().position(|one| *one == here).unwrap_or(0);
    let last = all.len().saturating_sub(1);
    let to = at.saturating_add_signed(by).min(last);
    all.get(to).copied().unwrap_or(here)
}

/// The one so many places on, where the first comes after the last; from nowhere the first.
pub(super) fn turned<T: PartialEq>(all: &[T], here: &T, by: isize) -> Option<usize> {
    let len = isize::try_from(all.len()).ok().filter(|len| *len > 0)?;
    let at = all.iter().position(|one| one == here);
    let at = at.and_then(|at| isize::try_from(at).ok());
    let to = at.map_or(0, |at| (at + by).rem_euclid(len));
    usize::try_from(to).ok()
}
