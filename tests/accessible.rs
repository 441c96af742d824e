//! `aloud --accessible` as its user meets it: lines typed into a pipe or a terminal, sentences that
//! come back, and never an escape sequence.

mod kit;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use kit::{Home, PATIENCE, STORY, clips, samples, stored_states, wait_for_end};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// A text that takes a slow voice long enough to talk with it meanwhile.
fn long_story() -> String {
    let day = |day| format!("On day {day} she walked along the shore until the wind had dropped.");
    let days: Vec<String> = (1..=40).map(day).collect();
    format!("The Long Way\n\n{}\n", days.join("\n\n"))
}

/// The program, spoken with through pipes. Killed if a test leaves it.
struct Conversation {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
    /// Everything it has said.
    said: Vec<String>,
}

impl Conversation {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        // It ends with the program's output.
        std::thread::spawn(move || {
            loop {
                let mut line = Vec::new();
                if out.read_until(b'\n', &mut line).unwrap() == 0 || sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            lines,
            said: Vec::new(),
        }
    }

    fn with(home: &Home, args: &[&str]) -> Self {
        Self::start(home.command(&[&["--accessible", "--offline"], args].concat()))
    }

    fn type_line(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
    }

    /// The next line, which every time is whole and without anything but text.
    fn next_line(&mut self) -> Option<String> {
        use std::sync::mpsc::RecvTimeoutError::{Disconnected, Timeout};
        match self.lines.recv_timeout(PATIENCE) {
            Ok(mut line) => {
                assert_eq!(line.pop(), Some(b'\n'), "half a line: {line:?}");
                let line = String::from_utf8(line).unwrap();
                assert!(!line.contains(char::is_control), "{line:?}");
                self.said.push(line.clone());
                Some(line)
            }
            Err(Disconnected) => None,
            Err(Timeout) => panic!("it says nothing any more after {:#?}", self.said),
        }
    }

    /// Waits for a line with these words, and returns it.
    #[track_caller]
    fn until(&mut self, words: &str) -> String {
        loop {
            match self.next_line() {
                Some(line) if line.contains(words) => return line,
                Some(_) => {}
                None => panic!("`{words}` was never said: {:#?}", self.said),
            }
        }
    }

    /// Types a line and waits for an answer with these words.
    #[track_caller]
    fn ask(&mut self, line: &str, words: &str) -> String {
        self.type_line(line);
        self.until(words)
    }

    /// Ends what is typed.
    fn hang_up(&mut self) {
        self.input = None;
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end: the exit code, and everything that was said.
    fn end(mut self) -> (Option<i32>, Vec<String>) {
        while self.next_line().is_some() {}
        let code = wait_for_end(&mut self.child);
        (code, std::mem::take(&mut self.said))
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // Both fail if it has ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_help_names_every_command_and_a_wrong_one_gets_the_nearest() {
    let home = Home::ready();
    let mut talk = Conversation::with(&home, &[]);
    talk.ask("?", "q, or quit: leave; asks while work is left.");
    for word in [
        "help",
        "list",
        "status",
        "text",
        "errors",
        "add",
        "say",
        "correct",
        "use",
        "speed",
        "speaker",
        "priority",
        "cancel",
        "cancel all",
        "retry",
        "pause",
        "pause all",
        "sooner",
        "later",
        "play",
        "voice",
        "open",
        "path",
        "history",
        "health",
        "log",
        "verbosity",
        "quit",
    ] {
        let has_line = |line: &String| {
            let name = line.split([':', ',']).take(2).map(str::trim);
            name.map(|name| name.trim_start_matches("or "))
                .any(|name| name == word)
        };
        assert!(talk.said.iter().any(has_line), "{word}: {:#?}", talk.said);
    }
    talk.ask("lst", "There is no command lst; the nearest is l, or list.");
    talk.type_line("quit");
    assert_eq!(talk.end().0, Some(0));
}

#[test]
fn a_text_is_added_narrated_and_asked_about() {
    let home = Home::ready();
    let story = home.write("story.txt", STORY);
    let mut talk = Conversation::with(&home, &[]);
    assert_eq!(
        talk.until("queue"),
        "The queue is empty. Type help and Enter for help."
    );
    talk.ask(
        "l",
        "There are no tasks; add and the path of a text adds one.",
    );

    talk.type_line("v every");
    talk.type_line(&format!("a {story}"));
    // The engine may begin before the answer is there.
    let end = talk.until("Task 1 is completed: ");
    assert!(
        end.starts_with("Task 1 is completed: The Small Hours, 8 of 8 segments, ")
            && end.ends_with(" seconds of audio."),
        "{end}"
    );
    for line in [
        "Added as task 1: The Small Hours, 8 segments.",
        "Task 1 begins: The Small Hours, 8 segments.",
    ] {
        assert!(
            talk.said.iter().any(|said| said == line),
            "{:#?}",
            talk.said
        );
    }
    let segments = talk
        .said
        .iter()
        .filter(|line| line.contains(" of 8 is done, "));
    assert_eq!(segments.count(), 8);
    let file = talk.until("The file of The Small Hours is ");
    let file = file
        .strip_prefix("The file of The Small Hours is ")
        .unwrap();
    assert!(samples(Path::new(file)) > 0);
    talk.until("Everything is done: the queue is empty.");

    talk.ask(
        "list",
        "Task 1, The Small Hours: completed, 8 of 8 segments.",
    );
    talk.ask("l no such title", "No task has these words in its title.");
    talk.ask("", "Task 1, The Small Hours: completed, 8 of 8 segments, ");
    talk.ask("s 1", "The file of The Small Hours is /");
    talk.ask("t 1 2", ": At three in the morning the house was quiet.");
    talk.ask("e", "There are no errors.");
    talk.until("Phonemes of task 1, segment 2: ");
    talk.ask("y 1 3", "The clip of task 1, segment 3, is /");
    talk.ask("t 1 99", "Task 1 has no segment 99; it has 8.");
    talk.ask("s 7", "There is no task 7; list says the numbers.");
    talk.ask("c 1", "Task 1 has already ended.");
    talk.ask(
        "r 1 2",
        "Task 1 is completed; only what failed or was cancelled can be tried again.",
    );
    talk.ask(
        "d",
        "The engine is well: 0 of 1 worker at work, 0 tasks waiting.",
    );
    talk.ask("h", "The Small Hours: completed on ");
    talk.ask(
        "voice",
        "Voice en_US-joe-medium, language en_US, quality medium, installed.",
    );

    talk.type_line("q");
    let (code, said) = talk.end();
    assert_eq!(code, Some(0));
    assert_eq!(said.last().unwrap(), "Goodbye.");
    assert_eq!(stored_states(&home), ["COMPLETED"]);
}

#[test]
fn a_word_is_said_otherwise_as_asked() {
    let home = Home::ready();
    let mut talk = Conversation::with(&home, &["--voice", &home.tone()]);
    talk.ask(
        "say Leith was asleep. Nobody knew. In Leith it rained.",
        "Added as task 1",
    );
    talk.until("Task 1 is completed: ");
    talk.ask(
        "correct Leith",
        "correct needs a word, an equals sign, and what is said for it",
    );
    talk.ask("correct !? = x", "a word must have letters or digits");
    talk.ask(
        "correct Leith = Loyth",
        "Leith is said as Loyth from now on; 1 segment is made again.",
    );
    talk.until("Task 2 is completed: ");
    talk.ask("t 2 1", "Loyth was asleep.");
    talk.ask("correct Kerr = car", "no segment is made again.");
    talk.ask("q", "");
}

#[test]
fn another_way_of_speaking_holds_for_what_is_added_from_then_on() {
    let home = Home::ready();
    let mut talk = Conversation::with(&home, &[]);
    talk.ask(
        "speed",
        "Texts are narrated with the voice en_US-joe-medium, speed 1, priority normal.",
    );
    talk.ask("use no-such", "Nothing was changed: ");
    talk.ask(
        "speed 9",
        "Nothing was changed: the speed 9 is not possible",
    );
    talk.ask(
        "speaker 4",
        "Nothing was changed: the voice en_US-joe-medium has no speaker 4",
    );
    talk.ask(
        "priority top",
        "Nothing was changed: priority takes one of low, normal, high.",
    );
    talk.ask("priority high", "priority high.");
    talk.ask(
        "speed 2",
        "From now on: the voice en_US-joe-medium, speed 2, priority high.",
    );
    talk.ask("say It was quiet.", "Added as task 1: ");
    talk.until("Task 1 is completed: ");
    let spoken: f64 = (talk.said.iter())
        .find_map(|line| {
            line.strip_prefix("Task 1 is completed: ")?
                .split(", ")
                .nth(2)?
                .split(' ')
                .next()?
                .parse()
                .ok()
        })
        .unwrap();
    assert!(spoken > 0.2 && spoken < 1.5, "{spoken}");
    talk.type_line("q");
    assert_eq!(talk.end().0, Some(0));
}

#[test]
fn quitting_while_work_runs_asks_and_the_work_continues_later() {
    let home = Home::ready();
    let story = home.write("story.txt", long_story());
    home.write("config/config.toml", "speed = 0.5\n");
    let mut talk = Conversation::with(&home, &[]);
    talk.type_line(&format!("add {story}"));
    talk.ask(
        "v every",
        "Every: beginnings, each segment, ends and errors are said.",
    );
    talk.until("segment 2 of 41 is done");
    let question = talk.ask("c 1", "Cancel task 1, The Long Way? ");
    assert!(question.ends_with(" clips stay. Type y for yes, or n for no, then Enter."));
    talk.ask(
        "perhaps",
        "That is no answer. Type y for yes, or n for no, then Enter.",
    );
    talk.ask("n", "Nothing is cancelled.");
    let question = talk.ask("q", "Quit? ");
    assert_eq!(
        question,
        "Quit? 1 narration in work and 0 waiting. Type f to finish the segment in work first, a to \
         finish everything first, i to interrupt now, or s to stay, then Enter."
    );
    talk.ask("s", "Staying.");
    talk.ask("P", "Pausing: the segment in work is finished first.");
    let paused = talk.until("Task 1, The Long Way, is paused: ");
    assert!(paused.ends_with(" of 41 segments are made."), "{paused}");
    talk.ask("P", "The queue goes on.");
    talk.until("Task 1 goes on: ");
    talk.ask("quit", "Quit? ");
    talk.type_line("f");
    let (code, said) = talk.end();
    assert_eq!(code, Some(0));
    let made = clips(&home.path("narrations/story")).len();
    let [.., continues, goodbye] = &*said else {
        panic!("{said:#?}")
    };
    let expected = format!(
        "Task 1 continues at the next start: The Long Way, {made} of 41 segments are done."
    );
    assert_eq!((&**continues, &**goodbye), (&*expected, "Goodbye."));
    assert_eq!(stored_states(&home), ["PENDING"]);

    // It goes on by itself; cancelled, its clips stay.
    let mut talk = Conversation::with(&home, &[]);
    talk.until("1 narration in the queue. Type help and Enter for help.");
    let begins = talk.until("Task 1 goes on: ");
    assert!(begins.contains(&format!("The Long Way, {made} of 41 segments are done.")));
    talk.ask("c1", "Cancel task 1, The Long Way? ");
    talk.ask("y", "Task 1 is cancelled: The Long Way, ");
    talk.until("The clips of The Long Way are in /");
    talk.until("Everything is done: the queue is empty.");
    talk.type_line("q");
    assert_eq!(talk.end().0, Some(0));
    assert!(clips(&home.path("narrations/story")).len() >= made);
}

#[test]
fn what_waits_is_held_moved_and_cancelled() {
    let home = Home::ready();
    let first = home.write("first.txt", "First.\n\nThis is the first.");
    let second = home.write("second.txt", "Second.\n\nThis is the second.");
    let mut talk = Conversation::with(&home, &[]);
    talk.ask("P", "Paused: nothing begins.");
    talk.ask(&format!("a {first}"), "Added as task 1: First.");
    talk.ask(&format!("a {second}"), "Added as task 2: Second.");
    talk.ask("K 1", "Task 1 can't run sooner.");
    talk.ask("K 2", "Task 2 runs one place sooner now.");
    let listed = talk.ask("l", "Task ");
    assert_eq!(listed, "Task 2, Second.: waiting, 0 of 2 segments.");
    talk.until("The queue is paused; pause all lets it go on.");
    talk.ask("p 2", "Task 2 is held back.");
    // Nothing is lost: nothing is asked.
    talk.ask("c 1", "Task 1 is cancelled: First., 0 of 2 segments.");
    talk.ask("p 2", "Task 2 goes on.");
    talk.ask("X", "Cancel everything, 1 task? What is made stays.");
    talk.ask("no", "Nothing is cancelled.");
    talk.ask("P", "The queue goes on.");
    talk.until("Task 2 is completed: Second., 2 of 2 segments, ");
    talk.ask("r 1", "Task 1 is tried again as task 3: First..");
    // The end of the input finishes everything.
    talk.hang_up();
    let (code, said) = talk.end();
    assert_eq!(code, Some(0));
    assert!(
        said.iter()
            .any(|line| line.starts_with("Task 3 is completed: ")),
        "{said:#?}"
    );
    assert_eq!(
        stored_states(&home),
        ["CANCELLED", "COMPLETED", "COMPLETED"]
    );
}

#[test]
fn the_demo_told_in_lines_finishes_when_the_input_ends() {
    let home = Home::ready();
    let mut command = home.command(&["demo", "--offline"]);
    command.env("ACCESSIBLE", "1");
    let mut talk = Conversation::start(command);
    assert_eq!(
        talk.next_line().unwrap(),
        "3 narrations in the queue. Type help and Enter for help."
    );
    talk.hang_up();
    let (code, said) = talk.end();
    assert_eq!(code, Some(0));
    let ends = said.iter().filter(|line| line.contains(" is completed: "));
    assert_eq!(ends.count(), 3, "{said:#?}");
    let quarters = said.iter().filter(|line| line.contains(" percent: "));
    // One that comes while nobody looks is not said later.
    assert!((3..=9).contains(&quarters.count()), "{said:#?}");
    for title in ["The Lighthouse Keeper", "The Night Train", "Listening Well"] {
        let begin = format!("The file of {title} is ");
        let file = said.iter().find_map(|line| line.strip_prefix(&begin));
        assert!(samples(Path::new(file.unwrap())) > 0);
    }
}

#[test]
fn an_error_is_said_with_its_segment_and_what_to_do() {
    let home = Home::ready();
    // A voice that lacks a sound.
    let data = home.path("data/voices/en_US-joe-medium");
    std::os::unix::fs::symlink(data.join("en_US-joe-medium.onnx"), home.path("deaf.onnx")).unwrap();
    let config = std::fs::read_to_string(data.join("en_US-joe-medium.onnx.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&config).unwrap();
    let sounds = config["phoneme_id_map"].as_object_mut().unwrap();
    sounds.remove("\u{283}").unwrap();
    home.write("deaf.onnx.json", config.to_string());
    let text = "The ship went down in the night.\n\nNobody was on board.";
    let text = home.write("ship.txt", text);
    let voice = home.path("deaf.onnx");
    let mut talk = Conversation::with(&home, &["--voice", voice.to_str().unwrap()]);
    talk.type_line("verbosity quiet");
    talk.type_line(&format!("a {text}"));
    let error = talk.until("Error in task 1, ship, segment 1: ");
    assert!(error.contains("leaves out the phonemes \u{283}"), "{error}");
    let ended = talk.until("Task 1 has failed: ship, 2 of 2 segments, 1 error, ");
    assert!(ended.ends_with(" seconds of audio."), "{ended}");
    let why = talk.until("Task 1 has failed because: ");
    assert!(!why.contains(['\u{ab}', '\u{bb}', '`']), "{why}");
    talk.until("The file of ship is /");
    assert_eq!(talk.ask("e 1", "segment 1: "), error);
    talk.ask("t 1 1", ": The ship went down in the night.");
    assert_eq!(talk.until("Error in task 1"), error);
    talk.until("but the voice leaves out the phonemes \u{283}: ");
    talk.ask("r 1", "Task 1 is tried again as task 2: ship.");
    talk.until("Task 2 has failed: ship, ");
    talk.hang_up();
    let (code, said) = talk.end();
    assert_eq!(code, Some(0), "leaving is no failure");
    assert!(
        !said.iter().any(|line| line.contains("percent")),
        "{said:#?}"
    );
}

#[test]
fn a_signal_is_said_and_decides_the_exit_code() {
    let home = Home::ready();
    let story = home.write("story.txt", long_story());
    home.write("config/config.toml", "on_hangup = \"stop\"\n");
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let mut talk = Conversation::with(&home, &[]);
        talk.type_line("v every");
        talk.type_line(&format!("a {story}"));
        talk.until(" of 41 is done, ");
        talk.signal(signal);
        let (ended, said) = talk.end();
        assert_eq!(ended, Some(code), "{said:#?}");
        assert!(
            said.iter()
                .any(|line| line.starts_with("Task 1 continues at the next start: ")),
            "{said:#?}"
        );
    }
    assert_eq!(stored_states(&home), ["PENDING"]);
}

#[test]
fn a_lost_terminal_has_the_work_go_on_in_the_background() {
    let home = Home::ready();
    let story = home.write("story.txt", long_story());
    let mut talk = Conversation::with(&home, &[]);
    talk.type_line("v every");
    talk.type_line(&format!("a {story}"));
    talk.until(" of 41 is done, ");
    talk.signal(Signal::HUP);
    let (ended, said) = talk.end();
    assert_eq!(ended, Some(129), "{said:#?}");
    let last = said
        .iter()
        .any(|line| line.starts_with("Task 1 continues in the background: "));
    assert!(last, "{said:#?}");
    let waited = home.run(&["wait"]);
    assert!(
        waited.out.contains("completed  100 %  41 of 41"),
        "{}",
        waited.out
    );
    assert_eq!(home.run(&["stop"]).code, Some(0));
}

#[test]
fn whoever_stops_listening_stops_nothing() {
    let home = Home::ready();
    let story = home.write("story.txt", STORY);
    let mut command = home.command(&["--accessible", "--offline"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    writeln!(child.stdin.take().unwrap(), "a {story}").unwrap();
    assert_eq!(wait_for_end(&mut child), Some(0));
    assert_eq!(stored_states(&home), ["COMPLETED"]);
}

/// A listener who holds the output back and never lets it go.
#[test]
fn a_signal_ends_it_though_nobody_reads_what_it_says() {
    let home = Home::ready();
    let story = home.write("story.txt", STORY);
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = home.command(&["--accessible", "--offline"]);
    command.stdin(Stdio::piped()).stdout(writer);
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "a {story}").unwrap();
    // More than a pipe holds.
    for _ in 0..100 {
        writeln!(input, "help").unwrap();
    }
    kit::wait_for("the narration", || {
        (clips(&home.path("narrations/story")).len() == 8).then_some(())
    });
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(wait_for_end(&mut child), Some(143));
    drop(reader);
}

#[test]
fn in_a_terminal_that_can_do_no_more_only_lines_are_written() {
    let home = Home::ready();
    let story = home.write("story.txt", STORY);
    let pair = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_aloud"));
    command.arg("--offline");
    command.env("ALOUD_HOME", home.folder.path());
    command.env("TERM", "dumb");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let mut input = pair.master.take_writer().unwrap();
    let (sender, output) = channel();
    // It ends with the terminal.
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    let mut raw = Vec::new();
    let mut until = |words: &str| {
        loop {
            let text = String::from_utf8_lossy(&raw).into_owned();
            if text.contains(words) {
                return text;
            }
            let bytes = output.recv_timeout(PATIENCE);
            raw.extend(bytes.unwrap_or_else(|_| panic!("no {words}: {text}")));
        }
    };
    until("Type help and Enter for help.");
    input.write_all(format!("a {story}\n").as_bytes()).unwrap();
    until("Everything is done: the queue is empty.");
    input.write_all(b"P\n").unwrap();
    until("Paused: nothing begins.");
    let other = home.write("other.txt", "Another text.");
    input.write_all(format!("a {other}\n").as_bytes()).unwrap();
    until("Added as task 2: ");
    // Ctrl-D is no end on a terminal.
    input.write_all(b"\x04").unwrap();
    until("Quit? 0 narrations in work and 1 waiting.");
    // What is held back is not waited for.
    input.write_all(b"a\n").unwrap();
    let text = until("Goodbye.");
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(child.wait().unwrap().success());
    assert_eq!(stored_states(&home), ["COMPLETED", "PENDING"]);
}
