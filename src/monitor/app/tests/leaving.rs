//! What is asked before something ends, and how the monitor itself comes to its end.

use super::*;

#[test]
fn cancelling_asks_only_where_something_runs() {
    let mut screen = Screen::of(fixtures::working());
    assert_eq!(screen.press("c"), []);
    assert_eq!(screen.app.mode(), Mode::Ask);
    assert_eq!(screen.press("esc"), []);
    assert_eq!(screen.press("c y"), [Effect::Cancel(KEEPER.into())]);
    let train = TaskId::from("the-night-train");
    assert_eq!(screen.press("down c"), [Effect::Cancel(train)]);
    assert_eq!(screen.press("home c"), []);
    assert!(screen.app.notice.as_deref().unwrap().contains("already"));
    assert_eq!(screen.app.mode(), Mode::Main);
}

#[test]
fn a_question_goes_away_when_its_task_ends() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("c");
    screen.tell(Message::Reset(fixtures::finished()));
    assert_eq!(screen.app.mode(), Mode::Main);
    assert_eq!(screen.press("enter"), []);
}

/// Of two that change at once, the first may be all that is known to be unfinished.
#[test]
fn a_question_is_not_answered_by_half_of_what_has_changed() {
    let mut one = fixtures::narration("one", "One", 3);
    let mut screen = Screen::of(vec![one.clone()]);
    screen.press("q");
    assert_eq!(screen.app.mode(), Mode::AskQuit);
    (one.state, one.completed_at) = (TaskState::Cancelled, Some(NOW));
    let two = fixtures::narration("two", "Two", 3);
    screen.tell(Message::Tasks(vec![one, two.clone()]));
    assert_eq!(screen.app.mode(), Mode::AskQuit, "something is left");
    let ended = TaskStatus {
        state: TaskState::Cancelled,
        completed_at: Some(NOW),
        ..two
    };
    screen.tell(Message::Tasks(vec![ended]));
    assert_eq!(screen.app.mode(), Mode::Main);
}

#[test]
fn quitting_asks_while_work_runs_and_can_be_hurried() {
    let mut screen = Screen::of(fixtures::working());
    assert_eq!(screen.press("q"), []);
    assert_eq!(screen.press("n"), []);
    assert_eq!(screen.app.mode(), Mode::Main);
    assert_eq!(screen.press("C-c enter"), [Effect::Stop]);
    assert_eq!(screen.app.mode(), Mode::Stopping);
    assert_eq!(screen.press("x"), []);
    assert_eq!(screen.press("q"), [Effect::Hurry]);
    assert_eq!(screen.press("q"), []);
    screen.tell(Message::Stopped);
    assert_eq!(screen.effects, [Effect::Quit]);
}

#[test]
fn the_work_is_left_running_where_that_is_possible() {
    let mut screen = Screen::of(fixtures::working());
    assert_eq!(screen.press("q l"), []);
    assert_eq!(screen.app.mode(), Mode::AskQuit);
    screen.app.can_hand_over = true;
    assert_eq!(screen.press("l"), [Effect::HandOver, Effect::Stop]);
    assert_eq!(screen.app.mode(), Mode::Stopping);
    // A pause of the queue would not stay.
    let mut screen = Screen::of(fixtures::working());
    screen.app.can_hand_over = true;
    screen.tell(Message::QueuePaused(true));
    assert!(!screen.app.offers(Action::LeaveRunning));
}

#[test]
fn quitting_asks_nothing_when_nothing_runs() {
    let mut screen = Screen::of(fixtures::finished());
    assert_eq!(screen.press("q"), [Effect::Stop]);
}

#[test]
fn signals_stop_without_a_question_and_twice_means_now() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("?");
    screen.tell(Message::Terminate);
    assert_eq!(screen.effects, [Effect::Stop]);
    screen.tell(Message::Terminate);
    assert_eq!(screen.effects, [Effect::Hurry]);
}

#[test]
fn one_signal_is_one_signal_wherever_it_was_heard_first() {
    let mut screen = Screen::of(fixtures::working());
    screen.tell(Message::EngineStopping);
    screen.tell(Message::Terminate);
    assert_eq!(screen.effects, [Effect::Stop]);
    screen.tell(Message::Terminate);
    assert_eq!(screen.effects, [Effect::Hurry]);
}

#[test]
fn it_leaves_by_itself_only_when_told_to() {
    let mut app = fixtures::app("mono", ColorDepth::None);
    app.exit_when_done = true;
    assert_eq!(app.update(Message::Reset(Vec::new()), NOW), []);
    let effects = app.update(Message::Reset(fixtures::working()), NOW);
    assert!(!effects.contains(&Effect::Stop));
    let effects = app.update(Message::Reset(fixtures::finished()), NOW);
    assert!(effects.contains(&Effect::Stop));
}

#[test]
fn unattended_it_does_not_wait_for_what_is_held_back() {
    let mut app = fixtures::app("mono", ColorDepth::None);
    app.is_unattended = true;
    let effects = app.update(Message::Reset(fixtures::working()), NOW);
    assert!(!effects.contains(&Effect::Stop));
    let mut held = fixtures::narration("held", "Held", 3);
    held.paused = true;
    let tasks = vec![held.clone(), fixtures::narration("free", "Free", 3)];
    assert!(
        !app.update(Message::Reset(tasks), NOW)
            .contains(&Effect::Stop)
    );
    let tasks = [fixtures::finished(), vec![held]].concat();
    assert!(
        app.update(Message::Reset(tasks), NOW)
            .contains(&Effect::Stop)
    );
}

#[test]
fn quitting_when_all_is_done_lets_go_of_what_is_held_back() {
    let mut tasks = fixtures::working();
    tasks.retain(|task| task.state == TaskState::Pending);
    tasks[0].paused = true;
    let mut screen = Screen::of(tasks);
    screen.tell(Message::QueuePaused(true));
    assert_eq!(screen.press("q a"), [Effect::ResumeAll]);
    assert!(screen.app.exit_when_done);
}
