//! Everything that is typed: the palette and its kin, the filter, the forms. Keys that the table
//! gives to an action never come here.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::fields::type_into;
use super::filter::{Matches, Needle};
use super::picker::Item;
use super::{App, Choice, Effect, Lower, Overlay, Page, Pane, segment_count};
use crate::model::SegmentId;
use crate::monitor::action::Mode;
use crate::monitor::keys::Key;
use crate::monitor::services::VoiceChoice;

impl App {
    /// A key that no action has.
    pub(super) fn type_key(&mut self, key: Key) -> Vec<Effect> {
        let event = key.to_event();
        match (&mut self.overlay, &mut self.filter) {
            (Some(Overlay::Picker(picker)), _) => {
                if !type_into(&mut picker.input, event) {
                    return Vec::new();
                }
                picker.narrow();
                self.preview_theme();
            }
            (Some(form), _) => {
                if let Some(fields) = form.fields() {
                    fields.key(event);
                }
            }
            (None, Some(input)) => {
                if !type_into(input, event) {
                    return Vec::new();
                }
                let text = input.value().to_owned();
                self.set_filter(&text);
            }
            _ => {}
        }
        Vec::new()
    }

    pub(super) fn paste(&mut self, text: &str) -> Vec<Effect> {
        self.notice = None;
        match self.mode() {
            Mode::Main if text.trim().is_empty() => {}
            Mode::Main => {
                let effects = self.open_form(None);
                if let Some(fields) = self.overlay.as_mut().and_then(Overlay::fields) {
                    fields.paste(text);
                }
                return effects;
            }
            Mode::Form | Mode::Word => {
                if let Some(fields) = self.overlay.as_mut().and_then(Overlay::fields) {
                    fields.paste(text);
                }
            }
            Mode::Pick | Mode::PickVoice | Mode::Filter => {
                for letter in text.chars().filter(|c| !c.is_control()).take(200) {
                    self.type_key(Key::letter(letter));
                }
            }
            _ => {}
        }
        Vec::new()
    }

    /// Takes what is typed or chosen.
    pub(super) fn accept(&mut self) -> Vec<Effect> {
        match self.overlay.take() {
            Some(Overlay::Picker(picker)) => {
                let Some((place, item)) = picker.chosen() else {
                    self.overlay = Some(Overlay::Picker(picker));
                    return Vec::new();
                };
                match &picker.choice {
                    Choice::Action => match item.action {
                        Some(action) => self.act(action),
                        None => Vec::new(),
                    },
                    Choice::Theme { .. } => {
                        self.theme = place;
                        let name = &self.themes[place];
                        self.notice = Some(format!(
                            "theme = \"{name}\" in config.toml keeps it for the next start"
                        ));
                        Vec::new()
                    }
                    Choice::Voice => {
                        let item = item.clone();
                        // The list stays, for the next voice.
                        self.overlay = Some(Overlay::Picker(picker));
                        self.hear_voice(&item)
                    }
                    Choice::Narrator(_) if !item.is_ready => {
                        let Item { name, about, .. } = item;
                        self.notice = Some(format!("{name} is not installed: {about}"));
                        Vec::new()
                    }
                    Choice::Narrator(task) => {
                        vec![Effect::Render(task.clone(), item.name.clone())]
                    }
                }
            }
            Some(Overlay::Form(mut form)) => {
                let mut effects = Vec::new();
                if !form.is_sent {
                    match form.read() {
                        Ok(new) => {
                            form.is_sent = true;
                            form.problem = None;
                            effects.push(Effect::Add(Box::new(new)));
                        }
                        Err((field, problem)) => {
                            form.field = field;
                            form.problem = Some(problem);
                        }
                    }
                }
                self.overlay = Some(Overlay::Form(form));
                effects
            }
            Some(Overlay::Word(form)) => {
                self.overlay = Some(Overlay::Word(form));
                self.correct(false)
            }
            other => {
                self.overlay = other;
                (self.filter, self.before_filter) = (None, None);
                Vec::new()
            }
        }
    }

    /// Closes what is typed into, and takes nothing of it.
    pub(super) fn leave(&mut self) {
        match self.overlay.take() {
            Some(Overlay::Picker(picker)) => {
                if let Choice::Theme { before } = picker.choice {
                    self.theme = before;
                }
            }
            Some(_) => {}
            None => {
                self.filter = None;
                self.set_filter("");
                if let Some(before) = self.before_filter.take() {
                    self.return_to(before);
                }
            }
        }
    }

    pub(super) fn complete(&mut self) -> Vec<Effect> {
        match &self.overlay {
            Some(Overlay::Form(form)) if form.field == super::Field::Text => {
                vec![Effect::Complete(form.path.value().to_owned())]
            }
            Some(Overlay::Form(_) | Overlay::Word(_)) => {
                self.step(1);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// The value before or after, or the cursor to the left or right.
    pub(super) fn turn_value(&mut self, by: isize) {
        let Some(fields) = self.overlay.as_mut().and_then(Overlay::fields) else {
            return;
        };
        if !fields.turn(by)
            && let Some(input) = fields.input()
        {
            let code = if by < 0 {
                KeyCode::Left
            } else {
                KeyCode::Right
            };
            type_into(input, KeyEvent::new(code, KeyModifiers::NONE));
        }
    }

    /// Has a voice of the list heard; one that is not fetched yet has a sentence with the program.
    pub(super) fn hear_voice(&mut self, item: &Item) -> Vec<Effect> {
        let (voice, speed) = (item.name.clone(), self.defaults.speed);
        self.notice = Some(match item.is_ready {
            true => format!("{voice} is being opened …"),
            false => format!("{voice}, as it was recorded: {}", item.about),
        });
        vec![Effect::Preview { voice, speed }]
    }

    /// Shows the theme that would be chosen.
    pub(super) fn preview_theme(&mut self) {
        if let Some(Overlay::Picker(picker)) = &self.overlay
            && let Choice::Theme { before } = picker.choice
        {
            self.theme = picker.chosen().map_or(before, |(place, _)| place);
        }
    }

    pub(super) fn voice_items(&self) -> Vec<Item> {
        let items = self.voices.iter().map(|voice| Item {
            name: voice.name.clone(),
            about: voice.about.clone(),
            also: "",
            action: None,
            is_ready: voice.is_installed,
        });
        items.collect()
    }

    pub(super) fn voices_found(&mut self, voices: Vec<VoiceChoice>) {
        self.voices = voices;
        let items = self.voice_items();
        match &mut self.overlay {
            Some(Overlay::Form(form)) => form.voices.clone_from(&self.voices),
            Some(Overlay::Picker(picker)) if picker.choice.is_of_voices() => {
                picker.set_items(items);
            }
            _ => {}
        }
    }

    /// Begins to type what the list with the keys is filtered for.
    pub(super) fn open_filter(&mut self) {
        if self.page == Page::Health || (self.lists_errors() && self.page == Page::Queue) {
            self.notice = Some("there is nothing to filter here".to_owned());
            return;
        }
        let text = self.filter_text().unwrap_or_default().to_owned();
        self.before_filter = Some(self.whereabouts());
        self.filter = Some(text.into());
    }

    fn lists_errors(&self) -> bool {
        self.focus == Pane::Lower && self.lower == Lower::Errors
    }

    /// What the list with the keys is filtered for.
    pub(crate) fn filter_text(&self) -> Option<&str> {
        match self.page {
            Page::Queue if self.focus == Pane::Lower => self.segment_filter(),
            Page::Queue => self.tasks.filter_text(),
            _ => Some(self.cursor()?.matches.as_ref()?.needle().text()),
        }
    }

    pub(super) fn is_filtered(&self) -> bool {
        self.filter_text().is_some()
    }

    /// Filters the list with the keys; an empty text shows everything again.
    pub(super) fn set_filter(&mut self, text: &str) {
        let needle = Needle::new(text);
        match self.page {
            Page::Queue if self.focus == Pane::Lower => {
                self.follow_segment &= needle.is_none();
                self.segments = needle.map(Matches::new);
            }
            Page::Queue => self.tasks.filter(text),
            _ => {
                if let Some(cursor) = self.cursor_mut() {
                    cursor.filter(needle);
                }
            }
        }
        self.settle_lists();
        let is_seen = self.task.as_ref().and_then(|id| self.tasks.row_of(id));
        if self.page == Page::Queue && self.focus == Pane::Queue && is_seen.is_none() {
            self.go_to(0);
        }
        self.follow_work();
    }

    /// Looks through some more segments for the filter, and keeps the selection on one of them.
    pub(super) fn look_for_segments(&mut self) {
        let Some(matches) = &mut self.segments else {
            return;
        };
        let task = self.task.as_ref().and_then(|id| self.tasks.by_id(id));
        let Some(task) = task else {
            self.segments = None;
            return;
        };
        let plan = task.plan.as_ref();
        matches.look(segment_count(task) as usize, |row, needle| {
            let words = plan.and_then(|plan| plan.get(SegmentId::at(row)));
            words.is_some_and(|words| needle.is_in(&words.text))
        });
        let row = matches.place(self.segment.index().unwrap_or(0));
        let row = row.min(matches.len().saturating_sub(1));
        if matches.len() > 0 {
            self.segment = self.segment_at(row);
        }
    }
}
