//! What a person can type, in one table: understanding a line and saying the help both read it, so
//! that neither can drift from the other. It never says how a command is carried out; that is
//! [`super::act`]'s part.

use crate::model::SegmentId;
use crate::text::printable;

/// What may stand after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    /// A task's number, or nothing.
    Task,
    /// A task's number.
    TheTask,
    /// The numbers of a task and of a segment, or one, or nothing.
    Segment,
    /// A task's number, and a segment's if wanted.
    TheSegment,
    /// Words, of which kind the text says.
    Words(&'static str),
}

impl Takes {
    /// How the help says it.
    fn said(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Task => ", then a task number if you like",
            Self::TheTask => ", then a task number",
            Self::Segment => ", then a task number and a segment number if you like",
            Self::TheSegment => ", then a task number, and a segment number if you like",
            Self::Words(said) => said,
        }
    }

    /// How many numbers it takes, at least and at most; `None` if it takes words.
    fn numbers(self) -> Option<(usize, usize)> {
        match self {
            Self::Nothing => Some((0, 0)),
            Self::Task => Some((0, 1)),
            Self::TheTask => Some((1, 1)),
            Self::Segment => Some((0, 2)),
            Self::TheSegment => Some((1, 2)),
            Self::Words(_) => None,
        }
    }
}

/// One line of the table.
#[derive(Debug)]
pub(super) struct Info {
    pub(super) verb: Verb,
    /// As in the monitor, where it has one; empty if there is only the word.
    pub(super) letter: &'static str,
    pub(super) word: &'static str,
    pub(super) takes: Takes,
    pub(super) help: &'static str,
}

macro_rules! commands {
    ($($verb:ident $letter:literal $word:literal $takes:expr, $help:literal;)*) => {
        /// Something a person can ask for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Verb { $($verb,)* }

        /// Every command, in the order of the help.
        pub(super) const TABLE: &[Info] = &[$(
            Info {
                verb: Verb::$verb,
                letter: $letter,
                word: $word,
                takes: $takes,
                help: $help,
            },
        )*];
    };
}

use Takes::{Nothing, Segment, Task, TheSegment, TheTask, Words};

commands! {
    Help "?" "help" Nothing, "hear the commands";
    List "l" "list" Words(", then words of a title if you like"),
        "hear the tasks with their numbers";
    Status "s" "status" Task, "hear how far a task is; Enter alone is enough for the one in work";
    Text "t" "text" Segment, "hear a segment as it is written and as it is said, and its phonemes";
    Errors "e" "errors" Task, "hear the errors of a task, or of all tasks";
    Add "a" "add" Words(", then the path of a text"), "narrate a text";
    Say "" "say" Words(", then the text itself in one line"), "narrate what follows";
    Correct "" "correct" Words(", then a word, an equals sign, and what is said for it"),
        "have a word said otherwise in all texts, and made again in the task spoken of last";
    Use "" "use" Words(", then the name of a voice if you like"),
        "narrate with that voice from now on, or hear with which";
    Speed "" "speed" Words(", then a number such as 1.2 if you like"),
        "narrate faster or slower from now on";
    Speaker "" "speaker" Words(", then a number, a name, or first, if you like"),
        "narrate with another speaker of the voice from now on";
    Priority "" "priority" Words(", then low, normal or high if you like"),
        "put the texts to come behind the others, or before them";
    Cancel "c" "cancel" TheTask, "cancel a task; its clips stay";
    CancelAll "X" "cancel all" Nothing, "cancel every task; their clips stay";
    Retry "r" "retry" TheSegment, "make again what failed in a task that has failed or was cancelled, or one segment of it";
    RetryAll "R" "retry all" Nothing, "try everything again that failed or was cancelled";
    Pause "p" "pause" TheTask, "hold a task back, or let it go on";
    PauseQueue "P" "pause all" Nothing, "pause everything after the segment in work, or go on";
    Sooner "K" "sooner" TheTask, "run a waiting task sooner";
    Later "J" "later" TheTask, "run a waiting task later";
    Play "" "play" Segment, "play a narration, or one segment; the same again stops it";
    Voice "" "voice" Words(", then a name if you like"),
        "hear a voice, or the names of all voices";
    Open "o" "open" Task, "open the folder of a task";
    Path "y" "path" Segment, "hear where the files of a task are, or the clip of one segment";
    History "h" "history" Nothing, "hear which narrations have ended";
    Health "d" "health" Nothing, "hear how the worker, the disk and the speed are";
    Log "" "log" Nothing, "hear the last lines of the log";
    Verbosity "v" "verbosity" Words(", then quiet, normal or every if you like"),
        "hear only beginnings, ends and errors, or each quarter too, or every segment";
    Quit "q" "quit" Nothing, "leave; asks while work is left";
}

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) verb: Verb,
    pub(super) task: Option<u32>,
    pub(super) segment: Option<SegmentId>,
    /// What stands after a command that takes words, without blanks around it.
    pub(super) words: String,
}

/// Understands a line. The error is a sentence that helps.
pub(super) fn parse(line: &str) -> Result<Command, String> {
    let line = line.trim();
    let (info, rest) = if line.is_empty() {
        (Verb::Status.info(), "")
    } else {
        named(line).ok_or_else(|| unknown(line))?
    };
    let mut command = Command {
        verb: info.verb,
        task: None,
        segment: None,
        words: String::new(),
    };
    let Some((least, most)) = info.takes.numbers() else {
        rest.clone_into(&mut command.words);
        return Ok(command);
    };
    let name = info.word;
    let words: Vec<&str> = rest.split_whitespace().collect();
    if words.len() < least {
        return Err(format!(
            "{name} needs a task number, as in {name} 1; list says the numbers."
        ));
    }
    if words.len() > most {
        return Err(match most {
            0 => format!("{name} takes nothing after it; help says what each command takes."),
            1 => format!("{name} takes one number; help says what each command takes."),
            _ => format!("{name} takes two numbers; help says what each command takes."),
        });
    }
    let mut numbers = words.into_iter().map(|word| {
        word.parse()
            .map_err(|_| format!("{} is not a number; try {name} 1.", brief(word)))
    });
    command.task = numbers.next().transpose()?;
    command.segment = numbers.next().transpose()?.map(SegmentId::new);
    Ok(command)
}

/// The command that a line begins with, and what stands after it. The longest name counts.
fn named(line: &str) -> Option<(&'static Info, &str)> {
    let mut found: Option<(&Info, &str)> = None;
    for info in TABLE {
        let rest = after_word(line, info.word).or_else(|| after_letter(line, info.letter));
        if let Some(rest) = rest
            && found.is_none_or(|(_, other)| rest.len() < other.len())
        {
            found = Some((info, rest));
        }
    }
    found.map(|(info, rest)| (info, rest.trim()))
}

fn after_word<'l>(line: &'l str, word: &str) -> Option<&'l str> {
    let (begin, rest) = line.split_at_checked(word.len())?;
    let ends = rest.is_empty() || rest.starts_with(char::is_whitespace);
    (begin.eq_ignore_ascii_case(word) && ends).then_some(rest)
}

/// A number may follow a letter at once, as in `c2`.
fn after_letter<'l>(line: &'l str, letter: &str) -> Option<&'l str> {
    let rest = line.strip_prefix(letter).filter(|_| !letter.is_empty())?;
    let ends = |c: char| c.is_whitespace() || c.is_ascii_digit();
    (rest.is_empty() || rest.starts_with(ends)).then_some(rest)
}

/// Names the nearest command.
fn unknown(line: &str) -> String {
    let typed = line.split_whitespace().next().unwrap_or_default();
    let likeness = |info: &Info| {
        if typed.eq_ignore_ascii_case(info.letter) {
            return 1.0;
        }
        let typed = typed.to_lowercase();
        // `cancel-all` is nearer to `cancel all` than to `cancel`.
        strsim::jaro_winkler(&typed, info.word)
    };
    let nearest = TABLE
        .iter()
        .max_by(|one, other| likeness(one).total_cmp(&likeness(other)))
        .map_or_else(String::new, Info::names);
    format!(
        "There is no command {}; the nearest is {nearest}. Type help for all commands.",
        brief(typed)
    )
}

/// What was typed, short enough to be said again.
fn brief(word: &str) -> String {
    printable(word).chars().take(30).collect()
}

impl Verb {
    /// Its line in the table.
    ///
    /// # Panics
    /// Never: the table is made of the same list as the verbs.
    fn info(self) -> &'static Info {
        &TABLE[self as usize]
    }
}

impl Info {
    /// Its letter and its word, as they are heard: a screen reader may leave out that a letter is
    /// a capital, or that there is a question mark.
    fn names(&self) -> String {
        match self.letter {
            "" => self.word.to_owned(),
            "?" => format!("question mark, or {}", self.word),
            letter if letter.starts_with(char::is_uppercase) => {
                format!("capital {letter}, or {}", self.word)
            }
            letter => format!("{letter}, or {}", self.word),
        }
    }

    /// Its line of the help.
    fn said(&self) -> String {
        format!("{}{}: {}.", self.names(), self.takes.said(), self.help)
    }
}

/// The help, a line for each command.
pub(super) fn help() -> impl Iterator<Item = String> {
    let first = "Type a letter or a word of this list, then Enter.".to_owned();
    std::iter::once(first).chain(TABLE.iter().map(Info::said))
}

/// A question that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    YesNo,
    Quit,
}

/// What can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    FinishSegment,
    FinishAll,
    Interrupt,
    Stay,
}

/// The answers to each question: letter, word, and what they mean.
const ANSWERS: &[(Asked, Answer, &str, &str, &str)] = &[
    (Asked::YesNo, Answer::Yes, "y", "yes", "for yes"),
    (Asked::YesNo, Answer::No, "n", "no", "for no"),
    (
        Asked::Quit,
        Answer::FinishSegment,
        "f",
        "finish",
        "to finish the segment in work first",
    ),
    (
        Asked::Quit,
        Answer::FinishAll,
        "a",
        "all",
        "to finish everything first",
    ),
    (
        Asked::Quit,
        Answer::Interrupt,
        "i",
        "interrupt",
        "to interrupt now",
    ),
    (Asked::Quit, Answer::Stay, "s", "stay", "to stay"),
];

/// What the answer to a question is, if it is one.
pub(super) fn answer(asked: Asked, line: &str) -> Option<Answer> {
    let line = line.trim();
    let mut fitting = ANSWERS.iter().filter(|row| row.0 == asked);
    let found = fitting.find(|(_, _, letter, word, _)| {
        line.eq_ignore_ascii_case(letter) || line.eq_ignore_ascii_case(word)
    });
    found.map(|row| row.1)
}

/// What can be answered, as a sentence.
pub(super) fn choices(asked: Asked) -> String {
    let fitting = ANSWERS.iter().filter(|row| row.0 == asked);
    let said: Vec<String> = fitting
        .map(|(_, _, letter, _, meaning)| format!("{letter} {meaning}"))
        .collect();
    match &*said {
        [most @ .., last] => format!("Type {}, or {last}, then Enter.", most.join(", ")),
        [] => String::new(),
    }
}

#[cfg(test)]
#[path = "commands_tests.rs"]
mod tests;
