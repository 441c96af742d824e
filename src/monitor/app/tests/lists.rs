//! The lists of all tasks' clips and errors, and what filters leave of lists.

use super::*;

#[test]
fn a_filter_narrows_the_list_that_has_the_keys() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("/ n i g h t");
    assert_eq!(screen.app.mode(), Mode::Filter);
    assert_eq!(
        (screen.app.tasks.len(), screen.selected()),
        (1, "the-night-train")
    );
    screen.press("enter");
    assert_eq!((screen.app.mode(), screen.app.tasks.len()), (Mode::Main, 1));
    screen.press("esc");
    assert_eq!(
        (screen.app.tasks.len(), screen.selected()),
        (3, "the-night-train")
    );

    screen.press("tab / g u l l s enter");
    let (_, len) = screen.app.lower_rows();
    assert_eq!(len, 412 / 8 + 1);
    let text = |screen: &Screen| {
        let plan = screen.app.selected().unwrap().plan.clone().unwrap();
        plan.get(screen.segment()).unwrap().text.clone()
    };
    assert!(text(&screen).contains("gulls"));
    screen.press("end");
    assert!(text(&screen).contains("gulls"));
    screen.press("/ esc");
    assert_eq!(screen.app.lower_rows().1, 412);

    screen.press("2 / c l o c k w o r k enter");
    assert_eq!(screen.app.clips.len(), 5 + 15);
    assert!(screen.app.clips.all() > 100);
    screen.press("enter");
    assert_eq!(
        (screen.app.page, screen.app.focus),
        (Page::Queue, Pane::Lower)
    );
    assert!(text(&screen).contains("clockwork"));
}

/// Nothing is done to a task that nobody sees.
#[test]
fn what_a_filter_hides_is_not_selected() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("/ z z z enter");
    assert_eq!(screen.app.tasks.len(), 0);
    assert!(screen.app.selected().is_none());
    for key in ["c", "p", "r", "J", "e", "y", "o"] {
        assert_eq!(screen.press(key), [], "{key}");
        assert!(screen.app.notice.is_some(), "{key}");
    }
    // The running task stays hidden when it makes progress, and a new one is shown.
    let running = screen.app.tasks.first_running().unwrap().clone();
    screen.tell(Message::Task(Box::new(running)));
    assert!(screen.app.selected().is_none());
    let added = fixtures::narration("added", "Added", 3);
    screen.tell(Message::Task(Box::new(added.clone())));
    screen.tell(Message::Added(Ok(fixtures::submitted(&added.id))));
    assert_eq!(screen.app.selected().unwrap().id, added.id);

    // Of segments none is opened where none is seen.
    let mut screen = Screen::of(fixtures::working());
    screen.press("tab / z z z enter enter");
    assert!(!screen.app.zoomed);
    assert_eq!(screen.app.selected_segment(), SegmentId::TASK);
}

#[test]
fn a_filter_that_is_left_leads_back() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("tab home down down");
    assert_eq!(screen.app.selected_segment(), SegmentId::new(3));
    screen.press("/ 9 9 esc");
    assert_eq!(screen.app.selected_segment(), SegmentId::new(3));
    screen.press("2 home down / z z esc");
    assert_eq!(screen.app.clips.cursor.row, 1);
    let mut screen = Screen::of(fixtures::working());
    let before = screen.app.selected().unwrap().id.clone();
    screen.press("/ t r a i n");
    assert_ne!(screen.app.selected().unwrap().id, before);
    screen.press("esc");
    assert_eq!(screen.app.selected().unwrap().id, before);
    assert!(screen.app.follows());
}

#[test]
fn a_text_that_is_read_stays() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("tab");
    assert!(screen.app.follows());
    screen.press("enter");
    let here = screen.app.selected_segment();
    let mut running = screen.app.tasks.first_running().unwrap().clone();
    running.current_segment = running
        .current_segment
        .map(|now| SegmentId::new(now.get() + 3));
    screen.tell(Message::Task(Box::new(running)));
    assert_eq!(screen.app.selected_segment(), here);
    screen.press("f");
    assert_eq!(screen.app.selected_segment().get(), here.get() + 3);
}

#[test]
fn a_failed_segment_is_tried_again_from_the_page_of_errors() {
    let mut tasks = fixtures::finished();
    tasks[1].state = TaskState::Failed;
    let mut screen = Screen::of(tasks);
    screen.press("3 g");
    assert_eq!(screen.app.errors.all(), 1);
    assert_eq!(
        screen.press("r"),
        [Effect::Retry(KEEPER.into(), vec![SegmentId::new(113)])]
    );
    let mut again = screen.app.tasks.by_id(&KEEPER.into()).unwrap().clone();
    again
        .errors
        .push(SegmentId::new(113), ErrorObject::new("X", "x"));
    screen.tell(Message::Task(Box::new(again.clone())));
    assert_eq!(screen.app.errors.all(), 1, "told twice, it is one");
    let other = SegmentId::new(120);
    again.errors.push(other, ErrorObject::new("X", "x"));
    again.errors.clear(other);
    screen.tell(Message::Task(Box::new(again)));
    assert_eq!(screen.app.errors.all(), 1, "mended before it was seen");
    screen.press("enter");
    assert_eq!((screen.selected(), screen.segment()), (KEEPER, 113));
}

#[test]
fn what_ended_a_task_is_shown_at_its_segment() {
    let mut tasks = fixtures::working();
    let mut error = ErrorObject::new(ErrorCode::Output, "the clip can't be written");
    error.details = serde_json::json!({ "segment_id": 118 });
    tasks[1].state = TaskState::Failed;
    tasks[1].current_segment = None;
    tasks[1].error = Some(error);
    assert_eq!(
        segment_state(&tasks[1], SegmentId::new(118)),
        SegmentState::Failed
    );
    assert_eq!(
        segment_state(&tasks[1], SegmentId::new(119)),
        SegmentState::NotMade
    );
    let mut screen = Screen::of(tasks);
    screen.press("3 end enter");
    assert_eq!((screen.selected(), screen.segment()), (KEEPER, 118));
}

#[test]
fn lists_that_grow_follow_their_end_until_someone_moves() {
    let mut tasks = fixtures::working();
    let mut screen = Screen::of(tasks.clone());
    screen.press("2");
    let all = screen.app.clips.all();
    assert_eq!(screen.app.clips.cursor.row, all - 1);
    let mut task = tasks.remove(1);
    fixtures::complete(&mut task, 118);
    screen.tell(Message::Task(Box::new(task.clone())));
    assert_eq!(screen.app.clips.cursor.row, all);
    screen.press("up");
    fixtures::complete(&mut task, 119);
    screen.tell(Message::Task(Box::new(task)));
    assert_eq!(screen.app.clips.cursor.row, all - 1);
    screen.tell(Message::Removed(vec!["instructions".into()]));
    assert_eq!(
        screen.app.clips.selected().unwrap().segment,
        SegmentId::new(117)
    );
    screen.press("f");
    assert_eq!(
        screen.app.clips.selected().unwrap().segment,
        SegmentId::new(119)
    );
}

#[test]
fn errors_are_listed_and_lead_to_their_place() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("e");
    assert_eq!(screen.app.lower, Lower::Errors);
    assert_eq!(screen.app.selected_segment(), SegmentId::new(113));
    screen.press("enter");
    assert_eq!((screen.app.lower, screen.segment()), (Lower::Segments, 113));
    screen.press("enter");
    assert!(screen.app.zoomed);
    // Back out of the segment, out of the list, and to a task without errors.
    screen.press("esc esc g e");
    assert_eq!(
        (screen.app.focus, screen.app.lower),
        (Pane::Queue, Lower::Segments)
    );
    assert!(screen.app.notice.is_some());
}
