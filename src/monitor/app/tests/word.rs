//! A word of a segment is said otherwise: chosen, tried, heard, kept.

use super::*;
use crate::service::{Corrected, Correction};

fn form(screen: &Screen) -> &WordForm {
    match &screen.app.overlay {
        Some(Overlay::Word(form)) => form,
        other => panic!("no form: {other:?}"),
    }
}

fn correction(word: &str, said: &str) -> Correction {
    Correction {
        word: word.into(),
        said: said.into(),
        only_here: false,
        segment: Some(SegmentId::new(116)),
        is_trial: false,
    }
}

fn trial(word: &str, said: &str) -> Correction {
    Correction {
        is_trial: true,
        ..correction(word, said)
    }
}

/// Segment 116 is opened, and `said` is typed for its second word.
fn typed() -> Screen {
    let mut screen = Screen::of(fixtures::working());
    screen.press("tab up up enter");
    assert_eq!((screen.app.zoomed, screen.segment()), (true, 116));
    assert_eq!(screen.press("e"), []);
    assert_eq!(screen.app.mode(), Mode::Word);
    assert_eq!(form(&screen).word.value(), "When");
    screen.press("right down m o u r n i n g");
    screen
}

fn answer(screen: &mut Screen, asked: Correction, result: Result<Corrected, String>) {
    screen.tell(Message::Corrected(KEEPER.into(), asked, result));
}

fn corrected(segments: usize, task: Option<&str>) -> Corrected {
    Corrected {
        lexicon: "/home/ada/.config/aloud/lexicon.toml".into(),
        segments,
        spoken: Some("When mourning came.".into()),
        task: task.map(Into::into),
    }
}

#[test]
fn a_word_is_chosen_and_kept_and_the_new_task_is_selected() {
    let mut screen = typed();
    let asked = correction("morning", "mourning");
    let effect = Effect::Correct(KEEPER.into(), asked.clone());
    assert_eq!(screen.press("enter"), [effect]);
    // Once is enough.
    assert_eq!(screen.press("enter C-o"), []);
    let again = fixtures::narration("again", "Again", 3);
    screen.tell(Message::Task(Box::new(again)));
    answer(&mut screen, asked, Ok(corrected(3, Some("again"))));
    assert_eq!(
        (screen.app.mode(), screen.selected()),
        (Mode::Main, "again")
    );
    assert_eq!(
        screen.app.notice.as_deref(),
        Some("“morning” is said otherwise: 3 segments are made again")
    );
}

#[test]
fn what_is_typed_takes_the_place_of_an_offered_word() {
    let mut screen = typed();
    screen.press("up right K e");
    assert_eq!(form(&screen).word.value(), "Ke");
    // A key that only moves, or a change of it, is about the word that is offered.
    screen.press("right");
    let offered = form(&screen).word.value().to_owned();
    screen.press("C-e s");
    assert_eq!(form(&screen).word.value(), format!("{offered}s"));
}

#[test]
fn what_is_made_again_is_counted() {
    for (segments, task, end) in [
        (0, None, "nothing changes in this text"),
        (2, None, "nothing is to be made again"),
        (1, Some("again"), "1 segment is made again"),
    ] {
        let mut screen = typed();
        screen.press("down right enter");
        let asked = Correction {
            only_here: true,
            ..correction("morning", "mourning")
        };
        answer(&mut screen, asked, Ok(corrected(segments, task)));
        let notice = screen.app.notice.clone().unwrap();
        assert!(notice.ends_with(end), "{notice}");
        if task.is_none() {
            assert_eq!((screen.app.zoomed, screen.segment()), (true, 116));
        }
    }
}

#[test]
fn what_goes_wrong_leaves_all_that_was_typed() {
    let mut screen = typed();
    screen.press("enter");
    let asked = correction("morning", "mourning");
    answer(
        &mut screen,
        asked,
        Err("the lexicon can't be written".into()),
    );
    assert_eq!(screen.app.mode(), Mode::Word);
    let problem = form(&screen).problem.as_deref().unwrap();
    assert_eq!(problem, "the lexicon can't be written");
    assert_eq!(form(&screen).said.value(), "mourning");
    assert!(matches!(screen.press("enter"), [Effect::Correct(..)]));

    // Where nobody waits for it any more it is said.
    screen.press("esc");
    let asked = correction("morning", "mourning");
    answer(&mut screen, asked, Err("no room".into()));
    assert_eq!(screen.app.notice.as_deref(), Some("no room"));
}

#[test]
fn what_is_missing_is_told_before_anything_is_sent() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("tab up up w");
    for key in ["enter", "C-o"] {
        assert_eq!(screen.press(key), [], "{key}");
        assert_eq!(form(&screen).field, WordField::Said);
        assert!(form(&screen).problem.is_some());
    }
    screen.press("x up C-u");
    assert_eq!(screen.press("enter"), []);
    assert_eq!(form(&screen).field, WordField::Word);
}

#[test]
fn a_trial_is_counted_and_heard() {
    let mut screen = typed();
    let asked = trial("morning", "mourning");
    let effect = Effect::Correct(KEEPER.into(), asked.clone());
    assert_eq!(screen.press("C-o"), [effect]);
    answer(&mut screen, asked.clone(), Ok(corrected(3, None)));
    let spoken = "When mourning came.".to_owned();
    let hear = Effect::Hear {
        voice: "en_US-joe-medium".into(),
        speed: 1.0,
        spoken: spoken.clone(),
    };
    assert_eq!(screen.effects, [hear]);
    assert_eq!(form(&screen).found.as_ref().unwrap().segments, 3);
    let heard = Heard {
        spoken,
        phonemes: Some("wˈɛn".into()),
        problem: Some("the voice leaves out the phonemes ʘ".into()),
    };
    screen.tell(Message::Heard(Box::new(heard.clone())));
    let found = form(&screen).found.as_ref().unwrap();
    assert_eq!(found.phonemes.as_deref(), Some("wˈɛn"));
    assert_eq!(form(&screen).problem, heard.problem);

    // An answer to what has changed meanwhile is none.
    screen.press("C-o x");
    answer(&mut screen, asked, Ok(corrected(3, None)));
    assert_eq!(screen.effects, []);
    assert!(form(&screen).found.is_none());
    screen.tell(Message::Heard(Box::new(heard)));
    assert!(form(&screen).problem.is_none());
}

#[test]
fn only_an_opened_segment_takes_the_key_of_errors() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("tab up up");
    let last = |screen: &Screen| screen.app.keys(Mode::Main, Action::Errors).len();
    assert_eq!(last(&screen), 1);
    screen.press("e");
    assert_eq!(screen.app.lower, Lower::Errors);
    screen.press("e enter");
    assert_eq!(last(&screen), 0);
    let keys = screen.app.all_keys(Action::Pronounce);
    assert_eq!(keys, ["e", "w"].map(|key| Key::parse(key).unwrap()));
    screen.press("e");
    assert_eq!(screen.app.mode(), Mode::Word);
    // By its name, errors are errors.
    screen.press("esc : e r r o r s enter");
    assert_eq!(screen.app.lower, Lower::Errors);
}

#[test]
fn without_a_segment_there_is_no_word() {
    for keys in ["w", "4 w", "6 w", "3 g / z z enter w"] {
        let mut screen = Screen::of(fixtures::working());
        assert_eq!(screen.press(keys), [], "{keys}");
        assert_eq!(screen.app.mode(), Mode::Main, "{keys}");
        let notice = screen.app.notice.as_deref().unwrap();
        assert!(notice.contains("no segment is selected"), "{notice}");
    }
    for keys in ["2 w", "3 w", "e w"] {
        let mut screen = Screen::of(fixtures::working());
        screen.press(keys);
        assert_eq!(screen.app.mode(), Mode::Word, "{keys}");
    }
}

#[test]
fn the_mouse_fills_it_in() {
    for size in [(120, 36), (80, 24), (40, 12)] {
        let mut screen = typed();
        screen.size = Rect::new(0, 0, size.0, size.1);
        screen.tell(Message::Tick);
        let fields = screen.scene.layout().fields.clone();
        assert_eq!(fields.len(), 3);
        screen.click(fields[0]);
        assert_eq!(form(&screen).field, WordField::Word);
        let values = screen.scene.layout().values.clone();
        let (place, value) = *values.last().unwrap();
        assert_eq!(value, 1, "at {size:?}");
        screen.click(place);
        assert_eq!(form(&screen).field, WordField::Texts);
        assert!(form(&screen).only_here);
        screen.tell(Message::Paste("Old Leith\u{7}\n".into()));
        screen.click(fields[1]);
        screen.tell(Message::Paste(" leeth\u{7}".into()));
        assert_eq!(form(&screen).said.value(), "mourningleeth");
    }
}

/// Of a text that is longer than its room, the part is seen that has the word.
#[test]
fn a_long_text_shows_the_word_that_is_chosen() {
    for size in [(120, 36), (80, 24), (40, 12)] {
        let mut screen = Screen::of(fixtures::long_segment());
        screen.size = Rect::new(0, 0, size.0, size.1);
        screen.press("tab up up up up up w C-u h a r b o u r");
        assert_eq!(screen.segment(), 113);
        let mut buf = Buffer::empty(screen.size);
        screen.scene.draw(&mut buf, &mut screen.app);
        let first = screen.scene.layout().fields[0];
        let plain = buf[(first.x, first.y)].bg;
        // Beside each line of the form is a cell of its frame's room.
        let rows = (0..first.y).filter(|y| buf[(first.x - 1, *y)].bg == plain);
        let written = rows.flat_map(|y| (first.x..first.right()).map(move |x| (x, y)));
        let marked = written.filter(|at| buf[*at].bg != plain);
        let marked: String = marked.map(|at| buf[at].symbol()).collect();
        assert!(!marked.is_empty(), "{size:?}");
        assert_eq!(marked.replace("harbour", ""), "", "{size:?}");
    }
}
