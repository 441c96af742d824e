//! Questions in the middle of the screen. The answers are actions of the table, by key and mouse.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Cx;
use super::over;
use super::text::{count, fit, line, put, put_all, wrap};
use crate::monitor::action::Action;
use crate::monitor::app::{Leaving, Question};
use crate::monitor::layout::Layout;
use crate::monitor::theme::Role;

/// What is said, and the answers with a word for each.
struct Words {
    title: &'static str,
    lines: Vec<String>,
    answers: Vec<(Action, &'static str)>,
}

pub(super) fn draw(buf: &mut Buffer, screen: Rect, cx: Cx<'_>, layout: &mut Layout) {
    let Some(words) = words(cx) else {
        return;
    };
    let wide = screen.width.saturating_sub(2).min(58);
    let room = usize::from(wide.saturating_sub(4));
    let most = usize::from(screen.height.saturating_sub(7));
    let text: Vec<String> = words
        .lines
        .iter()
        .flat_map(|line| wrap(line, room, most))
        .collect();
    let lines = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let answers = u16::try_from(words.answers.len()).unwrap_or(0);
    let area = over::centred(screen, wide, lines.saturating_add(answers + 5));
    let inner = over::draw(buf, area, (words.title, ""), cx);
    // Breathing space only where there is some.
    let airy = inner.height > lines + answers + 2;
    let mut row = u16::from(airy);
    for text in &text {
        put(buf, line(inner, row), text, cx.style(Role::Text));
        row += 1;
    }
    row = inner.height.saturating_sub(answers + u16::from(airy));
    for (place, (action, word)) in words.answers.iter().enumerate() {
        let at = line(inner, row);
        let pieces = [
            ("  ", cx.style(Role::Text)),
            (&*answer_key(*action, cx), cx.style(Role::Key)),
            ("  ", cx.style(Role::Text)),
            (*word, cx.style(Role::Heading)),
        ];
        put_all(buf, at, &pieces);
        layout.buttons.insert(place, (at, *action));
        row += 1;
    }
}

fn answer_key(action: Action, cx: Cx<'_>) -> String {
    let key = cx.app.keymap.keys(cx.app.mode(), action).next();
    format!("{:<6}", key.map_or_else(String::new, |key| key.to_string()))
}

const LEAVE_RUNNING: &str = "quit, it goes on in the background";

/// Those answers that would do something.
fn offered<const N: usize>(
    cx: Cx<'_>,
    answers: [(Action, &'static str); N],
) -> Vec<(Action, &'static str)> {
    let answers = answers.into_iter();
    answers
        .filter(|(action, _)| cx.app.offers(*action))
        .collect()
}

fn words(cx: Cx<'_>) -> Option<Words> {
    match (&cx.app.leaving, &cx.app.question) {
        (Leaving::Finishing, _) if cx.app.tasks.first_running().is_some() => Some(Words {
            title: "Finishing",
            lines: vec![
                "Finishing the segment in work …".to_owned(),
                if cx.app.hands_over {
                    "What is left goes on in the background.".to_owned()
                } else {
                    "What is left continues at the next start.".to_owned()
                },
            ],
            answers: vec![(Action::Hurry, "stop now")],
        }),
        (Leaving::No, Some(Question::Quit)) if cx.app.tasks.first_running().is_none() => {
            Some(Words {
                title: "Quit?",
                lines: vec!["What waits is safe, and continues at the next start.".to_owned()],
                answers: offered(
                    cx,
                    [
                        (Action::Confirm, "quit now"),
                        (Action::LeaveRunning, LEAVE_RUNNING),
                        (Action::FinishAll, "let it go on, quit when all is done"),
                        (Action::Decline, "stay"),
                    ],
                ),
            })
        }
        (Leaving::No, Some(Question::Quit)) => Some(Words {
            title: "Quit?",
            lines: vec![
                "Work is still running. Finished clips are safe; what is left continues at the \
                 next start."
                    .to_owned(),
            ],
            answers: offered(
                cx,
                [
                    (Action::Confirm, "finish the segment, quit"),
                    (Action::LeaveRunning, LEAVE_RUNNING),
                    (Action::FinishAll, "finish everything, quit"),
                    (Action::Interrupt, "interrupt, quit now"),
                    (Action::Decline, "stay"),
                ],
            ),
        }),
        (Leaving::No, Some(Question::Cancel(id))) => {
            let task = cx.app.tasks.by_id(id)?;
            let title = fit(&task.title, 60);
            let (done, total) = (task.progress.current, task.progress.total);
            Some(Words {
                title: "Cancel?",
                lines: vec![
                    format!("Cancel “{title}”?"),
                    format!("{done} of {total} segments are done; their clips stay."),
                ],
                answers: vec![
                    (Action::Confirm, "cancel it"),
                    (Action::Decline, "let it run"),
                ],
            })
        }
        (Leaving::No, Some(Question::CancelAll)) => {
            let active = cx.app.tasks.totals().active() as u64;
            let tasks = count(active, "task", "tasks");
            Some(Words {
                title: "Cancel everything?",
                lines: vec![format!(
                    "{tasks} will end here. Finished clips stay; r tries a task again."
                )],
                answers: vec![(Action::Confirm, "cancel all"), (Action::Decline, "go on")],
            })
        }
        _ => None,
    }
}
