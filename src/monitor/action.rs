//! What a person can do, in one table: the key handling, the hint bar, the palette and the help
//! all read it, so that none of them can drift from the others. It never says how an action is
//! done; that is [`super::app`]'s part.

/// What has the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    /// The pages and their panes.
    Main,
    /// The help overlay.
    Help,
    /// The question how to quit.
    AskQuit,
    /// A question to be answered with yes or no.
    Ask,
    /// Choosing from a list: the palette, the themes.
    Pick,
    /// Choosing a voice, which can be heard.
    PickVoice,
    /// Typing what to filter for.
    Filter,
    /// The form for a new narration.
    Form,
    /// The form for a word that is said otherwise.
    Word,
    /// The engine is finishing.
    Stopping,
}

impl Mode {
    pub(crate) const ALL: [Self; 10] = [
        Self::Main,
        Self::Help,
        Self::AskQuit,
        Self::Ask,
        Self::Pick,
        Self::PickVoice,
        Self::Filter,
        Self::Form,
        Self::Word,
        Self::Stopping,
    ];

    /// Whether a letter is text here, unless a key of the table takes it.
    pub(crate) fn is_typing(self) -> bool {
        matches!(
            self,
            Self::Pick | Self::PickVoice | Self::Filter | Self::Form | Self::Word
        )
    }
}

/// The part of the help an action stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Move,
    Look,
    Work,
    Clips,
    Program,
    Answer,
}

impl Group {
    pub(crate) const ALL: [Self; 6] = [
        Self::Move,
        Self::Look,
        Self::Work,
        Self::Clips,
        Self::Program,
        Self::Answer,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Look => "Look",
            Self::Work => "Work",
            Self::Clips => "Clips and voices",
            Self::Program => "Program",
            Self::Answer => "Answer and type",
        }
    }
}

/// Where some keys hold.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) modes: &'static [Mode],
    pub(crate) keys: &'static [&'static str],
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Info {
    pub(crate) action: Action,
    /// What the configuration and the palette call it.
    pub(crate) name: &'static str,
    pub(crate) group: Group,
    /// One line for the help.
    pub(crate) help: &'static str,
    /// Other words that a person may look for it by.
    pub(crate) also: &'static str,
    /// One word for the hint bar, empty if it is not worth a place there.
    pub(crate) hint: &'static str,
    /// Which hints stay when there is no room for all; 0 stays longest.
    pub(crate) rank: u8,
    pub(crate) bindings: &'static [Binding],
}

const MAIN: &[Mode] = &[Mode::Main];
const READ: &[Mode] = &[Mode::Main, Mode::Help];
const LISTS: &[Mode] = &[Mode::Main, Mode::Help, Mode::Pick, Mode::PickVoice];
const ASK: &[Mode] = &[Mode::AskQuit, Mode::Ask];
const FORMS: &[Mode] = &[Mode::Form, Mode::Word];
const TYPE: &[Mode] = &[
    Mode::Pick,
    Mode::PickVoice,
    Mode::Filter,
    Mode::Form,
    Mode::Word,
];
const QUITTABLE: &[Mode] = &[
    Mode::Main,
    Mode::Help,
    Mode::Ask,
    Mode::Pick,
    Mode::PickVoice,
    Mode::Filter,
    Mode::Form,
    Mode::Word,
];

const fn on(modes: &'static [Mode], keys: &'static [&'static str]) -> Binding {
    Binding { modes, keys }
}

macro_rules! actions {
    ($(
        $action:ident $name:literal $group:ident $help:literal
        $(also $also:literal)? $(hint $hint:literal $rank:literal)? : $($modes:expr => [$($key:literal),+]),+;
    )*) => {
        /// Something a person can ask for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Action { $($action,)* }

        /// Everything a person can do, in the order of the help and of the hint bar.
        pub(crate) const TABLE: &[Info] = &[$(
            Info {
                action: Action::$action,
                name: $name,
                group: Group::$group,
                help: $help,
                also: concat!($($also)?),
                hint: concat!($($hint)?),
                rank: 9 $(- 9 + $rank)?,
                bindings: &[$(on($modes, &[$($key),+])),+],
            },
        )*];
    };
}

actions! {
    Help "help" Program "every key, and what it does" also "keys shortcuts manual" hint "help" 1: MAIN => ["?"];
    Up "up" Move "up one row": LISTS => ["up"], READ => ["k"], FORMS => ["up"];
    Down "down" Move "down one row": LISTS => ["down"], READ => ["j"], FORMS => ["down"];
    PageUp "page-up" Move "up one page, also of an opened text": LISTS => ["pgup"], READ => ["C-b"];
    PageDown "page-down" Move "down one page, also of an opened text": LISTS => ["pgdn"], READ => ["C-f"];
    First "first" Move "to the first row": READ => ["home", "g"];
    Last "last" Move "to the segment in work, again: to the last row": READ => ["end", "G"];
    SwitchPane "switch-pane" Move "between queue and segments" hint "pane" 7: MAIN => ["tab", "backtab"];
    Queue "queue" Move "the queue and its segments": MAIN => ["1"];
    Clips "clips" Move "finished clips of all tasks" also "audio wav sound": MAIN => ["2"];
    AllErrors "all-errors" Move "errors of all tasks" also "failed problems": MAIN => ["3"];
    History "history" Move "narrations that have ended" also "past ended": MAIN => ["4"];
    Log "log" Move "what the program logs" also "messages": MAIN => ["5"];
    Health "health" Move "worker, memory, disk, speed over time" also "memory cpu statistics performance": MAIN => ["6"];
    NextPage "next-page" Move "the next page": MAIN => ["right", "]"];
    PreviousPage "previous-page" Move "the page before": MAIN => ["left", "["];
    Open "open" Look "a task's segments, a segment's text, a row's place" also "detail text phonemes wave" hint "open" 8: MAIN => ["enter"];
    Back "back" Look "back, close, no filter" hint "back" 2: MAIN => ["esc"], &[Mode::Help] => ["esc", "q", "?", "enter"];
    Follow "follow" Look "follow the work again" also "scroll live tail" hint "follow" 5: MAIN => ["f"];
    Errors "errors" Look "errors of the task, or its segments" also "failed problems" hint "errors" 3: MAIN => ["e"];
    Add "add" Work "add a text: a path or what is pasted" also "new narrate file paste read" hint "add" 3: MAIN => ["a"];
    Cancel "cancel" Work "cancel the selected task; its clips stay" also "stop abort delete remove" hint "cancel" 2: MAIN => ["c"];
    CancelAll "cancel-all" Work "cancel every task" also "stop abort delete remove clear all": MAIN => ["X"];
    Retry "retry" Work "try again: this segment, or what failed of a task" also "again redo failed" hint "retry" 3: MAIN => ["r"];
    OtherVoice "other-voice" Work "another voice speaks all of it, in the same folder" also "render draft narrate again": MAIN => ["V"];
    RetryAll "retry-all" Work "try everything again that failed or was cancelled" also "again redo": MAIN => ["R"];
    Pause "pause" Work "hold the selected task back, or let it go on" also "hold resume continue" hint "pause" 5: MAIN => ["p"];
    PauseQueue "pause-queue" Work "pause everything after the segment in work, or go on" also "hold resume continue stop all": MAIN => ["P"];
    MoveUp "move-up" Work "run the selected task sooner" also "priority earlier": MAIN => ["K"];
    MoveDown "move-down" Work "run the selected task later" also "priority later": MAIN => ["J"];
    Filter "filter" Look "show only rows with these words" also "search find" hint "filter" 6: MAIN => ["/"];
    Palette "palette" Program "every action by its name" hint "all" 4: MAIN => [":", "C-p"];
    Play "play" Clips "play this clip or narration; again: stop" also "listen sound audio" hint "play" 6: MAIN => ["space"];
    PreviewVoice "preview-voice" Clips "hear a voice" also "sample listen speaker": MAIN => ["v"];
    Pronounce "pronounce" Clips "say a word of the segment otherwise, here or everywhere" also "lexicon phonemes dictionary pronunciation correct" hint "word" 6: MAIN => ["w"];
    OpenFolder "open-folder" Clips "open the folder with the clips" also "directory files": MAIN => ["o"];
    CopyPath "copy-path" Clips "copy the path of the clip or the folder" also "clipboard yank": MAIN => ["y"];
    Theme "theme" Look "choose a theme" also "colour color light dark" hint "theme" 8: MAIN => ["t"];
    Quit "quit" Program "quit; asks while work is running" also "exit leave close" hint "quit" 0: MAIN => ["q"], QUITTABLE => ["C-c"];
    Suspend "suspend" Program "suspend; `fg` comes back" also "background shell": &Mode::ALL => ["C-z"];
    Redraw "redraw" Program "draw the screen afresh" also "refresh clear repaint": &Mode::ALL => ["C-l"];
    Confirm "yes" Answer "yes; for quitting: finish the segment in work" hint "yes" 0: ASK => ["enter", "y"], &[Mode::AskQuit] => ["q", "C-c"], &[Mode::Ask] => ["c"];
    LeaveRunning "leave-running" Answer "quit; the work goes on in the background" hint "leave running" 1: &[Mode::AskQuit] => ["l"];
    FinishAll "finish-all" Answer "quit when everything is done" hint "finish all" 1: &[Mode::AskQuit] => ["a"];
    Interrupt "interrupt" Answer "quit now; the segment in work is made again" hint "now" 1: &[Mode::AskQuit] => ["i"];
    Decline "stay" Answer "no, stay" hint "stay" 0: ASK => ["esc", "n"];
    Accept "accept" Answer "take what is typed or chosen" hint "take" 0: TYPE => ["enter"];
    Leave "leave" Answer "close without it" hint "close" 0: TYPE => ["esc"];
    Complete "complete" Answer "complete the path; elsewhere: the next field" hint "complete" 1: FORMS => ["tab"];
    PreviousValue "previous-value" Answer "the value before, or the cursor to the left": FORMS => ["left"];
    NextValue "next-value" Answer "the next value, or the cursor to the right": FORMS => ["right"];
    Hear "hear" Answer "hear the segment with the word said so; hear the voice" hint "hear" 1: &[Mode::Word, Mode::PickVoice] => ["C-o"];
    Hurry "hurry" Answer "while finishing: stop now" hint "stop now" 0: &[Mode::Stopping] => ["q", "C-c"];
}

impl Action {
    /// Its line in the table.
    ///
    /// # Panics
    /// Never: the table is made of the same list as the actions.
    pub(crate) fn info(self) -> &'static Info {
        &TABLE[self as usize]
    }
}

impl Info {
    /// Whether the palette offers it: whatever the pages understand.
    pub(crate) fn is_command(&self) -> bool {
        let mut bindings = self.bindings.iter();
        bindings.any(|binding| binding.modes.contains(&Mode::Main))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_has_its_line_and_a_name_of_its_own() {
        for (place, info) in TABLE.iter().enumerate() {
            assert_eq!(info.action as usize, place);
            assert!(!info.bindings.is_empty(), "{:?} has no key", info.action);
            let same = TABLE.iter().filter(|other| other.name == info.name);
            assert_eq!(same.count(), 1, "{}", info.name);
        }
    }
}
