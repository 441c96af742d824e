//! An opened segment is read, and its neighbours are a key away.

use super::*;

fn first(screen: &Screen) -> usize {
    screen.app.zoom.first
}

/// With segment 113 opened, and its number.
fn opened() -> Screen {
    let mut screen = Screen::of(fixtures::long_segment());
    screen.press("tab up up up up up enter");
    assert_eq!((screen.app.zoomed, screen.segment()), (true, 113));
    screen
}

#[test]
fn pages_and_the_wheel_scroll_an_opened_segment() {
    let mut screen = opened();
    let page = screen.scene.layout().zoom.page();
    screen.press("pgdn");
    assert_eq!((first(&screen), screen.segment()), (page - 1, 113));
    screen.press("C-b");
    assert_eq!(first(&screen), 0);
    let pane = screen.scene.layout().zoom.pane;
    let inside = Position::new(pane.x + 5, pane.y + 3);
    let over = screen.scene.spot(inside);
    screen.tell(Message::Wheel(over, 3));
    assert_eq!((first(&screen), screen.segment()), (3, 113));
    // Over the queue it is the queue that moves.
    let queue = screen.scene.layout().queue.pane;
    let over = screen.scene.spot(Position::new(queue.x + 1, queue.y + 1));
    screen.tell(Message::Wheel(over, 1));
    assert_eq!(screen.selected(), "the-night-train");
}

#[test]
fn scrolling_ends_with_the_text() {
    let mut screen = opened();
    let all = screen.scene.layout().zoom.len;
    for _ in 0..50 {
        screen.press("pgdn");
    }
    let page = screen.scene.layout().zoom.page();
    assert_eq!(first(&screen) + page, all);
    // Nothing was saved up beyond the end.
    screen.press("pgup");
    assert_eq!(first(&screen), (all - page).saturating_sub(page - 1));
    // In a larger room there is less to scroll.
    screen.press("pgdn");
    screen.size = Rect::new(0, 0, 200, 90);
    screen.tell(Message::Tick);
    assert_eq!(first(&screen), 0);
}

#[test]
fn what_is_opened_next_begins_at_its_top() {
    for away in ["down up", "esc enter", "2 1 enter", "enter enter"] {
        let mut screen = opened();
        screen.press("pgdn");
        assert!(first(&screen) > 0, "before {away:?}");
        screen.press(away);
        assert_eq!(first(&screen), 0, "after {away:?}");
    }
    let mut screen = opened();
    screen.press("pgdn down");
    assert_eq!((first(&screen), screen.segment()), (0, 114));
    // What fits has nothing to scroll, and stays.
    screen.press("pgdn pgdn");
    assert_eq!((first(&screen), screen.segment()), (0, 114));
}

#[test]
fn a_long_line_of_the_log_scrolls_too() {
    let mut screen = Screen::of(fixtures::working());
    let text: Vec<String> = (0..900).map(|n| n.to_string()).collect();
    let line = LogLine {
        time: "10:00:00".into(),
        level: tracing::Level::ERROR,
        text: text.join(" "),
    };
    screen.size = Rect::new(0, 0, 80, 24);
    screen.tell(Message::Log(vec![line]));
    screen.press("5 enter pgdn");
    assert!(first(&screen) > 0);
    screen.press("enter enter");
    assert_eq!(first(&screen), 0);
}
