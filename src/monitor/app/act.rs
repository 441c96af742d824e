//! What each action does. Whatever needs a file, the engine or the terminal becomes an effect.

use super::{
    App, Choice, Effect, Form, Lower, Overlay, Page, Pane, Picker, Question, Target, joined_file,
    picker::Item,
};
use crate::model::{SegmentId, TaskId, TaskState};
use crate::monitor::action::{Action, TABLE};
use crate::service::TaskAction;

/// Said until it is paused.
pub(super) const PAUSING_TASK: &str = "paused as soon as its segment in work is done";
pub(super) const NOTHING_SELECTED: &str = "no task is selected";

impl App {
    /// Does what a person asked for.
    pub(crate) fn act(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp if self.reads() => self.scroll_zoom(-self.zoom_page()),
            Action::PageDown if self.reads() => self.scroll_zoom(self.zoom_page()),
            Action::PageUp => self.step(-self.page_rows()),
            Action::PageDown => self.step(self.page_rows()),
            Action::First => self.go_to(0),
            Action::Last => self.last(),
            Action::SwitchPane => self.switch_pane(),
            Action::Queue => return self.turn_to(Page::Queue),
            Action::Clips => return self.turn_to(Page::Clips),
            Action::AllErrors => return self.turn_to(Page::Errors),
            Action::History => return self.turn_to(Page::History),
            Action::Log => return self.turn_to(Page::Log),
            Action::Health => return self.turn_to(Page::Health),
            Action::NextPage => return self.turn_pages(1),
            Action::PreviousPage => return self.turn_pages(Page::ALL.len() - 1),
            Action::Open => self.open(),
            Action::Back => self.back(),
            Action::Follow => self.follow(),
            Action::Errors => self.toggle_errors(),
            Action::Help => {
                self.overlay = Some(Overlay::Help);
                self.help_scroll = 0;
            }
            Action::Add => return self.open_form(None),
            Action::Cancel => return self.ask_cancel(),
            Action::CancelAll => self.ask_cancel_all(),
            Action::Retry => return self.retry(),
            Action::OtherVoice => return self.choose_narrator(),
            Action::RetryAll => return vec![Effect::RetryAll],
            Action::Pause => return self.pause(),
            Action::PauseQueue => return vec![Effect::PauseQueue(!self.queue_paused)],
            Action::MoveUp => return self.shift(true),
            Action::MoveDown => return self.shift(false),
            Action::Filter => self.open_filter(),
            Action::Palette => self.open_palette(),
            Action::Theme => self.open_themes(),
            Action::PreviewVoice => {
                let items = self.voice_items();
                self.overlay = Some(Overlay::Picker(Picker::new(Choice::Voice, items)));
                return vec![Effect::FindVoices];
            }
            Action::Pronounce => return self.open_word(),
            Action::Play => return self.play(),
            Action::OpenFolder => return self.open_folder(),
            Action::CopyPath => return self.copy_path(),
            Action::Quit => return self.ask_quit(),
            Action::Suspend => return vec![Effect::Suspend],
            Action::Redraw => return vec![Effect::Redraw],
            Action::Confirm => return self.confirm(),
            Action::LeaveRunning => return self.leave_running(),
            Action::FinishAll => return self.finish_all(),
            Action::Interrupt => {
                let mut effects = self.stop();
                effects.extend(self.hurry());
                return effects;
            }
            Action::Decline => {
                if matches!(self.question.take(), Some(Question::Quit)) {
                    self.exit_when_done = false;
                }
            }
            Action::Accept => return self.accept(),
            Action::Leave => self.leave(),
            Action::Complete => return self.complete(),
            Action::PreviousValue => self.turn_value(-1),
            Action::NextValue => self.turn_value(1),
            Action::Hear => return self.hear(),
            Action::Hurry => return self.hurry(),
        }
        Vec::new()
    }

    fn turn_pages(&mut self, by: usize) -> Vec<Effect> {
        let here = Page::ALL.iter().position(|page| *page == self.page);
        let to = (here.unwrap_or(0) + by) % Page::ALL.len();
        self.turn_to(Page::ALL[to])
    }

    /// Shows a page, and asks for what it needs.
    pub(super) fn turn_to(&mut self, page: Page) -> Vec<Effect> {
        self.page = page;
        self.zoomed = false;
        match page {
            Page::History => vec![Effect::ReadHistory],
            Page::Log => vec![Effect::ReadLog],
            Page::Health => vec![Effect::Measure],
            _ => Vec::new(),
        }
    }

    /// The form for a new narration, with a text that was pasted.
    pub(super) fn open_form(&mut self, pasted: Option<String>) -> Vec<Effect> {
        let mut form = Form::new(self.defaults.clone());
        form.pasted = pasted;
        form.voices.clone_from(&self.voices);
        self.overlay = Some(Overlay::Form(Box::new(form)));
        vec![Effect::FindVoices]
    }

    fn open_palette(&mut self) {
        let commands = TABLE
            .iter()
            .filter(|info| info.is_command() && info.action != Action::Palette);
        let items = commands.map(|info| Item {
            name: info.name.to_owned(),
            about: info.help.to_owned(),
            also: info.also,
            action: Some(info.action),
            is_ready: self.offers(info.action),
        });
        let items = items.collect();
        self.overlay = Some(Overlay::Picker(Picker::new(Choice::Action, items)));
    }

    fn open_themes(&mut self) {
        if self.themes.len() == 1 {
            self.notice = Some(
                "this terminal has no colours, or NO_COLOR is set: there is only one theme"
                    .to_owned(),
            );
            return;
        }
        let items = self.themes.iter().map(|theme| Item {
            name: theme.clone(),
            about: String::new(),
            also: "",
            action: None,
            is_ready: true,
        });
        let mut picker = Picker::new(Choice::Theme { before: self.theme }, items.collect());
        picker.go_to_place(self.theme);
        self.overlay = Some(Overlay::Picker(picker));
    }

    /// Does nothing, and says why.
    pub(super) fn refuse(&mut self, why: &str) -> Vec<Effect> {
        self.notice = Some(why.to_owned());
        Vec::new()
    }

    /// The same of the selected task; `why` follows its name.
    fn refuse_task(&mut self, why: &str) -> Vec<Effect> {
        self.refuse(&format!("this task {why}"))
    }

    fn ask_cancel(&mut self) -> Vec<Effect> {
        let Some(Target { task, .. }) = self.target() else {
            return self.refuse(NOTHING_SELECTED);
        };
        if let Err(why) = TaskAction::Cancel.check(task) {
            return self.refuse_task(why);
        }
        let id = task.id.clone();
        if task.state == TaskState::Pending && task.completed_segments.is_empty() {
            return vec![Effect::Cancel(id)];
        }
        self.question = Some(Question::Cancel(id));
        Vec::new()
    }

    fn ask_cancel_all(&mut self) {
        if self.tasks.totals().active() == 0 {
            self.notice = Some("there is nothing to cancel".to_owned());
        } else {
            self.question = Some(Question::CancelAll);
        }
    }

    fn ask_quit(&mut self) -> Vec<Effect> {
        if self.is_attached {
            return self.stop();
        }
        if self.tasks.totals().active() == 0 {
            // What recurs needs someone who works; where nothing does, nobody is started.
            let handing_over = self.can_hand_over.then_some(Effect::HandOver);
            return handing_over.into_iter().chain(self.stop()).collect();
        }
        self.question = Some(Question::Quit);
        Vec::new()
    }

    /// Quits, and another process goes on with the work.
    fn leave_running(&mut self) -> Vec<Effect> {
        if !self.offers(Action::LeaveRunning) {
            return Vec::new();
        }
        self.hands_over = true;
        let mut effects = vec![Effect::HandOver];
        effects.extend(self.stop());
        effects
    }

    /// Quits when everything is done: what is held back is let go, or that would never be.
    fn finish_all(&mut self) -> Vec<Effect> {
        self.question = None;
        self.exit_when_done = true;
        self.notice = Some("quits by itself once everything is done".to_owned());
        vec![Effect::ResumeAll]
    }

    fn confirm(&mut self) -> Vec<Effect> {
        match self.question.take() {
            Some(Question::Quit) => self.stop(),
            Some(Question::Cancel(id)) => vec![Effect::Cancel(id)],
            Some(Question::CancelAll) => vec![Effect::CancelAll],
            None => Vec::new(),
        }
    }

    fn retry(&mut self) -> Vec<Effect> {
        if let Some(past) = self.selected_past() {
            return match TaskAction::Retry(Vec::new()).check(past) {
                Ok(()) => vec![Effect::Retry(past.id.clone(), Vec::new())],
                Err(why) => self.refuse_task(why),
            };
        }
        let Some(Target { task, segment }) = self.target() else {
            return self.refuse(NOTHING_SELECTED);
        };
        let id = task.id.clone();
        if let Err(why) = TaskAction::Retry(Vec::new()).check(task) {
            return self.refuse_task(why);
        }
        if self.tasks.was_retried(task) {
            return self.refuse_task("was tried again already");
        }
        if segment != SegmentId::TASK {
            return vec![Effect::Retry(id, vec![segment])];
        }
        let failed = task
            .errors
            .segment_ids()
            .filter(|id| *id != SegmentId::TASK);
        vec![Effect::Retry(id, failed.collect())]
    }

    /// Opens the list of voices for the narration that is selected.
    fn choose_narrator(&mut self) -> Vec<Effect> {
        let past = self.selected_past().map(|past| past.id.clone());
        let task = past.or_else(|| Some(self.target()?.task.id.clone()));
        let Some(task) = task else {
            return self.refuse(NOTHING_SELECTED);
        };
        let picker = Picker::new(Choice::Narrator(task), self.voice_items());
        self.overlay = Some(Overlay::Picker(picker));
        vec![Effect::FindVoices]
    }

    /// What is chosen or typed is to be heard.
    fn hear(&mut self) -> Vec<Effect> {
        let item = match &self.overlay {
            Some(Overlay::Picker(picker)) if picker.choice.is_of_voices() => {
                picker.chosen().map(|(_, item)| item.clone())
            }
            Some(Overlay::Picker(_)) => None,
            _ => return self.correct(true),
        };
        item.map_or_else(Vec::new, |item| self.hear_voice(&item))
    }

    fn pause(&mut self) -> Vec<Effect> {
        let Some(Target { task, .. }) = self.target() else {
            return self.refuse(NOTHING_SELECTED);
        };
        let (id, pause) = (task.id.clone(), !task.paused);
        let what = if pause {
            TaskAction::Pause
        } else {
            TaskAction::Resume
        };
        if let Err(why) = what.check(task) {
            return self.refuse_task(why);
        }
        if task.state == TaskState::Processing {
            let words = if pause { PAUSING_TASK } else { "it goes on" };
            self.notice = Some(words.to_owned());
        }
        vec![Effect::Pause(id, pause)]
    }

    fn shift(&mut self, sooner: bool) -> Vec<Effect> {
        let Some(Target { task, .. }) = self.target() else {
            return self.refuse(NOTHING_SELECTED);
        };
        if let Err(why) = TaskAction::shift(sooner).check(task) {
            return self.refuse_task(why);
        }
        let task = task.id.clone();
        // The selection goes with it.
        self.follow_task = false;
        vec![Effect::Shift { task, sooner }]
    }

    fn play(&mut self) -> Vec<Effect> {
        let past = self.selected_past().map(|past| past.folder.to_path_buf());
        let file = past.or_else(|| {
            let Target { task, segment } = self.target()?;
            match task.completed_segments.get(segment) {
                Some(clip) => Some(task.folder.as_ref()?.join(&*clip.clip)),
                None if segment == SegmentId::TASK => joined_file(task),
                None => None,
            }
        });
        match file {
            Some(file) => vec![Effect::Play(file)],
            None => self.refuse("there is nothing to play here yet: select a finished clip"),
        }
    }

    /// The folder of the selected narration.
    fn open_folder(&mut self) -> Vec<Effect> {
        let past = self.selected_past().map(|past| past.folder.to_path_buf());
        let folder = past.or_else(|| Some(self.target()?.task.folder.as_ref()?.to_path_buf()));
        match folder {
            Some(folder) => vec![Effect::OpenFolder(folder)],
            None => self.refuse("this has no folder"),
        }
    }

    /// The path of the selected clip, or of the folder.
    fn copy_path(&mut self) -> Vec<Effect> {
        let past = self.selected_past().map(|past| past.folder.to_path_buf());
        let path = past.or_else(|| {
            let Target { task, segment } = self.target()?;
            let folder = task.folder.as_ref()?;
            Some(match task.completed_segments.get(segment) {
                Some(clip) => folder.join(&*clip.clip),
                None => folder.to_path_buf(),
            })
        });
        let Some(path) = path else {
            return self.refuse("this has no path");
        };
        let path = path.display().to_string();
        self.notice = Some(format!("copied: {path}"));
        vec![Effect::Copy(path)]
    }

    /// Selects a task that may not be known yet.
    pub(super) fn select_task(&mut self, id: TaskId) {
        self.follow_task = false;
        self.follow_segment = true;
        self.zoomed = false;
        (self.focus, self.lower) = (Pane::Queue, Lower::Segments);
        (self.segment, self.error, self.segments) = (SegmentId::TASK, 0, None);
        if self.tasks.row_of(&id).is_none() {
            // A filter would hide it.
            self.tasks.filter("");
        }
        self.task = Some(id);
        self.follow_work();
    }
}
